//! NinjaOne, simulated: its wire format over the shared world. Ids are the world's keys.
//!
//! * `oauth.rs`: client apps, tokens with scopes and an end, and what is said without one.
//! * `filter.rs`: the device filter `df`.
//! * `organizations.rs`, `devices.rs`: listings and rows; `device_row.rs`: the shape of a device's row.

mod device_row;
mod devices;
mod filter;
mod oauth;
mod organizations;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{
        PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use integration::{Request, Response, Vendor};
use serde::Serialize;
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World};

use self::{filter::Filter, oauth::Apps};
use crate::NinjaOne;

/// Rows of a page when none are asked for: the reason why integrations that do not page lose rows.
const DEFAULT_PAGE: usize = 50;

/// NinjaOne over the shared world.
#[derive(Default)]
pub struct Simulator {
    apps: Apps,
    requests: AtomicU64,
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        NinjaOne::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let (status, body) = match self.route(&world, request) {
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status, refusal.body(number)),
        };
        Response {
            status,
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("x-nj-request-id".to_owned(), incident(number)),
            ],
            body: body.into(),
            received_at: world.now,
        }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, oauth::READER.id, oauth::READER.secret)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, oauth::READER.id, "sim-ninjaone-not-the-secret")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, oauth::POWERLESS.id, oauth::POWERLESS.secret)
    }

    fn expire_tokens(&self) {
        self.apps.expire_tokens();
    }
}

impl Simulator {
    fn route(&self, world: &World, request: &Request) -> Result<Vec<u8>, Refusal> {
        let path = request.url.path();
        if path.ends_with("/oauth/token") {
            return self.apps.grant(world.now, request);
        }
        // The base may hold a path of its own, in front of the version.
        let (_, path) = path.rsplit_once("/v2/").ok_or_else(no_such_path)?;
        self.apps.admit(world.now, request)?;
        let query = Query::of(request);
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["organizations"]) => organizations::list(world, &query, organizations::brief),
            ("GET", ["organizations-detailed"]) => organizations::list(world, &query, organizations::detailed),
            ("GET", ["organization", id]) => organizations::one(world, id),
            ("GET", ["organization", id, "locations"]) => organizations::locations_of(world, id),
            ("GET", ["locations"]) => organizations::locations(world, &query),
            ("GET", ["devices"]) => devices::list(world, &query, false),
            ("GET", ["devices-detailed"]) => devices::list(world, &query, true),
            ("GET", ["device", id]) => devices::one(world, id),
            _ => Err(no_such_path()),
        }
    }
}

/// An answer that is not a success; its body names the incident.
struct Refusal {
    status: u16,
    body: Value,
}

impl Refusal {
    /// Of the OAuth layer.
    fn oauth(status: u16, error: &str, words: &str, code: u32) -> Self {
        Self { status, body: json!({"error": error, "error_description": words, "error_code": code}) }
    }

    /// Of the API layer.
    fn api(status: u16, words: impl Into<String>) -> Self {
        Self { status, body: json!({"resultCode": "FAILURE", "errorMessage": words.into(), "incidentId": ""}) }
    }

    fn body(mut self, number: u64) -> Vec<u8> {
        if let Some(id) = self.body.get_mut("incidentId") {
            *id = incident(number).into();
        }
        self.body.to_string().into_bytes()
    }
}

fn no_such_path() -> Refusal {
    Refusal::api(404, "Not found")
}

/// An id for a request's support, shaped like a UUID.
fn incident(number: u64) -> String {
    format!("{:08x}-51a0-4000-8000-{number:012x}", number.wrapping_mul(0x9E37_79B9) as u32)
}

/// The query of one listing.
struct Query(HashMap<String, String>);

impl Query {
    fn of(request: &Request) -> Self {
        Self(request.url.query_pairs().into_owned().collect())
    }

    fn number(&self, key: &str) -> Result<Option<u64>, Refusal> {
        let read = |text: &String| {
            text.parse::<i32>()
                .ok()
                .and_then(|number| u64::try_from(number).ok())
                .ok_or_else(|| Refusal::api(400, format!("{key} must be a number")))
        };
        self.0.get(key).map(read).transpose()
    }

    /// Id after which the page begins.
    fn after(&self) -> Result<u64, Refusal> {
        Ok(self.number("after")?.unwrap_or(0))
    }

    fn page_size(&self) -> Result<usize, Refusal> {
        match self.number("pageSize")? {
            None => Ok(DEFAULT_PAGE),
            Some(0) => Err(Refusal::api(400, "pageSize must be above 0")),
            Some(size) => Ok(size as usize),
        }
    }

    fn filter(&self) -> Result<Filter, Refusal> {
        Filter::parse(self.0.get("df").map_or("", String::as_str)).map_err(|words| Refusal::api(400, words))
    }
}

fn json<T: Serialize>(rows: &T) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(rows).map_err(|why| Refusal::api(500, why.to_string()))
}

fn form(base: &str, client_id: &str, client_secret: &str) -> Map<String, Value> {
    let fields = [("region", "other"), ("client_id", client_id), ("client_secret", client_secret), ("base_url", base)];
    fields.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}
