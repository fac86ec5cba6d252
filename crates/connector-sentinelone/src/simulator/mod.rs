//! SentinelOne, simulated: its wire format over the shared world. It has the vendor's habits that have cost
//! others time: pages of 10 unless asked, sites one level deeper than the rest, a cursor that wants the same
//! filters again, status 200 for an action that did nothing.
//!
//! * `listings.rs`: what is found. `query.rs`: what a listing is asked for, and its pages. `rows.rs`, `threat_rows.rs`: the world in the vendor's words.
//! * `actions.rs`: what is done about threats.

mod actions;
mod listings;
mod query;
mod rows;
mod threat_rows;

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Method, RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{
    SharedWorld, World,
    world::{Business, Device, DeviceClass, Threat},
};

use self::query::Query;
use crate::SentinelOne;

const TOKEN: &str = "sentinelone-simulated-token";
/// May read, but not act.
const VIEWER: &str = "sentinelone-simulated-viewer";
const POWERLESS: &str = "sentinelone-simulated-guest";
/// How long a token has still to live, whenever it is asked.
const LIFE: TimeDelta = TimeDelta::days(300);

/// SentinelOne over the shared world.
#[derive(Default)]
pub struct Simulator {
    /// Keys of threats that somebody works on: of this the world knows nothing.
    begun: Mutex<HashSet<u64>>,
}

/// An answer that is not a success: status, the vendor's code, title and detail.
struct No(u16, u32, &'static str, Option<String>);

type Answer = Result<Value, No>;

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        SentinelOne::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let (status, body) = match self.route(world, request) {
            Ok(body) => (200, body),
            Err(No(status, code, title, detail)) => {
                (status, json!({ "errors": [{ "code": code, "title": title, "detail": detail }] }))
            }
        };
        Response {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from(body.to_string()),
            received_at: now(world),
        }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, TOKEN)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "sentinelone-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS)
    }

    /// A token ends months later, not in the middle of a listing.
    fn expire_tokens(&self) {}

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        match kind {
            RecordKind::Device => Some(agents(world).count()),
            RecordKind::Threat => Some(threats(world).count()),
            other => world.expected(SentinelOne::ID, other),
        }
    }

    /// Tokens are made by people. What has "token" in its path asks for the state of one.
    fn asks_for_token(&self, _: &Request) -> bool {
        false
    }
}

impl Simulator {
    fn route(&self, world: &SharedWorld, request: &Request) -> Answer {
        let token = request.header_value("authorization").and_then(|value| value.strip_prefix("ApiToken "));
        let may_act = match token {
            Some(TOKEN) => true,
            Some(VIEWER) => false,
            Some(POWERLESS) => return Err(No(403, 4_030_010, "Insufficient permissions", None)),
            _ => return Err(No(401, 4_010_010, "Unauthorized Access", None)),
        };
        let Some((_, path)) = request.url.path().split_once("/web/api/v2.1/") else { return Err(no_such_path()) };
        let path: Vec<&str> = path.split('/').collect();
        match (request.method, path.as_slice()) {
            (Method::Get, ["sites"]) => listings::sites(&read(world), &Query::of(request, &["states", "accountIds"])?),
            (Method::Get, ["agents"]) => {
                let known = ["siteIds", "accountIds", "isDecommissioned"];
                listings::agents(&read(world), &Query::of(request, &known)?)
            }
            (Method::Get, ["threats"]) => {
                let known = ["ids", "siteIds", "accountIds", "incidentStatuses"];
                listings::threats(self, &read(world), &Query::of(request, &known)?)
            }
            (Method::Post, ["users", "api-token-details"]) => token_details(now(world), &request.body),
            (Method::Post, ["threats", rest @ ..]) => {
                let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
                self.act(&mut world, rest, &request.body, may_act)
            }
            _ => Err(no_such_path()),
        }
    }

    /// Where an incident stands.
    fn incident(&self, threat: &Threat) -> &'static str {
        match threat.resolved {
            Some(_) => "resolved",
            None if self.begun.lock().unwrap_or_else(PoisonError::into_inner).contains(&threat.key) => "in_progress",
            None => "unresolved",
        }
    }

    fn threat_row(&self, world: &World, business: &Business, threat: &Threat) -> Value {
        let now = world.device(threat.device).filter(|(home, _)| home.vendors.contains(SentinelOne::ID));
        threat_rows::threat(business, threat, now, self.incident(threat))
    }
}

fn token_details(now: DateTime<Utc>, body: &Body) -> Answer {
    let Body::Json(body) = body else { return Err(invalid("the body must be JSON")) };
    match body["data"]["apiToken"].as_str() {
        Some(TOKEN | VIEWER) => {
            let stamp = |at: DateTime<Utc>| rows::instant(at);
            Ok(json!({ "data": { "createdAt": stamp(now - TimeDelta::days(65)), "expiresAt": stamp(now + LIFE) } }))
        }
        _ => Err(invalid("apiToken: Invalid token.")),
    }
}

/// Machines that run an agent: network devices do not.
fn runs_agent(device: &Device) -> bool {
    !matches!(device.class, DeviceClass::Firewall | DeviceClass::Switch)
}

fn agents(world: &World) -> impl Iterator<Item = (&Business, &Device)> {
    let all = world.devices_after(0);
    all.filter(|(business, device)| business.vendors.contains(SentinelOne::ID) && runs_agent(device))
}

/// Threats that an agent found. The machine may be gone since.
fn threats(world: &World) -> impl Iterator<Item = (&Business, &Threat)> {
    let all = world.threats_after(SentinelOne::ID, 0).into_iter();
    all.filter(|(_, threat)| world.device(threat.device).is_none_or(|(_, device)| runs_agent(device)))
}

fn form(base: &str, token: &str) -> Map<String, Value> {
    let fields = [("console_url", base), ("api_token", token)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn no_such_path() -> No {
    No(404, 4_040_010, "Not Found", None)
}

fn invalid(detail: impl Into<String>) -> No {
    No(400, 4_000_010, "Validation Error", Some(detail.into()))
}

fn read(world: &SharedWorld) -> std::sync::RwLockReadGuard<'_, World> {
    world.read().unwrap_or_else(PoisonError::into_inner)
}

fn now(world: &SharedWorld) -> DateTime<Utc> {
    read(world).now
}
