//! Posting to an address that a customer named, whose answers matter little: the status, how long to wait, and the
//! beginning of the body. A receiver that answers without end costs no more than one that answers shortly.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use integration::{Error, Kind, Result};
use url::Url;

use crate::{
    AddressPolicy, Limits, Lookup, SystemLookup,
    address::Route,
    client::{SetupError, client},
    failure,
    guard::Guard,
};

/// What a receiver answered.
#[derive(Clone, Debug)]
pub struct Heard {
    /// HTTP status. Redirects are not followed: they come as they are.
    pub status: u16,
    /// How many seconds it asks to wait.
    pub retry_after: Option<u64>,
    /// The beginning of the body, at most [`Limits::body`] bytes.
    pub body: Bytes,
}

/// Posts to addresses that its policy admits, each request once.
pub struct Outward {
    public: reqwest::Client,
    excepted: reqwest::Client,
    policy: AddressPolicy,
    limits: Limits,
}

impl Outward {
    /// A way that resolves names as the system does.
    pub fn new(policy: AddressPolicy, limits: Limits) -> std::result::Result<Self, SetupError> {
        Self::with_lookup(policy, limits, Arc::new(SystemLookup))
    }

    /// A way that resolves names by `lookup`.
    pub fn with_lookup(
        policy: AddressPolicy,
        limits: Limits,
        lookup: Arc<dyn Lookup>,
    ) -> std::result::Result<Self, SetupError> {
        // An error says that a provider is installed already, by an earlier transport.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let public = client(&limits, Guard { lookup: lookup.clone(), route: Route::Public })?;
        let excepted = client(&limits, Guard { lookup, route: Route::Exception })?;
        Ok(Self { public, excepted, policy, limits })
    }

    /// Posts a body as JSON, to the byte.
    pub async fn post(&self, url: Url, headers: &[(String, String)], body: Bytes) -> Result<Heard> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let client = match self.policy.route(&url).map_err(|why| failure::blocked(&host, &why))? {
            Route::Public => &self.public,
            Route::Exception => &self.excepted,
        };
        let network = |why: reqwest::Error| failure::network(&host, &why, self.limits.total);
        let mut request = client.post(url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut answer = request.body(body).timeout(self.limits.total).send().await.map_err(network)?;
        if answer.headers().len() > self.limits.headers {
            return Err(Error::new(Kind::Limit, format!("{host} sent too many headers")).at("host", host));
        }
        let status = answer.status().as_u16();
        let asked = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = asked.and_then(|seconds| seconds.trim().parse().ok());
        let mut beginning = BytesMut::new();
        // What it says beyond its status is for people only: that it breaks off or does not end is no failure.
        while beginning.len() < self.limits.body
            && let Ok(Some(chunk)) = answer.chunk().await
        {
            let room = self.limits.body - beginning.len();
            beginning.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(Heard { status, retry_after, body: beginning.freeze() })
    }
}
