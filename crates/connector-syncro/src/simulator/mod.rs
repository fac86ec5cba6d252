//! Syncro, simulated over the shared world.
//!
//! It has the vendor's habits that have cost others time: each listing has its own size of page and its own
//! share of counts, status 401 for a missing permission, errors in four forms, amounts as texts, and what the
//! agent reports as an object here and as a text of JSON there.

mod lists;
mod records;
mod tickets;
mod writes;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use integration::{Method, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::SharedWorld;

use crate::Syncro;

const TOKEN: &str = "T-syncro-simulated-token";
const POWERLESS: &str = "T-syncro-simulated-guest";

/// Syncro over the shared world.
#[derive(Default)]
pub struct Simulator {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    comments: u64,
    /// Registered names of customers that were typed here, by key: shown without noise while they are the world's.
    typed: HashMap<u64, String>,
    /// What was written and the world has no place for: by kind and key.
    written: HashMap<(&'static str, u64), Map<String, Value>>,
    /// States that the world does not tell apart, by the ticket's key.
    statuses: HashMap<u64, String>,
}

/// A status and the body with it.
struct No(u16, Value);

type Answer = Result<Value, No>;

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Syncro::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let now = world.read().unwrap_or_else(PoisonError::into_inner).now;
        let (status, body) = match self.route(world, request) {
            Ok(body) => (200, body),
            Err(No(status, body)) => (status, body),
        };
        let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        Response { status, headers, body: body.to_string().into(), received_at: now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, TOKEN)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "T-syncro-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS)
    }

    /// A token has no end that comes by itself.
    fn expire_tokens(&self) {}
}

impl Simulator {
    fn route(&self, world: &SharedWorld, request: &Request) -> Answer {
        let segments: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        let start = segments.windows(2).position(|pair| pair == ["api", "v1"]).ok_or_else(unknown)?;
        let path = &segments[start + 2..];
        let may = match request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
            Some(TOKEN) => true,
            Some(POWERLESS) => false,
            _ => return Err(No(401, json!({ "error": "Not authorized" }))),
        };
        match (request.method, path) {
            (Method::Get, ["me"]) => Ok(me(may)),
            _ if !may => Err(No(
                401,
                json!({ "error": "Not authorized. Please ask account admin to update your group permissions." }),
            )),
            (Method::Get, _) => {
                let world = world.read().unwrap_or_else(PoisonError::into_inner);
                lists::read(&self.state(), &world, path, request)
            }
            _ => {
                let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
                writes::write(&mut self.state(), &mut world, request.method, path, &request.body)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn me(may: bool) -> Value {
    let rights = json!({ "read": may, "write": may, "delete": may });
    json!({
        "user_token": "a-secret-of-this-user", "user_email": "integration@msp.example", "user_name": "Integration",
        "user_id": 1, "admin": false, "subdomain": "acme",
        "permissions": { "asset": &rights, "customer": &rights, "ticket": &rights, "invoice": &rights },
    })
}

fn form(base: &str, token: &str) -> Map<String, Value> {
    let fields = [("subdomain", base), ("api_token", token), ("currency", "USD")];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn unknown() -> No {
    No(404, json!({ "message": "Not found" }))
}

fn refused(words: &str) -> No {
    No(422, json!({ "success": false, "message": [words] }))
}
