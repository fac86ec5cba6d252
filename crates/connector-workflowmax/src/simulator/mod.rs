//! WorkflowMax, simulated: its wire format over the shared world, and its sign-in page.
//!
//! `login.rs` is the authorization server, `tokens.rs` what it gives out, `records.rs` the data.

mod login;
mod records;
mod tokens;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use integration::{Field, Grant, RecordKind, Request, Response, Secret, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World};

use self::{
    login::Login,
    tokens::{FAR, Family},
};
use crate::Workflowmax;

/// The app that people connect with.
const CLIENT: &str = "workflowmax-simulated-app";
/// An app whose user has no privileges.
const GUEST: &str = "workflowmax-simulated-guest-app";
/// An app to which people do not consent.
const DENIED: &str = "workflowmax-simulated-denied-app";
/// An app whose user belongs to two organisations.
const SEVERAL: &str = "workflowmax-simulated-several-app";
const SECRET: &str = "workflowmax-simulated-secret";
/// The organisations.
const ORGANISATION: &str = "6f2d1c90-5a1e-4a52-8d0e-2f3b7a9c4d10";
const OTHER: &str = "b7e0a3d4-0c4f-4f0b-9a34-7d1f5e6a8c22";

/// WorkflowMax over the shared world.
#[derive(Default)]
pub struct Simulator {
    login: Mutex<Login>,
    requests: AtomicU64,
}

impl Simulator {
    /// Credentials of an app to which nobody consents.
    pub fn denied_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, DENIED, SECRET)
    }

    /// Credentials of an app whose user belongs to two organisations.
    pub fn ambiguous_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, SEVERAL, SECRET)
    }

    /// How often refresh tokens were exchanged.
    pub fn renewals(&self) -> u64 {
        self.login().renewals
    }

    fn login(&self) -> MutexGuard<'_, Login> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn route(&self, world: &World, request: &Request) -> Answer {
        let path = request.url.path();
        let after = |mark: &str| path.find(mark).map(|at| &path[at + mark.len()..]);
        match (request.method.as_str(), after("/oauth/"), after("/v2/")) {
            ("GET", Some("authorize"), _) => self.login().authorize(world.now, request),
            ("POST", Some("token"), _) => self.login().token(world.now, request),
            ("GET", None, Some(resource)) => {
                let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
                match token.and_then(|token| self.login().user(world.now, token)) {
                    None => Answer::failed(401, "The access token is invalid or has expired"),
                    Some(Family { client, .. }) if client == GUEST => {
                        Answer::failed(403, "You lack the privilege to authorise third parties")
                    }
                    Some(_) if request.header_value("account-id") != Some(ORGANISATION) => {
                        Answer::failed(403, "This organisation is not yours")
                    }
                    Some(_) => records::answer(world, resource, request),
                }
            }
            _ => Answer::failed(404, "Not found"),
        }
    }
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Workflowmax::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let Answer { status, body, location } = self.route(&world, request);
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-request-id".to_owned(), number.to_string()),
        ];
        headers.extend(location.map(|to| ("location".to_owned(), to)));
        Response { status, headers, body: body.to_string().into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, CLIENT, SECRET)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "workflowmax-simulated-mistake", "workflowmax-simulated-wrong-secret")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, GUEST, SECRET)
    }

    fn consented(&self, mut credentials: Map<String, Value>) -> Map<String, Value> {
        let client = credentials["client_id"].as_str().unwrap_or_default().to_owned();
        let family = Family { client, number: 0 };
        let grant = Grant {
            refresh: Secret::new(tokens::refresh(&family, 0, FAR)),
            access: Secret::new(tokens::access(&family, 0, FAR, &[ORGANISATION])),
            ends_at: chrono::DateTime::from_timestamp(FAR, 0).unwrap_or_default(),
            extra: BTreeMap::from([(Grant::ACCOUNT.to_owned(), ORGANISATION.to_owned())]),
        };
        credentials.extend(grant.store().map(|text| ("grant".to_owned(), Value::String(text))));
        credentials
    }

    fn expire_tokens(&self) {
        self.login().epoch += 1;
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        world.expected(Workflowmax::ID, kind)
    }
}

/// What is answered, before it is a [`Response`].
struct Answer {
    status: u16,
    body: Value,
    location: Option<String>,
}

impl Answer {
    fn ok(body: Value) -> Self {
        Self { status: 200, body, location: None }
    }

    fn failed(status: u16, message: &str) -> Self {
        Self { status, body: json!({ "message": message }), location: None }
    }
}

fn form(base: &str, client: &str, secret: &str) -> Map<String, Value> {
    let fields =
        [("client_id", client), ("client_secret", secret), ("currency", "AUD"), ("api_url", base), ("login_url", base)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
