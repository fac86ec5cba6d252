//! The vendor's manners: consent, addresses, headers, errors.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use integration::{
    Consent, ConsentAnswer, ConsentAsk, CredentialsForm, Error, Grant, Http, Kind, Request, Response, Result, Secret,
    Transport, Vendor, consent_missing,
    oauth::{ClientProof, CodeFlow, CodeSettings, Grants, claims},
};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::{Credentials, Workflowmax, paging, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Workflowmax::NAME;

/// Where the API lives; there are no regions.
const API: &str = "https://api.workflowmax2.com";
/// Where people sign in, and tokens are given.
const LOGIN: &str = "https://oauth.workflowmax2.com";
/// What is asked for; without `offline_access` there is no refresh token.
const SCOPE: &str = "openid profile email workflowmax offline_access";

/// How to reach one account.
pub(crate) struct Api {
    pub(crate) http: Arc<Http>,
    grants: Grants,
    base: Url,
    /// As a person entered it.
    wanted: Option<String>,
    /// As it came with the grant, or as entered.
    organisation: Option<String>,
    /// Names of the states of jobs, by id.
    pub(crate) states: Mutex<Option<Arc<HashMap<String, String>>>>,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Arc::new(Http::new(NAME, transport, credentials.secrets()));
        let or = |entered: Option<Url>, usual| {
            entered.unwrap_or_else(|| Url::parse(usual).expect("the constant is an address"))
        };
        let login = or(credentials.login_url, LOGIN);
        let settings = CodeSettings {
            authorize_url: below(&login, &["oauth", "authorize"]),
            token_url: below(&login, &["oauth", "token"]),
            client_id: credentials.client_id,
            client_secret: credentials.client_secret,
            proof: ClientProof::Form,
            scope: SCOPE,
            scope_at_renewal: true,
            page_pairs: &[("prompt", "consent")],
        };
        let granted = credentials.grant.as_ref().and_then(Grant::account).map(str::to_owned);
        Self {
            grants: Grants::new(Arc::new(CodeFlow::new(http.clone(), settings)), credentials.grant),
            base: or(credentials.api_url, API),
            organisation: granted.or_else(|| credentials.organisation_id.clone()),
            wanted: credentials.organisation_id,
            states: Mutex::default(),
            http,
        }
    }

    /// The vendor's id of the organisation.
    pub(crate) fn organisation(&self) -> Option<&str> {
        self.organisation.as_deref()
    }

    /// One client is enough to see that consent, organisation and the right to read are as they should be.
    pub(crate) async fn probe(&self) -> Result<()> {
        let response = self.call(self.get("clients").query("page", 1).query("pageSize", 1)).await?;
        paging::split(&response).map(drop)
    }

    /// A request for a listing of version 2.
    pub(crate) fn get(&self, resource: &str) -> Request {
        Request::get(below(&self.base, &["v2", resource])).header("accept", "application/json")
    }

    /// Sends a request; only a success comes back.
    pub(crate) async fn call(&self, request: Request) -> Result<Response> {
        let Some(organisation) = self.organisation() else { return Err(consent_missing(NAME)) };
        // Version 1 spells it with an underscore.
        let response = self.grants.send(request.header("account-id", organisation)).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    /// The one place where the vendor's error bodies are read; those of the token address are OAuth's own.
    fn failure(&self, response: &Response) -> Error {
        let words = response.json_bytes(NAME).map(wire::words).unwrap_or_default();
        self.http.failure(response, |mut error| {
            match error.kind {
                Kind::Credentials => {
                    error.message = format!("{NAME} does not take the token of the consent: sign in at its page again");
                }
                Kind::Forbidden => {
                    error.message = format!(
                        "{NAME} refuses this: who consented needs the privilege \"Authorize 3rd Party Full Access\", \
                         and the organisation must be theirs"
                    );
                }
                _ => {}
            }
            error.vendor_says(words).request_id(response.header("x-request-id"))
        })
    }

    /// The organisation of a fresh grant: the one entered, or the only one.
    fn chosen(&self, access: &Secret) -> Result<String> {
        let claims = claims(access).unwrap_or_default();
        let ids: Vec<String> = match &claims["org_ids"] {
            Value::Array(ids) => ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Value::String(id) => vec![id.clone()],
            _ => Vec::new(),
        };
        let refuse = |message: String| Err(Error::new(Kind::Refused, message));
        match (&self.wanted, ids.as_slice()) {
            (Some(wanted), ids) if ids.is_empty() || ids.contains(wanted) => Ok(wanted.clone()),
            (Some(_), ids) => {
                refuse(format!("your {NAME} login does not reach the Organisation ID entered, only {}", ids.join(", ")))
            }
            (None, [only]) => Ok(only.clone()),
            (None, []) => refuse(format!("{NAME} does not say which organisation it is: enter its Organisation ID")),
            (None, several) => refuse(format!(
                "your {NAME} login reaches several organisations: enter one of them as Organisation ID: {}",
                several.join(", ")
            )),
        }
    }
}

#[async_trait]
impl Consent for Api {
    fn page(&self, ask: &ConsentAsk<'_>) -> Url {
        self.grants.flow().page(ask)
    }

    async fn exchange(&self, answer: &ConsentAnswer) -> Result<Grant> {
        let mut grant = self.grants.flow().exchange(answer).await?;
        let organisation = self.chosen(&grant.access).map_err(|error| self.http.scrub(error))?;
        grant.extra.insert(Grant::ACCOUNT.to_owned(), organisation);
        Ok(grant)
    }
}

/// An address below another; each segment is percent-encoded.
fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
