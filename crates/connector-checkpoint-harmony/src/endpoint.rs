//! Harmony Endpoint through the Infinity Portal. One login is three: at the portal, at the management
//! service (a second token, for computers), and as an MSSP (for the tenants; refused to everybody else).
//! Listings are jobs of the vendor: begun, asked after, and read once they are done.

use integration::{Error, Kind, Request, Response, Result, Secret, oauth::Token};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::{
    api::{Api, NAME, Product, below, token},
    keys::Key,
    wire,
};

/// Computers asked for at once: the most that the vendor's own kit lets be asked for.
pub(crate) const PAGE_SIZE: u64 = 50;
/// How long an MSSP session lives, in seconds; a management session says so itself.
const SESSION: i64 = 300;

/// What a login opened.
struct Opened {
    bearer: Secret,
    management: Secret,
    /// Whether the account is an MSSP's.
    mssp: bool,
}

impl Opened {
    /// As one text for the token cache: the parts live and end together.
    fn pack(&self) -> String {
        format!("{}\n{}\n{}", self.bearer.expose(), self.management.expose(), self.mssp)
    }

    fn unpack(token: &Token) -> Self {
        let mut parts = token.access.expose().split('\n');
        let mut part = || parts.next().unwrap_or_default().to_owned();
        Self { bearer: Secret::new(part()), management: Secret::new(part()), mssp: part() == "true" }
    }
}

/// How a job stands.
pub(crate) enum Job {
    Waiting,
    /// The answer that holds its result.
    Done(Response),
}

/// One tenant of Harmony Endpoint.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tenant {
    pub tenant_id: String,
    pub tenant_name: Option<String>,
}

/// The account of the key, and the tenants of it.
pub(crate) struct Tenants {
    /// The account itself, if it can have computers: an MSSP's own mostly has none.
    pub account: Option<Tenant>,
    pub below: Vec<Tenant>,
}

impl Tenants {
    fn of(account: wire::Account) -> Result<Self> {
        if account.tenant_id.is_none() && account.machines.is_none() {
            return Err(Error::unreadable(NAME, "an account that does not say who it is"));
        }
        let mut below = Vec::new();
        let mut waiting: Vec<wire::Account> = account.child_tenants;
        while let Some(child) = waiting.pop() {
            waiting.extend(child.child_tenants);
            below.extend(child.tenant_id.map(|tenant_id| Tenant { tenant_id, tenant_name: child.tenant_name }));
        }
        below.sort_by(|one, other| one.tenant_id.cmp(&other.tenant_id));
        let machines = account.machines.unwrap_or_default();
        let served = !machines.is_empty() || account.kind.as_deref() != Some("MSSP");
        let id = account.tenant_id.or_else(|| machines.into_iter().find_map(|machine| machine.tenant_id));
        let own = id.filter(|_| served).map(|tenant_id| Tenant { tenant_id, tenant_name: account.tenant_name });
        Ok(Self { account: own, below })
    }
}

impl Api {
    /// Whose key it is, and who is below.
    pub(crate) async fn endpoint_tenants(&self) -> Result<Tenants> {
        let status = |opened: &Opened| {
            let path: &[&str] =
                if opened.mssp { &["mssp", "v1", "service", "status"] } else { &["v1", "self-service", "status"] };
            Request::get(below(&below(&self.service(), &["public"]), path))
        };
        let response = self.endpoint_send(status).await?;
        let read = || Tenants::of(wire::parse(response.json_bytes(NAME)?)?);
        read().map_err(|error| self.http.scrub(error))
    }

    /// Begins a list of computers from this place on, and answers its job.
    pub(crate) async fn begin_computers(&self, offset: u64) -> Result<String> {
        let body = json!({
            "filters": [],
            "paging": { "pageSize": PAGE_SIZE, "offset": offset },
            "viewType": "DEVICES",
        });
        let url = below(&self.management(), &["asset-management", "computers", "filtered"]);
        let begin = |opened: &Opened| {
            let request = Request::post(url.clone()).json(body.clone()).idempotent();
            request.header("x-mgmt-run-as-job", "on").header("x-mgmt-api-token", opened.management.expose())
        };
        let response = self.endpoint_send(begin).await?;
        let begun: Result<wire::JobBegun> = response.json_bytes(NAME).and_then(wire::parse);
        begun.map(|begun| begun.job_id).map_err(|error| self.http.scrub(error))
    }

