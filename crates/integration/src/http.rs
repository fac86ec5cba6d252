//! Requests, responses, and the two things that handle them: the [`Transport`] that sends, and the
//! [`Http`] kit that a connector holds.

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use crate::{Error, Kind, Result, Secret, error::clip};

/// HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are HTTP's own")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Body of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// `application/json`.
    Json(serde_json::Value),
    /// `application/x-www-form-urlencoded`, in this order.
    Form(Vec<(String, String)>),
    /// `text/xml; charset=utf-8`: a whole document, already escaped.
    Xml(String),
}

/// One request to a vendor.
#[derive(Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Absolute address with its query.
    pub url: Url,
    /// Header names in lower case, with values.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Body,
    /// Whether sending it twice is the same as once. Reads are; a write must say so.
    pub idempotent: bool,
    /// How long the whole answer may take, where a vendor is known to need longer than most; at most four minutes.
    pub patience: Option<Duration>,
}

impl Request {
    /// A request without headers or body; idempotent when it is a GET.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: Vec::new(), body: Body::Empty, idempotent: method == Method::Get, patience: None }
    }

    /// The same with so much time for its answer.
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// A GET.
    pub fn get(url: Url) -> Self {
        Self::new(Method::Get, url)
    }

    /// A POST.
    pub fn post(url: Url) -> Self {
        Self::new(Method::Post, url)
    }

    /// Adds a query pair, percent-encoded.
    pub fn query(mut self, key: &str, value: impl ToString) -> Self {
        self.url.query_pairs_mut().append_pair(key, &value.to_string());
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Sets `authorization: Bearer …`, replacing one that is there.
    pub fn bearer(mut self, token: &Secret) -> Self {
        self.headers.retain(|(name, _)| name != "authorization");
        self.header("authorization", format!("Bearer {}", token.expose()))
    }

    /// Sets a JSON body.
    pub fn json(mut self, body: serde_json::Value) -> Self {
        self.body = Body::Json(body);
        self
    }

    /// Sets a form body.
    pub fn form<K: Into<String>, V: Into<String>>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        self.body = Body::Form(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect());
        self
    }

    /// Sets an XML body: a whole document, already escaped.
    pub fn xml(mut self, document: String) -> Self {
        self.body = Body::Xml(document);
        self
    }

    /// Declares that sending it twice is the same as once.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// The value of a header.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

impl std::fmt::Debug for Request {
    /// Method, host and path only: headers, query and body may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}{}", self.method.as_str(), self.url.host_str().unwrap_or(""), self.url.path())
    }
}

/// One answer of a vendor, whole.
#[derive(Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case, with values.
    pub headers: Vec<(String, String)>,
    /// Body, already unpacked and bounded by the transport.
    pub body: Bytes,
    /// When it had arrived.
    pub received_at: DateTime<Utc>,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// `Retry-After` as seconds (also fractions, which Microsoft sends) or as an HTTP date.
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse::<f64>() {
            return (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(86_400.0)));
        }
        let at = DateTime::parse_from_rfc2822(value).ok()?;
        Some((at.with_timezone(&Utc) - self.received_at).to_std().unwrap_or_default())
    }

    /// Whether this is a web page where data was expected.
    pub fn is_html(&self) -> bool {
        let typed = self.header("content-type").is_some_and(|t| t.to_ascii_lowercase().contains("html"));
        typed || self.body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<')
    }

    /// The body as JSON. A web page, half a body and a wrong shape are [`Kind::Unreadable`]; the
    /// first two may be retried.
    pub fn json<T: DeserializeOwned>(&self, vendor: &str) -> Result<T> {
        serde_json::from_slice(self.json_bytes(vendor)?).map_err(|why| unreadable(vendor, &why))
    }

    /// The body without a byte-order mark, after checking that it is not a web page.
    pub fn json_bytes(&self, vendor: &str) -> Result<&[u8]> {
        if self.is_html() {
            return Err(Error::unreadable(vendor, "a web page instead of data").retry(crate::Retry::Yes));
        }
        Ok(self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.body))
    }
}

impl std::fmt::Debug for Response {
    /// Status and length only: the body may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} with {} bytes", self.status, self.body.len())
    }
}

fn unreadable(vendor: &str, why: &serde_json::Error) -> Error {
    let error = Error::unreadable(vendor, why);
    if why.is_eof() { error.retry(crate::Retry::Yes) } else { error }
}

