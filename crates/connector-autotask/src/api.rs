//! The vendor's manners: its keys, its zones, its errors.

use std::sync::Arc;

use integration::{
    CredentialsForm, Error, Http, Kind, Method, Request, Response, Result, Retry, Secret, Transport, Vendor,
};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::{Autotask, Credentials, picklists::Picklists, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Autotask::NAME;

/// Where any account is asked for its zone.
const ROOT: &str = "https://webservices2.autotask.net/ATServicesRest";

/// How to reach one account.
pub(crate) struct Api {
    pub(crate) http: Http,
    pub(crate) picklists: Picklists,
    user_name: String,
    secret: Secret,
    integration_code: Secret,
    root: Url,
    /// Where the account's database lives; it can be moved.
    zone: Mutex<Option<Url>>,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Http::new(NAME, transport, credentials.secrets());
        let usual = Url::parse(ROOT).expect("the constant is an address");
        let root = credentials.api_url.map_or(usual, |mut url| {
            // The path is easily forgotten.
            if url.path() == "/" {
                url.set_path("ATServicesRest");
            }
            url
        });
        Self {
            http,
            picklists: Picklists::default(),
            user_name: credentials.user_name,
            secret: credentials.secret,
            integration_code: credentials.integration_code,
            root,
            zone: Mutex::new(None),
        }
    }

    /// Reads: a GET, or a query with a body.
    pub(crate) async fn read(&self, path: &[&str], query: Option<&Value>) -> Result<Response> {
        let method = if query.is_some() { Method::Post } else { Method::Get };
        self.call(method, path, query, true).await
    }

    /// Writes, and answers the id of what was written.
    pub(crate) async fn write(&self, method: Method, path: &[&str], body: Option<&Value>) -> Result<String> {
        let response = self.call(method, path, body, false).await?;
        // It was done, whatever the answer looks like: not to be sent again.
        let written: wire::Written = response.json(NAME).map_err(|error| error.retry(Retry::No))?;
        Ok(written.item_id.0)
    }

    async fn call(&self, method: Method, path: &[&str], body: Option<&Value>, reads: bool) -> Result<Response> {
        let zone = self.zone().await?;
        let response = self.http.send(self.request(method, below(&zone, path), body, reads)).await?;
        // Nothing was done there, so that even a write may be sent to the new zone.
        if matches!(response.status, 401 | 404)
            && let Some(moved) = self.moved(&zone).await
        {
            let response = self.http.send(self.request(method, below(&moved, path), body, reads)).await?;
            return self.accept(response, reads);
        }
        self.accept(response, reads)
    }

    /// Follows a link of the vendor's, which must stay in the zone: the keys go with it.
    pub(crate) async fn follow(&self, link: &str, query: &Value) -> Result<Response> {
        let url = self.inside(link).await?.ok_or_else(|| {
            Error::new(Kind::Expired, format!("this place in a listing of {NAME} is not in the account's zone"))
        })?;
        let response = self.http.send(self.request(Method::Post, url, Some(query), true)).await?;
        self.accept(response, true)
    }

    /// The link as an address, if it is one of the account's zone.
    pub(crate) async fn inside(&self, link: &str) -> Result<Option<Url>> {
        let zone = self.zone().await?;
        let path = |url: &Url| url.path().trim_end_matches('/').to_ascii_lowercase();
        let within = |url: &Url| {
            url.origin() == zone.origin()
                && path(url).strip_prefix(&path(&zone)).is_some_and(|rest| rest.starts_with('/'))
                && url.username().is_empty()
                && url.password().is_none()
        };
        Ok(Url::parse(link).ok().filter(within))
    }

    fn request(&self, method: Method, url: Url, body: Option<&Value>, reads: bool) -> Request {
        let mut request = Request::new(method, url)
            .header("accept", "application/json")
            .header("apiintegrationcode", self.integration_code.expose())
            .header("username", &self.user_name)
            .header("secret", self.secret.expose());
        if let Some(body) = body {
            request = request.json(body.clone());
        }
        if reads { request.idempotent() } else { request }
    }

    async fn zone(&self) -> Result<Url> {
        let mut held = self.zone.lock().await;
        if let Some(zone) = held.as_ref() {
            return Ok(zone.clone());
        }
        let zone = self.discover().await?;
        Ok(held.insert(zone).clone())
    }

    /// The new zone of the account, if it was moved.
    async fn moved(&self, from: &Url) -> Option<Url> {
        let mut held = self.zone.lock().await;
        let now = match held.as_ref() {
            Some(other) if other != from => other.clone(),
            _ => self.discover().await.ok()?,
        };
        *held = Some(now.clone());
        (now != *from).then_some(now)
    }

    /// Asks for the zone in which the account's database lives.
    async fn discover(&self) -> Result<Url> {
        let mut url = below(&self.root, &["ZoneInformation"]);
        url.query_pairs_mut().append_pair("user", &self.user_name);
        let response = self.http.send(self.request(Method::Get, url, None, true)).await?;
        if !response.is_success() {
            let mut error = self.failure(&response, true);
            if response.status == 500 {
                // This is how it says that it knows no such user; without words it may be trouble, too.
                error.message = format!("{NAME} gives no zone for this API user name: check how it is written");
                if error.vendor_message.is_some() {
                    (error.kind, error.retry) = (Kind::Credentials, Retry::No);
                }
            }
            return Err(error);
        }
        let told: wire::Zone = response.json(NAME)?;
        let zone = Url::parse(&told.url).map_err(|why| Error::unreadable(NAME, why))?;
        let vendors = zone.scheme() == "https" && zone.host_str().is_some_and(|host| host.ends_with(".autotask.net"));
        if vendors || zone.origin() == self.root.origin() {
            return Ok(zone);
        }
        Err(Error::unreadable(NAME, "a zone outside autotask.net, where the keys must not go"))
    }

    fn accept(&self, response: Response, reads: bool) -> Result<Response> {
        if response.is_success() { Ok(response) } else { Err(self.failure(&response, reads)) }
    }

    /// The one place where the vendor's error bodies are read. Autotask says no with status 500 as well:
    /// its words tell what it means.
    fn failure(&self, response: &Response, reads: bool) -> Error {
        let words = response.json_bytes(NAME).map(wire::words).unwrap_or_default();
        let said = words.to_lowercase();
        let any = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
        self.http.failure(response, |mut error| {
            if any(&["itgenatr005", "thread threshold", "request threshold"]) {
                (error.kind, error.message) = (Kind::Throttled, format!("{NAME} asks to slow down"));
                error.retry = response.retry_after().map_or(Retry::Yes, Retry::After);
            } else if response.status == 500 && any(&["permission"]) {
                (error.kind, error.retry) = (Kind::Forbidden, Retry::No);
                error.message = format!("{NAME} refuses this to the API user: change its security level");
            } else if response.status == 500 && !said.is_empty() && !any(&["timeout", "timed out", "deadlock"]) {
                (error.kind, error.retry) = (Kind::Refused, Retry::No);
                error.message = format!("{NAME} refused the request");
            } else if !reads && error.kind == Kind::Unavailable {
                // Whether it was done is not known: somebody has to look before it is sent again.
                error.retry = Retry::No;
            }
            error.vendor_says(words)
        })
    }
}

/// The id as a number. Whatever is no number is nobody's id.
pub(crate) fn number(id: &str) -> Result<i64> {
    id.trim().parse().map_err(|_| Error::new(Kind::NotFound, format!("{NAME} does not know this record: no such id")))
}

fn below(root: &Url, path: &[&str]) -> Url {
    let mut url = root.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push("V1.0").extend(path);
    }
    url
}
