//! NinjaOne's manners: token, addresses and paging.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use integration::{
    Checked, CredentialsForm, Cursor, Error, Http, Kind, Page, Position, Request, Response, Result, Secret, Transport,
    Vendor,
    oauth::{Token, TokenCache},
    raw_array,
};
use serde::Deserialize;
use url::Url;

use crate::{Credentials, NinjaOne, errors, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = NinjaOne::NAME;

/// Rows asked for at once. No maximum is documented; integrators use this one widely.
const PAGE_SIZE: usize = 1000;

/// A page of a multiple of this many rows may have been cut by a cap of NinjaOne's, so it is not taken
/// for the last one: one request more, now and then, against records that seem to have vanished.
const LIKELY_CAP: usize = 50;

/// How to reach one account.
pub(crate) struct Api {
    http: Http,
    tokens: TokenCache,
    base: Option<Url>,
    client_id: String,
    client_secret: Secret,
    /// Scopes of the newest token, where NinjaOne named them.
    scopes: Mutex<Option<String>>,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self {
            http: Http::new(NAME, transport, credentials.secrets()),
            tokens: TokenCache::default(),
            base: credentials.base_url.or_else(|| credentials.region.base()),
            client_id: credentials.client_id,
            client_secret: credentials.client_secret,
            scopes: Mutex::new(None),
        }
    }

    /// One organisation is enough to see that address, client app and the right to read are as they should be.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let response = self.get(self.request("/v2/organizations")?.query("pageSize", 1)).await?;
        let mut warnings = Vec::new();
        if rows(&response)?.is_empty() {
            warnings.push("NinjaOne shows no organization to this client app: nothing can be imported yet".to_owned());
        }
        let scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if scopes.is_some_and(|scopes| !scopes.split_whitespace().any(|scope| scope == "management")) {
            warnings.push(
                "Nothing can be changed at NinjaOne: tick the scope Management at the client app to allow it"
                    .to_owned(),
            );
        }
        Ok(Checked { warnings, ..Checked::default() })
    }

    /// One page of a bare array that is paged by the last id seen. Of the records only that id is read.
    /// An empty page or a short one is the last; the `Link` header is not always there.
    pub(crate) async fn page(&self, path: &str, at: Position<'_>) -> Result<Page> {
        let mut request = self.request(path)?.query("pageSize", PAGE_SIZE);
        if let Some(cursor) = at.cursor {
            request = request.query("after", cursor.as_str());
        }
        let response = self.get(request).await?;
        let records = rows(&response)?;
        let next = match records.last() {
            Some(last) if records.len() >= PAGE_SIZE || records.len().is_multiple_of(LIKELY_CAP) => {
                let row: wire::Row = wire::read(last, "record").map_err(|why| Error::unreadable(NAME, why))?;
                Some(Cursor::new(row.id))
            }
            _ => None,
        };
        Ok(Page { records, next, ..Page::default() })
    }

    fn request(&self, path: &str) -> Result<Request> {
        Ok(Request::get(self.url(path)?).header("accept", "application/json"))
    }

    fn url(&self, path: &str) -> Result<Url> {
        let Some(mut url) = self.base.clone() else {
            return Err(Error::new(Kind::Credentials, "enter the own host, or choose the region of the account"));
        };
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        Ok(url)
    }

    async fn get(&self, request: Request) -> Result<Response> {
        let response = self.tokens.send(&self.http, "", request, || self.obtain()).await?;
        self.accept(response, false)
    }

    /// Asks for a token by client credentials. No scope is asked for: NinjaOne then grants all that the
    /// client app has, and says which.
    async fn obtain(&self) -> Result<Token> {
        #[derive(Deserialize)]
        struct Granted {
            scope: Option<String>,
        }
        let request = Request::post(self.url("/ws/oauth/token")?).header("accept", "application/json").form([
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose()),
        ]);
        let response = self.accept(self.http.send(request.idempotent()).await?, true)?;
        let granted: Granted = response.json(NAME)?;
        *self.scopes.lock().unwrap_or_else(PoisonError::into_inner) = granted.scope;
        Token::from_response(NAME, &response)
    }

    /// Lets data through. Throttling may come as a web page with any status, success included.
    fn accept(&self, response: Response, at_token: bool) -> Result<Response> {
        if response.is_success() && !response.is_html() {
            Ok(response)
        } else {
            Err(errors::of(&self.http, &response, at_token))
        }
    }
}

fn rows(response: &Response) -> Result<Vec<Bytes>> {
    raw_array(NAME, &response.body).map_err(|error| error.request_id(response.header("x-nj-request-id")))
}
