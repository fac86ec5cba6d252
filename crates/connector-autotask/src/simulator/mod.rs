//! Autotask, simulated over the shared world.
//!
//! It has the habits that cost others time: a zone to be asked for first, refusals with status 500,
//! queries that must have a filter, links to the next page that want the same body again, numbers whose
//! meaning is told beside, contacts that are written only below their company, and answers to writes
//! that say no more than an id.

mod changes;
mod desk;
mod meanings;
mod people;
mod query;
mod rows;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use integration::{Body, Delivery, Method, Request, Response, Secret, Vendor};
use serde_json::{Map, Value, json};
use sha1::Sha1;
use vendorkit::{SharedWorld, World};

use crate::Autotask;

const USER: &str = "simulated@panelmsp.example";
const POWERLESS: &str = "guest@panelmsp.example";
const SECRET: &str = "autotask-simulated-secret";
const CODE: &str = "AUTOTASKSIMULATEDCODE";
/// The user who owns what is made here.
const OWNER: &str = "owner@panelmsp.example";

/// Autotask over the shared world.
pub struct Simulator {
    state: Mutex<State>,
}

/// What the vendor keeps and the world does not.
struct State {
    zone: String,
    /// By key of a business: the legal name at that time, and what was written here instead.
    names: BTreeMap<u64, (String, String)>,
    inactive: BTreeSet<u64>,
    /// By key of a person.
    reached: BTreeMap<u64, rows::Reached>,
    /// By key of a ticket: its queue.
    queues: BTreeMap<u64, u64>,
    notes: u64,
    /// By key of a ticket: titles of its files.
    files: BTreeMap<u64, Vec<String>>,
}

/// A refusal: a status and words. With status 200 it is no refusal, but all there is to say.
struct No(u16, String);

type Answer = Result<Value, No>;

/// How Autotask refuses nearly everything.
fn no<T>(words: impl Into<String>) -> Result<T, No> {
    Err(No(500, words.into()))
}

impl Default for Simulator {
    fn default() -> Self {
        let state = State {
            zone: "zone5".to_owned(),
            names: BTreeMap::new(),
            inactive: BTreeSet::new(),
            reached: BTreeMap::new(),
            queues: BTreeMap::new(),
            notes: 0,
            files: BTreeMap::new(),
        };
        Self { state: Mutex::new(state) }
    }
}

impl Simulator {
    /// Moves the account's database to another zone: the old one knows it no longer.
    pub fn move_to(&self, zone: &str) {
        zone.clone_into(&mut self.state().zone);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Autotask::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        // The world before the state, always: two orders would wait for each other.
        let path = request.url.path();
        let (answer, now) = if request.method == Method::Get || path.contains("/query") {
            let world = world.read().unwrap_or_else(PoisonError::into_inner);
            let state = self.state();
            (admitted(&state, request).and_then(|path| read(&world, &state, request, &path)), world.now)
        } else {
            let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
            let mut state = self.state();
            (admitted(&state, request).and_then(|path| change(&mut world, &mut state, request, &path)), world.now)
        };
        let (status, body) = match answer {
            Ok(body) => (200, body),
            Err(No(200, zone)) => (200, zone.parse().unwrap_or_default()),
            Err(No(401, _)) => (401, Value::Null),
            Err(No(status, words)) => (status, json!({ "errors": [words] })),
        };
        let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Response { status, headers, body: body.into(), received_at: now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, USER, SECRET)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, USER, "another-secret")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS, SECRET)
    }

    /// Nothing has an end here.
    fn expire_tokens(&self) {}

    fn delivery(&self, world: &World, secret: &Secret) -> Option<Delivery> {
        let (_, ticket) = world.tickets_after(Autotask::ID, 0).into_iter().next()?;
        // As Autotask writes it: more is escaped than must be.
        let title = ticket.title.replace('&', "\\u0026").replace('"', "\\u0022").replace('\'', "\\u0027");
        let body = format!(
            r#"{{"Action":"Update","Guid":"9ff1a0e5-0000-4000-8000-000000000001","EntityType":"Ticket","Id":{},"#,
            ticket.key
        ) + &format!(
            r#""Fields":{{"title":"{title}"}},"EventTime":"{}","SequenceNumber":7,"PersonID":4}}"#,
            world.now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        );
        let mac = Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes()).ok()?.chain_update(&body).finalize();
        let signature = format!("sha1={}", STANDARD.encode(mac.into_bytes()));
        Some(Delivery {
            headers: vec![("x-hook-signature".to_owned(), signature)],
            query: Vec::new(),
            body: body.into(),
            received_at: world.now,
        })
    }
}