/// Splits a JSON array into its elements without reading them: each is a slice of `body`.
pub fn raw_array(vendor: &str, body: &Bytes) -> Result<Vec<Bytes>> {
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let items: Vec<&RawValue> = serde_json::from_slice(text).map_err(|why| unreadable(vendor, &why))?;
    Ok(items.into_iter().map(|item| raw_slice(body, item)).collect())
}

/// The part of `body` that `item`, parsed from that same body, covers. No bytes are copied.
pub fn raw_slice(body: &Bytes, item: &RawValue) -> Bytes {
    body.slice_ref(item.get().as_bytes())
}

/// Sends requests. The real one is in the `transport` crate; replay, simulator and fault
/// transports are in `vendorkit`.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends once. An answer of any status is `Ok`; `Err` is for no answer, or one over a limit.
    async fn send(&self, request: Request) -> Result<Response>;

    /// The instant that tokens are measured against.
    fn now(&self) -> DateTime<Utc>;

    /// Where the connection's grant is kept, if it is; otherwise a renewed one lives in memory only.
    fn grants(&self) -> Option<&dyn crate::GrantStore> {
        None
    }
}

/// What a connector holds: the transport, and the secrets that must not appear in any text.
pub struct Http {
    vendor: &'static str,
    transport: Arc<dyn Transport>,
    secrets: RwLock<Vec<Secret>>,
}

/// Characters of a vendor's own words that are kept.
const WORDS: usize = 300;

impl Http {
    /// A kit for this vendor. `secrets` are scrubbed from every error.
    pub fn new(vendor: &'static str, transport: Arc<dyn Transport>, secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self { vendor, transport, secrets: RwLock::new(secrets.into_iter().collect()) }
    }

    /// The vendor's name for messages.
    pub fn vendor(&self) -> &'static str {
        self.vendor
    }

    /// The transport's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.transport.now()
    }

    /// Where the connection's grant is kept, if it is.
    pub fn grants(&self) -> Option<&dyn crate::GrantStore> {
        self.transport.grants()
    }

    /// Sends once; whatever the status, an answer is `Ok`.
    pub async fn send(&self, request: Request) -> Result<Response> {
        self.transport.send(request).await.map_err(|error| self.scrub(error))
    }

    /// Adds a secret learned on the way, such as an access token. The last 32 are kept.
    pub fn learn_secret(&self, secret: Secret) {
        let mut secrets = self.secrets.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if secrets.len() >= 32 {
            // The first ones are the credentials themselves: forget the oldest token instead.
            let at = secrets.len() / 2;
            secrets.remove(at);
        }
        secrets.push(secret);
    }

    /// The same for one that may be known already.
    pub(crate) fn learn_secret_once(&self, secret: &Secret) {
        let known = self.secrets.read().unwrap_or_else(|poisoned| poisoned.into_inner()).contains(secret);
        if !known {
            self.learn_secret(secret.clone());
        }
    }

    /// Removes every known secret, plain or percent-encoded, from an error's texts.
    pub fn scrub(&self, mut error: Error) -> Error {
        let clean = |text: &str| {
            let mut text = text.to_owned();
            let secrets = self.secrets.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            for secret in secrets.iter().map(Secret::expose).filter(|s| s.len() >= 4) {
                let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
                text = text.replace(secret, "[secret]").replace(&encoded, "[secret]");
            }
            text
        };
        error.message = clean(&error.message);
        error.vendor_message = error.vendor_message.as_deref().map(|words| clip(&clean(words), WORDS));
        error.vendor_request_id = error.vendor_request_id.as_deref().map(clean);
        for (_, value) in &mut error.context {
            *value = clean(value);
        }
        error
    }

    /// The error for an answer that is not a success: `refine` reads the vendor's body into words
    /// and may change the kind.
    pub fn failure(&self, response: &Response, refine: impl FnOnce(Error) -> Error) -> Error {
        let mut error = Error::from_status(self.vendor, response);
        if response.is_html() && error.kind == Kind::Refused {
            error = Error::unreadable(self.vendor, "a web page instead of data").retry(crate::Retry::Yes);
            error.status = Some(response.status);
        }
        self.scrub(refine(error))
    }
}
