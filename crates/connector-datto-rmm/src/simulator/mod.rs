//! Datto RMM, simulated over the shared world.
//!
//! It has the vendor's habits that have cost others time: times as numbers, nulls, a link to the next page
//! that forgets filters, deleted devices that stay listed, secrets in the account's own fields, and a token
//! request with a public client.
//!
//! * `access.rs`: keys, tokens, and what is said without one.
//! * `listings.rs`: what a listing can be asked, and its pages; `rows.rs`: the shapes of rows.

mod access;
mod listings;
mod rows;

use std::sync::PoisonError;

use integration::{Request, Response, Vendor};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use vendorkit::{
    SharedWorld, World,
    world::{Business, key_of},
};

use self::{
    access::Access,
    listings::{MOST, alerts, devices, sites},
};
use crate::DattoRmm;

/// The vendor, simulated.
#[derive(Default)]
pub struct Simulator {
    access: Access,
}

/// A status and what the vendor says with it.
struct No(u16, Value);

type Answer = Result<Value, No>;

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        DattoRmm::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let (status, mut body) = match self.route(&world, request) {
            Ok(body) => (200, body),
            Err(No(status, body)) => (status, body),
        };
        if body.get("timestamp").is_some() && status >= 400 {
            body["timestamp"] = world.now.timestamp_millis().into();
            body["path"] = request.url.path().into();
        }
        let headers = vec![("content-type".to_owned(), "application/json;charset=UTF-8".to_owned())];
        Response { status, headers, body: body.to_string().into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, access::READER)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, (access::READER.0, "SIMULATED0DATTO0RMM0NOT0THE0KEY0"))
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, access::POWERLESS)
    }

    fn expire_tokens(&self) {
        self.access.expire_tokens();
    }
}

impl Simulator {
    fn route(&self, world: &World, request: &Request) -> Answer {
        let parts: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        if let [.., "auth", "oauth", "token"] = parts.as_slice() {
            return self.access.grant(world.now, request);
        }
        let start = parts.windows(2).position(|pair| pair == ["api", "v2"]).ok_or_else(|| no(404, "Not Found"))?;
        let path = &parts[start + 2..];
        if let ("GET", ["system", "status"]) = (request.method.as_str(), path) {
            return Ok(json!({ "version": "14.9.0", "status": "OK" }));
        }
        self.access.admit(world.now, request)?;
        if request.method.as_str() != "GET" {
            return Err(no(405, "Method Not Allowed"));
        }
        match path {
            ["account"] => Ok(rows::account(world)),
            ["account", "sites"] => sites(world, request),
            ["account", "devices"] => devices(request, "devices", world.known_to(DattoRmm::ID)),
            ["account", "alerts", state] => alerts(world, request, state, None),
            ["site", uid] => site(world, uid).map(rows::site),
            ["site", uid, "devices"] => devices(request, "devices", [site(world, uid)?]),
            ["site", uid, "alerts", state] => alerts(world, request, state, Some(site(world, uid)?.key)),
            ["device", uid] => {
                let (home, device) =
                    key_of(rows::DEVICE, uuid(uid)?).and_then(|key| world.device(key)).ok_or_else(unknown)?;
                if home.vendors.contains(DattoRmm::ID) { Ok(rows::device(home, device)) } else { Err(unknown()) }
            }
            ["alert", uid] => {
                let (home, alert) =
                    key_of(rows::ALERT, uuid(uid)?).and_then(|key| world.alert(key)).ok_or_else(unknown)?;
                if home.vendors.contains(DattoRmm::ID) { Ok(rows::alert(home, alert)) } else { Err(unknown()) }
            }
            ["system", "pagination"] => Ok(json!({ "max": MOST })),
            _ => Err(unknown()),
        }
    }
}

fn site<'w>(world: &'w World, uid: &str) -> Result<&'w Business, No> {
    let found = world.by_id_at(DattoRmm::ID, uuid(uid)?);
    found.filter(|business| business.vendors.contains(DattoRmm::ID)).ok_or_else(unknown)
}

fn form(base: &str, (key, secret): (&str, &str)) -> Map<String, Value> {
    let fields = [("platform", "other"), ("api_key", key), ("api_secret_key", secret), ("api_url", base)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn no(status: u16, reason: &str) -> No {
    No(status, json!({ "timestamp": null, "status": status, "error": reason, "path": null }))
}

fn unknown() -> No {
    no(404, "Not Found")
}

fn uuid(text: &str) -> Result<Uuid, No> {
    Uuid::parse_str(text).map_err(|_| unknown())
}
