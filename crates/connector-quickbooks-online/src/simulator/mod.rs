//! QuickBooks Online, simulated: its wire format over the shared world, and its sign-in page.
//!
//! `login.rs` is the authorization server, `tokens.rs` what it gives out; `answers.rs` what a company is asked,
//! `statement.rs` and `pieces.rs` the query language, `records.rs` the data.

mod answers;
mod login;
mod pieces;
mod records;
mod statement;
mod tokens;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Field, Grant, RecordKind, Request, Response, Secret, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World};

use self::{
    login::Login,
    tokens::{FAR, Family, Token, Use},
};
use crate::QuickbooksOnline;

/// The app that people connect with.
const CLIENT: &str = "quickbooks-simulated-app";
/// An app whose user is no administrator.
const GUEST: &str = "quickbooks-simulated-guest-app";
/// An app to which people do not consent.
const DENIED: &str = "quickbooks-simulated-denied-app";
const CLIENTS: [&str; 3] = [CLIENT, GUEST, DENIED];
const SECRET: &str = "quickbooks-simulated-secret";
/// The company.
const COMPANY: &str = "9130350000000001";

/// QuickBooks Online over the shared world.
#[derive(Default)]
pub struct Simulator {
    login: Mutex<Login>,
    requests: AtomicU64,
    /// How far the world was when: the world's history has no times. The oldest first.
    log: Mutex<Vec<(DateTime<Utc>, u64)>>,
}

impl Simulator {
    /// Credentials of an app to which nobody consents.
    pub fn denied_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, DENIED, SECRET)
    }

    fn login(&self) -> MutexGuard<'_, Login> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how far the world is now. Nobody is told of changes of more than a month ago.
    fn note(&self, world: &World) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.last().is_none_or(|(_, revision)| *revision != world.revision()) {
            log.push((world.now, world.revision()));
        }
        let old = log.iter().take_while(|(at, _)| world.now - *at > TimeDelta::days(31)).count();
        log.drain(..old.saturating_sub(1));
    }

    /// How far the world was at that moment, or before it.
    fn revision(&self, at: DateTime<Utc>) -> u64 {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().rev().find(|(noted, _)| *noted <= at).map_or(0, |(_, revision)| *revision)
    }

    fn route(&self, world: &World, request: &Request) -> Answer {
        let path = request.url.path();
        let after = |mark: &str| path.find(mark).map(|at| &path[at + mark.len()..]);
        let method = request.method.as_str();
        if let Some(rest) = after("/v3/company/") {
            let parts: Vec<&str> = rest.split('/').collect();
            let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
            return match (token.and_then(|token| self.login().user(world.now, token)), parts.as_slice()) {
                (None, _) => {
                    gateway(401, "AuthenticationFailed", "003200", "Token expired or unknown", "AUTHENTICATION")
                }
                (Some(Family { client, .. }), [COMPANY, path @ ..]) if client != GUEST => {
                    if method != "GET" {
                        gateway(405, "MethodNotAllowed", "003400", "", "SERVICE")
                    } else if request.header_value("accept") != Some("application/json") {
                        Answer { status: 200, body: "<IntuitResponse/>".to_owned(), location: None }
                    } else {
                        answers::answer(world, path, request, |at| self.revision(at))
                    }
                }
                _ => gateway(403, "ApplicationAuthorizationFailed", "003100", "", "SERVICE"),
            };
        }
        match method {
            "GET" if path.ends_with("/connect/oauth2") => self.login().authorize(world.now, request),
            "POST" if path.ends_with("/oauth2/v1/tokens/bearer") => self.login().token(world.now, request),
            _ => gateway(404, "NotFound", "003404", "", "SERVICE"),
        }
    }
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        QuickbooksOnline::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        self.note(&world);
        let Answer { status, body, location } = self.route(&world, request);
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let typed = if body.starts_with('<') { "application/xml" } else { "application/json;charset=UTF-8" };
        let tid = format!("1-simulated-{number}");
        let headers = [("content-type", Some(typed.to_owned())), ("intuit_tid", Some(tid)), ("location", location)];
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        Response { status, headers, body: body.into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, CLIENT, SECRET)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "quickbooks-simulated-mistake", "quickbooks-simulated-wrong-secret")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, GUEST, SECRET)
    }

    fn consented(&self, mut credentials: Map<String, Value>) -> Map<String, Value> {
        let client = credentials["client_id"].as_str().unwrap_or_default().to_owned();
        let token = Token { family: Family { client, number: 0 }, count: 0, until: FAR };
        let grant = Grant {
            refresh: Secret::new(token.write(Use::Refresh)),
            access: Secret::new(token.write(Use::Access)),
            ends_at: DateTime::from_timestamp(FAR, 0).unwrap_or_default(),
            extra: BTreeMap::from([(Grant::ACCOUNT.to_owned(), COMPANY.to_owned())]),
        };
        credentials.extend(grant.store().map(|text| ("grant".to_owned(), Value::String(text))));
        credentials
    }

    fn expire_tokens(&self) {
        self.login().epoch += 1;
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        let businesses = || world.known_to(QuickbooksOnline::ID);
        match kind {
            RecordKind::Entity => Some(businesses().map(|business| business.locations.len()).sum()),
            RecordKind::Contact => Some(businesses().count()),
            RecordKind::RepeatingInvoice => Some(businesses().filter(|one| records::has_template(one)).count()),
            _ => world.expected(QuickbooksOnline::ID, kind),
        }
    }
}

/// What is answered, before it is a [`Response`].
struct Answer {
    status: u16,
    body: String,
    location: Option<String>,
}

impl Answer {
    fn ok(body: &Value) -> Self {
        Self { status: 200, body: body.to_string(), location: None }
    }
}

/// A refusal by the gateway, which writes every key in lower case.
fn gateway(status: u16, name: &str, code: &str, detail: &str, class: &str) -> Answer {
    let message = format!("message={name}; errorCode={code}; statusCode={status}");
    let detail = (!detail.is_empty()).then_some(detail);
    let error = json!({ "message": message, "detail": detail, "code": code.trim_start_matches('0'), "element": null });
    let body = json!({
        "warnings": null, "intuitObject": null, "fault": { "error": [error], "type": class }, "queryResponse": null,
        "time": 1_791_277_200_000_u64, "cdcresponse": [],
    });
    Answer { status, body: body.to_string(), location: None }
}

fn form(base: &str, client: &str, secret: &str) -> Map<String, Value> {
    let fields = [
        ("client_id", client),
        ("client_secret", secret),
        ("environment", "sandbox"),
        ("api_url", base),
        ("login_url", base),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
