//! What can be read: pages, single records, and the words to choose from.

use std::collections::HashMap;

use integration::{Request, Vendor};
use serde_json::{Value, json};
use vendorkit::{World, world::Business};

use super::{Answer, No, State, records, unknown};
use crate::Syncro;

/// The states of tickets, in the order of the vendor's own.
pub(super) const STATUSES: [&str; 8] = [
    "New",
    "In Progress",
    "Resolved",
    "Invoiced",
    "Waiting for Parts",
    "Waiting on Customer",
    "Scheduled",
    "Customer Reply",
];
pub(super) const PRIORITIES: [&str; 4] = ["0 Urgent", "1 High", "2 Normal", "3 Low"];

/// Records on a page: small ones where the records are big.
const MANY: usize = 100;
const SOME: usize = 50;
const FEW: usize = 25;

pub(super) fn read(state: &State, world: &World, path: &[&str], request: &Request) -> Answer {
    let asked = Asked { query: request.url.query_pairs().into_owned().collect() };
    let homes = || world.known_to(Syncro::ID);
    let written = |kind, key| state.written.get(&(kind, key));
    match *path {
        ["customers"] => {
            let all = asked.said("include_disabled") == Some("true");
            let found: Vec<_> = homes().filter(|b| all || !records::is_disabled(b)).collect();
            asked.sorted()?;
            asked.page("customers", found, MANY, true, |b| records::customer(state, b))
        }
        ["customers", id] => {
            let found = home(world, key(id)?)?;
            Ok(json!({ "customer": records::customer(state, found) }))
        }
        ["contacts"] => {
            let mut found: Vec<_> = homes().flat_map(|b| b.people.iter().map(move |person| (b, person))).collect();
            found.sort_by_key(|(_, person)| person.key);
            asked.page("contacts", found, SOME, true, |(b, one)| records::contact(b, one, written("contact", one.key)))
        }
        ["contacts", id] => {
            let (b, person) = records::find_person(world, key(id)?).ok_or_else(unknown)?;
            Ok(records::contact(b, person, written("contact", person.key)))
        }
        ["customer_assets"] => {
            let mut found: Vec<_> = homes().flat_map(|b| b.devices.iter().map(move |device| (b, device))).collect();
            found.sort_by_key(|(_, device)| device.key);
            asked.page("assets", found, SOME, true, |(b, device)| records::asset(b, device, world.now))
        }
        ["rmm_alerts"] => {
            let wanted = asked.said("status").unwrap_or("active");
            let mut found = world.alerts_after(Syncro::ID, 0);
            found.retain(|(_, alert)| match wanted {
                "all" => true,
                "resolved" => alert.resolved.is_some(),
                _ => alert.resolved.is_none(),
            });
            asked.page("rmm_alerts", found, FEW, false, |(b, alert)| records::alert(b, alert))
        }
        ["tickets"] => {
            let found = world.tickets_after(Syncro::ID, 0);
            asked.page("tickets", found, FEW, false, |(b, one)| records::ticket(state, b, one, false))
        }
        ["tickets", "settings"] => Ok(json!({ "ticket_status_list": STATUSES, "ticket_types": [], "users": [] })),
        ["tickets", id] => {
            let (b, one) = world.ticket(key(id)?).ok_or_else(unknown)?;
            known(b)?;
            Ok(json!({ "ticket": records::ticket(state, b, one, true) }))
        }
        ["settings"] => {
            let mut priorities = vec![""];
            priorities.extend(PRIORITIES);
            Ok(json!({
                "locale": { "currency_symbol": "$" },
                "ticket": { "problem_types": ["Hardware", "Software", "Other"], "priorities": priorities },
            }))
        }
        ["invoices"] => {
            let found = world.invoices_after(Syncro::ID, 0);
            asked.page("invoices", found, FEW, false, |(b, one)| records::invoice(b, one))
        }
        _ => Err(unknown()),
    }
}

/// What a listing was asked for.
struct Asked {
    query: HashMap<String, String>,
}

impl Asked {
    fn said(&self, key: &str) -> Option<&str> {
        self.query.get(key).map(String::as_str)
    }

    /// Only one order is simulated.
    fn sorted(&self) -> Result<(), No> {
        match self.said("sort") {
            None | Some("id ASC") => Ok(()),
            Some(_) => Err(No(422, json!({ "error": "only one order is simulated" }))),
        }
    }

    /// A page of a size that nobody asks for; of what is counted, some listings tell only the pages.
    fn page<T>(&self, key: &str, found: Vec<T>, size: usize, counted: bool, show: impl Fn(T) -> Value) -> Answer {
        let number = self.said("page").and_then(|text| text.parse::<usize>().ok()).unwrap_or(1).max(1);
        let (total, pages) = (found.len(), found.len().div_ceil(size).max(1));
        let some: Vec<Value> = found.into_iter().skip((number - 1) * size).take(size).map(show).collect();
        let mut meta = json!({ "total_pages": pages, "page": number });
        if counted {
            meta["total_entries"] = total.into();
            meta["per_page"] = size.into();
        }
        Ok(json!({ key: some, "meta": meta }))
    }
}

pub(super) fn key(id: &str) -> Result<u64, No> {
    id.parse().map_err(|_| unknown())
}

/// A customer by its number.
pub(super) fn home(world: &World, id: u64) -> Result<&Business, No> {
    world.known_to(Syncro::ID).find(|business| records::customer_id(business) == id).ok_or_else(unknown)
}

pub(super) fn known(business: &Business) -> Result<(), No> {
    if business.vendors.contains(Syncro::ID) { Ok(()) } else { Err(unknown()) }
}
