//! Sophos Central, simulated: its wire format over the shared world. A request counts only at the right host
//! (here the first part of the path: `api` for all, `api-eu01` and the like for tenants) and with the one header
//! that names who it is about.
//!
//! * `accounts.rs`: credentials and tokens. `query.rs`: what a listing is asked for, and its two kinds of pages.
//! * `rows.rs`: the world in the vendor's words.

mod accounts;
mod query;
mod rows;

use std::sync::PoisonError;

use bytes::Bytes;
use integration::{Body, Method, RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use vendorkit::{
    SharedWorld, World,
    world::{Business, Device, DeviceClass},
};

use self::{
    accounts::{Accounts, Kind},
    query::Query,
};
use crate::Sophos;

/// Sophos Central over the shared world.
#[derive(Default)]
pub struct Simulator {
    accounts: Accounts,
}

/// An answer that is not a success: status, the vendor's word and message.
struct No(u16, &'static str, String);

type Answer = Result<Value, No>;

/// The headers by which a request names who it is about.
const IDENTITIES: [&str; 3] = ["x-partner-id", "x-organization-id", "x-tenant-id"];

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Sophos::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
        let acts = request.url.path().ends_with("/actions");
        let (status, body) = match self.route(&mut world, request) {
            Ok(body) => (if acts { 201 } else { 200 }, body),
            Err(No(status, error, message)) => (status, problem(request, error, &message)),
        };
        Response {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from(body.to_string()),
            received_at: world.now,
        }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        accounts::form(base, accounts::PARTNER, accounts::SECRET)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        accounts::form(base, accounts::PARTNER, "sophos-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        accounts::form(base, accounts::GUEST, accounts::SECRET)
    }

    fn expire_tokens(&self) {
        self.accounts.expire_tokens();
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        let sum = |count: fn(&Business) -> usize| Some(world.known_to(Sophos::ID).map(count).sum());
        match kind {
            RecordKind::Device => sum(|business| rows::endpoints(business).count()),
            RecordKind::Threat => sum(|business| rows::detections(business).count()),
            RecordKind::Alert => sum(|business| rows::conditions(business).count()),
            other => world.expected(Sophos::ID, other),
        }
    }
}

impl Simulator {
    fn route(&self, world: &mut World, request: &Request) -> Answer {
        let segments: Vec<&str> = request.url.path_segments().map(Iterator::collect).unwrap_or_default();
        if segments.ends_with(&["api", "v2", "oauth2", "token"]) && request.method == Method::Post {
            return self.accounts.grant(world.now, &request.body);
        }
        let services = ["whoami", "partner", "organization", "endpoint", "common"];
        let Some(at) = segments.iter().position(|segment| services.contains(segment)).filter(|at| *at > 0) else {
            return Err(unknown());
        };
        let account = self.accounts.admit(world.now, request)?;
        let acts = matches!(segments[at..], ["common", "v1", "alerts", _, "actions"]);
        if request.method != if acts { Method::Post } else { Method::Get } {
            return Err(No(405, "MethodNotAllowed", "only reading and actions on alerts are simulated".to_owned()));
        }
        let (host, prefix) = (segments[at - 1], &segments[..at - 1]);
        match &segments[at..] {
            ["whoami", "v1"] if host == "api" => whoami(world, account, request, prefix),
            [service @ ("partner" | "organization"), "v1", "tenants", rest @ ..] if host == "api" => {
                let (kind, header) = match *service {
                    "partner" => (Kind::Partner, "x-partner-id"),
                    _ => (Kind::Organization, "x-organization-id"),
                };
                if named(request)? != Some((header, accounts::ID.to_owned())) || account.kind != kind {
                    return Err(No(401, "Unauthorized", "this is not who the credentials are".to_owned()));
                }
                account.may_read()?;
                let row = |business: &Business| rows::tenant(business, &host_of(request, prefix, business));
                match rest {
                    [] => Query::of(request, &[])?.by_number(world.known_to(Sophos::ID).collect(), |one| row(one)),
                    [id] => Ok(row(tenant(world, id).ok_or_else(unknown)?)),
                    _ => Err(unknown()),
                }
            }
            ["common", "v1", "alerts", id, "actions"] => {
                let business = business_of(world, account, request, host)?;
                let (key, done) = act(business, id, &request.body)?;
                let now = world.now;
                world.change_threat(key, |threat| threat.resolved = Some(now));
                Ok(done)
            }
            path @ (["endpoint", "v1", "endpoints"] | ["common", "v1", "alerts"]) => {
                let business = business_of(world, account, request, host)?;
                if path[0] == "endpoint" {
                    let found: Vec<_> = rows::endpoints(business).map(|device| (device.key, device)).collect();
                    Query::of(request, &["view"])?.by_key(500, &found, |device| rows::endpoint(business, device))
                } else {
                    let query = Query::of(request, &["severity", "sort", "ids"])?;
                    let mut found = rows::alerts(business);
                    if let Some(ids) = query.get("ids") {
                        found.retain(|(_, row)| ids.split(',').any(|id| row["id"] == id));
                    }
                    query.by_key(1000, &found, Value::clone)
                }
            }
            _ => Err(unknown()),
        }
    }
}

/// The tenant that a request names, if it is asked at its own host by credentials that may.
fn business_of<'a>(
    world: &'a World,
    account: &accounts::Account,
    request: &Request,
    host: &str,
) -> Result<&'a Business, No> {
    let Some(("x-tenant-id", id)) = named(request)? else {
        return Err(No(400, "BadRequest", "X-Tenant-ID is missing".to_owned()));
    };
    account.may_read()?;
    let business = tenant(world, &id).filter(|business| account.sees(world, business));
    let business = business.filter(|business| host == format!("api-{}", rows::region(business).1));
    business.ok_or_else(|| No(403, "Forbidden", "Forbidden".to_owned()))
}

