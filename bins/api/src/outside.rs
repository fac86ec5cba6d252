//! The way to identity providers: over the transport, with its address policy.

use std::{sync::Arc, time::Duration};

use access::{Outside, OutsideAnswer, OutsideRequest};
use domain::Clock;
use integration::{Body, Request, Transport};
use transport::{AddressPolicy, HttpTransport, Limits};

/// Bounds: a discovery document, keys or a token are short, and somebody waits for them.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    total: Duration::from_secs(10),
    body: 512 * 1024,
    headers: 100,
    header_bytes: 64 * 1024,
    idle_connections: 2,
};

/// Sends requests to identity providers.
pub struct ProviderDial(HttpTransport);

impl ProviderDial {
    /// A way that reaches public addresses over HTTPS, and the exceptions (`host:port`).
    pub fn new(exceptions: &[&str], clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let policy = AddressPolicy::allowing(exceptions)?;
        Ok(Self(HttpTransport::new(policy, LIMITS, Arc::new(move || clock.now()))?))
    }
}

#[async_trait::async_trait]
impl Outside for ProviderDial {
    async fn send(&self, request: OutsideRequest) -> Result<OutsideAnswer, String> {
        let OutsideRequest { url, form, authorization } = request;
        let mut out = match form {
            Some(form) => Request { body: Body::Form(form), ..Request::post(url) },
            None => Request::get(url),
        };
        out = out.header("accept", "application/json");
        if let Some(authorization) = authorization {
            out = out.header("authorization", authorization);
        }
        let answer = self.0.send(out).await.map_err(|error| error.to_string())?;
        Ok(OutsideAnswer { status: answer.status, body: answer.body.to_vec() })
    }
}
