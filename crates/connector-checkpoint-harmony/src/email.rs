//! Email & Collaboration through the Infinity Portal, and the envelope that it shares with the MSP API.

use std::sync::PoisonError;

use bytes::Bytes;
use integration::{Error, Kind, Request, Response, Result};
use serde_json::{Value, json};

use crate::{
    api::{Api, NAME, Product, below},
    wire::{self, said},
};

/// One page in the vendor's envelope.
pub(crate) struct Listing {
    pub records: Vec<Bytes>,
    /// Where it goes on.
    pub scroll: Option<String>,
    pub total: Option<u64>,
}

impl Api {
    /// The customers that the Email key opens, as `farm:customer`.
    pub(crate) async fn email_scopes(&self) -> Result<Vec<String>> {
        let response = self.email_send(|url| Request::get(below(url, &["scopes"]))).await?;
        let listing = self.listing(Product::Email, &response)?;
        let scopes = listing.records.iter().map(|raw| wire::parse::<String>(raw));
        scopes.collect::<Result<_>>().map_err(|error| self.http.scrub(error))
    }

    /// A page of security events since an instant, of every customer that the key opens. The first page asks
    /// who they are; `None` is for nobody.
    pub(crate) async fn email_events(&self, since: &str, scroll: Option<&str>) -> Result<Option<Listing>> {
        let known = self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let scopes = match known.filter(|_| scroll.is_some()) {
            Some(scopes) => scopes,
            None => self.email_scopes().await?,
        };
        *self.scopes.lock().unwrap_or_else(PoisonError::into_inner) = Some(scopes.clone());
        let mut wanted = json!({ "startDate": since });
        match scopes.len() {
            0 => return Ok(None),
            // Whose key it is goes without saying.
            1 => {}
            _ => wanted["scopes"] = json!(scopes),
        }
        if let Some(scroll) = scroll {
            wanted["scrollId"] = Value::from(scroll);
        }
        let body = json!({ "requestData": wanted });
        let events = |url: &_| Request::post(below(url, &["event", "query"])).json(body.clone()).idempotent();
        let response = self.email_send(events).await?;
        self.listing(Product::Email, &response).map(Some)
    }

    async fn email_send(&self, build: impl Fn(&url::Url) -> Request) -> Result<Response> {
        let Some(key) = &self.keys.email else {
            return Err(Error::new(Kind::Credentials, format!("{NAME}: enter the Email key")));
        };
        let request = build(&below(&self.keys.gateway, &["app", "hec-api", "v1.0"]))
            .header("accept", "application/json")
            .header("x-av-req-id", self.request_id());
        let obtain = || self.portal_token(Product::Email, key);
        let response = self.tokens.send(&self.http, Product::Email.name(), request, obtain).await?;
        self.done(Product::Email, response)
    }

    /// Opens the envelope. It can tell of a failure in an answer that HTTP calls a success.
    pub(crate) fn listing(&self, product: Product, response: &Response) -> Result<Listing> {
        let read = || {
            let wrapped: wire::Wrapped<'_> = wire::parse(response.json_bytes(NAME)?)?;
            let envelope = wrapped.response_envelope;
            if let Some(code) = envelope.response_code.filter(|code| ![0, 200].contains(code)) {
                let status = u16::try_from(code).ok().filter(|code| (400..600).contains(code)).unwrap_or(422);
                return Err(self.failure(product, &Response { status, ..response.clone() }));
            }
            let Some(data) = wrapped.response_data else {
                return Err(Error::unreadable(NAME, "an answer without its data"));
            };
            let records = wire::items(response, data)?;
            // An empty page ends a listing, even where it names a place to go on from.
            let scroll = said(envelope.scroll_id).filter(|_| !records.is_empty());
            Ok(Listing { records, scroll, total: envelope.total_records_number })
        };
        read().map_err(|error| self.http.scrub(error))
    }
}
