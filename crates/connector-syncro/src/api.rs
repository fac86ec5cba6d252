//! The vendor's manners: its token, its addresses, its writes, its errors.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use integration::{
    Checked, CredentialsForm, Error, Http, Kind, Method, Request, Response, Result, Retry, Secret, Transport, Vendor,
    raw_slice,
};
use serde_json::{Value, value::RawValue};
use url::Url;

use crate::{Credentials, Syncro, loose, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Syncro::NAME;

/// How long to wait where the vendor does not say: its limit counts a minute.
const A_MINUTE: Duration = Duration::from_secs(60);

/// Sends with the token, and turns every answer that is not a success into an error.
pub(crate) struct Api {
    pub(crate) http: Http,
    root: Url,
    token: Secret,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Http::new(NAME, transport, credentials.secrets());
        Self { http, root: credentials.subdomain.0, token: credentials.api_token }
    }

    /// Whose token it is and what it may read; then one page of customers, because that is needed for anything.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let response = self.send(self.get(&["me"])).await?;
        if !response.is_success() {
            return Err(self.failure(&response, None));
        }
        if response.is_html() {
            let error = Error::unreadable(NAME, "a web page instead of data; check the subdomain");
            return Err(error.retry(Retry::Yes));
        }
        let me: Value = response.json(NAME).map_err(|error| self.http.scrub(error))?;
        // The vendor repeats a secret of this user here.
        if let Some(secret) = me["user_token"].as_str() {
            self.http.learn_secret(Secret::new(secret.to_owned()));
        }
        self.list("customers", "customers", &[], None).await?;
        let areas = [("asset", "assets"), ("ticket", "tickets"), ("invoice", "invoices")];
        let lacking = areas.iter().filter(|(area, _)| loose::as_flag(&me["permissions"][area]["read"]) == Some(false));
        let warnings = lacking.map(|(_, what)| {
            format!("{what} cannot be read: make a token with the permissions to list and view {what}")
        });
        Ok(Checked { account: loose::as_text(&me["subdomain"]), warnings: warnings.collect() })
    }

    /// An address of the API; each segment is percent-encoded.
    pub(crate) fn get(&self, path: &[&str]) -> Request {
        Request::get(below(&below(&self.root, &["api", "v1"]), path))
    }

    /// The page that people open.
    pub(crate) fn page_of(&self, what: &str, id: &str) -> String {
        below(&self.root, &[what, id]).into()
    }

    /// Sends a request; only a success comes back.
    pub(crate) async fn call(&self, request: Request) -> Result<Response> {
        let response = self.send(request).await?;
        match response.status {
            401 => Err(self.denied(&response).await),
            _ if response.is_success() => Ok(response),
            _ => Err(self.failure(&response, None)),
        }
    }

    /// One record, raw, without the envelope that some of them have.
    pub(crate) async fn one(&self, resource: &str, key: &str, id: &str) -> Result<Bytes> {
        let response = self.call(self.get(&[resource, &number(id)?.to_string()])).await?;
        unwrapped(&response, key)
    }

    /// Makes or changes something. Sent once; the record it answers with is raw, without the envelope.
    pub(crate) async fn write(&self, method: Method, path: &[&str], body: Value, key: &str) -> Result<Bytes> {
        let mut request = self.get(path).json(body);
        (request.method, request.idempotent) = (method, false);
        let outcome = self.call(request).await.and_then(|response| unwrapped(&response, key));
        outcome.map_err(final_unless_throttled)
    }

    /// Deletes one record. Sent once.
    pub(crate) async fn delete(&self, resource: &str, id: &str) -> Result<()> {
        let mut request = self.get(&[resource, &number(id)?.to_string()]);
        (request.method, request.idempotent) = (Method::Delete, false);
        self.call(request).await.map(drop).map_err(final_unless_throttled)
    }

    async fn send(&self, request: Request) -> Result<Response> {
        self.http.send(request.header("accept", "application/json").bearer(&self.token)).await
    }

    /// The vendor says 401 to a token that it does not know and to one that may not do this, in the same words. A
    /// token that is known may always ask whose it is.
    async fn denied(&self, response: &Response) -> Error {
        match self.send(self.get(&["me"])).await {
            Err(error) => error,
            Ok(me) if me.is_success() && !me.is_html() => self.failure(response, Some(Kind::Forbidden)),
            Ok(me) if me.status == 401 => self.failure(response, None),
            Ok(me) => self.failure(&me, None),
        }
    }

    /// The one place where the vendor's error bodies are read.
    fn failure(&self, response: &Response, kind: Option<Kind>) -> Error {
        let words = response.json_bytes(NAME).map(wire::words).unwrap_or_default();
        self.http.failure(response, |mut error| {
            if let Some(kind) = kind {
                error.kind = kind;
                error.message = "Syncro refuses this to the token: add the missing permission to it".to_owned();
            }
            if error.kind == Kind::Throttled && response.retry_after().is_none() {
                error.retry = Retry::After(A_MINUTE);
            }
            error.vendor_says(words).request_id(response.header("x-request-id"))
        })
    }
}

/// What became of a write. Only one that was turned away at the door may be sent again.
pub(crate) fn final_unless_throttled(error: Error) -> Error {
    match error.kind {
        Kind::Throttled => error,
        _ => error.retry(Retry::No),
    }
}

/// A record, with or without an envelope of one key.
fn unwrapped(response: &Response, key: &str) -> Result<Bytes> {
    let body = response.body.slice_ref(response.json_bytes(NAME)?);
    let fields: HashMap<String, &RawValue> =
        serde_json::from_slice(&body).map_err(|why| Error::unreadable(NAME, why))?;
    let inner = fields.get(key).filter(|inner| inner.get().starts_with('{')).map(|inner| raw_slice(&body, inner));
    Ok(inner.unwrap_or_else(|| body.clone()))
}

/// The vendor's ids are whole numbers; anything else would be another address.
pub(crate) fn number(id: &str) -> Result<i64> {
    let number = id.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Error::new(Kind::NotFound, "this is not an id of Syncro"))
}

fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
