//! Pax8, simulated over the shared world.
//!
//! It has the vendor's habits that have cost others time: pages of 10 unless asked, dates in three
//! forms, fields left out, a token request that must be JSON, 422 with its reason in `details`, and 500
//! for a PUT body that it does not understand.

mod asked;
mod bodies;
mod invoices;

use std::{collections::HashMap, sync::Mutex};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Method, RecordKind, Request, Response, Vendor};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use vendorkit::{SharedWorld, World};

use self::asked::Asked;
use crate::Pax8;

const CLIENT: &str = "pax8-simulated-client";
const POWERLESS: &str = "pax8-simulated-guest";
const SECRET: &str = "pax8-simulated-secret";
const LIFE: TimeDelta = TimeDelta::hours(24);

/// The vendor, simulated.
#[derive(Default)]
pub struct Simulator {
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    given: u64,
    live: HashMap<String, Grant>,
}

struct Grant {
    powerless: bool,
    until: DateTime<Utc>,
}

/// A status and what the vendor says with it.
struct No(u16, String);

type Answer = Result<Bytes, No>;

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Pax8::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let now = read(world, |world| world.now);
        let (status, body) = match self.route(world, now, request) {
            Ok(body) => (200, body),
            Err(No(status, message)) => (status, problem(status, &message, request.url.path())),
        };
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Response { status, headers, body, received_at: now }
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

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        match kind {
            RecordKind::Invoice => Some(invoices::shares(world)),
            _ => world.expected(self.id(), kind),
        }
    }

    fn expire_tokens(&self) {
        self.tokens.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).live.clear();
    }
}

impl Simulator {
    fn route(&self, world: &SharedWorld, now: DateTime<Utc>, request: &Request) -> Answer {
        let segments: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        let Some(start) = segments.iter().position(|segment| *segment == "v1") else { return Err(unknown()) };
        let path = &segments[start + 1..];
        if let (Method::Post, ["token"]) = (request.method, path) {
            return self.give_token(now, &request.body);
        }
        self.admit(now, request)?;
        match (request.method, path) {
            (Method::Get, ["companies"]) => read(world, |world| companies(world, request)),
            (Method::Get, ["companies", id]) => read(world, |world| {
                let company = world.by_id_at(Pax8::ID, uuid(id)?).filter(|b| b.vendors.contains(Pax8::ID));
                Ok(text(&bodies::Company::of(company.ok_or_else(unknown)?)))
            }),
            (Method::Get, ["subscriptions"]) => read(world, |world| subscriptions(world, request)),
            (Method::Get, ["subscriptions", id]) => read(world, |world| subscription(world, uuid(id)?)),
            (Method::Get, ["invoices"]) => read(world, |world| invoices::listed(world, request)),
            (Method::Get, ["invoices", id, "items"]) => read(world, |world| invoices::items(world, uuid(id)?, request)),
            (Method::Put, ["subscriptions", id]) => {
                let mut world = world.write().unwrap_or_else(|poisoned| poisoned.into_inner());
                set_quantity(&mut world, uuid(id)?, &request.body)
            }
            _ => Err(unknown()),
        }
    }

    fn give_token(&self, now: DateTime<Utc>, body: &Body) -> Answer {
        let Body::Json(body) = body else { return Err(No(400, "the token request must be JSON".into())) };
        let said = |key: &str| body[key].as_str().unwrap_or_default();
        if said("grant_type") != "client_credentials" || said("audience") != "https://api.pax8.com" {
            return Err(No(400, "unsupported grant type or audience".into()));
        }
        let powerless = said("client_id") == POWERLESS;
        if !(powerless || said("client_id") == CLIENT) || said("client_secret") != SECRET {
            return Err(No(401, "unknown client, or wrong secret".into()));
        }
        let mut tokens = self.tokens.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        tokens.given += 1;
        let token = format!("pax8-simulated-token-{}", tokens.given);
        tokens.live.insert(token.clone(), Grant { powerless, until: now + LIFE });
        Ok(text(&json!({ "access_token": token, "expires_in": LIFE.num_seconds(), "token_type": "Bearer" })))
    }

    fn admit(&self, now: DateTime<Utc>, request: &Request) -> Result<(), No> {
        let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let tokens = self.tokens.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match token.and_then(|token| tokens.live.get(token)).filter(|grant| grant.until > now) {
            None => Err(No(401, "the token is missing, unknown or over".into())),
            Some(grant) if grant.powerless => Err(No(403, "this client may not use the partner API".into())),
            Some(_) => Ok(()),
        }
    }
}

