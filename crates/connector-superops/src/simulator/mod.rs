//! SuperOps, simulated over the shared world.
//!
//! It has the habits that have cost others time: errors with status 200, an empty answer to a strange
//! subdomain, ids that are numbers inside untyped JSON, totals as texts, `hasMore` null on the last page,
//! times without a zone or seconds, and users whose client and site are null.

mod checks;
mod graphql;
mod ids;
mod lists;
mod rows;
mod schema;
mod tickets;
mod words;
mod writes;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use integration::{Body, Method, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World};

use self::graphql::Document;
use crate::Superops;

const SUBDOMAIN: &str = "simulated-msp";
const TOKEN: &str = "superops-simulated-token";
const POWERLESS: &str = "superops-simulated-guest";

/// SuperOps over the shared world.
#[derive(Default)]
pub struct Simulator {
    state: Mutex<State>,
}

/// What SuperOps alone knows.
#[derive(Default)]
struct State {
    /// Names as they were written here, each with the legal name that it was written for.
    names: HashMap<u64, (String, String)>,
    /// Telephone numbers and sites of users, by their keys.
    phones: HashMap<u64, String>,
    sites: HashMap<u64, u64>,
    /// Groups of technicians, by the key of the ticket.
    groups: HashMap<u64, u64>,
}

/// An error of the vendor's own: its code and what it is about.
struct Problem(&'static str, &'static str);

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Superops::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let (status, body) = self.respond(world, request);
        let received_at = world.read().unwrap_or_else(PoisonError::into_inner).now;
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Response { status, headers, body: body.map(|body| body.to_string()).unwrap_or_default().into(), received_at }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, TOKEN)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "superops-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS)
    }

    /// A token has no end.
    fn expire_tokens(&self) {}
}

impl Simulator {
    fn respond(&self, world: &SharedWorld, request: &Request) -> (u16, Option<Value>) {
        if request.method != Method::Post || !request.url.path().ends_with("/msp") {
            return (404, None);
        }
        if request.header_value("CustomerSubDomain") != Some(SUBDOMAIN) {
            return (400, None);
        }
        let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if !matches!(token, Some(TOKEN | POWERLESS)) {
            return (401, Some(json!({ "message": "Unauthorized" })));
        }
        let Body::Json(body) = &request.body else { return (400, Some(json!({ "message": "Bad Request" }))) };
        let (query, input) = (body["query"].as_str().unwrap_or_default(), &body["variables"]["input"]);
        let document = match graphql::parse(query) {
            Ok(document) => document,
            Err(why) => return (200, Some(mistake(&why, "InvalidSyntax"))),
        };
        if let Err(why) = checks::check(&document, input) {
            return (200, Some(mistake(&format!("Validation error ({why})"), "ValidationError")));
        }
        let name = document.root.name.clone();
        let answer =
            if token == Some(POWERLESS) { Err(Problem("forbidden", "")) } else { self.run(world, &document, input) };
        match answer {
            Ok(whole) => (200, Some(json!({ "data": { name: checks::project(whole, &document.root) } }))),
            Err(problem) => (200, Some(problem.told(&name))),
        }
    }

    fn run(&self, world: &SharedWorld, document: &Document, input: &Value) -> Result<Value, Problem> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let name = document.root.name.as_str();
        if document.mutation {
            let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
            return writes::run(&mut world, &mut state, name, input);
        }
        let world: &World = &world.read().unwrap_or_else(PoisonError::into_inner);
        match name {
            "getClient" => rows::client(world, &state, ids::named(ids::CLIENT, &input["accountId"])?),
            "getClientUser" => rows::user(world, &state, ids::named(ids::USER, &input["userId"])?),
            "getTicket" => rows::ticket(world, &state, ids::named(ids::TICKET, &input["ticketId"])?),
            "getStatusList" => Ok(words::listed(words::STATUSES.iter().map(|(word, _)| *word))),
            "getPriorityList" => Ok(words::listed(words::PRIORITIES.iter().map(|(word, _)| *word))),
            "getTechnicianGroupList" => Ok(words::groups()),
            "getRequesterRoleList" => Ok(words::roles()),
            _ => lists::run(world, &state, name, input),
        }
    }
}

impl Problem {
    fn told(&self, name: &str) -> Value {
        let attributes: Vec<&str> = self.1.split_whitespace().collect();
        let told = json!([{ "code": self.0, "param": { "attributes": attributes } }]);
        json!({
            "errors": [{
                "message": format!("Exception while fetching data (/{name})"),
                "path": [name],
                "extensions": { "classification": "DataFetchingException", "clientError": told },
            }],
            "data": { name: null },
        })
    }
}

fn mistake(message: &str, class: &str) -> Value {
    json!({ "errors": [{ "message": message, "extensions": { "classification": class } }] })
}

fn form(base: &str, token: &str) -> Map<String, Value> {
    let fields =
        [("region", "us"), ("subdomain", SUBDOMAIN), ("api_token", token), ("currency", "AUD"), ("api_url", base)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
