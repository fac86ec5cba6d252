//! NinjaOne's manners: token, rights, addresses and paging.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use integration::{
    Checked, CredentialsForm, Cursor, Error, Http, Kind, Method, Page, Position, Request, Response, Result, Retry,
    Secret, Transport, Vendor,
    oauth::{Token, TokenCache},
    raw_array,
};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use crate::{
    Credentials, NinjaOne,
    errors::{self, Asked},
    wire,
};

/// The vendor's name in messages.
pub(crate) const NAME: &str = NinjaOne::NAME;

/// Rows asked for at once. No maximum is documented; integrators use this one widely.
const PAGE_SIZE: usize = 1000;

/// A page of a multiple of this many rows may have been cut by a cap of NinjaOne's, so it is not taken
/// for the last one: one request more, now and then, against records that seem to have vanished.
const LIKELY_CAP: usize = 50;

const NO_MANAGEMENT: &str = "Reading works, but nothing can be changed: tick the scope Management at the client app for \
                             installer links, and to change end users, archived documents and custom fields";
const UNKNOWN_HERE: &str = "NinjaOne does not know this: the organization is gone, or this instance does not offer it \
                            (US Federal lags behind the others)";

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
        let request = self.request(Method::Get, "/v2/organizations")?.query("pageSize", 1);
        let response = self.read(request).await?;
        let mut warnings = Vec::new();
        if rows(&response)?.is_empty() {
            warnings.push("NinjaOne shows no organization to this client app: nothing can be imported yet".to_owned());
        }
        let scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if scopes.is_some_and(|scopes| !scopes.split_whitespace().any(|scope| scope == "management")) {
            warnings.push(NO_MANAGEMENT.to_owned());
        }
        Ok(Checked { warnings, ..Checked::default() })
    }

    /// One page of a bare array that is paged by the last id seen. Of the records only that id is read.
    /// An empty page or a short one is the last; the `Link` header is not always there.
    pub(crate) async fn page(&self, path: &str, at: Position<'_>) -> Result<Page> {
        let mut request = self.request(Method::Get, path)?.query("pageSize", PAGE_SIZE);
        if let Some(cursor) = at.cursor {
            request = request.query("after", cursor.as_str());
        }
        let records = rows(&self.read(request).await?)?;
        let next = match records.last() {
            Some(last) if records.len() >= PAGE_SIZE || records.len().is_multiple_of(LIKELY_CAP) => {
                let row: wire::Row = wire::read(last, "record").map_err(|why| Error::unreadable(NAME, why))?;
                Some(Cursor::new(row.id))
            }
            _ => None,
        };
        Ok(Page { records, next, ..Page::default() })
    }

    /// A listing that NinjaOne gives in one answer.
    pub(crate) async fn whole(&self, request: Request) -> Result<Vec<Bytes>> {
        let response = self.read(request).await.map_err(|error| match error.kind {
            Kind::NotFound => Error { message: UNKNOWN_HERE.to_owned(), ..error },
            _ => error,
        })?;
        rows(&response)
    }

    /// Like [`Self::whole`], and each row read.
    pub(crate) async fn all<T: DeserializeOwned>(&self, request: Request, noun: &str) -> Result<Vec<T>> {
        let rows = self.whole(request).await?;
        rows.iter().map(|raw| wire::read(raw, noun).map_err(|why| Error::unreadable(NAME, why))).collect()
    }

    /// A request that asks for JSON. What comes from outside goes into `path` through [`id`].
    pub(crate) fn request(&self, method: Method, path: &str) -> Result<Request> {
        Ok(Request::new(method, self.url(path)?).header("accept", "application/json"))
    }

    fn url(&self, path: &str) -> Result<Url> {
        let Some(mut url) = self.base.clone() else {
            return Err(Error::new(Kind::Credentials, "enter the own host, or choose the region of the account"));
        };
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        Ok(url)
    }

    /// Sends what the scope Monitoring allows.
    pub(crate) async fn read(&self, request: Request) -> Result<Response> {
        self.send(request, Asked::Read).await
    }

    /// Sends what needs the scope Management. Only what NinjaOne turned away at the door may be tried again.
    pub(crate) async fn change(&self, request: Request) -> Result<Response> {
        self.send(request, Asked::Change).await.map_err(|error| match error.kind {
            Kind::Throttled => error,
            _ => error.retry(Retry::No),
        })
    }

    async fn send(&self, request: Request, asked: Asked) -> Result<Response> {
        let response = self.tokens.send(&self.http, "", request, || self.obtain()).await?;
        self.accept(response, asked)
    }

    /// Asks for a token by client credentials. No scope is asked for: NinjaOne then grants all that the
    /// client app has, and says which.
    async fn obtain(&self) -> Result<Token> {
        #[derive(Deserialize)]
        struct Granted {
            scope: Option<String>,
        }
        let request = self.request(Method::Post, "/ws/oauth/token")?.form([
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose()),
        ]);
        let response = self.accept(self.http.send(request.idempotent()).await?, Asked::Token)?;
        let granted: Granted = response.json(NAME)?;
        *self.scopes.lock().unwrap_or_else(PoisonError::into_inner) = granted.scope;
        Token::from_response(NAME, &response)
    }

    /// Lets data through. Throttling may come as a web page with any status, success included.
    fn accept(&self, response: Response, asked: Asked) -> Result<Response> {
        if response.is_success() && !response.is_html() {
            Ok(response)
        } else {
            Err(errors::of(&self.http, &response, asked))
        }
    }
}

fn rows(response: &Response) -> Result<Vec<Bytes>> {
    raw_array(NAME, &response.body).map_err(|error| error.request_id(response.header("x-nj-request-id")))
}

/// NinjaOne's own number in a text from outside. Anything else would be another address, and is nothing it knows.
pub(crate) fn id(text: &str) -> Result<u32> {
    text.parse().map_err(|_| Error::new(Kind::NotFound, "this is not an id of NinjaOne: its ids are numbers"))
}

/// What was looked up; `None` where NinjaOne does not know it, or tells it in a shape that will not change by
/// asking again. Anything else that went wrong stays an error: the next try may know more.
pub(crate) fn if_known<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Unreadable) && error.retry == Retry::No => Ok(None),
        found => found.map(Some),
    }
}
