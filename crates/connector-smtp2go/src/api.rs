//! The vendor's manners: its key, its addresses, its permissions, its errors. Every call is a POST with JSON,
//! also those that only read.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use integration::{
    CredentialsForm, Error, Http, Kind, Page, Request, Response, Result, Retry, Secret, Transport, Vendor, raw_slice,
};
use serde_json::{Value, json};
use url::Url;

use crate::{Credentials, Region, Smtp2go, wire};

const NAME: &str = Smtp2go::NAME;

/// Endpoints that a key must permit, and what is lost without each.
pub(crate) const NEEDED: [(&str, &str); 6] = [
    ("/stats/email_summary", "what was sent is not known"),
    ("/domain/view", "sender domains are not listed"),
    ("/single_sender_emails/view", "senders are not listed"),
    ("/users/smtp/view", "senders are not listed"),
    ("/email/send", "no mail is sent through this account"),
    ("/activity/search", "mail whose answer was lost cannot be found again, and waits"),
];

/// What the subaccounts need besides.
pub(crate) const NEEDED_BELOW: [(&str, &str); 2] = [
    ("/subaccounts/search", "subaccounts are not listed"),
    ("/stats/email_history", "what subaccounts sent is not known"),
];

/// How long a sender of too many requests is turned away at least; the vendor does not say it itself.
const TURNED_AWAY: Duration = Duration::from_secs(60);

/// How to reach one account.
pub(crate) struct Api {
    http: Http,
    base: Url,
    key: Secret,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Http::new(NAME, transport, credentials.secrets());
        let host = match credentials.region {
            Region::Nearest => "https://api.smtp2go.com",
            Region::Us => "https://us-api.smtp2go.com",
            Region::Eu => "https://eu-api.smtp2go.com",
            Region::Au => "https://au-api.smtp2go.com",
        };
        let usual = Url::parse(host).expect("the constant is an address");
        let mut base = credentials.api_url.unwrap_or(usual);
        // The version is easily forgotten.
        if base.path() == "/" {
            base.set_path("v3");
        }
        Self { http, base, key: credentials.api_key }
    }

    /// Endpoints that the key permits, such as `/domain/view`. Every key may ask for them.
    pub(crate) async fn permitted(&self) -> Result<Vec<String>> {
        let response = self.read("/api_keys/permissions").await?;
        wire::permitted(response.json_bytes(NAME)?).map_err(|why| self.unreadable(&why))
    }

    /// What an endpoint that only reads has in `data`, as it came.
    pub(crate) async fn data(&self, endpoint: &str) -> Result<Bytes> {
        self.read_with(endpoint, json!({})).await
    }

    /// The same of an endpoint that is told what to look for.
    pub(crate) async fn read_with(&self, endpoint: &str, body: Value) -> Result<Bytes> {
        let response = self.call(endpoint, self.request(endpoint, body).idempotent()).await?;
        let data = wire::data(response.json_bytes(NAME)?).map_err(|why| self.unreadable(&why))?;
        Ok(raw_slice(&response.body, data))
    }

    /// The rows of a listing: all of them, because the vendor pages none that we read.
    pub(crate) async fn rows(&self, endpoint: &str, asked: Value, key: &str) -> Result<Vec<Bytes>> {
        let data = self.read_with(endpoint, asked).await?;
        let rows = wire::rows(&data, key).map_err(|why| self.unreadable(&why))?;
        rows.ok_or_else(|| Error::unreadable(NAME, format!("a listing without its {key}")))
            .map(|rows| rows.into_iter().map(|row| raw_slice(&data, row)).collect())
    }

    /// Hands something over, once. After anything but a refusal the outcome is unknown.
    pub(crate) async fn write(&self, endpoint: &str, body: Value) -> Result<Response> {
        self.call(endpoint, self.request(endpoint, body)).await.map_err(|error| match error.kind {
            // Turned away at the door.
            Kind::Throttled => error,
            _ => error.retry(Retry::No),
        })
    }

    async fn read(&self, endpoint: &str) -> Result<Response> {
        self.call(endpoint, self.request(endpoint, json!({})).idempotent()).await
    }

    fn request(&self, endpoint: &str, body: Value) -> Request {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(endpoint.split('/').filter(|segment| !segment.is_empty()));
        }
        Request::post(url)
            .header("accept", "application/json")
            .header("x-smtp2go-api-key", self.key.expose())
            .json(body)
    }

    async fn call(&self, endpoint: &str, request: Request) -> Result<Response> {
        let response = self.http.send(request).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(endpoint, &response)) }
    }

    /// The one place where the vendor's error bodies are read.
    fn failure(&self, endpoint: &str, response: &Response) -> Error {
        let said = response.json_bytes(NAME).map(wire::Failure::read).unwrap_or_default();
        self.http.failure(response, |mut error| {
            // A permission that is missing has the status of a bad request.
            if error.kind != Kind::Unavailable && said.code.ends_with("ENDPOINT_PERMISSION_DENIED") {
                let message = format!("the API key may not use {endpoint}: permit it at SMTP2GO, Sending → API Keys");
                error = Error { status: error.status, ..Error::new(Kind::Forbidden, message) };
            }
            if error.status == Some(402) {
                error.message = "SMTP2GO refuses this for the state of the account: see plan and billing there".into();
            }
            if error.kind == Kind::Throttled && error.retry == Retry::Yes {
                error.retry = Retry::After(TURNED_AWAY);
            }
            error.vendor_says(&said.words).request_id(said.request_id.as_deref())
        })
    }

    /// Half a body is worth another try, a wrong shape is not. The reason is not quoted: it may hold a password.
    pub(crate) fn unreadable(&self, why: &serde_json::Error) -> Error {
        let error = Error::unreadable(NAME, format!("it differs from the description at byte {}", why.column()));
        if why.is_eof() { error.retry(Retry::Yes) } else { error }
    }
}

/// The page that a whole listing is.
pub(crate) fn whole(records: Vec<Bytes>) -> Page {
    Page { total: Some(records.len() as u64), records, ..Page::default() }
}
