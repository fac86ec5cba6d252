//! The vendor's manners: its token, who the credentials are, its addresses, its errors.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use integration::{
    Checked, CredentialsForm, Error, Http, Kind, Request, Response, Result, Retry, Secret, Transport, Vendor,
    oauth::{Token, TokenCache},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::{Credentials, Sophos, account::Account, hosts::Hosts, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Sophos::NAME;

const SIGN_IN: &str = "https://id.sophos.com";
const CENTRAL: &str = "https://api.central.sophos.com";

/// How long to wait where the vendor asks to slow down without saying for how long.
const PAUSE: Duration = Duration::from_secs(5);

/// How to reach one account.
pub(crate) struct Api {
    pub(crate) http: Http,
    pub(crate) hosts: Hosts,
    tokens: TokenCache,
    client_id: String,
    client_secret: Secret,
    sign_in: Url,
    pub(crate) central: Url,
    pub(crate) known: Mutex<Option<Account>>,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let usual = |address| Url::parse(address).expect("the constant is an address");
        let central = credentials.api_url.clone().unwrap_or_else(|| usual(CENTRAL));
        Self {
            http: Http::new(NAME, transport, credentials.secrets()),
            hosts: Hosts::of(&central),
            tokens: TokenCache::default(),
            sign_in: credentials.sign_in_url.unwrap_or_else(|| usual(SIGN_IN)),
            client_id: credentials.client_id,
            client_secret: credentials.client_secret,
            central,
            known: Mutex::new(None),
        }
    }

    /// Who the credentials are, and one record: enough to see that they may read.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let mut warnings = Vec::new();
        match self.account().await? {
            Account::Tenant { id, .. } => {
                self.page_by_key(&id, &["endpoint", "v1", "endpoints"], 1, &[], None).await?;
                warnings.push("these credentials are of one tenant: make them as a partner to see all".to_owned());
            }
            over => {
                if self.page_by_number(&over, 1, None).await?.records.is_empty() {
                    warnings.push("Sophos Central shows no tenant to these credentials yet".to_owned());
                }
            }
        }
        Ok(Checked { account: None, warnings })
    }

    /// Reads from the account itself: its tenants.
    pub(crate) async fn of_account(
        &self,
        account: &Account,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Response> {
        let Account::Over { service, header, id } = account else {
            return Err(Error::new(Kind::NotFound, "these Sophos Central credentials see one tenant only"));
        };
        let url = below(&below(&self.central, &[service, "v1"]), path);
        let response = self.send(with(Request::get(url), query).header(header, id)).await;
        response.map_err(|error| restate(error, Kind::Forbidden, NO_RIGHT))
    }

    /// Reads from a tenant, at its own host. A refusal there is about that tenant.
    pub(crate) async fn of_tenant(&self, tenant: &str, path: &[&str], query: &[(&str, &str)]) -> Result<Response> {
        let host = self.host_of(tenant).await?;
        let request = with(Request::get(below(&host, path)), query).header("x-tenant-id", tenant);
        let response = self.exchange(request).await?;
        self.told_by(tenant, response).map_err(|error| restate(error, Kind::Forbidden, NO_TENANT))
    }

    /// Changes something in a tenant, once. After anything but a refusal the outcome is unknown.
    pub(crate) async fn to_tenant(&self, tenant: &str, path: &[&str], body: Value) -> Result<Response> {
        let host = self.host_of(tenant).await?;
        let request = Request::post(below(&host, path)).header("x-tenant-id", tenant).json(body);
        let told = self.exchange(request).await.and_then(|response| self.told_by(tenant, response));
        told.map_err(|error| match error.kind {
            // Turned away at the door.
            Kind::Throttled => error,
            _ => restate(error, Kind::Forbidden, NO_WRITE).retry(Retry::No),
        })
    }

    /// What a tenant's host answered; only a success comes back.
    fn told_by(&self, tenant: &str, response: Response) -> Result<Response> {
        if response.is_success() {
            return Ok(response);
        }
        let mut error = self.failure(&response);
        // A tenant that was moved answers like this at its old host: ask again where it lives.
        if matches!(response.status, 401 | 403 | 404) {
            self.hosts.forget(tenant);
        }
        // The token had just been renewed: it is fine, only not here.
        if response.status == 401 {
            error.kind = Kind::Forbidden;
        }
        Err(error)
    }

    /// Sends with a token; only a success comes back.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        let response = self.exchange(request).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    /// Sends with a token, which is renewed once if it is refused.
    async fn exchange(&self, request: Request) -> Result<Response> {
        let request = request.header("accept", "application/json");
        self.tokens.send(&self.http, "", request, || self.obtain()).await
    }

    /// Asks for a token. The refresh token that comes with it is of no use: a new one is as cheap.
    async fn obtain(&self) -> Result<Token> {
        let request = Request::post(below(&self.sign_in, &["api", "v2", "oauth2", "token"]))
            .header("accept", "application/json")
            .form([
                ("grant_type", "client_credentials"),
                ("client_id", &self.client_id),
                ("client_secret", self.client_secret.expose()),
                ("scope", "token"),
            ])
            .idempotent();
        let response = self.http.send(request).await?;
        if response.is_success() {
            return Token::from_response(NAME, &response).map_err(|error| self.http.scrub(error));
        }
        let mut error = self.failure(&response);
        // Whichever status says no to a token request: only the credentials are to blame.
        if matches!(error.kind, Kind::Refused | Kind::Forbidden | Kind::Credentials) {
            error.kind = Kind::Credentials;
        }
        Err(restate(error, Kind::Credentials, NO_TOKEN))
    }

    /// Reads the body of a success. Half a body is worth another try, a wrong shape is not.
    pub(crate) fn parse<T: DeserializeOwned>(&self, response: &Response) -> Result<T> {
        response.json(NAME).map_err(|error| self.http.scrub(error))
    }

    /// The one place where the vendor's errors are read.
    fn failure(&self, response: &Response) -> Error {
        let said = response.json_bytes(NAME).map(wire::said).unwrap_or_default();
        self.http.failure(response, |mut error| {
            if error.kind == Kind::Throttled && error.retry == Retry::Yes {
                error.retry = Retry::After(PAUSE);
            }
            error.vendor_says(said.words).request_id(said.request_id.as_deref())
        })
    }
}

const NO_TOKEN: &str = "Sophos Central does not accept the client ID and client secret: they may have expired, for they \
                        last 36 months. Make new ones and save both";
const NO_RIGHT: &str = "Sophos Central refuses this to the credentials: give them the role Service Principal ReadOnly or a \
                        higher one";
const NO_TENANT: &str = "Sophos Central refuses this tenant to the credentials: partner assistance may be off there, or \
                         the tenant is suspended or managed by its enterprise";
const NO_WRITE: &str = "Sophos Central refuses this to the credentials: to act on alerts they need a role that may do \
                        more than read, such as Service Principal Management, and a tenant that lets them in";

/// Says it in better words, if it is of this kind.
fn restate(mut error: Error, kind: Kind, message: &str) -> Error {
    if error.kind == kind {
        error.message = message.to_owned();
    }
    error
}

fn with(request: Request, query: &[(&str, &str)]) -> Request {
    query.iter().fold(request, |request, (key, value)| request.query(key, value))
}

pub(crate) fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
