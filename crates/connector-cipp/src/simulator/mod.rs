//! CIPP, simulated over the shared world, with its sign-in service beside it.
//!
//! It has the habits that have cost others time: whole listings in one answer, bare arrays here and
//! `Results` there, `[null]` for an empty one, numbers as texts, fields that change their case, an array of
//! one unrolled, and the partner's own tenant among the customers.

mod views;

use std::sync::{
    PoisonError,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Method, RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use vendorkit::{SharedWorld, World, world::Business};

use crate::Cipp;

const PARTNER: Uuid = Uuid::from_u128(0xc1bb_0000_0000_4000_8000_0000_0000_0001);
const CLIENT: &str = "c1bb0000-0000-4000-8000-00000000000a";
/// An API client whose role allows nothing.
const POWERLESS: &str = "c1bb0000-0000-4000-8000-00000000000b";
const SECRET: &str = "cipp-simulated-secret";
const LIFE: TimeDelta = TimeDelta::seconds(3599);

/// CIPP over the shared world.
#[derive(Default)]
pub struct Simulator {
    /// Tokens say in which age they were given out; only those of the present one are good.
    age: AtomicU64,
}

/// A status and a body.
type Answer = (u16, Value);

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Cipp::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let path = request.url.path();
        let (status, body) = if let Some((_, path)) = path.split_once("/login/") {
            self.give_token(world.now, request, path)
        } else if let Some((_, endpoint)) = path.split_once("/api/") {
            self.api(&world, request, endpoint)
        } else {
            (404, Value::Null)
        };
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Response { status, headers, body: body.to_string().into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, CLIENT, SECRET)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, CLIENT, "cipp-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS, SECRET)
    }

    fn expire_tokens(&self) {
        self.age.fetch_add(1, Ordering::Relaxed);
    }

    fn unpaged(&self, _kind: RecordKind) -> bool {
        true
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        let known = || world.known_to(Cipp::ID);
        match kind {
            RecordKind::DirectoryUser | RecordKind::SignInMethods => Some(known().map(|b| b.people.len()).sum()),
            RecordKind::AdminRole => Some(known().flat_map(|b| &b.people).filter(|person| person.admin).count()),
            RecordKind::Licence => Some(known().map(|b| views::licences(b).len()).sum()),
            RecordKind::SecureScore => Some(known().count()),
            RecordKind::Domain => Some(2 * known().count()),
            other => world.expected(Cipp::ID, other),
        }
    }
}

impl Simulator {
    fn give_token(&self, now: DateTime<Utc>, request: &Request, path: &str) -> Answer {
        let no = |status, error: &str, number: u32| {
            let words = format!("AADSTS{number}: simulated refusal.");
            (status, json!({ "error": error, "error_description": words, "error_codes": [number] }))
        };
        let Body::Form(pairs) = &request.body else { return no(400, "invalid_request", 900_144) };
        let field = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let client = field("client_id");
        if request.method != Method::Post || path != format!("{PARTNER}/oauth2/v2.0/token") {
            return no(400, "invalid_request", 90_002);
        }
        if ![CLIENT, POWERLESS].contains(&client) {
            return no(400, "unauthorized_client", 700_016);
        }
        if field("client_secret") != SECRET {
            return no(401, "invalid_client", 7_000_215);
        }
        if field("grant_type") != "client_credentials" || field("scope") != format!("api://{client}/.default") {
            return no(400, "invalid_scope", 1_002_012);
        }
        let token = format!("cipp.{}.{}.{client}", self.age.load(Ordering::Relaxed), now.timestamp());
        let life = LIFE.num_seconds();
        (200, json!({ "token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token }))
    }

    /// Whose token the request has, if that is good.
    fn client(&self, now: DateTime<Utc>, request: &Request) -> Option<String> {
        let mut parts = request.header_value("authorization")?.strip_prefix("Bearer cipp.")?.splitn(3, '.');
        let age: u64 = parts.next()?.parse().ok()?;
        let since = DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?;
        let good = age == self.age.load(Ordering::Relaxed) && now - since < LIFE;
        good.then_some(parts.next()?.to_owned())
    }

    fn api(&self, world: &World, request: &Request, endpoint: &str) -> Answer {
        match self.client(world.now, request).as_deref() {
            None => return (401, Value::Null),
            Some(POWERLESS) => {
                return (403, json!("Access to this CIPP API endpoint is not allowed, you do not have it"));
            }
            Some(_) => {}
        }
        if endpoint == "ListTenants" {
            return match (request.method, &request.body) {
                (Method::Post, Body::Json(body)) if body.get("ClearCache").is_some() => (500, json!("not simulated")),
                (Method::Post, Body::Json(_) | Body::Empty) | (Method::Get, _) => (200, tenants(world)),
                _ => (400, json!({ "Results": "a body that is not JSON" })),
            };
        }
        if request.method != Method::Get {
            return (400, json!({ "Results": "this endpoint is read by GET" }));
        }
        let known = match tenant(world, request) {
            Ok(known) => known,
            Err(words) => return (400, json!([{ "Error": words }])),
        };
        match endpoint {
            "ListUsers" => (200, list(known.people.iter().map(views::user))),
            "ListMFAUsers" => (200, list(known.people.iter().map(|person| views::registration(known, person)))),
            "ListLicenses" => (200, unrolled(views::licences(known))),
            "ListRoles" => (200, list(views::roles(known))),
            "ListDomains" => (200, list(views::domains(known))),
            "ListDomainAnalyser" => (200, list(views::analysis(known))),
            "ListSecureScoreReport" => (200, json!({ "Results": [views::score(known, world.now)] })),
            _ => (404, json!("no such endpoint")),
        }
    }
}

/// The tenant that a request is about, by its GUID or its default domain.
fn tenant<'a>(world: &'a World, request: &Request) -> Result<&'a Business, String> {
    let filter = request.url.query_pairs().find(|(key, _)| key.eq_ignore_ascii_case("tenantFilter"));
    let Some((_, filter)) = filter else { return Err("tenantFilter is required".into()) };
    let by_id = Uuid::try_parse(&filter).ok().and_then(|id| world.by_tenant(id));
    let found = by_id.or_else(|| world.businesses().iter().find(|business| business.domain == *filter));
    found.filter(|b| b.vendors.contains(Cipp::ID)).ok_or_else(|| format!("Tenant {filter} not found"))
}

fn tenants(world: &World) -> Value {
    if world.businesses().is_empty() {
        return json!([null]);
    }
    let partner = views::tenant(PARTNER, "*Partner Tenant - Simulated MSP", "msp", "partner.example", false);
    let excluded = Uuid::from_u128(0xc1bb_0000_0000_4000_8000_0000_0000_0002);
    let excluded = views::tenant(excluded, "Left Us Long Ago", "leftus", "leftus.example", true);
    list([partner, excluded].into_iter().chain(world.known_to(Cipp::ID).map(views::customer)))
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(items.into_iter().collect())
}

/// As PowerShell gives an array of one.
fn unrolled(mut items: Vec<Value>) -> Value {
    if items.len() == 1 { items.remove(0) } else { Value::Array(items) }
}

fn form(base: &str, client: &str, secret: &str) -> Map<String, Value> {
    let pairs = [
        ("url", base.to_owned()),
        ("tenant_id", PARTNER.to_string()),
        ("client_id", client.to_owned()),
        ("client_secret", secret.to_owned()),
        ("login_host", format!("{base}/login")),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}
