//! HaloPSA, simulated over the shared world.
//!
//! It has the vendor's habits that have cost others time: parameters that it does not know are ignored, a
//! listing is short unless pages are asked for, ids are floats in places, dates come with and without a zone,
//! empty dates lie in 1900, and a change is an array even of one.

mod lists;
mod records;
mod tickets;
mod writes;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Delivery, Method, Request, Response, Secret, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World};

use crate::Halopsa;

const CLIENT: &str = "halopsa-simulated-client";
const POWERLESS: &str = "halopsa-simulated-guest";
const SECRET: &str = "halopsa-simulated-secret";
const TENANT: &str = "simulated";
const LIFE: TimeDelta = TimeDelta::hours(1);

/// HaloPSA over the shared world.
#[derive(Default)]
pub struct Simulator {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    given: u64,
    live: HashMap<String, Grant>,
    actions: u64,
    /// Registered names of clients that were typed here, by key: shown without noise while they are the world's.
    typed: HashMap<u64, String>,
    /// What was written and the world has no place for: by kind and key.
    written: HashMap<(&'static str, u64), Map<String, Value>>,
}

struct Grant {
    powerless: bool,
    until: DateTime<Utc>,
}

/// A status and the body with it.
struct No(u16, Value);

type Answer = Result<Value, No>;

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Halopsa::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let now = world.read().unwrap_or_else(PoisonError::into_inner).now;
        let (status, body) = match self.route(world, now, request) {
            Ok(body) if request.method == Method::Post && body["access_token"].is_null() => (201, body),
            Ok(body) => (200, body),
            Err(No(status, body)) => (status, body),
        };
        let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        Response { status, headers, body: body.to_string().into(), received_at: now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, CLIENT, SECRET)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, CLIENT, "not-the-secret")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS, SECRET)
    }

    fn expire_tokens(&self) {
        self.state().live.clear();
    }

    fn delivery(&self, world: &World, secret: &Secret) -> Option<Delivery> {
        let (business, ticket) = world.tickets_after(Halopsa::ID, 0).into_iter().next()?;
        let ticket = records::ticket(business, ticket, true, None);
        let body =
            json!({ "event": "Ticket Status Changed", "timestamp": records::date(world.now, 0), "ticket": ticket });
        let basic = STANDARD.encode(format!("panelone:{}", secret.expose()));
        Some(Delivery {
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("authorization".to_owned(), format!("Basic {basic}")),
            ],
            query: Vec::new(),
            body: body.to_string().into(),
            received_at: world.now,
        })
    }
}

impl Simulator {
    fn route(&self, world: &SharedWorld, now: DateTime<Utc>, request: &Request) -> Answer {
        // Its paths do not mind upper and lower case.
        let path = request.url.path().to_ascii_lowercase();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        if let (Method::Post, [.., "auth", "token"]) = (request.method, &segments[..]) {
            return self.give_token(now, request);
        }
        let start = segments.iter().position(|segment| *segment == "api").ok_or_else(unknown)?;
        self.admit(now, request)?;
        match (request.method, &segments[start + 1..]) {
            (Method::Get, path) => {
                let world = world.read().unwrap_or_else(PoisonError::into_inner);
                lists::read(&self.state(), &world, path, request)
            }
            (Method::Post, [resource]) => {
                let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
                writes::write(&mut self.state(), &mut world, resource, &request.body)
            }
            (Method::Delete, ["users", id]) => {
                let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
                let found = records::find_user(&world, lists::key(id)?).map(|(_, person)| person.id);
                world.remove_person(found.ok_or_else(unknown)?);
                Ok(json!({}))
            }
            _ => Err(No(405, json!({ "Message": "The requested resource does not support this method." }))),
        }
    }

    fn give_token(&self, now: DateTime<Utc>, request: &Request) -> Answer {
        let refused = |error: &str, words: &str| No(400, json!({ "error": error, "error_description": words }));
        let Body::Form(form) = &request.body else {
            return Err(refused("invalid_request", "The request is not a form."));
        };
        let said = |key: &str| form.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        if said("grant_type") != "client_credentials" {
            return Err(refused("unsupported_grant_type", "The grant type is not supported."));
        }
        let tenant = request.url.query_pairs().any(|(key, value)| key == "tenant" && value == TENANT);
        let known = [CLIENT, POWERLESS].contains(&said("client_id")) && said("client_secret") == SECRET;
        if !tenant || !known {
            return Err(refused("invalid_client", "The client is not known here."));
        }
        if said("scope") != "all" {
            return Err(refused("invalid_scope", "The scope is not allowed."));
        }
        let mut state = self.state();
        state.given += 1;
        let token = format!("halopsa-simulated-token-{}", state.given);
        let grant = Grant { powerless: said("client_id") == POWERLESS, until: now + LIFE };
        state.live.insert(token.clone(), grant);
        Ok(json!({
            "scope": "all", "token_type": "Bearer", "access_token": token, "expires_in": LIFE.num_seconds(),
            "refresh_token": null, "id_token": null,
        }))
    }

    fn admit(&self, now: DateTime<Utc>, request: &Request) -> Result<(), No> {
        let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let state = self.state();
        match token.and_then(|token| state.live.get(token)).filter(|grant| grant.until > now) {
            None => Err(No(401, json!({ "Message": "Authorization has been denied for this request." }))),
            Some(grant) if grant.powerless => Err(No(403, json!({ "error": "The agent may not do this." }))),
            Some(_) => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn form(base: &str, client: &str, secret: &str) -> Map<String, Value> {
    let fields = [("url", base), ("tenant", TENANT), ("client_id", client), ("client_secret", secret)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn unknown() -> No {
    No(404, json!({ "Message": "The record was not found." }))
}

fn refused(words: &str) -> No {
    No(400, json!({ "ClassName": "System.Exception", "Message": words }))
}
