//! Microsoft's manners: one token for each tenant, and links to follow as given, but nowhere else.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use integration::{
    Cursor, Error, Http, Kind, Page, Position, Request, Response, Result, Retry, Transport, Vendor,
    oauth::{Token, TokenCache},
    raw_slice,
};
use url::Url;

use crate::{Credentials, Guid, Microsoft365, refusals::lacks_licence, wire::List};

pub(crate) const NAME: &str = Microsoft365::NAME;
/// Leaves room in a cursor for what stands before the link.
pub(crate) const LONGEST_LINK: usize = 8000;

pub(crate) struct Api {
    pub(crate) http: Http,
    tokens: TokenCache,
    pub(crate) credentials: Credentials,
    pub(crate) login: Url,
    pub(crate) graph: Url,
}

/// Where a kind of record is listed, and the right it needs.
pub(crate) struct Source {
    pub path: &'static str,
    pub query: &'static str,
    pub right: &'static str,
}

/// One page, split but not read. The links are known to lead back to Graph.
pub(crate) struct Listed {
    pub records: Vec<Bytes>,
    pub next: Option<String>,
    pub delta: Option<String>,
}

impl Api {
    pub fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let host = |given: &Option<Url>, usual: &'static str| {
            given.clone().unwrap_or_else(|| Url::parse(usual).expect("a constant address"))
        };
        Self {
            http: Http::new(NAME, transport, [credentials.client_secret.clone()]),
            tokens: TokenCache::default(),
            login: host(&credentials.login_host, "https://login.microsoftonline.com"),
            graph: below(&host(&credentials.graph_host, "https://graph.microsoft.com"), "v1.0", None),
            credentials,
        }
    }

    /// The MSP's own tenant.
    pub fn partner(&self) -> Guid {
        self.credentials.tenant_id
    }

    /// The transport's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.http.now()
    }

    /// The page of a listing that each tenant has for itself.
    pub async fn page(&self, source: &Source, at: Position<'_>) -> Result<Page> {
        let listed = self.list(tenant(at)?, source, at.cursor.map(Cursor::as_str)).await?;
        Ok(Page { records: listed.records, next: listed.next.map(Cursor::new), ..Page::default() })
    }

    /// The first page of a listing, or the page behind `link`, which an earlier page gave.
    pub async fn list(&self, tenant: Guid, source: &Source, link: Option<&str>) -> Result<Listed> {
        let url = match link {
            None => below(&self.graph, source.path, Some(source.query)),
            // Kept from before the address of Graph was changed: of no use any more.
            Some(link) => self.own(link).ok_or_else(|| {
                Error::new(Kind::Expired, "the kept link is not one of this Graph address: list anew")
            })?,
        };
        let response = self.get(tenant, url, source.right).await?;
        let list: List<'_> = serde_json::from_slice(response.json_bytes(NAME)?).map_err(|why| {
            // Half an answer may come whole next time; another shape will not.
            self.http.scrub(Error::unreadable(NAME, &why)).retry(if why.is_eof() { Retry::Yes } else { Retry::No })
        })?;
        if list.next.iter().chain(&list.delta).any(|link| self.own(link).is_none()) {
            return Err(Error::unreadable(NAME, "a link in it leads away from Graph"));
        }
        if list.next.as_ref().is_some_and(|link| link.len() > LONGEST_LINK) {
            return Err(Error::unreadable(NAME, "its link to the next page is too long to be kept"));
        }
        let records = list.value.iter().map(|item| raw_slice(&response.body, item)).collect();
        Ok(Listed { records, next: list.next, delta: list.delta })
    }

    /// Sends with the tenant's token. `right` is what to grant when it is refused.
    async fn get(&self, tenant: Guid, url: Url, right: &str) -> Result<Response> {
        self.ask(tenant, Request::get(url), right).await
    }

    /// The same of any request that only asks.
    pub(crate) async fn ask(&self, tenant: Guid, request: Request, right: &str) -> Result<Response> {
        let account = tenant.to_string();
        let request = request.header("x-ms-throttle-priority", "low");
        let response = self.tokens.send(&self.http, &account, request, || self.obtain(tenant)).await?;
        if response.is_success() {
            return Ok(response);
        }
        let error = self.failure(tenant, Some(right), &response);
        // A licence that the tenant lacks is in no token.
        if error.kind == Kind::Forbidden && !lacks_licence(&response) {
            // A right granted from now on is only in a new token.
            if let Ok(refused) = self.tokens.token(&self.http, &account, || self.obtain(tenant)).await {
                self.tokens.forget(&account, &refused).await;
            }
        }
        Err(error)
    }

    async fn obtain(&self, tenant: Guid) -> Result<Token> {
        let scope = format!("{}/.default", self.graph.origin().ascii_serialization());
        let request = Request::post(below(&self.login, &format!("{tenant}/oauth2/v2.0/token"), None)).form([
            ("grant_type", "client_credentials"),
            ("client_id", &self.credentials.client_id.to_string()),
            ("client_secret", self.credentials.client_secret.expose()),
            ("scope", &scope),
        ]);
        let response = self.http.send(request.idempotent()).await?;
        if response.is_success() {
            Token::from_response(NAME, &response)
        } else {
            Err(self.failure(tenant, None, &response))
        }
    }

    /// Microsoft's links carry the token of a tenant: they are followed only within Graph.
    fn own(&self, link: &str) -> Option<Url> {
        let url = Url::parse(link).ok()?;
        let within = url.path().strip_prefix(self.graph.path()).is_some_and(|rest| rest.starts_with('/'));
        (within && url.origin() == self.graph.origin() && url.username().is_empty()).then_some(url)
    }
}

/// The tenant whose listing is wanted.
pub(crate) fn tenant(at: Position<'_>) -> Result<Guid> {
    at.entity.and_then(Guid::read).ok_or_else(|| {
        Error::new(Kind::NotFound, "this listing needs the ID of a tenant").at("tenant", at.entity.unwrap_or("-"))
    })
}

/// `base`, which may have a path of its own, with `path` below it.
pub(crate) fn below(base: &Url, path: &str, query: Option<&str>) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url.set_query(query.filter(|query| !query.is_empty()));
    url
}
