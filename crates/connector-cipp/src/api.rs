//! CIPP's manners: a token of Entra for its own app, addresses, and every error.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use integration::{
    CredentialsForm, Error, Http, Kind, Page, Position, Request, Response, Result, Transport, Vendor,
    oauth::{Token, TokenCache},
};
use serde_json::json;
use url::Url;

use crate::{Cipp, Credentials, Guid, rows, wire};

const NAME: &str = Cipp::NAME;
/// How long an answer may take: CIPP asks Microsoft itself, which takes up to two minutes for a large tenant.
const PATIENCE: Duration = Duration::from_secs(180);

/// What CIPP passes on when Microsoft refuses it a tenant. It does so with status 500, which would
/// otherwise be trouble that passes.
const REFUSED_BY_MICROSOFT: [&str; 4] =
    ["AADSTS", "Authorization_RequestDenied", "Insufficient privileges", "does not have consent"];

/// How to reach one instance.
pub(crate) struct Api {
    http: Http,
    tokens: TokenCache,
    credentials: Credentials,
    token_url: Url,
    base: Url,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let usual = Url::parse("https://login.microsoftonline.com").expect("the constant is an address");
        let login = credentials.login_host.clone().unwrap_or(usual);
        let tenant = credentials.tenant_id.to_string();
        Self {
            http: Http::new(NAME, transport, credentials.secrets()),
            tokens: TokenCache::default(),
            token_url: below(&login, &[&tenant, "oauth2", "v2.0", "token"]),
            base: below(&without_api(&credentials.url), &["api"]),
            credentials,
        }
    }

    /// Every tenant, in one answer. By POST with an empty body, as CIPP describes it: an option of the
    /// body, which is never sent, would clear CIPP's cache.
    pub(crate) async fn tenants(&self, reads: impl Fn(&[u8]) -> bool) -> Result<Vec<Bytes>> {
        let request = Request::post(below(&self.base, &["ListTenants"])).json(json!({})).idempotent();
        let response = self.call(request).await?;
        rows::split(&response, reads).map_err(|error| self.http.scrub(error))
    }

    /// What an endpoint tells of one tenant, in one answer.
    pub(crate) async fn of_tenant(
        &self,
        endpoint: &str,
        at: Position<'_>,
        reads: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Bytes>> {
        let tenant = at.entity.and_then(Guid::read).ok_or_else(|| {
            Error::new(Kind::NotFound, "this listing needs the ID of a tenant").at("tenant", at.entity.unwrap_or("-"))
        })?;
        let request = Request::get(below(&self.base, &[endpoint])).query("tenantFilter", tenant).patient(PATIENCE);
        let answer = async { rows::split(&self.call(request).await?, reads).map_err(|error| self.http.scrub(error)) };
        answer.await.map_err(|error| error.at("endpoint", endpoint).at("tenant", tenant))
    }

    /// Sends a request to CIPP, and nowhere else; only a success comes back.
    async fn call(&self, request: Request) -> Result<Response> {
        let request = request.header("accept", "application/json");
        let response = self.tokens.send(&self.http, "", request, || self.new_token()).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    /// The app of the API client is its own resource.
    async fn new_token(&self) -> Result<Token> {
        let client = self.credentials.client_id.to_string();
        let request = Request::post(self.token_url.clone()).header("accept", "application/json").form([
            ("grant_type", "client_credentials"),
            ("client_id", &client),
            ("client_secret", self.credentials.client_secret.expose()),
            ("scope", &format!("api://{client}/.default")),
        ]);
        let response = self.http.send(request.idempotent()).await?;
        if response.is_success() {
            return Token::from_response(NAME, &response).map_err(|error| self.http.scrub(error));
        }
        let error = self.failure(&response);
        // A refused token request leaves only what was entered to blame, whichever status says so.
        match error.kind {
            Kind::Credentials | Kind::Forbidden | Kind::Refused | Kind::NotFound => Err(Error {
                kind: Kind::Credentials,
                message: "Microsoft gives no token for CIPP: check tenant ID, client ID and client secret".into(),
                ..error
            }),
            _ => Err(error),
        }
    }

    /// The one place where error bodies are read, CIPP's and those of the sign-in service.
    fn failure(&self, response: &Response) -> Error {
        let words = if response.is_html() { String::new() } else { wire::words(&response.body) };
        self.http.failure(response, |mut error| {
            match error.status {
                Some(401) => {
                    error.message = "CIPP does not accept the API client: check that it is enabled and saved to \
                                     Azure, and that client ID and secret are its own"
                        .into();
                }
                Some(403) => {
                    error.message = "CIPP refuses this to the API client: check its role, its tenants and its \
                                     allowed IP ranges"
                        .into();
                }
                Some(500) if REFUSED_BY_MICROSOFT.iter().any(|sign| words.contains(sign)) => {
                    let message =
                        "Microsoft refuses this to CIPP in this tenant: check its access (GDAP, consent) there";
                    error = Error { status: Some(500), ..Error::new(Kind::Forbidden, message) };
                }
                _ => {}
            }
            error.vendor_says(words)
        })
    }
}

/// The page that a whole listing is.
pub(crate) fn whole(records: Vec<Bytes>) -> Page {
    Page { total: Some(records.len() as u64), records, ..Page::default() }
}

/// People copy the address with `/api` at its end.
fn without_api(url: &Url) -> Url {
    let mut url = url.clone();
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/api").unwrap_or(path).to_owned();
    url.set_path(&path);
    url
}

/// An address below another; each segment is percent-encoded.
fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
