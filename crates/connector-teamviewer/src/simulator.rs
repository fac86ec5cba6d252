//! TeamViewer, simulated over the shared world. A managed group is a business, under the name that the MSP's
//! people gave it here.
//!
//! It has the vendor's habits that have cost others time: pages of its own size, `last_seen` only of devices
//! that are offline and not of old clients, and 403 for more than missing rights.

use std::sync::{
    PoisonError,
    atomic::{AtomicU64, Ordering},
};

use integration::{Request, Response, Vendor};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use vendorkit::{
    SharedWorld, World,
    world::{Business, Device, key_of, uuid},
};

use crate::Teamviewer;

const TOKEN: &str = "11111111-teamviewer-simulated-token";
const POWERLESS: &str = "22222222-teamviewer-simulated-guest";
/// Rows of a page.
const ROWS: usize = 100;
/// Id space of devices.
const DEVICE: &str = "teamviewer/device";

/// The vendor, simulated.
#[derive(Default)]
pub struct Simulator {
    refusals: AtomicU64,
}

/// A status and what the vendor says with it: a word and a sentence.
struct No(u16, &'static str, &'static str);

type Answer = Result<Value, No>;

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Teamviewer::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = match route(&world, request) {
            Ok(body) => (200, body),
            Err(No(status, word, words)) => {
                let number = self.refusals.fetch_add(1, Ordering::Relaxed) + 1;
                let signature = uuid("teamviewer/refusal", number);
                (
                    status,
                    json!({ "error": word, "error_description": words, "error_code": 1, "error_signature": signature }),
                )
            }
        };
        let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        Response { status, headers, body: body.to_string().into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, TOKEN)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "33333333-teamviewer-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS)
    }

    /// A script token has no end.
    fn expire_tokens(&self) {}
}

fn route(world: &World, request: &Request) -> Answer {
    let parts: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
    let start = parts.windows(2).position(|pair| pair == ["api", "v1"]).ok_or_else(unknown)?;
    let path = &parts[start + 2..];
    let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let known = matches!(token, Some(TOKEN | POWERLESS));
    if (request.method.as_str(), path) == ("GET", &["ping"]) && token.is_some() {
        return Ok(json!({ "token_valid": known }));
    }
    if !known {
        return Err(No(401, "invalid_token", "The token is invalid or was revoked."));
    }
    if token == Some(POWERLESS) {
        return Err(No(403, "access_denied", "The token lacks the permission for this."));
    }
    if request.method.as_str() != "GET" {
        return Err(No(405, "invalid_request", "This method is not allowed here."));
    }
    match path {
        ["account"] => Ok(json!({
            "userid": "u1001", "name": "Robin Vale", "email": "robin.vale@msp.example", "email_validated": true,
            "email_language": "en", "company_name": "Northern Managed Services",
        })),
        ["company"] => Ok(json!({
            "companyId": 42, "companyName": "Northern Managed Services", "createdAt": "2019-05-01T00:00:00Z",
        })),
        ["managed", "groups"] => page(request, world.known_to(Teamviewer::ID), |group| group.key, group_row),
        ["managed", "groups", id] => group(world, id).map(group_row),
        ["managed", "groups", id, "devices"] => {
            page(request, group(world, id)?.devices.iter(), |device| device.key, device_row)
        }
        ["managed", "groups", id, "pending-devices"] => {
            page(request, group(world, id)?.devices.iter().take(0), |device| device.key, device_row)
        }
        ["managed", "devices", id] => {
            let found = key_of(DEVICE, id_of(id)?).and_then(|key| world.device(key));
            let known = found.filter(|(home, _)| home.vendors.contains(Teamviewer::ID));
            known.map(|(_, device)| device_row(device)).ok_or_else(unknown)
        }
        _ => Err(unknown()),
    }
}

fn group<'w>(world: &'w World, id: &str) -> Result<&'w Business, No> {
    let found = world.by_id_at(Teamviewer::ID, id_of(id)?);
    found.filter(|business| business.vendors.contains(Teamviewer::ID)).ok_or_else(unknown)
}

/// A page of what is ordered by key. The token holds the last key that was given, so that nothing is missed
/// when others vanish.
fn page<'w, T: 'w>(
    request: &Request,
    all: impl Iterator<Item = &'w T>,
    key: impl Fn(&T) -> u64,
    row: impl Fn(&T) -> Value,
) -> Answer {
    let mut after = None;
    for (name, value) in request.url.query_pairs() {
        if name != "paginationToken" || after.is_some() {
            return Err(No(400, "invalid_request", "There is a parameter that is not known."));
        }
        let read = value.strip_prefix("after.").and_then(|key| u64::from_str_radix(key, 36).ok());
        after = Some(read.ok_or(No(400, "invalid_request", "The pagination token is not valid."))?);
    }
    let mut rest = all.filter(|one| key(one) > after.unwrap_or(0)).peekable();
    let mut rows = Vec::new();
    let mut last = None;
    for one in rest.by_ref().take(ROWS) {
        last = Some(key(one));
        rows.push(row(one));
    }
    let token = |key: u64| format!("after.{}", base36(key));
    let next = last.filter(|_| rest.peek().is_some()).map(token);
    Ok(json!({ "currentPaginationToken": after.map(token), "nextPaginationToken": next, "resources": rows }))
}

fn group_row(group: &Business) -> Value {
    let mut row = json!({ "id": group.id_at(Teamviewer::ID), "name": group.name_at(Teamviewer::ID) });
    if group.key.is_multiple_of(4) {
        row["policy_id"] = json!(uuid("teamviewer/policy", 1));
    }
    row
}

fn device_row(device: &Device) -> Value {
    let mut row = json!({
        "id": uuid(DEVICE, device.key),
        "teamviewerId": 1_000_000_000 + device.key,
        "name": device.hostname,
        "isOnline": device.online,
    });
    let old_client = device.key.is_multiple_of(5);
    if !device.online && !old_client {
        row["last_seen"] = json!(device.last_contact.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    }
    row
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        digits.extend(char::from_digit((number % 36) as u32, 36));
        number /= 36;
    }
    digits.iter().rev().collect()
}

fn form(base: &str, token: &str) -> Map<String, Value> {
    let fields = [("script_token", token), ("api_url", base)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn unknown() -> No {
    No(404, "not_found", "There is nothing of this id here.")
}

fn id_of(text: &str) -> Result<Uuid, No> {
    Uuid::parse_str(text).map_err(|_| No(400, "invalid_request", "The id is not valid."))
}
