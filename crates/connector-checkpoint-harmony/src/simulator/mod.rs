//! Check Point Harmony, simulated over the shared world: the MSP API, and behind the Infinity Portal Email &
//! Collaboration and Harmony Endpoint. Each has a key of its own, and none takes another's.
//!
//! The Endpoint key is one customer's: of the business with the most machines. It has the vendor's habits that
//! have cost others time: signatures over id, date and address, a page after the last one, totals as decimals,
//! lists of computers as jobs, instants as milliseconds, `999` for nothing.

mod email;
mod endpoint;
mod msp;

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Method, RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World, world::Business};

use crate::CheckpointHarmony;

const VENDOR: &str = CheckpointHarmony::ID;
/// Ids of keys: of the three products, and of keys that open nothing.
const MSP: &str = "US:simulated1";
const EMAIL: &str = "harmony-simulated-email";
const ENDPOINT: &str = "harmony-simulated-endpoint";
const POWERLESS: &str = "harmony-simulated-guest";
const SECRET: &str = "harmony-simulated-secret";

/// Check Point Harmony over the shared world.
#[derive(Default)]
pub struct Simulator {
    /// Tokens say in which age they were given out; only those of the present one are good.
    age: AtomicU64,
    jobs: Mutex<endpoint::Jobs>,
    /// When each portal token logged in as an MSSP.
    mssp: Mutex<HashMap<String, DateTime<Utc>>>,
}

/// A status, a header beside the usual ones, and a body.
struct Answer {
    status: u16,
    header: Option<(&'static str, String)>,
    body: String,
}

impl Answer {
    fn json(status: u16, body: Value) -> Self {
        Self { status, header: None, body: body.to_string() }
    }
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        VENDOR
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let path = request.url.path();
        let answer = if let Some((_, path)) = path.split_once("/smart-api/v1.0/") {
            self.msp(&world, request, path)
        } else if path.ends_with("/portal/auth/external") {
            self.portal_login(world.now, request)
        } else if let Some((_, path)) = path.split_once("/portal/app/hec-api/v1.0/") {
            self.email(&world, request, path)
        } else if let Some((_, path)) = path.split_once("/portal/app/endpoint-web-mgmt/") {
            self.endpoint(&world, request, path)
        } else {
            Answer::json(404, json!({ "success": false, "message": "no such address" }))
        };
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(answer.header.map(|(name, value)| (name.to_owned(), value)));
        headers.push(("x-mgmt-session-expiry-seconds".to_owned(), endpoint::SESSION.num_seconds().to_string()));
        Response { status: answer.status, headers, body: answer.body.into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, [MSP, EMAIL, ENDPOINT], SECRET)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, [MSP, EMAIL, ENDPOINT], "harmony-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, [POWERLESS; 3], SECRET)
    }

    fn expire_tokens(&self) {
        self.age.fetch_add(1, Ordering::Relaxed);
        self.mssp.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn asks_for_token(&self, request: &Request) -> bool {
        let path = request.url.path();
        ["/v1.0/auth", "/auth/external", "/session/login/cloud", "/session/login"].iter().any(|end| path.ends_with(end))
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        match kind {
            // Each at the MSP API and in Email & Collaboration, and one at Harmony Endpoint.
            RecordKind::Entity => {
                Some(2 * world.known_to(VENDOR).count() + usize::from(endpoint::customer(world).is_some()))
            }
            RecordKind::Device => endpoint::customer(world).map(|business| business.devices.len()),
            other => world.expected(VENDOR, other),
        }
    }
}

impl Simulator {
    fn token(&self, kind: &str, now: DateTime<Utc>, client: &str) -> String {
        format!("harmony-{kind}|{}|{}|{client}", self.age.load(Ordering::Relaxed), now.timestamp())
    }

    /// Whose token this is, if it is of this kind and good.
    fn client(&self, kind: &str, now: DateTime<Utc>, life: TimeDelta, token: Option<&str>) -> Option<String> {
        let mut parts = token?.strip_prefix("harmony-")?.splitn(4, '|');
        let of_kind = parts.next()? == kind;
        let of_age = parts.next()?.parse() == Ok(self.age.load(Ordering::Relaxed));
        let since = DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?;
        (of_kind && of_age && now - since < life).then(|| parts.next().map(str::to_owned)).flatten()
    }

    /// Whose portal token the request has.
    fn bearer(&self, now: DateTime<Utc>, request: &Request) -> Option<String> {
        let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
        self.client("portal", now, email::LIFE, token)
    }

    fn portal_login(&self, now: DateTime<Utc>, request: &Request) -> Answer {
        let refused =
            |message: &str| Answer::json(401, json!({ "success": false, "message": message, "forceLogout": true }));
        let integration::Body::Json(body) = &request.body else { return refused("the login is JSON") };
        let client = body["clientId"].as_str().unwrap_or_default();
        let known = [EMAIL, ENDPOINT, POWERLESS].contains(&client);
        if request.method != Method::Post || !known || body["accessKey"] != SECRET {
            return refused("Authentication required");
        }
        let life = email::LIFE.num_seconds();
        let token = self.token("portal", now, client);
        Answer::json(200, json!({ "success": true, "data": { "token": token, "csrf": "x", "expiresIn": life } }))
    }
}

/// How the product names a customer: one word.
fn label(business: &Business) -> &str {
    business.domain.split('.').next().unwrap_or_default()
}

fn form(base: &str, [msp, email, endpoint]: [&str; 3], secret: &str) -> Map<String, Value> {
    let pairs = [
        ("region", "eu".to_owned()),
        ("msp_app_id", msp.to_owned()),
        ("msp_secret", secret.to_owned()),
        ("email_client_id", email.to_owned()),
        ("email_access_key", secret.to_owned()),
        ("endpoint_client_id", endpoint.to_owned()),
        ("endpoint_access_key", secret.to_owned()),
        ("gateway_url", format!("{base}/portal/auth/external")),
        ("msp_url", format!("{base}/smart-api")),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

/// The envelope of Email & Collaboration.
fn envelope(code: u16, text: &str, scroll: &str, total: Option<usize>, data: &[Value]) -> Value {
    json!({
        "responseEnvelope": {
            "requestId": "5b2e1c0a-9f0b-4a58-9b8e-2f6a0c9d1e11", "responseCode": code, "responseText": text,
            "additionalText": "", "recordsNumber": data.len(), "totalRecordsNumber": total, "scrollId": scroll,
        },
        "responseData": data,
    })
}

/// What the body of a request wraps.
fn wanted(request: &Request) -> Value {
    match &request.body {
        integration::Body::Json(body) => body["requestData"].clone(),
        _ => Value::Null,
    }
}
