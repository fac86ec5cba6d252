//! ConnectWise Manage, simulated over the shared world.
//!
//! It has the habits that cost others time: a codebase in every path that an upgrade changes, null
//! fields left out, forward-only paging by a `Link` header, states that belong to a board, names of
//! communication types of the MSP's own, and callbacks signed with a key that is told at an address.

mod changes;
mod desk;
mod listing;
mod people;
mod rows;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use integration::{Body, Delivery, Method, Request, Response, Secret, Vendor};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use vendorkit::{SharedWorld, World};

use crate::ConnectwiseManage;

const COMPANY: &str = "panelmsp";
const PUBLIC: &str = "simulated-public";
const PRIVATE: &str = "simulated-private";
const POWERLESS: &str = "simulated-guest";
const CLIENT: &str = "00000000-0000-4000-8000-00000000c11e";
const SIGNING_KEY: &str = "a-signing-key-of-the-simulated-cloud";

/// ConnectWise Manage over the shared world.
pub struct Simulator {
    state: Mutex<State>,
}

/// What the vendor keeps and the world does not.
#[derive(Default)]
struct State {
    /// Where it stands; learnt when its credentials are asked for.
    base: String,
    codebase: String,
    /// By key of a business: the legal name at that time, and what was written here instead.
    names: BTreeMap<u64, (String, String)>,
    codes: BTreeMap<u64, String>,
    inactive: BTreeSet<u64>,
    /// By key of a person.
    reached: BTreeMap<u64, rows::Reached>,
    /// By key of a ticket: its board.
    boards: BTreeMap<u64, u64>,
    notes: u64,
}

/// An answer: a status, a body, and for listings where they go on.
struct Reply {
    status: u16,
    body: Value,
    link: Option<String>,
}

impl Reply {
    fn new(status: u16, body: Value) -> Self {
        Self { status, body, link: None }
    }

    fn no(status: u16, code: &str, message: &str) -> Self {
        Self::new(status, json!({ "code": code, "message": message, "errors": null }))
    }

    fn invalid(resource: &str, field: &str, code: &str, message: &str) -> Self {
        let error = json!({ "code": code, "message": message, "resource": resource, "field": field });
        let message = format!("{resource} object is invalid");
        Self::new(400, json!({ "code": "InvalidObject", "message": message, "errors": [error] }))
    }

    fn unknown(what: &str) -> Self {
        Self::no(404, "NotFound", &format!("{what} was not found"))
    }
}

impl Default for Simulator {
    fn default() -> Self {
        Self { state: Mutex::new(State { codebase: "v2025_1".to_owned(), ..State::default() }) }
    }
}

