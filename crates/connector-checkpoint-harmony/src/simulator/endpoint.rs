//! Harmony Endpoint: the management service of one customer, and the service for MSSPs beside it.

use std::{cmp::Reverse, collections::HashMap, sync::PoisonError};

use chrono::{SecondsFormat, TimeDelta};
use integration::{Body, Method, Request};
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{self, Business, Device, DeviceClass},
};

use super::{Answer, ENDPOINT, POWERLESS, Simulator, VENDOR};

/// How long a management session lives, and one of an MSSP.
pub(super) const SESSION: TimeDelta = TimeDelta::minutes(6);
const MSSP_SESSION: TimeDelta = TimeDelta::minutes(5);
/// The most computers that one job lists.
const MOST: usize = 50;
/// How many jobs are remembered.
const KEPT: usize = 1_000;

/// Jobs begun, and what each is to list. A result may be read again, until its turn to be forgotten comes.
#[derive(Default)]
pub(super) struct Jobs {
    begun: u64,
    kept: HashMap<String, Wanted>,
}

/// What a job is to list.
struct Wanted {
    offset: usize,
    size: usize,
}

/// The customer whose key it is.
pub(super) fn customer(world: &World) -> Option<&Business> {
    world.known_to(VENDOR).max_by_key(|business| (business.devices.len(), Reverse(business.key)))
}

/// A refusal in the form of RFC 7807.
fn no(status: u16, title: &str) -> Answer {
    let body = json!({
        "type": "generic", "title": title, "detail": "", "instance": "simulated", "source": "client",
        "httpCode": status, "referenceId": "8c1f0000", "extensions": [],
    });
    Answer::json(status, body)
}

impl Simulator {
    pub(super) fn endpoint(&self, world: &World, request: &Request, path: &str) -> Answer {
        let bearer = request.header_value("authorization").unwrap_or_default().to_owned();
        let client = self.bearer(world.now, request);
        let client = match client.as_deref() {
            Some(client @ (ENDPOINT | POWERLESS)) => client,
            _ => return no(401, "You are not authorized to perform the operation"),
        };
        match (request.method, path) {
            (Method::Post, "public/mssp/v1/session/login") => {
                if client == POWERLESS {
                    return no(403, "Forbidden");
                }
                self.mssp.lock().unwrap_or_else(PoisonError::into_inner).insert(bearer, world.now);
                let tenants = json!([{ "tenantId": "simulated", "status": "OK" }]);
                Answer::json(
                    200,
                    json!({
                        "sessionId": "simulated", "totalTenants": 1, "totalSuccess": 1, "tenantsLoginStatus": tenants,
                        "role": "admin",
                    }),
                )
            }
            (Method::Get, "public/v1/self-service/status") if client == POWERLESS => no(403, "Forbidden"),
            (Method::Get, "public/mssp/v1/service/status") => {
                let sessions = self.mssp.lock().unwrap_or_else(PoisonError::into_inner);
                let live = sessions.get(&bearer).is_some_and(|since| world.now - *since < MSSP_SESSION);
                if live { Answer::json(200, status(world)) } else { no(401, "No MSSP session") }
            }
            (method, path) => match path.strip_prefix("harmony/endpoint/api/v1/") {
                Some(path) => self.management(world, method, request, path, client),
                None => no(404, "Not Found"),
            },
        }
    }

