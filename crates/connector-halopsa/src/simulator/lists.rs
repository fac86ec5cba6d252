//! What can be read: pages, single records, and the lists to choose from.

use std::collections::HashMap;

use integration::{Request, Vendor};
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Business, Person},
};

use super::{Answer, No, State, records, refused, unknown};
use crate::Halopsa;

/// The most that it gives on a page.
const MOST: usize = 100;
/// What it gives when nothing is said.
const USUAL: usize = 50;

/// The states of tickets: number and name.
pub(super) const STATUSES: [(u64, &str); 4] = [(1, "New"), (2, "In Progress"), (4, "With User"), (9, "Closed")];
pub(super) const PRIORITIES: [(u64, &str); 4] = [(1, "Critical"), (2, "High"), (3, "Medium"), (4, "Low")];
pub(super) const TEAMS: [&str; 2] = ["1st Line", "2nd Line"];
/// General users have numbers beyond those of people.
const GENERAL: u64 = 900_000_000;

pub(super) fn read(state: &State, world: &World, path: &[&str], request: &Request) -> Answer {
    let asked = Asked { query: request.url.query_pairs().into_owned().collect() };
    let homes = || world.known_to(Halopsa::ID);
    let written = |kind, key| state.written.get(&(kind, key));
    match *path {
        ["client"] => {
            let found = homes().filter(|b| asked.shows(records::is_inactive(state, b))).collect();
            asked.page("clients", found, |b| records::client(state, b, false))
        }
        ["client", id] => {
            let id = key(id)?;
            let found = homes().find(|b| records::client_id(b) == id).ok_or_else(unknown)?;
            Ok(records::client(state, found, asked.on("includedetails")))
        }
        ["site"] => {
            let mut found: Vec<_> = homes().flat_map(|b| b.locations.iter().map(move |place| (b, place))).collect();
            found.sort_by_key(|(_, place)| place.key);
            asked.page("sites", found, |(b, place)| records::site(state, b, place, asked.on("includeaddress"), false))
        }
        ["site", id] => {
            let id = key(id)?;
            let place = |b: &'_ Business| b.locations.iter().position(|place| place.key == id);
            let (b, at) = homes().find_map(|b| Some((b, place(b)?))).ok_or_else(unknown)?;
            Ok(records::site(state, b, &b.locations[at], true, true))
        }
        ["users"] => users(state, world, &asked),
        ["users", id] => {
            let (b, person) = records::find_user(world, key(id)?).ok_or_else(unknown)?;
            Ok(records::user(b, person, written("user", person.key)))
        }
        ["asset"] => {
            let mut found: Vec<_> = homes().flat_map(|b| b.devices.iter().map(move |device| (b, device))).collect();
            found.sort_by_key(|(_, device)| device.key);
            asked.page("assets", found, |(b, device)| records::asset(b, device, asked.on("includeassetfields")))
        }
        ["tickets"] => {
            let found = world.tickets_after(Halopsa::ID, 0);
            asked.page("tickets", found, |(b, one)| {
                records::ticket(b, one, asked.on("includestatus"), written("ticket", one.key))
            })
        }
        ["tickets", id] => {
            let (b, one) = world.ticket(key(id)?).ok_or_else(unknown)?;
            known(b)?;
            Ok(records::ticket(b, one, true, written("ticket", one.key)))
        }
        ["actions"] => {
            let ticket = asked.number("ticket_id", 0)? as u64;
            let (b, one) = world.ticket(ticket).ok_or_else(unknown)?;
            known(b)?;
            let action = |(at, (note, public)): (usize, &(String, bool))| {
                json!({
                    "id": at + 1, "ticket_id": ticket, "outcome": "Private Note", "outcome_id": 7, "note": note,
                    "hiddenfromuser": !public, "datetime": records::date(one.updated, 0), "who": "API Agent",
                })
            };
            let actions: Vec<Value> = one.notes.iter().enumerate().map(action).collect();
            Ok(json!({ "record_count": actions.len(), "actions": actions }))
        }
        ["invoice"] => {
            asked.page("invoices", world.invoices_after(Halopsa::ID, 0), |(b, one)| records::invoice(b, one))
        }
        ["status"] => Ok(numbered(&STATUSES)),
        ["priority"] => Ok(PRIORITIES.iter().map(|(id, name)| priority(*id, name)).collect()),
        ["team"] => Ok(TEAMS.iter().enumerate().map(|(at, name)| team(at, name)).collect()),
        _ => Err(unknown()),
    }
}

fn users(state: &State, world: &World, asked: &Asked) -> Answer {
    /// A person, or the placeholder of a place.
    type Row<'a> = (u64, &'a Business, Option<&'a Person>);
    let mut found: Vec<Row<'_>> = Vec::new();
    for business in world.known_to(Halopsa::ID) {
        let people = business.people.iter().filter(|person| asked.shows(!person.enabled));
        found.extend(people.map(|person| (person.key, business, Some(person))));
        if !asked.on("exclude_generaluser") {
            found.extend(business.locations.iter().map(|place| (GENERAL + place.key, business, None)));
        }
    }
    found.sort_by_key(|(id, ..)| *id);
    asked.page("users", found, |(id, business, person)| match person {
        Some(person) => records::user(business, person, state.written.get(&("user", id))),
        None => json!({
            "id": id, "name": "General User", "site_id": (id - GENERAL) as f64, "inactive": false,
            "client_id": records::client_id(business),
        }),
    })
}

/// What a listing was asked for. Parameters that are not known are not looked at.
struct Asked {
    query: HashMap<String, String>,
}

impl Asked {
    fn on(&self, key: &str) -> bool {
        self.query.get(key).is_some_and(|value| value == "true")
    }

    fn shows(&self, inactive: bool) -> bool {
        !inactive || self.on("includeinactive")
    }

    fn number(&self, key: &str, usual: usize) -> Result<usize, No> {
        let Some(text) = self.query.get(key) else { return Ok(usual) };
        text.parse().map_err(|_| refused("The request is invalid."))
    }

    fn page<T>(&self, key: &str, found: Vec<T>, show: impl Fn(T) -> Value) -> Answer {
        let total = found.len();
        if !self.on("pageinate") {
            let some: Vec<Value> = found.into_iter().take(self.number("count", USUAL)?).map(show).collect();
            return Ok(json!({ "record_count": total, key: some }));
        }
        let (size, number) = (self.number("page_size", USUAL)?.clamp(1, MOST), self.number("page_no", 1)?.max(1));
        let some: Vec<Value> = found.into_iter().skip((number - 1) * size).take(size).map(show).collect();
        Ok(json!({ "page_no": number, "page_size": size, "record_count": total, key: some }))
    }
}

pub(super) fn key(id: &str) -> Result<u64, No> {
    id.parse().map_err(|_| refused("The request is invalid."))
}

pub(super) fn known(business: &Business) -> Result<(), No> {
    if business.vendors.contains(Halopsa::ID) { Ok(()) } else { Err(unknown()) }
}

fn numbered(all: &[(u64, &str)]) -> Value {
    all.iter().map(|(id, name)| json!({ "id": id, "name": name, "shortname": name, "sequence": id })).collect()
}

fn priority(id: u64, name: &str) -> Value {
    let guid = format!("1f0c9d5e-0000-4000-8000-{id:012}");
    json!({ "id": guid, "slaid": 1, "priorityid": id, "name": name, "ishidden": false })
}

fn team(at: usize, name: &str) -> Value {
    json!({ "id": at + 1, "name": name, "forrequests": true, "inactive": false, "ticket_count": 0 })
}
