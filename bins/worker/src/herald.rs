//! The way the product's own events leave: over the one HTTP client crate, to public addresses and the exceptions that
//! the operator allows.

use std::time::Duration;

use async_trait::async_trait;
use sync::{Post, Reply};
use transport::{AddressPolicy, Limits, Outward};
use url::Url;

/// Longest that a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const ANSWER: usize = 4_096;

/// Tells other programs of events over HTTPS.
pub struct HttpHerald(Outward);

impl HttpHerald {
    /// A way that the policy allows.
    pub fn new(policy: AddressPolicy) -> anyhow::Result<Self> {
        Self::within(policy, PATIENCE)
    }

    /// The same with another patience than ten seconds.
    pub fn within(policy: AddressPolicy, patience: Duration) -> anyhow::Result<Self> {
        let limits = Limits {
            connect: patience.min(Duration::from_secs(5)),
            total: patience,
            body: ANSWER,
            idle_connections: 1,
            ..Limits::default()
        };
        Ok(Self(Outward::new(policy, limits)?))
    }
}

#[async_trait]
impl sync::Herald for HttpHerald {
    async fn send(&self, post: Post) -> Result<Reply, String> {
        let url = Url::parse(&post.url).map_err(|_| "the address is none".to_owned())?;
        let heard = self.0.post(url, &post.headers, post.body).await.map_err(|error| error.to_string())?;
        let answer = String::from_utf8_lossy(&heard.body).into_owned();
        Ok(Reply { status: heard.status, retry_after: heard.retry_after, answer })
    }
}

/// What is wrong with an address that events are to be sent to, as far as it shows before anything is sent; follows the
/// name of the field.
pub fn webhook_address_problem(policy: &AddressPolicy, address: &str) -> Result<(), String> {
    let url =
        Url::parse(address).map_err(|_| "must be an address such as https://hooks.example/panelone".to_owned())?;
    if url.fragment().is_some() {
        return Err("must not have a fragment (#…): it would not be sent".to_owned());
    }
    policy.check(&url).map_err(|why| format!("must be public and https: this one leads to {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_public_and_https_unless_the_operator_allows_it() {
        let policy = AddressPolicy::allowing(["127.0.0.1:9000"]).expect("a policy");
        for good in ["https://hooks.example/a?b=c", "https://hooks.example:8443/", "http://127.0.0.1:9000/x"] {
            assert_eq!(webhook_address_problem(&policy, good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "hooks.example",
            "http://hooks.example/",
            "ftp://hooks.example/",
            "https://127.0.0.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "https://0x7f.1/",
            "http://127.0.0.1:9001/",
            "https://user:pass@hooks.example/",
            "https://hooks.example/#x",
        ] {
            assert!(webhook_address_problem(&policy, bad).is_err(), "{bad}");
        }
    }
}
