//! Microsoft, simulated: the sign-in service and Graph over the shared world. A partner tenant lists the
//! businesses that know Microsoft 365; each of them is a tenant of its own.
//!
//! Some tenants are difficult on purpose, always the same ones: see [`has_consent`] and
//! [`vendorkit::world::Business::premium_directory`].

mod graph;
mod sign_in;
mod views;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use integration::{RecordKind, Request, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use vendorkit::{
    SharedWorld, Simulator, World,
    world::{self, Business},
};

pub(crate) const VENDOR: &str = "microsoft365";
const PARTNER: Uuid = Uuid::from_u128(0x0365_0000_0000_4000_8000_0000_0000_0001);
const APP: &str = "03650000-0000-4000-8000-00000000000a";
/// An app that consent was given to, but no permission.
const POWERLESS_APP: &str = "03650000-0000-4000-8000-00000000000b";
const SECRET: &str = "simulated-app-secret-0001";

/// The simulator.
#[derive(Debug, Default)]
pub struct Microsoft365Simulator {
    /// Tokens say in which age they were given out; only those of the present one are good.
    age: AtomicU64,
    /// What administrators of tenants decided about the app since the world began.
    decided: Mutex<BTreeMap<Uuid, bool>>,
}

/// Whether an administrator of the business has consented to the app; about one in thirty has not.
pub fn has_consent(business: &Business) -> bool {
    business.key % 31 != 7
}

impl Microsoft365Simulator {
    /// The administrator of a tenant lets the app in, or shuts it out.
    pub fn decide(&self, tenant: Uuid, consents: bool) {
        self.decided.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, consents);
    }

    /// Whether the app is let in: also where the partner does not list the tenant.
    fn lets_in(&self, business: &Business) -> bool {
        let decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner).get(&business.tenant_id).copied();
        decided.unwrap_or_else(|| business.vendors.contains(VENDOR) && has_consent(business))
    }

    /// The business of a tenant that uses Microsoft 365: as a customer of the partner, or because it let the app in.
    fn tenant<'w>(&self, world: &'w World, tenant: Uuid) -> Option<&'w Business> {
        world.by_tenant(tenant).filter(|business| business.vendors.contains(VENDOR) || self.lets_in(business))
    }
}

/// An answer before it is bytes.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Answer {
    pub fn ok(body: Value) -> Self {
        Self { status: 200, headers: Vec::new(), body }
    }

    /// A refusal in Graph's form.
    pub fn refused(status: u16, code: &str) -> Self {
        let request_id = made_id(code).to_string();
        let inner = json!({ "request-id": request_id, "client-request-id": request_id });
        let body = json!({ "error": { "code": code, "message": "Simulated refusal.", "innerError": inner } });
        Self { status, headers: vec![("request-id".to_owned(), request_id)], body }
    }

    /// A refusal in the form of the sign-in service.
    fn no_token(status: u16, error: &str, number: u64) -> Self {
        let words = format!("AADSTS{number}: simulated refusal.");
        let trace = made_id(&words);
        let body = json!({
            "error": error, "error_description": words, "error_codes": [number], "trace_id": trace,
            "correlation_id": trace,
        });
        Self { status, headers: Vec::new(), body }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Simulator for Microsoft365Simulator {
    fn id(&self) -> &'static str {
        VENDOR
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let path = request.url.path();
        let answer = if let Some((_, rest)) = path.split_once("/login/") {
            self.sign_in(&world, request, rest)
        } else if let Some((_, rest)) = path.split_once("/graph/v1.0/") {
            self.graph(&world, request, rest).header("x-ms-resource-unit", "1")
        } else {
            Answer::refused(404, "UnknownPath")
        };
        let mut headers = answer.headers;
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        Response { status: answer.status, headers, body: Bytes::from(answer.body.to_string()), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        credentials(base, APP, SECRET)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        credentials(base, APP, "simulated-app-secret-0002")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        credentials(base, POWERLESS_APP, SECRET)
    }

    fn expire_tokens(&self) {
        self.age.fetch_add(1, Ordering::Relaxed);
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        let open = || world.businesses().iter().filter(|business| self.lets_in(business));
        match kind {
            RecordKind::Entity => {
                let known = |business: &&Business| business.vendors.contains(VENDOR) || self.lets_in(business);
                Some(world.businesses().iter().filter(known).count())
            }
            RecordKind::DirectoryUser => Some(open().map(|b| b.people.len()).sum()),
            RecordKind::SignInMethods => {
                Some(open().filter(|b| b.premium_directory).map(|b| views::registrations(b).len()).sum())
            }
            RecordKind::AdminRole => Some(open().flat_map(|b| &b.people).filter(|person| person.admin).count()),
            RecordKind::Licence => Some(open().map(|b| views::skus(b).len()).sum()),
            RecordKind::SecureScore => Some(open().count()),
            RecordKind::Domain => Some(open().map(|b| views::domains(b).len()).sum()),
            _ => None,
        }
    }
}

fn credentials(base: &str, app: &str, secret: &str) -> Map<String, Value> {
    let pairs = [
        ("tenant_id", PARTNER.to_string()),
        ("client_id", app.to_owned()),
        ("client_secret", secret.to_owned()),
        ("login_host", format!("{base}/login")),
        ("graph_host", format!("{base}/graph")),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

/// An id that is the same whenever it is made of the same text.
fn made_id(of: &str) -> Uuid {
    world::uuid(of, 0)
}
