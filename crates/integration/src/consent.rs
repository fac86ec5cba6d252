//! What a person grants at the vendor's own page (OAuth 2, authorization code): the grant, the page, and
//! where a grant is kept while its tokens rotate. The machinery is in [`crate::oauth`].

use std::{collections::BTreeMap, fmt, pin::Pin};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Error, Field, Input, Kind, Result, Secret};

/// What a person granted at the vendor's page: the tokens, and what came with them. People never type
/// it. A field of credentials declares it as `Option<Grant>`: it is absent until consent is given.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// What a new access token is asked for with. Most vendors give another one with each answer, and
    /// take the old one as a sign of theft.
    pub refresh: Secret,
    /// The access token.
    pub access: Secret,
    /// When the vendor stops accepting the access token.
    pub ends_at: DateTime<Utc>,
    /// What else belongs to the grant, such as the vendor's id of the account, by convention under
    /// [`Grant::ACCOUNT`]. It stays when the tokens are renewed.
    pub extra: BTreeMap<String, String>,
}

impl Grant {
    /// The key of the vendor's id of the account (organisation, realm, tenant) in [`Grant::extra`].
    pub const ACCOUNT: &str = "account";

    /// The vendor's id of the account, where it came with the grant.
    pub fn account(&self) -> Option<&str> {
        self.extra.get(Self::ACCOUNT).map(String::as_str)
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[grant]")
    }
}

/// How a grant is stored: sealed, like every credential.
#[derive(Serialize, Deserialize)]
struct Stored {
    refresh: String,
    access: String,
    ends_at: DateTime<Utc>,
    #[serde(default)]
    extra: BTreeMap<String, String>,
}

impl Field for Grant {
    const INPUT: Input = Input::Consent;

    fn parse(text: &str) -> Result<Self, String> {
        let stored: Stored =
            serde_json::from_str(text).map_err(|_| "is given at the vendor's own page: start the consent there")?;
        if stored.refresh.is_empty() || stored.access.is_empty() {
            return Err("lacks its tokens: start the consent anew".into());
        }
        Ok(Self {
            refresh: Secret::new(stored.refresh),
            access: Secret::new(stored.access),
            ends_at: stored.ends_at,
            extra: stored.extra,
        })
    }

    fn example() -> String {
        let example = Stored {
            refresh: "example-refresh-0001".into(),
            access: "example-access-0001".into(),
            ends_at: DateTime::from_timestamp(4_102_444_800, 0).unwrap_or_default(),
            extra: BTreeMap::from([(Self::ACCOUNT.into(), "example-account-0001".into())]),
        };
        serde_json::to_string(&example).unwrap_or_default()
    }

    fn store(&self) -> Option<String> {
        let stored = Stored {
            refresh: self.refresh.expose().to_owned(),
            access: self.access.expose().to_owned(),
            ends_at: self.ends_at,
            extra: self.extra.clone(),
        };
        serde_json::to_string(&stored).ok()
    }

    fn secrets(&self) -> Vec<Secret> {
        vec![self.refresh.clone(), self.access.clone()]
    }
}

/// What the vendor's page is asked with.
#[derive(Clone, Debug)]
pub struct ConsentAsk<'a> {
    /// Where the vendor sends the person back to.
    pub redirect_uri: &'a str,
    /// Comes back unchanged; by it we know our own question.
    pub state: &'a str,
    /// PKCE, method S256: see [`crate::oauth::challenge`].
    pub code_challenge: &'a str,
}

/// What the person came back with.
pub struct ConsentAnswer {
    /// The code; it is good for one exchange.
    pub code: Secret,
    /// What the challenge was made of.
    pub verifier: Secret,
    /// As it stood in the question.
    pub redirect_uri: String,
    /// The other pairs of the address, such as the account that was chosen.
    pub query: BTreeMap<String, String>,
}

/// Asks a person for consent at the vendor's own page, and exchanges what they come back with.
#[async_trait]
pub trait Consent: Send + Sync {
    /// The vendor's page.
    fn page(&self, ask: &ConsentAsk<'_>) -> Url;

    /// Exchanges the code. [`Kind::Refused`] means: ask the person again.
    async fn exchange(&self, answer: &ConsentAnswer) -> Result<Grant>;
}

/// Asks the vendor for a new grant in exchange for this one.
pub type Exchange = Box<dyn FnOnce(Grant) -> Pin<Box<dyn Future<Output = Result<Grant>> + Send>> + Send>;

/// Keeps the grant of one connection for everything that talks to its vendor, in all processes.
#[async_trait]
pub trait GrantStore: Send + Sync {
    /// Under a lock for this connection: if another grant than `seen` is kept, answers that one;
    /// otherwise runs `exchange` once, keeps what it gives, and only then answers it.
    async fn renew(&self, seen: &Grant, exchange: Exchange) -> Result<Grant>;
}

/// The error for a connection to which nobody has consented yet.
pub fn consent_missing(vendor: &str) -> Error {
    Error::new(Kind::Credentials, format!("{vendor} waits for consent: start it and sign in at {vendor}'s page"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_reads_back_as_it_was_stored_and_shows_nothing() {
        let grant = Grant::parse(&Grant::example()).expect("its own example");
        let stored = grant.store().expect("is there");
        assert_eq!(Grant::parse(&stored), Ok(grant.clone()));
        assert_eq!(Grant::example(), stored);
        assert_eq!(grant.account(), Some("example-account-0001"));
        assert_eq!(format!("{grant:?} {:?}", Some(&grant)), "[grant] Some([grant])");
        let secrets = Field::secrets(&Some(grant));
        assert_eq!(secrets.len(), 2, "both tokens are secrets");
    }

    #[test]
    fn what_people_type_is_no_grant() {
        for text in
            ["", "a token", "{}", "[]", "null", r#"{"refresh":"","access":"","ends_at":"2026-01-01T00:00:00Z"}"#]
        {
            let error = Grant::parse(text).expect_err(text);
            assert!(error.contains("consent"), "{error}");
        }
        assert_eq!(Option::<Grant>::parse(""), Ok(None));
        const { assert!(!<Option<Grant> as Field>::REQUIRED) };
        assert_eq!(<Option<Grant> as Field>::INPUT, Input::Consent);
    }
}
