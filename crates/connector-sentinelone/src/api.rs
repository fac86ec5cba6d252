//! The vendor's manners: its token, its addresses, its paging, its errors.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use integration::{
    Checked, CredentialsForm, Cursor, Error, Http, Kind, Page, Request, Response, Result, Retry, Secret, Transport,
    Vendor, raw_slice,
};
use serde_json::{Value, json};
use url::Url;

use crate::{Credentials, SentinelOne, sites, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = SentinelOne::NAME;

/// What the API is called on every console.
const VERSION: [&str; 3] = ["web", "api", "v2.1"];

/// First segments of pages of the console: what people copy from the address bar goes from there on.
const PAGES: [&str; 6] = ["login", "dashboard", "incidents", "sentinels", "settings", "web"];

/// How long to wait where the vendor asks to slow down without saying for how long.
const PAUSE: Duration = Duration::from_secs(5);

/// How long before the end of a token the connection test speaks of it.
const SOON: TimeDelta = TimeDelta::days(30);

/// How to reach one console.
pub(crate) struct Api {
    http: Http,
    base: Url,
    token: Secret,
    account: Option<String>,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Http::new(NAME, transport, credentials.secrets());
        Self {
            http,
            base: console(credentials.console_url),
            token: credentials.api_token,
            account: credentials.account_id,
        }
    }

    /// The one account that the connection is limited to.
    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// One site is enough to see that address, token and the right to read are as they should be.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let request = self.get(&["sites"]).query("limit", 1).query("states", sites::STATES);
        let response = self.send(request).await?;
        let mut warnings = Vec::new();
        if self.listing(&response)?.records.is_empty() {
            warnings.push("SentinelOne shows no site to this token: nothing can be imported yet".to_owned());
        }
        warnings.extend(self.token_ends_soon().await);
        Ok(Checked { account: None, warnings })
    }

    /// Whether the token needs replacing soon. What is not told (not every token may ask) is no reason to
    /// fail the test.
    async fn token_ends_soon(&self) -> Option<String> {
        let request = self
            .to(Request::post(self.url(&["users", "api-token-details"])))
            .json(json!({ "data": { "apiToken": self.token.expose() } }))
            .idempotent();
        let response = self.send(request).await.ok()?;
        let ends = wire::token_ends(response.json_bytes(NAME).ok()?)?;
        (ends - self.http.now() < SOON).then(|| {
            format!("the API token ends on {}: make a new one in time and save it here", ends.format("%Y-%m-%d"))
        })
    }

    /// A reading request, limited to the connection's account if it has one.
    pub(crate) fn get(&self, path: &[&str]) -> Request {
        let request = self.to(Request::get(self.url(path)));
        match &self.account {
            Some(account) => request.query("accountIds", account),
            None => request,
        }
    }

    /// A writing request. Not idempotent: an action that is repeated acts twice.
    pub(crate) fn post(&self, path: &[&str], body: Value) -> Request {
        self.to(Request::post(self.url(path))).json(body)
    }

    /// One page of a listing. Of the records nothing is read yet.
    pub(crate) async fn page(&self, request: Request, cursor: Option<&Cursor>) -> Result<Page> {
        let request = match cursor {
            Some(cursor) => request.query("cursor", cursor.as_str()),
            None => request,
        };
        let response = self.send(request).await?;
        let listing = self.listing(&response)?;
        Ok(Page {
            records: listing.records.iter().map(|record| raw_slice(&response.body, record)).collect(),
            next: listing.next.map(Cursor::new),
            total: listing.total,
            ..Page::default()
        })
    }

    /// Sends a request; only a success comes back.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        let response = self.http.send(request).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    /// Reads the body of a success. Half a body is worth another try, a wrong shape is not.
    pub(crate) fn parse<'a, T>(
        &self,
        response: &'a Response,
        read: impl FnOnce(&'a [u8]) -> serde_json::Result<T>,
    ) -> Result<T> {
        read(response.json_bytes(NAME)?).map_err(|why| {
            let error = Error::unreadable(NAME, &why);
            self.http.scrub(if why.is_eof() { error.retry(Retry::Yes) } else { error })
        })
    }

    /// Reads a page. One that comes together with errors may be incomplete, and must not pass for a whole one.
    pub(crate) fn listing<'a>(&self, response: &'a Response) -> Result<wire::Listing<'a>> {
        let listing = self.parse(response, wire::listing)?;
        let words = wire::words(&response.body);
        if words.is_empty() {
            return Ok(listing);
        }
        let error =
            Error::new(Kind::Unreadable, "SentinelOne sent data and errors in one answer: it may be incomplete");
        Err(self.scrub(error.retry(Retry::Yes).vendor_says(words)))
    }

    /// Takes every secret out of an error's texts.
    pub(crate) fn scrub(&self, error: Error) -> Error {
        self.http.scrub(error)
    }

    /// The one place where the vendor's errors are read.
    fn failure(&self, response: &Response) -> Error {
        let words = response.json_bytes(NAME).map(wire::words).unwrap_or_default();
        self.http.failure(response, |mut error| {
            match error.kind {
                Kind::Credentials => error.message = WRONG_TOKEN.to_owned(),
                Kind::Forbidden => error.message = NO_RIGHT.to_owned(),
                Kind::NotFound => error.message = NO_CONSOLE.to_owned(),
                Kind::Throttled if error.retry == Retry::Yes => error.retry = Retry::After(PAUSE),
                _ => {}
            }
            error.vendor_says(words)
        })
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(VERSION).extend(path);
        }
        url
    }

    fn to(&self, request: Request) -> Request {
        request
            .header("accept", "application/json")
            .header("authorization", format!("ApiToken {}", self.token.expose()))
    }
}

const WRONG_TOKEN: &str = "SentinelOne does not accept the API token: it is wrong, was replaced, or has ended. Make a new \
                           one and save it here";
const NO_RIGHT: &str =
    "SentinelOne refuses this to the API token: give its user a role with the right, or a wider scope";
const NO_CONSOLE: &str = "there is no SentinelOne API at this address: check the console address";

/// The console that an address copied from the browser belongs to. A path in front (a reverse proxy's) stays.
fn console(mut url: Url) -> Url {
    let front: Vec<String> = url
        .path_segments()
        .into_iter()
        .flatten()
        .take_while(|segment| !segment.is_empty() && !PAGES.contains(segment))
        .map(str::to_owned)
        .collect();
    url.set_path(&front.join("/"));
    url
}