/// What is done about a detection, and the key of it: any action that it allows settles it.
fn act(business: &Business, id: &str, body: &Body) -> Result<(u64, Value), No> {
    let Body::Json(body) = body else { return Err(bad("no body")) };
    let (key, row) = rows::alerts(business).into_iter().find(|(_, row)| row["id"] == id).ok_or_else(unknown)?;
    let action = body["action"].as_str().unwrap_or_default();
    if !row["allowedActions"].as_array().into_iter().flatten().any(|one| one == action) {
        return Err(bad("the action is not allowed for this alert"));
    }
    if !rows::detections(business).any(|threat| threat.key == key) {
        return Err(unknown());
    }
    let done = json!({ "id": rows::alert_id(key), "alertId": id, "action": action, "status": "requested" });
    Ok((key, done))
}

fn whoami(world: &World, account: &accounts::Account, request: &Request, prefix: &[&str]) -> Answer {
    let (id, mut hosts) = (accounts::ID.to_owned(), json!({ "global": address(request, prefix, "api") }));
    let Kind::Tenant = account.kind else {
        return Ok(json!({ "id": id, "idType": account.kind.word(), "apiHosts": hosts }));
    };
    let business = accounts::own_tenant(world).ok_or_else(unknown)?;
    hosts["dataRegion"] = host_of(request, prefix, business).into();
    Ok(json!({ "id": business.id_at(Sophos::ID), "idType": "tenant", "apiHosts": hosts }))
}

/// The one header that names who a request is about. More than one are refused.
fn named(request: &Request) -> Result<Option<(&'static str, String)>, No> {
    let mut named = IDENTITIES
        .into_iter()
        .filter_map(|name| Some((name, request.header_value(name)?.to_owned())))
        .collect::<Vec<_>>();
    if named.len() > 1 {
        return Err(No(400, "BadRequest", "more than one identity".to_owned()));
    }
    Ok(named.pop())
}

fn tenant<'a>(world: &'a World, id: &str) -> Option<&'a Business> {
    let id: Uuid = id.parse().ok()?;
    world.by_id_at(Sophos::ID, id).filter(|business| business.vendors.contains(Sophos::ID))
}

fn host_of(request: &Request, prefix: &[&str], business: &Business) -> String {
    address(request, prefix, &format!("api-{}", rows::region(business).1))
}

/// An address of this simulator, as whoever asks reaches it.
fn address(request: &Request, prefix: &[&str], host: &str) -> String {
    let mut url = request.url.clone();
    url.set_query(None);
    url.set_path(&[prefix, &[host]].concat().join("/"));
    url.to_string()
}

/// Machines that run an agent of the endpoint product: network devices do not.
fn is_endpoint(device: &Device) -> bool {
    !matches!(device.class, DeviceClass::Firewall | DeviceClass::Switch)
}

fn problem(request: &Request, error: &str, message: &str) -> Value {
    if request.method == Method::Post {
        return json!({ "errorCode": error, "message": message, "trackingId": "sim-track-0001" });
    }
    json!({ "error": error, "message": message, "correlationId": "sim-correlation-0001", "requestId": "sim-request-0001", "code": null })
}

fn unknown() -> No {
    No(404, "NotFound", "Resource not found".to_owned())
}

fn bad(message: impl Into<String>) -> No {
    No(400, "BadRequest", message.into())
}
