//! What a name leads to, judged inside the resolver whose answer is the one connected to: there is
//! no second lookup that could answer differently.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::{Route, private_or_public, public};

/// Finds the addresses of a name: the system's resolver, or a test's.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of `name`, in the order in which to try them.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// A name that could not be resolved.
#[derive(Debug)]
pub(crate) struct NotFound;

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name is not known")
    }
}

impl std::error::Error for NotFound {}

/// The resolver given to the HTTP client: hands over only addresses that may be reached.
pub(crate) struct Guard {
    pub lookup: Arc<dyn Lookup>,
    pub route: Route,
}

impl Guard {
    async fn admitted(lookup: &dyn Lookup, route: Route, name: &str) -> Result<Vec<SocketAddr>, BoxError> {
        let mut blocked = None;
        let mut admitted = Vec::new();
        for ip in lookup.lookup(name).await.map_err(|_| NotFound)? {
            let verdict = match route {
                Route::Public => public(ip),
                Route::Exception => private_or_public(name, ip),
            };
            match verdict {
                // Port 0: the client puts the URL's port in its place.
                Ok(()) => admitted.push(SocketAddr::new(ip, 0)),
                Err(why) => blocked = Some(why),
            }
        }
        match (admitted.is_empty(), blocked) {
            (false, _) => Ok(admitted),
            (true, Some(why)) => Err(why.into()),
            (true, None) => Err(NotFound.into()),
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, route) = (self.lookup.clone(), self.route);
        Box::pin(async move {
            let found = Self::admitted(&*lookup, route, name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Answers each list once, then the last one for ever.
    struct Script(Vec<Vec<IpAddr>>, AtomicUsize);

    #[async_trait]
    impl Lookup for Script {
        async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            let turn = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
            Ok(self.0[turn].clone())
        }
    }

    fn script(turns: &[&[&str]]) -> Script {
        let read = |ips: &&[&str]| ips.iter().map(|ip| ip.parse().unwrap()).collect();
        Script(turns.iter().map(read).collect(), AtomicUsize::new(0))
    }

    async fn resolve(script: &Arc<Script>, route: Route, name: &str) -> Result<Vec<String>, String> {
        let guard = Guard { lookup: script.clone(), route };
        let found = guard.resolve(name.parse().unwrap()).await;
        found.map(|ips| ips.map(|ip| ip.to_string()).collect()).map_err(|why| why.to_string())
    }

    #[tokio::test]
    async fn a_name_that_moves_to_loopback_is_refused_the_second_time() {
        let names = Arc::new(script(&[&["8.8.8.8"], &["127.0.0.1"]]));
        assert_eq!(resolve(&names, Route::Public, "vendor.example").await.unwrap(), ["8.8.8.8:0"]);
        assert_eq!(resolve(&names, Route::Public, "vendor.example").await.unwrap_err(), "a loopback address");
        assert_eq!(names.1.load(Ordering::SeqCst), 2, "each resolution is one lookup: there is none to slip between");
    }

    #[tokio::test]
    async fn of_a_mixed_answer_only_the_public_part_is_handed_over() {
        let names = Arc::new(script(&[&["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"]]));
        let found = resolve(&names, Route::Public, "vendor.example").await.unwrap();
        assert_eq!(found, ["8.8.8.8:0", "[2606:4700::1111]:0"]);
    }

    #[tokio::test]
    async fn a_name_without_addresses_is_not_known() {
        let names = Arc::new(script(&[&[]]));
        assert_eq!(resolve(&names, Route::Public, "vendor.example").await.unwrap_err(), NotFound.to_string());
    }

    #[tokio::test]
    async fn an_excepted_name_reaches_the_private_network_and_no_more() {
        for (name, ip, admitted) in [
            ("controller.example", "10.0.0.7", true),
            ("controller.example", "fd00::7", true),
            ("controller.example", "100.64.0.7", true),
            ("controller.example", "8.8.8.8", true),
            ("controller.example", "127.0.0.1", false),
            ("controller.example", "169.254.169.254", false),
            ("controller.example", "::ffff:10.0.0.7", false),
            ("localhost", "127.0.0.1", true),
            ("demo.localhost", "::1", true),
            ("localhost", "169.254.169.254", false),
        ] {
            let names = Arc::new(script(&[&[ip]]));
            let found = resolve(&names, Route::Exception, name).await;
            assert_eq!(found.is_ok(), admitted, "{name} at {ip}: {found:?}");
        }
    }
}