fn companies(world: &World, request: &Request) -> Answer {
    let asked = Asked::read(request)?;
    let mut found: Vec<_> = world.known_to(Pax8::ID).map(bodies::Company::of).collect();
    found.retain(|company| asked.wants("status", company.status));
    match asked.sort() {
        None => {}
        Some("name") => found.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id))),
        Some("city") => found.sort_by(|a, b| (a.city(), &a.id).cmp(&(b.city(), &b.id))),
        Some(other) => return Err(No(400, format!("cannot sort companies by {other}"))),
    }
    Ok(asked.page(found, |company| company))
}

fn subscriptions(world: &World, request: &Request) -> Answer {
    let asked = Asked::read(request)?;
    let mut found: Vec<_> = world
        .known_to(Pax8::ID)
        .filter(|business| asked.wants("companyId", &business.id_at(Pax8::ID).to_string()))
        .flat_map(|business| business.subscriptions.iter().map(move |subscription| (business, subscription)))
        .filter(|(_, s)| asked.wants("status", &s.status) && asked.wants("billingTerm", &s.billing_term))
        .filter(|(_, s)| asked.wants("productId", &s.product_id.to_string()))
        .collect();
    match asked.sort() {
        None => {}
        Some("createdDate,asc" | "startDate,asc") => found.sort_by_key(|(_, s)| (s.starts, s.key)),
        Some("quantity,asc") => found.sort_by_key(|(_, s)| (s.quantity, s.key)),
        Some(other) => return Err(No(400, format!("cannot sort subscriptions by {other}"))),
    }
    Ok(asked.page(found, |(business, subscription)| bodies::Subscription::of(business, subscription)))
}

fn subscription(world: &World, id: Uuid) -> Answer {
    let (business, subscription) = world.subscription(id).ok_or_else(unknown)?;
    if !business.vendors.contains(Pax8::ID) {
        return Err(unknown());
    }
    Ok(text(&bodies::Subscription::of(business, subscription)))
}

fn set_quantity(world: &mut World, id: Uuid, body: &Body) -> Answer {
    subscription(world, id)?;
    let Some((_, current)) = world.subscription(id) else { return Err(unknown()) };
    let fields = match body {
        Body::Json(Value::Object(fields)) if fields.keys().all(|key| key == "quantity") => fields,
        _ => return Err(No(500, "unexpected error".into())),
    };
    let wanted = fields.get("quantity").and_then(Value::as_u64).and_then(|quantity| u32::try_from(quantity).ok());
    let Some(quantity) = wanted.filter(|quantity| *quantity >= 1) else {
        return Err(No(422, "quantity must be a whole number of at least 1".into()));
    };
    if current.status != "Active" && current.status != "Trial" {
        return Err(No(422, format!("a subscription with status {} cannot be changed", current.status)));
    }
    if quantity < current.quantity && current.commitment_ends.is_some_and(|end| end > world.now) {
        return Err(No(422, "quantity is below the committed amount".into()));
    }
    world.set_quantity(id, quantity);
    subscription(world, id)
}

fn form(base: &str, client: &str, secret: &str) -> Map<String, Value> {
    let pairs = [("client_id", client), ("client_secret", secret), ("api_url", &format!("{base}/v1"))];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
}

fn problem(status: u16, message: &str, instance: &str) -> Bytes {
    let kind = match status {
        400 => "BAD_REQUEST",
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        422 => "UNPROCESSABLE_ENTITY",
        _ => "INTERNAL_SERVER_ERROR",
    };
    let mut body = json!({ "type": kind, "message": message, "instance": instance, "status": status });
    if status == 422 {
        body["message"] = "The request breaks a rule of the marketplace".into();
        body["details"] = json!([{ "message": message }]);
    }
    text(&body)
}

fn unknown() -> No {
    No(404, "there is no such record".into())
}

fn uuid(text: &str) -> Result<Uuid, No> {
    Uuid::parse_str(text).map_err(|_| No(400, "the id is not a UUID".into()))
}

fn text(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("a body without maps of odd keys is always JSON").into()
}

fn read<T>(world: &SharedWorld, look: impl FnOnce(&World) -> T) -> T {
    look(&world.read().unwrap_or_else(|poisoned| poisoned.into_inner()))
}
