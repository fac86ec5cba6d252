//! Apple Business, simulated over the shared world: each business has an account of its own, whose client ID is made
//! of the business's id. The credentials given out are of one of them.

mod accounts;
mod rows;

use std::{collections::HashMap, sync::PoisonError};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use integration::{Field, Method, RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World, world::Business};

use self::accounts::Accounts;
use crate::{AppleBusiness, PrivateKey};

/// Key of the business whose account is given out: in every world its name is Harbour Dental Ltd.
const OURS: u64 = 6;
/// Records on a page, when nothing is asked for; and the most.
const USUAL: usize = 100;
const MOST: usize = 1000;

/// Apple Business over the shared world.
#[derive(Default)]
pub struct Simulator {
    accounts: Accounts,
}

/// An answer that is not a success: status, the vendor's code and words.
struct No(u16, &'static str, String);

type Answer = Result<Value, No>;

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        AppleBusiness::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = match self.route(&world, request) {
            Ok(body) => (200, body.to_string()),
            // As Apple does: nothing more is said.
            Err(No(401, ..)) => (401, String::new()),
            Err(No(status, code, _)) if request.method == Method::Post => {
                (status, json!({ "error": code }).to_string())
            }
            Err(No(status, code, words)) => {
                let error = json!({
                    "id": "6f1a2b3c-0000-4a00-9a00-2f6d0d7a1b00", "status": status.to_string(), "code": code,
                    "title": "The request was refused", "detail": words,
                });
                (status, json!({ "errors": [error] }).to_string())
            }
        };
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Response { status, headers, body: body.into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, &accounts::client_of(OURS), accounts::KEY_ID)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, &accounts::client_of(OURS), "00000000-0000-4000-8000-0000000000ff")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, accounts::POWERLESS, accounts::KEY_ID)
    }

    fn expire_tokens(&self) {
        self.accounts.expire_tokens();
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        let ours = world.business(OURS).filter(|business| business.vendors.contains(AppleBusiness::ID));
        let count = |count: fn(&Business) -> usize| Some(ours.map_or(0, count));
        match kind {
            RecordKind::Entity => Some(1),
            RecordKind::Device => count(|business| rows::fleet(business).len()),
            RecordKind::ManagementServer => count(|_| rows::SERVERS.len()),
            RecordKind::DirectoryUser => count(|business| business.people.len()),
            other => world.expected(AppleBusiness::ID, other),
        }
    }

    /// A page holds a thousand, more than one business of the usual worlds has: `tests/behaviour/paging.rs` has one
    /// with more.
    fn unpaged(&self, _: RecordKind) -> bool {
        true
    }
}

impl Simulator {
    fn route(&self, world: &World, request: &Request) -> Answer {
        let segments: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        if segments.ends_with(&["auth", "oauth2", "v2", "token"]) || segments.ends_with(&["auth", "oauth2", "token"]) {
            return self.accounts.grant(world.now, request);
        }
        let account = self.accounts.admit(world.now, request)?;
        let Some(start) = segments.iter().position(|segment| *segment == "v1") else { return Err(unknown()) };
        if request.method != Method::Get {
            return Err(No(405, "METHOD_NOT_ALLOWED", "only reading is simulated".to_owned()));
        }
        let business = account.business.and_then(|key| world.business(key));
        let business = business.filter(|business| business.vendors.contains(AppleBusiness::ID));
        let fleet = business.map(rows::fleet).unwrap_or_default();
        let asked = Asked::read(request)?;
        match &segments[start + 1..] {
            ["orgDevices"] => asked.page(&fleet, rows::device),
            ["mdmServers"] => {
                let servers: &[rows::Server] = if business.is_some() { &rows::SERVERS } else { &[] };
                asked.page(servers, |server| rows::server(server, &fleet, &asked.fields, world.now))
            }
            ["mdmServers", id, "relationships", "devices"] => {
                let server = rows::SERVERS.iter().find(|server| server.id == *id && business.is_some());
                let server = server.ok_or_else(unknown)?;
                let its: Vec<_> = fleet.iter().filter(|device| device.server == Some(server.id)).collect();
                asked.page(&its, |device| json!({ "type": "orgDevices", "id": device.id }))
            }
            ["users"] if account.school => Err(unknown()),
            ["users"] => {
                let people = business.map(|business| business.people.as_slice()).unwrap_or_default();
                asked.page(people, rows::user)
            }
            _ => Err(unknown()),
        }
    }
}

/// What a listing was asked for.
struct Asked {
    limit: usize,
    start: usize,
    fields: String,
}

impl Asked {
    fn read(request: &Request) -> Result<Self, No> {
        let pairs: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let bad = |name: &str| No(400, "PARAMETER_ERROR.INVALID", format!("'{name}' has an invalid value"));
        if let Some(strange) =
            pairs.keys().find(|key| !["limit", "cursor", "fields[mdmServers]"].contains(&key.as_str()))
        {
            return Err(No(400, "PARAMETER_ERROR.ILLEGAL", format!("'{strange}' is not a valid parameter")));
        }
        let limit = pairs.get("limit").map_or(Ok(USUAL), |text| text.parse().map_err(|_| bad("limit")))?;
        if !(1..=MOST).contains(&limit) {
            return Err(bad("limit"));
        }
        let start = match pairs.get("cursor") {
            None => 0,
            Some(cursor) => read_cursor(cursor).ok_or_else(|| bad("cursor"))?,
        };
        Ok(Self { limit, start, fields: pairs.get("fields[mdmServers]").cloned().unwrap_or_default() })
    }

    fn page<T>(&self, all: &[T], body: impl Fn(&T) -> Value) -> Answer {
        let end = self.start.saturating_add(self.limit).min(all.len());
        let data: Vec<Value> = all.get(self.start..end).unwrap_or_default().iter().map(body).collect();
        let mut paging = json!({ "limit": self.limit, "total": all.len() });
        if end < all.len() {
            paging["nextCursor"] = URL_SAFE_NO_PAD.encode(format!("0:{end}")).into();
        }
        Ok(
            json!({ "data": data, "links": { "self": "https://api-business.apple.com/v1" }, "meta": { "paging": paging } }),
        )
    }
}

fn read_cursor(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("0:")?.parse().ok()
}

fn form(base: &str, client_id: &str, key_id: &str) -> Map<String, Value> {
    let fields = json!({
        "organisation": "Harbour Dental", "client_id": client_id, "key_id": key_id, "private_key": PrivateKey::example(),
        "token_url": format!("{base}/auth/oauth2/v2/token"), "api_url": base,
    });
    fields.as_object().cloned().unwrap_or_default()
}

fn unknown() -> No {
    No(404, "NOT_FOUND", "there is no such resource".to_owned())
}
