//! TeamViewer's manners: its token, its addresses, its paging, its errors.

use std::sync::Arc;

use integration::{
    Checked, CredentialsForm, Cursor, Error, Http, Kind, Page, Request, Response, Result, Retry, Secret, Transport,
    Vendor, raw_slice,
};
use url::Url;

use crate::{Credentials, Teamviewer, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Teamviewer::NAME;

/// One host for all accounts.
const ROOT: &str = "https://webapi.teamviewer.com";

/// How to reach one account.
pub(crate) struct Api {
    http: Http,
    root: Url,
    token: Secret,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let usual = || Url::parse(ROOT).expect("the constant is an address");
        Self {
            http: Http::new(NAME, transport, credentials.secrets()),
            root: credentials.api_url.map_or_else(usual, root),
            token: credentials.script_token,
        }
    }

    /// The token is tried, then the right to read groups. The account's name is only wanted for people, so a
    /// token that may not read it is fine.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let ping: wire::Ping = self.call(Request::get(self.url(&["ping"]))).await?.json(NAME)?;
        if ping.token_valid == Some(false) {
            return Err(Error::new(Kind::Credentials, CHECK_TOKEN));
        }
        let groups = self.page(&["managed", "groups"], None).await?;
        let mut warnings = Vec::new();
        if groups.records.is_empty() && groups.next.is_none() {
            let none = "TeamViewer shows no managed group to this token: make its account a manager of the groups";
            warnings.push(none.to_owned());
        }
        let account = self.call(Request::get(self.url(&["account"]))).await;
        let account = account.and_then(|response| response.json::<wire::Account>(NAME));
        Ok(Checked { account: account.ok().and_then(wire::Account::title), warnings })
    }

    /// One page of a managed list. The page's size is TeamViewer's own affair.
    pub(crate) async fn page(&self, path: &[&str], cursor: Option<&Cursor>) -> Result<Page> {
        let mut request = Request::get(self.url(path));
        if let Some(cursor) = cursor {
            request = request.query("paginationToken", cursor.as_str());
        }
        let response = self.call(request).await.map_err(|error| match (error.kind, error.status, cursor) {
            // The first page was fine, so it is the place that is refused.
            (Kind::Refused, Some(400), Some(_)) => {
                restate(error, Kind::Expired, "TeamViewer has forgotten this place in the listing: list anew")
            }
            _ => error,
        })?;
        let list: wire::List<'_> = serde_json::from_slice(response.json_bytes(NAME)?).map_err(|why| {
            let error = self.http.scrub(Error::unreadable(NAME, &why));
            if why.is_eof() { error.retry(Retry::Yes) } else { error }
        })?;
        Ok(Page {
            records: list.resources.iter().map(|row| raw_slice(&response.body, row)).collect(),
            next: list.next_pagination_token.filter(|token| !token.is_empty()).map(Cursor::new),
            ..Page::default()
        })
    }

    /// An address of the API; each segment is percent-encoded.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.root.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url
    }

    /// Sends a request; only a success comes back.
    async fn call(&self, request: Request) -> Result<Response> {
        let request = request.header("accept", "application/json").bearer(&self.token);
        let response = self.http.send(request).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    /// The one place where the vendor's error bodies are read. The word in `error` says more than the
    /// status: 403 may be a right, the plan, or too many calls.
    fn failure(&self, response: &Response) -> Error {
        let said: wire::Failure = response.json(NAME).unwrap_or_default();
        self.http.failure(response, |error| {
            let error = error.vendor_says(said.words()).request_id(said.signature());
            let refused = (400..500).contains(&response.status);
            match said.word() {
                Some("rate_limit_reached") if refused => {
                    let wait = response.retry_after().map_or(Retry::Yes, Retry::After);
                    restate(error, Kind::Throttled, "TeamViewer asks to slow down").retry(wait)
                }
                Some("invalid_token" | "token_expired") if refused => restate(error, Kind::Credentials, CHECK_TOKEN),
                Some("license_required") if refused => restate(error, Kind::Forbidden, PLAN),
                _ if response.status == 401 => restate(error, Kind::Credentials, CHECK_TOKEN),
                _ if response.status == 403 => restate(error, Kind::Forbidden, RIGHTS),
                _ => error,
            }
        })
    }
}

const CHECK_TOKEN: &str =
    "TeamViewer does not accept the script token: it was mistyped or revoked, so make a new one and save it here";
const PLAN: &str = "TeamViewer's plan of this account does not include this";
const RIGHTS: &str =
    "TeamViewer refuses this to the script token: make one with the read operations of Device Groups ticked";

fn restate(mut error: Error, kind: Kind, message: &str) -> Error {
    error.kind = kind;
    error.retry = if kind == Kind::Expired { Retry::Yes } else { Retry::No };
    error.message = message.to_owned();
    error
}

/// The root of an address as people paste it: with or without `/api/v1`. A path in front of that stays.
fn root(mut url: Url) -> Url {
    let parts = url.path().split('/').filter(|part| !part.is_empty());
    let path = parts.take_while(|part| *part != "api").collect::<Vec<_>>().join("/");
    url.set_path(&path);
    url
}
