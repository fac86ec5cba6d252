//! The vendor's manners: its token, its addresses, its writes, its errors.

use std::sync::Arc;

use bytes::Bytes;
use integration::{
    CredentialsForm, Error, Http, Kind, Method, Request, Response, Result, Retry, Secret, Transport, Vendor,
    oauth::{Token, TokenCache},
    raw_array,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::{Credentials, Halopsa, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Halopsa::NAME;

/// Sends with a token, and turns every answer that is not a success into an error.
pub(crate) struct Api {
    pub(crate) http: Http,
    tokens: TokenCache,
    /// What people open; the API is below it.
    root: Url,
    token_url: Url,
    client_id: String,
    client_secret: Secret,
    scope: String,
}

impl Api {
    pub(crate) fn new(credentials: &Credentials, transport: Arc<dyn Transport>) -> Self {
        let root = without_end(&credentials.url, "api");
        let mut token_url = match &credentials.auth_url {
            Some(url) if url.path() != "/" => below(&without_end(url, "token"), &["token"]),
            Some(host) => below(host, &["auth", "token"]),
            None => below(&root, &["auth", "token"]),
        };
        if let Some(tenant) = &credentials.tenant {
            token_url.query_pairs_mut().append_pair("tenant", tenant);
        }
        Self {
            http: Http::new(NAME, transport, credentials.secrets()),
            tokens: TokenCache::default(),
            root,
            token_url,
            client_id: credentials.client_id.clone(),
            client_secret: credentials.client_secret.clone(),
            scope: credentials.scope.clone().unwrap_or_else(|| "all".to_owned()),
        }
    }

    /// An address of the API; each segment is percent-encoded.
    pub(crate) fn get(&self, path: &[&str]) -> Request {
        Request::get(below(&below(&self.root, &["api"]), path))
    }

    /// The page of a ticket that people open.
    pub(crate) fn ticket_page(&self, id: &str) -> String {
        let mut url = below(&self.root, &["tickets"]);
        url.query_pairs_mut().append_pair("id", id);
        url.into()
    }

    /// Sends a request; only a success comes back.
    pub(crate) async fn call(&self, request: Request) -> Result<Response> {
        let request = request.header("accept", "application/json");
        let response = self.tokens.send(&self.http, &self.client_id, request, || self.new_token()).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    /// One record with all its details, raw.
    pub(crate) async fn one(&self, resource: &str, id: &str) -> Result<Bytes> {
        let request = self.get(&[resource, &number(id)?.to_string()]).query("includedetails", true);
        let response = self.call(request).await?;
        let found: Option<wire::Numbered> = response.json(NAME)?;
        match found {
            Some(found) if found.id == id => Ok(response.body.slice_ref(response.json_bytes(NAME)?)),
            // Whatever came, it is not what was asked for.
            _ => Err(Error::new(Kind::NotFound, "HaloPSA does not know this record").at("resource", resource)),
        }
    }

    /// A whole list that is not paged: a bare array, or the one array in an object.
    pub(crate) async fn lookup<T: DeserializeOwned>(&self, resource: &str, query: &[(&str, &str)]) -> Result<Vec<T>> {
        let request = query.iter().fold(self.get(&[resource]), |request, (key, value)| request.query(key, value));
        let mut body: Value = self.call(request).await?.json(NAME)?;
        if let Some(found) = body.as_object_mut().and_then(|fields| fields.values_mut().find(|value| value.is_array()))
        {
            body = found.take();
        }
        serde_json::from_value(body).map_err(|why| Error::unreadable(NAME, why))
    }

    /// Makes or changes one record: the vendor takes an array, and tells making from changing by the id.
    /// Sent once.
    pub(crate) async fn write(&self, resource: &str, record: Value) -> Result<Bytes> {
        let mut request = self.get(&[resource]).json(Value::Array(vec![record]));
        (request.method, request.idempotent) = (Method::Post, false);
        self.call(request).await.and_then(|response| answered(&response)).map_err(final_unless_throttled)
    }

    /// Deletes one record. Sent once.
    pub(crate) async fn delete(&self, resource: &str, id: &str) -> Result<()> {
        let mut request = self.get(&[resource, &number(id)?.to_string()]);
        (request.method, request.idempotent) = (Method::Delete, false);
        self.call(request).await.map(drop).map_err(final_unless_throttled)
    }

    async fn new_token(&self) -> Result<Token> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose()),
            ("scope", self.scope.as_str()),
        ];
        let request =
            Request::post(self.token_url.clone()).header("accept", "application/json").form(form).idempotent();
        let response = self.http.send(request).await?;
        if response.is_success() {
            return Token::from_response(NAME, &response).map_err(|error| self.http.scrub(error));
        }
        let error = self.failure(&response);
        // A refused token request leaves only the credentials to blame, whichever status says so.
        match error.kind {
            Kind::Credentials | Kind::Forbidden | Kind::Refused | Kind::NotFound => Err(Error {
                kind: Kind::Credentials,
                message: "HaloPSA gives no token for these credentials: check the address, the tenant, the client ID \
                          and the secret, and that the API application is of the type Client ID and Secret (Services)"
                    .into(),
                ..error
            }),
            _ => Err(error),
        }
    }

    /// The one place where the vendor's error bodies are read.
    fn failure(&self, response: &Response) -> Error {
        let words = response.json_bytes(NAME).map(wire::words).unwrap_or_default();
        self.http.failure(response, |error| error.vendor_says(words))
    }
}

/// What became of a write. Only one that was turned away at the door may be sent again.
fn final_unless_throttled(error: Error) -> Error {
    match error.kind {
        Kind::Throttled => error,
        _ => error.retry(Retry::No),
    }
}

/// What a write answered with: the record, or an array that ends with it.
fn answered(response: &Response) -> Result<Bytes> {
    let body = response.json_bytes(NAME)?;
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'[') {
        return Ok(response.body.slice_ref(body));
    }
    let last = raw_array(NAME, &response.body)?.pop();
    last.ok_or_else(|| Error::unreadable(NAME, "an empty answer to a change"))
}

/// The vendor's ids are whole numbers; anything else would be another address.
pub(crate) fn number(id: &str) -> Result<i32> {
    id.parse().map_err(|_| Error::new(Kind::NotFound, "this is not an id of HaloPSA"))
}

fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// The address without this last segment, in any case of letters: people copy it with and without.
fn without_end(url: &Url, end: &str) -> Url {
    let mut url = url.clone();
    let last = url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty();
        if last.eq_ignore_ascii_case(end) {
            segments.pop();
        }
    }
    url
}
