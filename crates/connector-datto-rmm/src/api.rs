//! Datto RMM's manners: its token, its addresses, its errors.

use std::sync::Arc;

use integration::{
    Checked, CredentialsForm, Error, Http, Kind, Request, Response, Result, Secret, Transport, Vendor,
    oauth::{Token, TokenCache},
};
use url::Url;

use crate::{Credentials, DattoRmm, paging, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = DattoRmm::NAME;

/// `public-client:public`, as Basic wants it: the client that Datto RMM gives to everybody. It opens nothing
/// by itself.
const PUBLIC_CLIENT: &str = "cHVibGljLWNsaWVudDpwdWJsaWM=";

/// How to reach one account.
pub(crate) struct Api {
    pub(crate) http: Http,
    tokens: TokenCache,
    root: Option<Url>,
    key: Secret,
    secret_key: Secret,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let secrets = credentials.secrets().into_iter().chain([Secret::new(PUBLIC_CLIENT.to_owned())]);
        Self {
            http: Http::new(NAME, transport, secrets),
            tokens: TokenCache::default(),
            root: credentials.api_url.map(root).or_else(|| credentials.platform.root()),
            key: credentials.api_key,
            secret_key: credentials.api_secret_key,
        }
    }

    /// The account says its name; one site shows that the user behind the key may see any.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let account: wire::Account = self.call(Request::get(self.url(&["account"])?)).await?.json(NAME)?;
        let sites = self.call(Request::get(self.url(&["account", "sites"])?).query("max", 1)).await?;
        let mut warnings = Vec::new();
        if paging::is_empty(&sites)? {
            let none = "Datto RMM shows no site to the user behind this key: nothing can be imported yet";
            warnings.push(none.to_owned());
        }
        Ok(Checked { account: account.name, warnings })
    }

    /// An address of the API; each segment is percent-encoded.
    pub(crate) fn url(&self, path: &[&str]) -> Result<Url> {
        Ok(below(self.root()?, &["api", "v2"], path))
    }

    /// Sends a request; only a success comes back.
    pub(crate) async fn call(&self, request: Request) -> Result<Response> {
        let request = request.header("accept", "application/json");
        let response = self.tokens.send(&self.http, "", request, || self.new_token()).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response, false)) }
    }

    fn root(&self) -> Result<&Url> {
        let missing = || Error::new(Kind::Credentials, "enter the API URL, or choose the platform of the account");
        self.root.as_ref().ok_or_else(missing)
    }

    /// Asks for a token. There is no refresh: a new one is asked for.
    async fn new_token(&self) -> Result<Token> {
        let request = Request::post(below(self.root()?, &["auth"], &["oauth", "token"]))
            .header("accept", "application/json")
            .header("authorization", format!("Basic {PUBLIC_CLIENT}"))
            .form([("grant_type", "password"), ("username", self.key.expose()), ("password", self.secret_key.expose())])
            .idempotent();
        let response = self.http.send(request).await?;
        if response.is_success() {
            Token::from_response(NAME, &response).map_err(|error| self.http.scrub(error))
        } else {
            Err(self.failure(&response, true))
        }
    }

    /// The one place where the vendor's error bodies are read. Older builds send none.
    fn failure(&self, response: &Response, at_token: bool) -> Error {
        let words = response.json_bytes(NAME).map(wire::words).unwrap_or_default();
        self.http.failure(response, |error| {
            let error = error.vendor_says(words);
            match response.status {
                404 | 405 if at_token => restate(error, Kind::Credentials, CHECK_PLATFORM),
                // What stands in front of the vendor and answers in web pages knows nothing of keys.
                _ if response.is_html() => error,
                400 | 401 if at_token => restate(error, Kind::Credentials, CHECK_KEYS),
                403 => restate(error, Kind::Forbidden, RIGHTS_OR_BLOCKED),
                _ => error,
            }
        })
    }
}

const CHECK_PLATFORM: &str = "there is no Datto RMM API at this address: check the platform or the API URL";
const CHECK_KEYS: &str = "Datto RMM does not accept the API key and API secret key: check both and the platform, and \
                          that API access is enabled for the account; an account exists on one platform only";
const RIGHTS_OR_BLOCKED: &str = "Datto RMM refuses this: the user behind the API key lacks the right; or, if it worked \
                                 until now, all tools of the account together asked too often and are blocked for \
                                 about five minutes";

fn restate(mut error: Error, kind: Kind, message: &str) -> Error {
    error.kind = kind;
    error.message = message.to_owned();
    error
}

/// The root of an address as people paste it: with `/api`, or the address of the page that describes the
/// API. A path in front of that stays.
fn root(mut url: Url) -> Url {
    let kept: Vec<&str> =
        url.path().split('/').filter(|part| !part.is_empty()).take_while(|part| *part != "api").collect();
    let path = kept.join("/");
    url.set_path(&path);
    url
}

fn below(root: &Url, prefix: &[&str], path: &[&str]) -> Url {
    let mut url = root.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(prefix).extend(path);
    }
    url
}
