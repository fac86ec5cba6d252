//! UniFi, simulated: Site Manager, the way through it to each console, and one console on its own.
//!
//! * Three businesses of four have a console of their own with one site, some of them "Default". The rest are
//!   sites of servers that the MSP runs, a few on each. One console of nine is offline.
//! * Below `console/` there is one more server, which knows every business as a site: what a connection without
//!   Site Manager sees.

mod cloud;
mod fleet;
mod network;

use std::{collections::HashMap, sync::PoisonError};

use integration::{Method, RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World};

use crate::Unifi;

const KEY: &str = "unifi-simulated-key";
const POWERLESS: &str = "unifi-simulated-guest";
/// What the console on its own accepts.
pub const CONSOLE_KEY: &str = "unifi-simulated-console-key";

/// UniFi over the shared world.
#[derive(Default)]
pub struct Simulator;

/// An answer that is not a success: status and message.
struct No(u16, String);

type Answer = Result<Value, No>;
type Query = HashMap<String, String>;

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Unifi::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let segments: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        let network = segments.contains(&"integration");
        let (status, body) = match route(&world, request, &segments) {
            Ok(body) => (200, body),
            Err(No(status, message)) if network => (status, network::problem(&world, request, status, &message)),
            Err(No(status, message)) => (status, cloud::problem(status, &message)),
        };
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Response { status, headers, body: body.to_string().into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form("site_manager", base, KEY)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form("site_manager", base, "unifi-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form("site_manager", base, POWERLESS)
    }

    /// A key has no end.
    fn expire_tokens(&self) {}

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        match kind {
            RecordKind::Device => {
                let hosts = fleet::hosts(world);
                let gear = hosts.iter().flat_map(|host| host.sites.iter().map(|site| fleet::gear(site, !host.shared)));
                Some(gear.flatten().filter(|gear| gear.line == "network").count())
            }
            other => world.expected(Unifi::ID, other),
        }
    }
}

fn route(world: &World, request: &Request, segments: &[&str]) -> Answer {
    if request.method != Method::Get {
        return Err(No(405, "only reading is simulated".to_owned()));
    }
    let query: Query = request.url.query_pairs().into_owned().collect();
    let key = request.header_value("x-api-key").ok_or_else(|| No(401, "Missing credentials".to_owned()))?;
    let below = |name: &str| segments.iter().position(|segment| *segment == name).map(|at| &segments[at + 1..]);
    if let Some(rest) = below("connector") {
        admit(key, KEY)?;
        let ["consoles", host, "proxy", "network", "integration", "v1", path @ ..] = rest else {
            return Err(unknown());
        };
        return network::through(world, &fleet::decoded(host), path, &query);
    }
    if let Some(rest) = below("integration") {
        admit(key, CONSOLE_KEY)?;
        return match rest {
            ["v1", path @ ..] => network::of_sites(&fleet::everybody(world), path, &query),
            _ => Err(unknown()),
        };
    }
    admit(key, KEY)?;
    match below("v1") {
        Some(["hosts"]) => cloud::hosts(world, &query),
        Some(["sites"]) => cloud::sites(world, &query),
        Some(["devices"]) => cloud::devices(world, &query),
        _ => Err(unknown()),
    }
}

fn admit(key: &str, wanted: &str) -> Result<(), No> {
    match key {
        POWERLESS => Err(No(403, "this key may not read".to_owned())),
        key if key == wanted => Ok(()),
        _ => Err(No(401, "unauthorized".to_owned())),
    }
}

fn form(way: &str, url: &str, key: &str) -> Map<String, Value> {
    let json = json!({ "way": way, "url": url, "api_key": key });
    json.as_object().cloned().unwrap_or_default()
}

fn unknown() -> No {
    No(404, "not found".to_owned())
}