    /// Asks after a job.
    pub(crate) async fn job(&self, id: &str) -> Result<Job> {
        let url = below(&self.management(), &["jobs", id]);
        let ask = |opened: &Opened| Request::get(url.clone()).header("x-mgmt-api-token", opened.management.expose());
        let response = self.endpoint_send(ask).await?;
        let (status, code) = {
            let state: wire::JobState<'_> =
                response.json_bytes(NAME).and_then(wire::parse).map_err(|error| self.http.scrub(error))?;
            // A word that is newer than us does not matter while there is a result.
            match state.status.as_str() {
                "FAILED" | "NOT_FOUND" => {}
                "IN_PROGRESS" => return Ok(Job::Waiting),
                _ if state.data.is_some() => return Ok(Job::Done(response)),
                _ => return Err(Error::unreadable(NAME, "a job that is neither under way nor done")),
            }
            (state.status, state.status_code)
        };
        if status == "NOT_FOUND" {
            return Err(Error::new(Kind::Expired, format!("{NAME} has forgotten this list of computers: list anew")));
        }
        // Its code is one of HTTP's.
        let status = code.filter(|code| (400..600).contains(code)).unwrap_or(500);
        Err(self.failure(Product::Endpoint, &Response { status, ..response }))
    }

    fn service(&self) -> Url {
        below(&self.keys.gateway, &["app", "endpoint-web-mgmt"])
    }

    fn management(&self) -> Url {
        below(&self.service(), &["harmony", "endpoint", "api", "v1"])
    }

    /// Sends with what the login opened; a 401 gets one new login and one more try.
    async fn endpoint_send(&self, build: impl Fn(&Opened) -> Request) -> Result<Response> {
        let Some(key) = &self.keys.endpoint else {
            return Err(Error::new(Kind::Credentials, format!("{NAME}: enter the Endpoint key")));
        };
        let account = Product::Endpoint.name();
        let mut again = false;
        loop {
            let token = self.tokens.token(&self.http, account, || self.open(key)).await?;
            let opened = Opened::unpack(&token);
            let request = build(&opened).header("accept", "application/json").bearer(&opened.bearer);
            let response = self.http.send(request).await?;
            if response.status != 401 || again {
                return self.done(Product::Endpoint, response);
            }
            self.tokens.forget(account, &token).await;
            again = true;
        }
    }

    /// The three logins.
    async fn open(&self, key: &Key) -> Result<Token> {
        let portal = self.portal_token(Product::Endpoint, key).await?;
        self.http.learn_secret(portal.access.clone());
        let login = |url: Url| {
            let request = Request::post(url).header("accept", "application/json").bearer(&portal.access);
            self.http.send(request.idempotent())
        };
        let response = login(below(&self.management(), &["session", "login", "cloud"])).await?;
        let Some(management) = response.header("x-mgmt-api-token").filter(|_| response.is_success()) else {
            return Err(if response.is_success() {
                Error::unreadable(NAME, "a login at Harmony Endpoint without its token")
            } else {
                self.no_token(Product::Endpoint, &response)
            });
        };
        let management = Secret::new(management.to_owned());
        self.http.learn_secret(management.clone());
        let life = response.header("x-mgmt-session-expiry-seconds").and_then(|text| text.trim().parse().ok());
        let as_mssp = login(below(&self.service(), &["public", "mssp", "v1", "session", "login"])).await?;
        let mssp = as_mssp.is_success();
        let refused = self.failure(Product::Endpoint, &as_mssp);
        if !mssp && !matches!(refused.kind, Kind::Forbidden | Kind::Credentials | Kind::NotFound | Kind::Refused) {
            return Err(refused);
        }
        let opened = Opened { bearer: portal.access.clone(), management, mssp };
        let session = token(opened.pack(), &response, life.unwrap_or(SESSION).min(SESSION));
        Ok(Token { expires_at: session.expires_at.min(portal.expires_at), ..session })
    }
}