fn form(base: &str, user: &str, secret: &str) -> Map<String, Value> {
    let api = format!("{base}/ATServicesRest");
    let fields = [
        ("user_name", user),
        ("secret", secret),
        ("integration_code", CODE),
        ("company_owner", OWNER),
        ("currency", "GBP"),
        ("api_url", &api),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// The path below the API, for whoever may go there; else the answer.
fn admitted<'a>(state: &State, request: &'a Request) -> Result<Vec<&'a str>, No> {
    let path = request.url.path();
    // Capitals in paths do not matter.
    let lower = path.to_ascii_lowercase();
    let Some(at) = lower.find("/atservicesrest/v1.0/") else { return Err(No(404, "no such resource".to_owned())) };
    let (above, below) = (&path[..at], &path[at + "/atservicesrest/v1.0/".len()..]);
    if below.eq_ignore_ascii_case("ZoneInformation") {
        let user = request.url.query_pairs().find(|(name, _)| name == "user").map(|(_, user)| user.into_owned());
        if !matches!(user.as_deref(), Some(USER | POWERLESS)) {
            return no("The user was not found in any zone");
        }
        let mut url = request.url.clone();
        url.set_query(None);
        url.set_path(&format!("{above}/{}/atservicesrest/", state.zone));
        let zone = json!({ "zoneName": state.zone, "url": url, "webUrl": "https://ww5.example/", "ci": 12345 });
        return Err(No(200, zone.to_string()));
    }
    let header = |name: &str| request.header_value(name).unwrap_or_default();
    let known = matches!(header("username"), USER | POWERLESS) && header("secret") == SECRET;
    if !above.ends_with(&format!("/{}", state.zone)) || !known || header("apiintegrationcode") != CODE {
        return Err(No(401, String::new()));
    }
    if header("username") == POWERLESS {
        return no("The user does not have the adequate permissions for this entity type.");
    }
    Ok(below.split('/').collect())
}

fn body(request: &Request) -> &Value {
    if let Body::Json(body) = &request.body { body } else { &Value::Null }
}

fn read(world: &World, state: &State, request: &Request, path: &[&str]) -> Answer {
    match (request.method, path) {
        (Method::Post, [entity, "query"] | [entity, "query", "next"]) => {
            query::page(world, state, request, entity, body(request))
        }
        (Method::Get, ["ThresholdInformation"]) => {
            Ok(json!({ "externalRequestThreshold": 10000, "currentTimeframeRequestCount": 12 }))
        }
        (Method::Get, [entity, "entityInformation", "fields"]) => meanings::of(entity),
        (Method::Get, ["Tickets", ticket, "Attachments"]) => {
            let titles = state.files.get(&changes::number(ticket)).cloned().unwrap_or_default();
            let item = |(at, title): (usize, String)| json!({ "id": at + 1, "title": title });
            Ok(json!({ "items": titles.into_iter().enumerate().map(item).collect::<Vec<_>>() }))
        }
        (Method::Get, [entity, id]) => Ok(json!({ "item": query::one(world, state, entity, changes::number(id)) })),
        _ => Err(No(405, "The requested resource does not support this method".to_owned())),
    }
}

fn change(world: &mut World, state: &mut State, request: &Request, path: &[&str]) -> Answer {
    match request.method {
        Method::Post => changes::post(world, state, path, body(request)),
        Method::Patch => changes::patch(world, state, path, body(request)),
        Method::Delete => changes::delete(world, state, path),
        _ => Err(No(405, "The requested resource does not support this method".to_owned())),
    }
}
