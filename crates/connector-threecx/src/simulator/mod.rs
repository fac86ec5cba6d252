//! A 3CX phone system of the MSP's, simulated over the shared world: its clients' people are extensions on it.
//!
//! It has the habits that have cost others time: one live token for each Client ID, a life of 60 in `expires_in`, a
//! call history for System Owners only, and users that come with their passwords unless fields are selected.

mod odata;
mod rows;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Method, RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World};

use crate::Threecx;

/// Client IDs, by the role that each has.
const OWNER: &str = "panelone-owner";
const ADMINISTRATOR: &str = "panelone-administrator";
const POWERLESS: &str = "panelone-nobody";
const KEY: &str = "threecx-simulated-key";
/// How long a token lives, whatever it says of itself in `expires_in`.
const LIFE: TimeDelta = TimeDelta::minutes(60);

/// The vendor, simulated.
#[derive(Default)]
pub struct Simulator {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    given: u64,
    /// The one token of each Client ID.
    live: HashMap<String, (String, DateTime<Utc>)>,
}

type Answer = Result<Value, (u16, Value)>;

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Threecx::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = self.route(&world, request).map_or_else(|no| no, |body| (200, body));
        let headers = vec![("content-type".to_owned(), "application/json; odata.metadata=minimal".to_owned())];
        Response { status, headers, body: body.to_string().into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, OWNER, KEY)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, OWNER, "threecx-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS, KEY)
    }

    fn expire_tokens(&self) {
        self.state().live.clear();
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        match kind {
            // The system itself, and what is no line, no place to park and no program.
            RecordKind::Entity => Some(1 + rows::destinations(world)),
            RecordKind::Extension => Some(rows::people(world).count()),
            RecordKind::PhoneSystem => Some(1),
            _ => world.expected(Threecx::ID, kind),
        }
    }

    /// The connector gives the destinations of all pages at once.
    fn unpaged(&self, kind: RecordKind) -> bool {
        matches!(kind, RecordKind::Entity | RecordKind::PhoneSystem)
    }
}

impl Simulator {
    /// Credentials of a role that may see everything but the call history.
    pub fn administrator(&self, base: &str) -> Map<String, Value> {
        form(base, ADMINISTRATOR, KEY)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn route(&self, world: &World, request: &Request) -> Answer {
        let segments: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        match (request.method, &segments[..]) {
            (Method::Post, [.., "connect", "token"]) => self.give_token(world.now, &request.body),
            (Method::Get, [.., "xapi", "v1", set]) => {
                let client = self.admit(world.now, request)?;
                if client == POWERLESS || (client == ADMINISTRATOR && *set == "CallHistoryView") {
                    return Err(no(403, "WARNINGS.XAPI.FORBIDDEN"));
                }
                let options = odata::options(request)?;
                match *set {
                    "Users" => odata::list(rows::users(world), &options, set),
                    "Peers" => odata::list(rows::peers(world), &options, set),
                    "CallHistoryView" => odata::list(rows::history(world), &options, set),
                    "SystemStatus" => odata::select(rows::system(world), &options),
                    _ => Err(no(404, "Resource not found.")),
                }
            }
            _ => Err(no(404, "Resource not found.")),
        }
    }

    fn give_token(&self, now: DateTime<Utc>, body: &Body) -> Answer {
        let refused = |status, why: &str| Err((status, json!({ "error": why, "error_description": "not accepted" })));
        let Body::Form(pairs) = body else { return refused(400, "invalid_request") };
        let said = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        if said("grant_type") != Some("client_credentials") {
            return refused(400, "unsupported_grant_type");
        }
        let client = said("client_id").filter(|client| [OWNER, ADMINISTRATOR, POWERLESS].contains(client));
        let (Some(client), Some(KEY)) = (client, said("client_secret")) else { return refused(401, "unauthorized") };
        let mut state = self.state();
        state.given += 1;
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "exp": (now + LIFE).timestamp(), "jti": state.given });
        let token = format!("{}.{}.c2ln", part(json!({ "alg": "ES256" })), part(claims));
        // The one before it is over.
        state.live.insert(client.to_owned(), (token.clone(), now + LIFE));
        Ok(json!({ "token_type": "Bearer", "expires_in": 60, "access_token": token, "refresh_token": null }))
    }

    /// The Client ID whose live token this is.
    fn admit(&self, now: DateTime<Utc>, request: &Request) -> Result<String, (u16, Value)> {
        let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let state = self.state();
        let mut live = state.live.iter().filter(|(_, (_, until))| *until > now);
        let found = live.find(|(_, (live, _))| Some(live.as_str()) == token).map(|(client, _)| client.clone());
        found.ok_or_else(|| (401, json!({ "error": "unauthorized" })))
    }
}

fn no(status: u16, message: &str) -> (u16, Value) {
    (status, json!({ "error": { "code": "", "message": message, "details": [] } }))
}

fn form(base: &str, client: &str, key: &str) -> Map<String, Value> {
    let fields = [("url", base), ("client_id", client), ("api_key", key)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
