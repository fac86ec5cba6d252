//! The vendor's manners: addresses, headers, errors.

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Checked, Consent, ConsentAnswer, ConsentAsk, CredentialsForm, Error, Grant, Http, Kind, Request, Response, Result,
    Secret, Transport, Vendor,
};
use url::Url;

use crate::{
    Credentials, Xero, limits,
    login::{Login, WebApp},
    tenants::{self, Tenant},
    wire,
};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Xero::NAME;

/// Where the API lives; there are no regions.
const API: &str = "https://api.xero.com";

/// How to reach one organisation.
pub(crate) struct Api {
    pub(crate) http: Arc<Http>,
    base: Url,
    /// The organisation that a person named.
    wanted: Option<String>,
    login: Login,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Arc::new(Http::new(NAME, transport, credentials.secrets()));
        Self {
            base: entered(credentials.api_url.as_ref(), API),
            wanted: credentials.organisation.clone(),
            login: Login::new(&http, credentials),
            http,
        }
    }

    /// A custom connection needs none.
    pub(crate) fn consent(&self) -> Option<&dyn Consent> {
        matches!(self.login, Login::WebApp(_)).then_some(self)
    }

    /// The organisation itself: any role and all scopes that are asked for may read it.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let response = self.call(self.get("Organisation")).await?;
        let found: wire::Organisations = response.json(NAME).map_err(|error| self.http.scrub(error))?;
        let Some(organisation) = found.organisations.into_iter().next() else {
            return Err(Error::unreadable(NAME, "no organisation"));
        };
        let demo = organisation.is_demo_company.0 == Some(true);
        let warning = "This is Xero's demo company: Xero empties it from time to time, and then it must be connected \
                       anew.";
        Ok(Checked { account: organisation.name.0, warnings: demo.then(|| warning.to_owned()).into_iter().collect() })
    }

    /// A request for a resource of the accounting API.
    pub(crate) fn get(&self, resource: &str) -> Request {
        Request::get(below(&self.base, &["api.xro", "2.0", resource])).header("accept", "application/json")
    }

    /// Sends a request; only a success comes back.
    pub(crate) async fn call(&self, request: Request) -> Result<Response> {
        let tenant = match &self.login {
            Login::WebApp(app) => app.tenant()?,
            Login::Custom(client) => client.tenant.get_or_try_init(|| self.connected()).await?,
        };
        self.succeed(self.login.send(&self.http, request.header("xero-tenant-id", tenant)).await?)
    }

    fn succeed(&self, response: Response) -> Result<Response> {
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    fn connections(&self) -> Request {
        Request::get(below(&self.base, &["connections"])).header("accept", "application/json")
    }

    /// The organisation of a custom connection: its token opens no other, but every request must name it.
    async fn connected(&self) -> Result<String> {
        let response = self.succeed(self.login.send(&self.http, self.connections()).await?)?;
        self.chosen(&response, Kind::Credentials)
    }

    /// The organisation of a fresh grant.
    async fn granted(&self, access: &Secret) -> Result<String> {
        let response = self.succeed(self.http.send(self.connections().bearer(access)).await?)?;
        self.chosen(&response, Kind::Refused)
    }

    fn chosen(&self, response: &Response, otherwise: Kind) -> Result<String> {
        let tenants: Vec<Tenant> = response.json(NAME).map_err(|error| self.http.scrub(error))?;
        tenants::choose(tenants, self.wanted.as_deref()).map_err(|why| self.http.scrub(Error::new(otherwise, why)))
    }

    /// The one place where the vendor's error bodies are read; those of the token address are OAuth's own.
    fn failure(&self, response: &Response) -> Error {
        let said = wire::said(response);
        self.http.failure(response, |mut error| {
            match error.kind {
                Kind::Credentials => {
                    error.message = format!("{NAME} does not take its own token: {}", self.login.again())
                }
                Kind::Forbidden => {
                    error.message = format!(
                        "{NAME} refuses this: the organisation is no longer connected to the app, a scope is missing, \
                         or who connected it may not see it. To mend it, {}",
                        self.login.again()
                    );
                }
                Kind::Throttled => error = limits::explain(error, response),
                _ => {}
            }
            error.vendor_says(said.words).request_id(said.instance.as_deref())
        })
    }

    /// The web app, whose consent is asked for.
    fn web_app(&self) -> Result<&WebApp> {
        match &self.login {
            Login::WebApp(app) => Ok(app),
            Login::Custom(_) => Err(Error::new(Kind::Refused, format!("a custom connection to {NAME} has no consent"))),
        }
    }
}

#[async_trait]
impl Consent for Api {
    fn page(&self, ask: &ConsentAsk<'_>) -> Url {
        // A custom connection offers no consent, so nobody gets here with one.
        self.web_app().map_or_else(|_| self.base.clone(), |app| app.grants.flow().page(ask))
    }

    async fn exchange(&self, answer: &ConsentAnswer) -> Result<Grant> {
        let mut grant = self.web_app()?.grants.flow().exchange(answer).await?;
        let tenant = self.granted(&grant.access).await?;
        grant.extra.insert(Grant::ACCOUNT.to_owned(), tenant);
        Ok(grant)
    }
}

/// What a person entered, else the usual address.
pub(crate) fn entered(entered: Option<&Url>, usual: &str) -> Url {
    entered.cloned().unwrap_or_else(|| Url::parse(usual).expect("the constant is an address"))
}

/// An address below another; each segment is percent-encoded.
pub(crate) fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
