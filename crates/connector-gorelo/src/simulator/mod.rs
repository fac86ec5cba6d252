//! Gorelo, simulated over the shared world.
//!
//! It has the habits that have cost others time: clients out of use are hidden unless asked for, every
//! unknown name in a query or a body is refused, a cursor holds with the very same filters only, new
//! things come back as an id alone, and a change of a contact replaces it whole.

mod account;
mod bodies;
mod ids;
mod lists;
mod rows;
mod tickets;
mod writes;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use integration::{Body, Method, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World};

use crate::Gorelo;

const KEY: &str = "gorelo-simulated-key";
const POWERLESS: &str = "gorelo-simulated-guest";

/// Gorelo over the shared world.
#[derive(Default)]
pub struct Simulator {
    state: Mutex<State>,
}

/// What Gorelo alone knows.
#[derive(Default)]
struct State {
    /// Names as they were written here, each with the legal name that it was written for.
    names: HashMap<u64, (String, String)>,
    /// Clients whose status was set here: whether they are in use.
    statuses: HashMap<u64, bool>,
    /// What contacts have that the world does not, by their keys.
    contacts: HashMap<u64, Map<String, Value>>,
    /// Groups, by the key of the ticket.
    groups: HashMap<u64, u64>,
}

/// A refusal: status, code, words and the name that it is about.
struct No(u16, &'static str, String, String);

/// An answer: its data, and the pagination of a page.
type Answer = Result<(Value, Option<Value>), No>;

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Gorelo::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let (status, body) = match self.route(world, request) {
            Ok((data, pagination)) => {
                let context = pagination.map(|pagination| json!({ "Pagination": pagination }));
                (
                    200,
                    json!({ "StatusCode": 200, "IsSuccess": true, "Data": data, "DataContext": context, "Notifications": [] }),
                )
            }
            Err(no) => (no.0, no.envelope()),
        };
        let received_at = world.read().unwrap_or_else(PoisonError::into_inner).now;
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Response { status, headers, body: body.to_string().into(), received_at }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, KEY)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "gorelo-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS)
    }

    /// A key has no end.
    fn expire_tokens(&self) {}
}

impl Simulator {
    fn route(&self, world: &SharedWorld, request: &Request) -> Answer {
        match request.header_value("X-API-Key") {
            Some(KEY) => {}
            Some(POWERLESS) => return Err(no(403, "080203", "The API key lacks the scope", "")),
            _ => return Err(no(401, "080101", "Unknown API key", "")),
        }
        let segments: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        let Some(start) = segments.iter().position(|segment| *segment == "v1") else { return Err(unknown()) };
        let path = &segments[start + 1..];
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if request.method == Method::Get {
            let world: &World = &world.read().unwrap_or_else(PoisonError::into_inner);
            return lists::get(world, &state, path, request);
        }
        let nothing = Value::Object(Map::new());
        let body = match &request.body {
            Body::Json(body) => body,
            Body::Empty => &nothing,
            Body::Form(_) | Body::Xml(_) => return Err(no(400, "070201", "Invalid or malformed request body", "")),
        };
        if request.url.query().is_some() {
            return Err(no(400, "070101", "Unknown query parameter", ""));
        }
        let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
        let data = match (request.method, path) {
            (Method::Post, ["tickets", ..]) | (Method::Patch, ["tickets", _]) => {
                tickets::run(&mut world, &mut state, request.method, path, body)
            }
            _ => writes::run(&mut world, &mut state, request.method, path, body),
        };
        data.map(|data| (data, None))
    }
}

impl No {
    fn envelope(&self) -> Value {
        let property = Some(&self.3).filter(|name| !name.is_empty());
        json!({
            "StatusCode": self.0,
            "IsSuccess": false,
            "Data": null,
            "DataContext": { "TraceId": "00-simulated-00" },
            "Notifications": [{
                "Code": self.1, "Message": self.2, "PropertyName": property, "ActionHint": null, "DocUrl": null,
            }],
        })
    }
}

fn no(status: u16, code: &'static str, words: &str, about: &str) -> No {
    No(status, code, words.to_owned(), about.to_owned())
}

fn unknown() -> No {
    no(404, "060101", "Not found", "")
}

fn form(base: &str, key: &str) -> Map<String, Value> {
    let fields = [("region", "us"), ("api_key", key), ("currency", "AUD"), ("phone_country", "GB"), ("api_url", base)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
