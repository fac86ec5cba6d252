//! The vendor's manners: its key, its addresses, its errors.

use std::sync::Arc;

use integration::{CredentialsForm, Error, Http, Kind, Request, Response, Result, Retry, Secret, Transport, Vendor};
use serde::Deserialize;
use url::{Url, form_urlencoded::byte_serialize};

use crate::{Credentials, Unifi, Way, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Unifi::NAME;

const SITE_MANAGER: &str = "https://api.ui.com";
/// Where a console has the API of its Network application.
const ON_CONSOLE: &str = "proxy/network/integration";

/// How to reach one account, or one console.
pub(crate) struct Api {
    pub(crate) http: Http,
    pub(crate) way: Way,
    key: Secret,
    /// Unknown only where a console's address was not entered.
    base: Option<Url>,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Http::new(NAME, transport, credentials.secrets());
        let base = match credentials.way {
            Way::SiteManager => {
                Some(credentials.url.unwrap_or_else(|| Url::parse(SITE_MANAGER).expect("the constant is an address")))
            }
            Way::Console => credentials.url.map(completed),
        };
        Self { http, way: credentials.way, key: credentials.api_key, base }
    }

    /// The host of the address that was entered, for people.
    pub(crate) fn host(&self) -> Option<&str> {
        self.base.as_ref()?.host_str()
    }

    /// A GET of a path below the address; each segment is percent-encoded.
    pub(crate) fn get(&self, path: &[&str]) -> Result<Request> {
        Ok(self.request(below(self.base()?.clone(), path)))
    }

    /// The same below the Network application of a console that Site Manager passes requests on to.
    pub(crate) fn get_through(&self, console: &str, path: &[&str]) -> Result<Request> {
        let mut url = self.base()?.clone();
        // Colons too are encoded, as the vendor wants it: the usual way of adding segments leaves them.
        let console: String = byte_serialize(console.as_bytes()).collect::<String>().replace('+', "%20");
        if console.chars().all(|letter| letter == '.') {
            return Err(Error::unreadable(NAME, "a console without an id"));
        }
        let before = url.path().trim_end_matches('/');
        let whole = format!("{before}/v1/connector/consoles/{console}/{ON_CONSOLE}");
        url.set_path(&whole);
        Ok(self.request(below(url, path)))
    }

    fn request(&self, url: Url) -> Request {
        Request::get(url).header("accept", "application/json").header("x-api-key", self.key.expose())
    }

    fn base(&self) -> Result<&Url> {
        self.base.as_ref().ok_or_else(|| {
            Error::new(Kind::Credentials, "UniFi cannot be reached: enter the address of the console, and save it")
        })
    }

    /// Sends a request; only a success comes back.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        let response = self.http.send(request).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    /// Reads the body of a success. Half a body is worth another try, a wrong shape is not.
    pub(crate) fn parse<'a, T: Deserialize<'a>>(&self, response: &'a Response) -> Result<T> {
        serde_json::from_slice(response.json_bytes(NAME)?).map_err(|why| {
            let error = Error::unreadable(NAME, &why);
            self.http.scrub(if why.is_eof() { error.retry(Retry::Yes) } else { error })
        })
    }

    /// The one place where the vendor's error bodies are read.
    fn failure(&self, response: &Response) -> Error {
        let said = response.json_bytes(NAME).map(wire::said).unwrap_or_default();
        self.http.failure(response, |mut error| {
            if let (Kind::Throttled, Retry::Yes, Some(wait)) = (error.kind, error.retry, said.wait) {
                error.retry = Retry::After(wait);
            }
            error.vendor_says(said.words).request_id(said.request_id.as_deref())
        })
    }
}

/// A console's bare address gets the usual path; one with a path is taken as it is.
fn completed(mut url: Url) -> Url {
    if url.path() == "/" {
        url.set_path(ON_CONSOLE);
    }
    url
}

fn below(mut url: Url, path: &[&str]) -> Url {
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push("v1").extend(path);
    }
    url
}