impl Simulator {
    /// Upgrades the cloud: the API moves to another codebase, and the old address is nobody's.
    pub fn upgrade(&self, codebase: &str) {
        codebase.clone_into(&mut self.state().codebase);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn form(&self, base: &str, public: &str, private: &str) -> Map<String, Value> {
        base.clone_into(&mut self.state().base);
        let fields = [
            ("site", base),
            ("company_id", COMPANY),
            ("public_key", public),
            ("private_key", private),
            ("client_id", CLIENT),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        ConnectwiseManage::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        // The world before the state, here as in `delivery`: two orders would wait for each other.
        let (reply, now) = if request.method == Method::Get {
            let world = world.read().unwrap_or_else(PoisonError::into_inner);
            let state = self.state();
            let found = admitted(&state, request).map(|path| listing::get(&world, &state, request, &path));
            (found, world.now)
        } else {
            let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
            let mut state = self.state();
            let done = admitted(&state, request).map(|path| change(&mut world, &mut state, request, &path));
            (done, world.now)
        };
        let reply = reply.unwrap_or_else(|refusal| refusal);
        let mut headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        headers.extend(reply.link.map(|link| ("link".to_owned(), link)));
        let body = if reply.status == 204 { String::new() } else { reply.body.to_string() };
        Response { status: reply.status, headers, body: body.into(), received_at: now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        self.form(base, PUBLIC, PRIVATE)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        self.form(base, PUBLIC, "another-private-key")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        self.form(base, POWERLESS, PRIVATE)
    }

    /// Keys have no end.
    fn expire_tokens(&self) {}

    fn delivery(&self, world: &World, secret: &Secret) -> Option<Delivery> {
        let state = self.state();
        let (business, ticket) = world.tickets_after(ConnectwiseManage::ID, 0).into_iter().next()?;
        let entity = rows::ticket(&state, business, ticket);
        let id = entity["id"].to_string();
        let body = json!({
            "ID": entity["id"], "Action": "updated", "Type": "ticket", "Entity": entity.to_string(),
            "MemberId": "apimember", "CompanyId": COMPANY, "FromUrl": state.base,
            "Metadata": { "key_url": format!("{}/{}/callbacks/signing-key", state.base, state.codebase) },
            "ProductInstanceId": "simulated",
        })
        .to_string();
        let key = Sha256::digest(SIGNING_KEY.as_bytes());
        let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?.chain_update(&body).finalize();
        let query = [("secret", secret.expose()), ("id", &id), ("action", "updated"), ("memberId", "apimember")];
        Some(Delivery {
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("x-content-signature".to_owned(), STANDARD.encode(mac.into_bytes())),
            ],
            query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: body.into(),
            received_at: world.now,
        })
    }
}

/// The path below the API, for whoever may go there; else the answer.
fn admitted<'a>(state: &State, request: &'a Request) -> Result<Vec<&'a str>, Reply> {
    let path = request.url.path();
    if let Some((_, company)) = path.split_once("/login/companyinfo/") {
        let info = json!({
            "CompanyName": "Panel MSP", "CompanyID": COMPANY, "Codebase": format!("{}/", state.codebase),
            "VersionCode": "v2025.1", "SiteUrl": request.url.host_str(), "IsCloud": true,
        });
        return Err(Reply::new(200, if company == COMPANY { info } else { Value::Null }));
    }
    if path.ends_with(&format!("/{}/callbacks/signing-key", state.codebase)) {
        return Err(Reply::new(200, json!({ "signing_key": SIGNING_KEY })));
    }
    let Some((_, path)) = path.split_once(&format!("/{}/apis/3.0/", state.codebase)) else {
        return Err(Reply::new(404, json!({ "message": "No HTTP resource was found" })));
    };
    refusal(request).map_or_else(|| Ok(path.split('/').collect()), Err)
}

fn change(world: &mut World, state: &mut State, request: &Request, path: &[&str]) -> Reply {
    let body = if let Body::Json(body) = &request.body { body } else { &Value::Null };
    match request.method {
        Method::Post => changes::post(world, state, path, body),
        Method::Patch => changes::patch(world, state, path, body),
        Method::Delete => changes::delete(world, state, path),
        _ => Reply::no(405, "MethodNotAllowed", "PUT needs the whole record"),
    }
}

/// Checks keys, client id and rights as the vendor does.
fn refusal(request: &Request) -> Option<Reply> {
    let key = |public: &str| format!("Basic {}", STANDARD.encode(format!("{COMPANY}+{public}:{PRIVATE}")));
    let given = request.header_value("authorization").unwrap_or_default();
    let client = request.header_value("clientid");
    if client != Some(CLIENT) || (given != key(PUBLIC) && given != key(POWERLESS)) {
        return Some(Reply::no(401, "Unauthorized", "The keys or the client id are not known"));
    }
    if given == key(POWERLESS) {
        return Some(Reply::no(403, "Forbidden", "The member's security role does not allow this"));
    }
    let accept = request.header_value("accept").unwrap_or_default();
    (!accept.contains("json")).then(|| Reply::no(415, "UnsupportedMediaType", "Only JSON is spoken here"))
}
