//! One request, one answer, within limits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::BytesMut;
use chrono::{DateTime, Utc};
use integration::{Body, Error, Kind, Method, Request, Response, Result, Transport};

use crate::{AddressPolicy, Lookup, SystemLookup, address::Route, failure, guard::Guard};

/// The clock that [`Transport::now`] and [`Response::received_at`] are read from.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Bounds on one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands, TLS included.
    pub connect: Duration,
    /// From the first byte sent to the last byte read.
    pub total: Duration,
    /// Bytes of a body, after unpacking.
    pub body: usize,
    /// Header lines of an answer.
    pub headers: usize,
    /// Bytes of all header names and values of an answer.
    pub header_bytes: usize,
    /// Idle connections kept for each host.
    pub idle_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            total: Duration::from_secs(60),
            body: 64 << 20,
            headers: 100,
            header_bytes: 64 << 10,
            idle_connections: 4,
        }
    }
}

/// The HTTP client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot start: are the system's root certificates (ca-certificates) installed?")]
pub struct SetupError(#[source] reqwest::Error);

/// Sends requests over the network, each once.
pub struct HttpTransport {
    public: reqwest::Client,
    /// For hosts that the policy excepts; a client of its own, because a resolver sees no port.
    excepted: Option<reqwest::Client>,
    policy: AddressPolicy,
    limits: Limits,
    clock: Clock,
    lookup: Arc<dyn Lookup>,
}

/// The longest that a request may ask to wait for its whole answer.
const LONGEST: Duration = Duration::from_secs(240);

/// Headers that the transport itself answers for.
const OWN_HEADERS: [&str; 5] = ["accept-encoding", "connection", "content-length", "host", "transfer-encoding"];

impl HttpTransport {
    /// A transport that resolves names as the system does.
    pub fn new(policy: AddressPolicy, limits: Limits, clock: Clock) -> Result<Self, SetupError> {
        Self::with_lookup(policy, limits, clock, Arc::new(SystemLookup))
    }

    /// A transport that resolves names by `lookup`.
    pub fn with_lookup(
        policy: AddressPolicy,
        limits: Limits,
        clock: Clock,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, SetupError> {
        // An error says that a provider is installed already, by an earlier transport.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let public = client(&limits, Guard { lookup: lookup.clone(), route: Route::Public })?;
        Self { public, excepted: None, policy: AddressPolicy::default(), limits, clock, lookup }.with_policy(policy)
    }

    /// The same transport for a connection with a policy of its own. Connections to public hosts
    /// stay shared.
    pub fn with_policy(&self, policy: AddressPolicy) -> Result<Self, SetupError> {
        let guard = Guard { lookup: self.lookup.clone(), route: Route::Exception };
        let excepted = policy.has_exceptions().then(|| client(&self.limits, guard)).transpose()?;
        let (public, clock, lookup) = (self.public.clone(), self.clock.clone(), self.lookup.clone());
        Ok(Self { public, excepted, policy, limits: self.limits, clock, lookup })
    }

    async fn exchange(&self, host: &str, request: Request) -> Result<Response> {
        let client = match self.policy.route(&request.url).map_err(|why| failure::blocked(host, &why))? {
            Route::Public => &self.public,
            Route::Exception => self.excepted.as_ref().unwrap_or(&self.public),
        };
        let patience = request.patience.map_or(self.limits.total, |patience| patience.min(LONGEST));
        let network = |why: reqwest::Error| failure::network(host, &why, patience);
        let mut answer = outgoing(client, host, request)?.timeout(patience).send().await.map_err(network)?;
        let headers = self.headers(host, answer.headers())?;
        let expected = answer.content_length().unwrap_or(0);
        if expected > self.limits.body as u64 {
            return Err(self.too_long(host));
        }
        // What the vendor announces is reserved only up to 1 MiB: it may announce anything.
        let mut body = BytesMut::with_capacity(expected.min(1 << 20) as usize);
        while let Some(chunk) = answer.chunk().await.map_err(network)? {
            if body.len() + chunk.len() > self.limits.body {
                return Err(self.too_long(host));
            }
            body.extend_from_slice(&chunk);
        }
        let status = answer.status().as_u16();
        Ok(Response { status, headers, body: body.freeze(), received_at: self.now() })
    }

    /// Header lines as texts, if they are few and short enough, and the body is one we can read.
    fn headers(&self, host: &str, found: &reqwest::header::HeaderMap) -> Result<Vec<(String, String)>> {
        let bytes: usize = found.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if found.len() > self.limits.headers || bytes > self.limits.header_bytes {
            return Err(Error::new(Kind::Limit, format!("{host} sent too many headers")).at("host", host));
        }
        // The client removes the header of what it unpacked; another packing was not asked for.
        if found.get("content-encoding").is_some_and(|packing| packing != "identity") {
            return Err(Error::unreadable(host, "packed in a way that was not asked for").at("host", host));
        }
        let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(found.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect())
    }

    fn too_long(&self, host: &str) -> Error {
        let limit = self.limits.body;
        Error::new(Kind::Limit, format!("the answer of {host} is longer than {limit} bytes")).at("host", host)
    }
}

pub(crate) fn client(limits: &Limits, guard: Guard) -> Result<reqwest::Client, SetupError> {
    #[expect(clippy::disallowed_methods, reason = "this is the transport crate, by which the others are to go")]
    reqwest::Client::builder()
        .user_agent(concat!("PanelOne/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect)
        .timeout(limits.total)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .gzip(true)
        .pool_max_idle_per_host(limits.idle_connections)
        .pool_idle_timeout(Duration::from_secs(60))
        // Above the limit, so that it is our own check that says so.
        .http1_max_headers(limits.headers.saturating_mul(4))
        .http2_max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .dns_resolver(guard)
        .build()
        .map_err(SetupError)
}

fn outgoing(client: &reqwest::Client, host: &str, request: Request) -> Result<reqwest::RequestBuilder> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut out = client.request(method, request.url);
    for (name, value) in &request.headers {
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(Error::new(Kind::Refused, format!("the header {name} is the transport's own")).at("host", host));
        }
        out = out.header(name, value);
    }
    Ok(match &request.body {
        // Said for writes, because some servers answer 411 to one without a length.
        Body::Empty if matches!(request.method, Method::Post | Method::Put | Method::Patch) => {
            out.header("content-length", "0")
        }
        Body::Empty => out,
        Body::Json(value) => out.json(value),
        Body::Form(pairs) => out.form(pairs),
        Body::Xml(document) => out.header("content-type", "text/xml; charset=utf-8").body(document.clone()),
    })
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request) -> Result<Response> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let (method, path) = (request.method.as_str(), request.url.path().to_owned());
        let started = Instant::now();
        let outcome = self.exchange(&host, request).await;
        let ms = started.elapsed().as_millis() as u64;
        match &outcome {
            Ok(answer) => {
                let (status, bytes) = (answer.status, answer.body.len());
                tracing::debug!(method, host, path, status, ms, bytes, "vendor request");
            }
            Err(error) => tracing::debug!(method, host, path, ms, %error, "vendor request"),
        }
        outcome
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }
}
