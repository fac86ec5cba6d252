//! Hatz AI, simulated over the shared world. A tenant is a business, under the name that the MSP's people gave it
//! here.
//!
//! It has the vendor's habits: bare arrays that do not say where they end, credits that are fractions, and rights
//! that are those of the key's user.

mod rows;

use std::{
    collections::HashMap,
    sync::{
        PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use integration::{RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World, world::Business};

use crate::HatzAi;

const KEY: &str = "hatz-ai-simulated-key";
const POWERLESS: &str = "hatz-ai-simulated-general-user";

/// Hatz AI over the shared world.
pub struct Simulator {
    requests: AtomicU64,
    /// Records that it gives at most, whatever is asked for.
    most: usize,
    /// Whether it has a list of users.
    lists_users: bool,
}

impl Default for Simulator {
    fn default() -> Self {
        Self { requests: AtomicU64::default(), most: 1_000, lists_users: true }
    }
}

/// A status and what the vendor says with it.
struct No(u16, Value);

type Answer = Result<Value, No>;

impl Simulator {
    /// One that gives fewer records than it is asked for, as an older edition did.
    pub fn giving_at_most(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// One that has no list of users: it may not exist.
    pub fn without_users() -> Self {
        Self { lists_users: false, ..Self::default() }
    }

    fn route(&self, world: &World, request: &Request) -> Answer {
        match request.header_value("x-api-key") {
            Some(KEY) => {}
            Some(POWERLESS) => return Err(no(403, "Not authorized")),
            _ => return Err(no(401, "Invalid API key")),
        }
        let parts: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        let start = parts.windows(2).position(|pair| pair == ["v1", "admin"]).ok_or_else(unknown)?;
        let path = &parts[start + 2..];
        if request.method.as_str() != "GET" {
            return Err(no(405, "Method Not Allowed"));
        }
        match path {
            ["tenants", "msp"] => Ok(rows::msp(tenants(world))),
            ["tenants"] => self.slice(request, tenants(world).collect(), rows::tenant),
            ["tenants", id] => Ok(rows::tenant(tenant(world, id)?)),
            ["tenants", id, "users"] if self.lists_users => {
                let now = world.now;
                self.slice(request, tenant(world, id)?.people.iter().collect(), |person| rows::user(person, now))
            }
            _ => Err(unknown()),
        }
    }

    /// The part of a list that is asked for, and only its rows are made.
    fn slice<T>(&self, request: &Request, all: Vec<T>, row: impl Fn(T) -> Value) -> Answer {
        let mut query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let mut number = |name: &str, usual: usize| match query.remove(name) {
            None => Ok(usual),
            Some(text) => text.parse::<usize>().map_err(|_| fault(name, "Input should be a valid integer")),
        };
        let (limit, offset) = (number("limit", 100)?, number("offset", 0)?);
        if !(1..=1_000).contains(&limit) {
            return Err(fault("limit", "Input should be from 1 to 1000"));
        }
        if let Some(name) = query.keys().next() {
            return Err(fault(name, "Extra inputs are not permitted"));
        }
        Ok(all.into_iter().skip(offset).take(limit.min(self.most)).map(row).collect())
    }
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        HatzAi::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = match self.route(&world, request) {
            Ok(body) => (200, body),
            Err(No(status, detail)) => (status, json!({ "detail": detail })),
        };
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-request-id".to_owned(), format!("simulated-{number}")),
        ];
        Response { status, headers, body: body.to_string().into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, KEY)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "hatz-ai-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS)
    }

    /// A key has no end.
    fn expire_tokens(&self) {}

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        match kind {
            // A package and credits, and what is bought in addition.
            RecordKind::Licence => Some(tenants(world).map(|tenant| 2 + rows::additions(tenant).len()).sum()),
            _ => world.expected(HatzAi::ID, kind),
        }
    }
}

fn tenants(world: &World) -> impl Iterator<Item = &Business> {
    world.known_to(HatzAi::ID)
}

fn tenant<'w>(world: &'w World, id: &str) -> Result<&'w Business, No> {
    let key = id.strip_prefix("tenant_a1B2").and_then(|key| key.parse().ok()).ok_or_else(unknown)?;
    world.business(key).filter(|business| business.vendors.contains(HatzAi::ID)).ok_or_else(unknown)
}

fn no(status: u16, detail: &str) -> No {
    No(status, detail.into())
}

fn unknown() -> No {
    no(404, "Not Found")
}

fn fault(name: &str, why: &str) -> No {
    No(422, json!([{ "type": "value_error", "loc": ["query", name], "msg": why }]))
}

fn form(base: &str, key: &str) -> Map<String, Value> {
    let fields = [("api_url", base), ("api_key", key)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
