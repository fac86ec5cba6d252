//! The vendor's manners: its token, its addresses, its paging, its errors.

use std::sync::Arc;

use bytes::Bytes;
use integration::{
    Checked, CredentialsForm, Cursor, Error, Http, Kind, Request, Response, Result, Retry, Secret, Transport, Vendor,
    Walk,
    oauth::{Token, TokenCache},
    raw_slice,
};
use p256::ecdsa::SigningKey;
use serde::Deserialize;
use url::Url;

use crate::{AppleBusiness, ClientId, Credentials, assertion, settings::Portal, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = AppleBusiness::NAME;

/// The largest page that the vendor gives.
pub(crate) const PAGE_SIZE: u32 = 1000;

/// How to reach one account.
pub(crate) struct Api {
    pub(crate) http: Http,
    tokens: TokenCache,
    client_id: ClientId,
    key_id: String,
    key: SigningKey,
    base: Url,
    token_url: Url,
}

/// One page of a listing. Of the records nothing is read yet.
pub(crate) struct Slice {
    pub records: Vec<Bytes>,
    pub next: Option<String>,
    pub total: Option<u64>,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let usual = |address: &str| Url::parse(address).expect("the constant is an address");
        let base = match credentials.client_id.portal() {
            Portal::Business => "https://api-business.apple.com",
            Portal::School => "https://api-school.apple.com",
        };
        Self {
            http: Http::new(NAME, transport, credentials.secrets()),
            tokens: TokenCache::default(),
            key: credentials.private_key.signing().clone(),
            client_id: credentials.client_id,
            key_id: credentials.key_id,
            base: credentials.api_url.unwrap_or_else(|| usual(base)),
            token_url: credentials.token_url.map_or_else(|| usual(assertion::AUDIENCE), completed),
        }
    }

    /// The account's id: that of its only entity.
    pub(crate) fn account(&self) -> &str {
        self.client_id.as_str()
    }

    /// Whether the portal has users in its API.
    pub(crate) fn has_users(&self) -> bool {
        self.client_id.portal() == Portal::Business
    }

    /// One service and, where there can be any, one user: enough to see that the account may read.
    pub(crate) async fn check(&self) -> Result<Checked> {
        self.list(&["mdmServers"], 1, &[], None).await?;
        let mut warnings = Vec::new();
        if self.has_users() {
            match self.list(&["users"], 1, &[], None).await {
                Err(error) if matches!(error.kind, Kind::Forbidden | Kind::NotFound) => warnings.push(
                    "Apple Business shows no users to this API account: give it the right to read people, or leave it so"
                        .to_owned(),
                ),
                asked => drop(asked?),
            }
        }
        Ok(Checked { account: None, warnings })
    }

    /// One page of a listing.
    pub(crate) async fn list(
        &self,
        path: &[&str],
        limit: u32,
        query: &[(&str, &str)],
        cursor: Option<&str>,
    ) -> Result<Slice> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        let mut request = Request::get(url).query("limit", limit);
        for (key, value) in query.iter().copied().chain(cursor.map(|cursor| ("cursor", cursor))) {
            request = request.query(key, value);
        }
        let response = self.send(request).await?;
        let listing: wire::Listing<'_> = self.parse(&response)?;
        let paging = listing.meta.0.unwrap_or_default().paging.0.unwrap_or_default();
        let next = match (paging.next_cursor.0, listing.links.0.and_then(|links| links.next.0)) {
            (Some(next), _) => Some(next),
            (None, Some(link)) => Some(cursor_of(&link)?),
            (None, None) => None,
        };
        let records = listing.data.iter().map(|item| raw_slice(&response.body, item)).collect();
        Ok(Slice { records, next, total: paging.total.0 })
    }

    /// The ids of everything in a short listing.
    pub(crate) async fn ids(&self, path: &[&str]) -> Result<Vec<String>> {
        let (mut ids, mut walk, mut next) = (Vec::new(), Walk::new(NAME, Walk::PAGES), None::<String>);
        loop {
            let slice = self.list(path, PAGE_SIZE, &[], next.as_deref()).await?;
            for raw in &slice.records {
                ids.push(wire::id_of(raw).map_err(|why| Error::unreadable(NAME, why))?);
            }
            let Some(cursor) = slice.next else { return Ok(ids) };
            walk.admit(&Cursor::new(cursor.as_str()))?;
            next = Some(cursor);
        }
    }

    /// Sends with a token; only a success comes back.
    async fn send(&self, request: Request) -> Result<Response> {
        let request = request.header("accept", "application/json");
        let response = self.tokens.send(&self.http, "", request, || self.obtain()).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    /// Asks for a token. There is no refresh token.
    async fn obtain(&self) -> Result<Token> {
        let assertion = assertion::sign(self.account(), &self.key_id, &self.key, self.http.now())?;
        // It opens the account for some minutes: a vendor that repeats it must not put it into a message.
        self.http.learn_secret(Secret::clone(&assertion));
        let scope = match self.client_id.portal() {
            Portal::Business => "business.api",
            Portal::School => "school.api",
        };
        let request = Request::post(self.token_url.clone())
            .header("accept", "application/json")
            .form([
                ("grant_type", "client_credentials"),
                ("client_id", self.account()),
                ("client_assertion_type", assertion::KIND),
                ("client_assertion", assertion.expose()),
                ("scope", scope),
            ])
            .idempotent();
        let response = self.http.send(request).await?;
        if response.is_success() {
            return Token::from_response(NAME, &response).map_err(|error| self.http.scrub(error));
        }
        let error = self.failure(&response);
        // Whichever status says no to a token request: only the credentials are to blame.
        match error.kind {
            Kind::Refused | Kind::Forbidden | Kind::Credentials | Kind::NotFound => {
                Err(Error { kind: Kind::Credentials, message: NO_TOKEN.to_owned(), ..error })
            }
            _ => Err(error),
        }
    }

    /// Reads the body of a success. Half a body is worth another try, a wrong shape is not.
    fn parse<'a, T: Deserialize<'a>>(&self, response: &'a Response) -> Result<T> {
        serde_json::from_slice(response.json_bytes(NAME)?).map_err(|why| {
            let error = Error::unreadable(NAME, &why);
            self.http.scrub(if why.is_eof() { error.retry(Retry::Yes) } else { error })
        })
    }

    /// The one place where the vendor's error bodies are read.
    fn failure(&self, response: &Response) -> Error {
        let said = response.json_bytes(NAME).map(wire::said).unwrap_or_default();
        self.http.failure(response, |error| error.vendor_says(said.words).request_id(said.id.as_deref()))
    }
}

const NO_TOKEN: &str = "Apple Business gives no token for these credentials: client ID, key ID and private key must be of \
                        one API account, and the key not revoked. If they are, try the other token address";

/// A bare address gets the usual path.
fn completed(mut url: Url) -> Url {
    if url.path() == "/" {
        url.set_path("auth/oauth2/v2/token");
    }
    url
}

/// The cursor in a link to the next page. The link itself is never followed: it could lead anywhere.
fn cursor_of(link: &str) -> Result<String> {
    let (_, query) = link.split_once('?').unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(key, value)| key == "cursor" && !value.is_empty()).map(|(_, value)| value.into_owned());
    found.ok_or_else(|| Error::unreadable(NAME, "a next page without its cursor"))
}
