//! The vendor's manners: consent, addresses, errors.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration::{
    Consent, ConsentAnswer, ConsentAsk, CredentialsForm, Error, Grant, Http, Kind, Request, Response, Result, Retry,
    Transport, Vendor, consent_missing,
    oauth::{ClientProof, CodeFlow, CodeSettings, Grants},
};
use serde::Deserialize;
use url::Url;

use crate::{Credentials, Environment, QuickbooksOnline, faults, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = QuickbooksOnline::NAME;

const PRODUCTION: &str = "https://quickbooks.api.intuit.com";
const SANDBOX: &str = "https://sandbox-quickbooks.api.intuit.com";
/// Where people sign in, for both environments.
const PAGE: &str = "https://appcenter.intuit.com";
/// Where tokens are given.
const TOKENS: &str = "https://oauth.platform.intuit.com";
/// The only version of the API that is left.
const MINOR_VERSION: u32 = 75;

/// How to reach one company.
pub(crate) struct Api {
    http: Arc<Http>,
    grants: Grants,
    base: Url,
    /// The vendor's id of the company ("realm"), as it came with the grant.
    company: Option<String>,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Arc::new(Http::new(NAME, transport, credentials.secrets()));
        let or = |entered: &Option<Url>, usual| {
            entered.clone().unwrap_or_else(|| Url::parse(usual).expect("the constant is an address"))
        };
        let api = match credentials.environment {
            Environment::Production => PRODUCTION,
            Environment::Sandbox => SANDBOX,
        };
        let settings = CodeSettings {
            authorize_url: below(&or(&credentials.login_url, PAGE), &["connect", "oauth2"]),
            token_url: below(&or(&credentials.login_url, TOKENS), &["oauth2", "v1", "tokens", "bearer"]),
            client_id: credentials.client_id,
            client_secret: credentials.client_secret,
            proof: ClientProof::Header,
            scope: "com.intuit.quickbooks.accounting",
            scope_at_renewal: false,
            page_pairs: &[],
        };
        Self {
            base: or(&credentials.api_url, api),
            company: credentials.grant.as_ref().and_then(Grant::account).map(str::to_owned),
            grants: Grants::new(Arc::new(CodeFlow::new(http.clone(), settings)), credentials.grant),
            http,
        }
    }

    /// The company's name with its id: enough to see that consent, company and the right to read are as they should be.
    pub(crate) async fn account(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(rename = "CompanyInfo")]
            company: Option<wire::Company>,
        }
        let id = self.company()?;
        let response = self.call(&["companyinfo", id], &[]).await?;
        let wire: Wire = response.json(NAME).map_err(|error| self.http.scrub(error))?;
        let company = wire.company.ok_or_else(|| self.unexpected(&response, "CompanyInfo"))?;
        let name = company.company_name.0.or(company.legal_name.0);
        Ok(name.map_or_else(|| format!("company {id}"), |name| format!("{name} (company {id})")))
    }

    /// The clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.http.now()
    }

    fn company(&self) -> Result<&str> {
        self.company.as_deref().ok_or_else(|| consent_missing(NAME))
    }

    /// Asks for something of the company; only a success comes back.
    pub(crate) async fn call(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Response> {
        let mut url = below(&self.base, &["v3", "company", self.company()?]);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        url.query_pairs_mut().extend_pairs(query).append_pair("minorversion", &MINOR_VERSION.to_string());
        // A blank as "+" is a matter of forms; as "%20" nobody takes it for anything else. A plus is "%2B" by now.
        let plain = url.query().map(|query| query.replace('+', "%20"));
        url.set_query(plain.as_deref());
        // Without it the answer is XML.
        let response = self.grants.send(Request::get(url).header("accept", "application/json")).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    /// The one place where the vendor's error bodies are read; those of the token address are OAuth's own.
    fn failure(&self, response: &Response) -> Error {
        let fault = response.json_bytes(NAME).ok().and_then(faults::find).unwrap_or_default();
        self.http.failure(response, |error| faults::refine(error, fault).request_id(response.header("intuit_tid")))
    }

    /// The error for an answer that lacks its main part: a fault that came with status 200, or what cannot be read.
    pub(crate) fn unexpected(&self, response: &Response, lacks: &str) -> Error {
        match response.json_bytes(NAME).ok().and_then(faults::find) {
            Some(_) => self.failure(response),
            None => self.unreadable(response, format!("without {lacks}")),
        }
    }

    /// The error for an answer that cannot be understood.
    pub(crate) fn unreadable(&self, response: &Response, why: impl std::fmt::Display) -> Error {
        self.http.scrub(Error::unreadable(NAME, why).request_id(response.header("intuit_tid")))
    }

    /// Reads an answer without copying its records; half a body is worth another try.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&self, response: &'a Response) -> Result<T> {
        serde_json::from_slice(response.json_bytes(NAME)?).map_err(|why| {
            let error = self.unreadable(response, &why);
            if why.is_eof() { error.retry(Retry::Yes) } else { error }
        })
    }

    /// The company that was chosen at the page. It may not be another one than before: companies number their
    /// customers alike, and those of one would be taken for those of the other.
    fn chosen(&self, answer: &ConsentAnswer) -> Result<String> {
        let refuse = |message: String| Err(Error::new(Kind::Refused, message));
        let id = answer.query.get("realmId").map(|id| id.trim()).unwrap_or_default();
        if id.is_empty() || id.len() > 32 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return refuse(format!("{NAME} does not say which company was chosen: start the consent anew"));
        }
        match &self.company {
            Some(before) if before != id => refuse(format!(
                "this connection is of company {before}, but company {id} was chosen at Intuit's page: choose the \
                 same one, or make a connection of its own for the other"
            )),
            _ => Ok(id.to_owned()),
        }
    }
}

#[async_trait]
impl Consent for Api {
    fn page(&self, ask: &ConsentAsk<'_>) -> Url {
        self.grants.flow().page(ask)
    }

    async fn exchange(&self, answer: &ConsentAnswer) -> Result<Grant> {
        let company = self.chosen(answer)?;
        let mut grant = self.grants.flow().exchange(answer).await?;
        grant.extra.insert(Grant::ACCOUNT.to_owned(), company);
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