    fn management(&self, world: &World, method: Method, request: &Request, path: &str, client: &str) -> Answer {
        if (method, path) == (Method::Post, "session/login/cloud") {
            let token = self.token("management", world.now, client);
            return Answer { status: 200, header: Some(("x-mgmt-api-token", token)), body: "{}".to_owned() };
        }
        let token = request.header_value("x-mgmt-api-token");
        if self.client("management", world.now, SESSION, token).as_deref() != Some(client) {
            return no(401, "The session is missing or over");
        }
        if client == POWERLESS {
            return no(403, "Forbidden");
        }
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        match (method, path.strip_prefix("jobs/")) {
            (Method::Post, None) if path == "asset-management/computers/filtered" => match asked(request) {
                Some(wanted) => {
                    jobs.begun += 1;
                    if jobs.kept.len() >= KEPT {
                        jobs.kept.clear();
                    }
                    let id = world::uuid("harmony job", jobs.begun).to_string();
                    jobs.kept.insert(id.clone(), wanted);
                    Answer::json(200, json!({ "jobId": id }))
                }
                None => no(422, "The request is not as described"),
            },
            (Method::Get, Some(id)) => match jobs.kept.get(id) {
                Some(wanted) => Answer::json(200, done(world, wanted)),
                None => Answer::json(200, json!({ "status": "NOT_FOUND", "statusCode": 404, "statusType": 4 })),
            },
            _ => no(404, "Not Found"),
        }
    }
}

/// What a request for computers asks for, if it is as the vendor wants it.
fn asked(request: &Request) -> Option<Wanted> {
    let Body::Json(body) = &request.body else { return None };
    let as_job = request.header_value("x-mgmt-run-as-job") == Some("on");
    let known = body["filters"].as_array().is_some_and(Vec::is_empty) && body["viewType"] == "DEVICES";
    let number = |key: &str| body["paging"][key].as_u64().and_then(|number| usize::try_from(number).ok());
    let wanted = Wanted { offset: number("offset")?, size: number("pageSize")? };
    (as_job && known && (1..=MOST).contains(&wanted.size)).then_some(wanted)
}

fn status(world: &World) -> Value {
    let Some(business) = customer(world) else {
        let id = world::uuid("harmony account", 0);
        return json!({ "tenantId": id, "tenantName": "Simulated MSP", "type": "MSSP", "machines": [], "childTenants": [] });
    };
    let id = business.id_at(VENDOR);
    let machine = json!({
        "machineId": "m-81", "tenantId": id, "state": "RUNNING", "numOfClients": business.devices.len(),
        "numberOfSeats": (business.devices.len() + 5).to_string(), "location": "EU", "serverVersion": "R81.10",
    });
    json!({
        "tenantId": id, "tenantName": business.name_at(VENDOR), "type": "CUSTOMER", "machines": [machine],
        "childTenants": [],
    })
}

fn done(world: &World, wanted: &Wanted) -> Value {
    let devices = customer(world).map(|business| business.devices.as_slice()).unwrap_or_default();
    let page: Vec<Value> = devices.iter().skip(wanted.offset).take(wanted.size).map(computer).collect();
    json!({
        "status": "DONE", "statusCode": 200, "statusType": 2,
        "data": {
            "totalCount": devices.len() as f64, "pageSize": wanted.size as f64, "pageOffset": wanted.offset as f64,
            "computers": page,
        },
    })
}

fn computer(device: &Device) -> Value {
    let class = match device.class {
        DeviceClass::Server | DeviceClass::LinuxServer => "Server",
        DeviceClass::Mac => "Laptop",
        DeviceClass::Workstation => "Desktop",
        DeviceClass::Firewall | DeviceClass::Switch => "N/A",
    };
    let seen = if device.key.is_multiple_of(2) {
        json!(device.last_contact.timestamp_millis())
    } else {
        json!(device.last_contact.to_rfc3339_opts(SecondsFormat::Secs, true))
    };
    json!({
        "computerId": world::uuid("harmony computer", device.key), "computerName": device.hostname,
        "computerIP": device.ip, "computerType": class, "osName": device.os, "osVersion": device.os_version,
        "computerClientVersion": "88.50.0213", "computerLastConnection": seen, "computerDeploymentStatus": "Completed",
        "computerUserName": "999", "computerLastLoggedInUser": "999", "isDeleted": false, "amStatus": "OK",
        "isolationStatus": "Not Isolated", "computerDeployTime": 0,
    })
}
