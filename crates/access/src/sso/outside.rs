//! The network, as far as identity providers need it: passed in, so that the address policy is the transport's and
//! tests have a provider of their own.

use async_trait::async_trait;
use openidconnect::url::Url;

/// A request to an identity provider.
#[derive(Clone)]
pub struct OutsideRequest {
    /// Where.
    pub url: Url,
    /// A form to be posted; none for a GET.
    pub form: Option<Vec<(String, String)>>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
}

impl std::fmt::Debug for OutsideRequest {
    /// Without query, form and header: they hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutsideRequest({} {})", if self.form.is_some() { "POST" } else { "GET" }, self.url.path())
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct OutsideAnswer {
    /// HTTP status; a redirect is not followed.
    pub status: u16,
    /// The body, bounded by whoever sends.
    pub body: Vec<u8>,
}

/// The way to identity providers.
#[async_trait]
pub trait Outside: Send + Sync {
    /// Sends a request once, without following redirects, within bounds of time and bytes, to addresses that may be
    /// reached. An error says what failed, in words that are safe to show.
    async fn send(&self, request: OutsideRequest) -> Result<OutsideAnswer, String>;
}

/// No way at all: for a process that was not given one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

#[async_trait]
impl Outside for Nowhere {
    async fn send(&self, _: OutsideRequest) -> Result<OutsideAnswer, String> {
        Err("this process has no way to the network".to_owned())
    }
}
