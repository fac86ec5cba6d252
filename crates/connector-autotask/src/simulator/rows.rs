//! Rows as Autotask writes them: null fields are there, numbers stand for words.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Business, Invoice, Location, Person, Ticket, TicketState},
};

use super::{
    State,
    meanings::{PRIORITIES, QUEUES, STATES},
};
use crate::Autotask;

/// What was written of how a person is reached.
#[derive(Clone, Default)]
pub(super) struct Reached {
    pub phone: Option<String>,
    pub mobile: Option<String>,
    pub place: Option<u64>,
}

/// Countries: id and code.
pub(super) const COUNTRIES: [(u64, &str); 10] = [
    (237, "US"),
    (236, "GB"),
    (14, "AU"),
    (157, "NZ"),
    (105, "IE"),
    (82, "DE"),
    (155, "NL"),
    (75, "FR"),
    (209, "ES"),
    (216, "SE"),
];

/// Ids of companies: the MSP's other tools know them by these.
pub(super) fn company_id(key: u64) -> u64 {
    key + 1000
}

pub(super) fn business(world: &World, id: u64) -> Option<&Business> {
    world.business(id.checked_sub(1000)?).filter(|business| business.vendors.contains(Autotask::ID))
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn day(day: NaiveDate) -> String {
    format!("{day}T00:00:00Z")
}

pub(super) fn company(state: &State, of: &Business) -> Value {
    let name = match state.names.get(&of.key) {
        Some((then, written)) if *then == of.legal_name => written.clone(),
        _ => of.name_at(Autotask::ID),
    };
    let [first, second] = of.street_lines();
    let second = Some(second).filter(|second| !second.is_empty());
    json!({
        "id": company_id(of.key), "companyName": name, "companyNumber": format!("C-{}", of.psa_id), "companyType": 1,
        "isActive": !state.inactive.contains(&of.key), "phone": of.phone, "webAddress": format!("www.{}", of.domain),
        "address1": first, "address2": second, "city": of.city, "state": of.region, "postalCode": of.post_code,
        "countryID": COUNTRIES.iter().find(|(_, code)| *code == of.country).map(|(id, _)| id),
        "ownerResourceID": 29682885, "parentCompanyID": null, "createDate": time(of.since),
        "lastActivityDate": time(of.since), "userDefinedFields": [],
    })
}

pub(super) fn location(of: &Business, place: &Location) -> Value {
    json!({
        "id": place.key, "companyID": company_id(of.key), "name": place.name, "description": null,
        "address1": place.address.split(',').next(), "address2": "", "city": of.city, "state": of.region,
        "postalCode": of.post_code, "isActive": true, "phone": of.phone,
        "isPrimary": of.locations.first().is_some_and(|first| first.key == place.key),
    })
}

pub(super) fn contact(state: &State, of: &Business, person: &Person) -> Value {
    let reached = state.reached.get(&person.key).cloned().unwrap_or_default();
    json!({
        "id": person.key, "companyID": company_id(of.key), "firstName": person.given, "lastName": person.family,
        "companyLocationID": reached.place.or(of.locations.first().map(|place| place.key)),
        "emailAddress": person.email, "phone": reached.phone, "mobilePhone": reached.mobile, "title": person.title,
        "isActive": i64::from(person.enabled), "createDate": time(person.created),
        "primaryContact": of.people.first().is_some_and(|first| first.key == person.key),
        "lastModifiedDate": time(person.created), "lastActivityDate": time(person.created),
    })
}

pub(super) fn queue(state: &State, ticket: &Ticket) -> u64 {
    state.queues.get(&ticket.key).copied().unwrap_or(QUEUES[(ticket.key % 2) as usize].0)
}

pub(super) fn ticket(state: &State, of: &Business, ticket: &Ticket) -> Value {
    let status = STATES.iter().find(|(_, _, state)| *state == ticket.state).map(|(value, ..)| value);
    let priority = PRIORITIES.iter().find(|(_, _, gravity)| *gravity == ticket.gravity).map(|(value, ..)| value);
    let done = ticket.state == TicketState::Closed;
    json!({
        "id": ticket.key, "ticketNumber": format!("T{}.{:04}", ticket.created.format("%Y%m%d"), ticket.key % 10_000),
        "title": ticket.title, "description": ticket.description, "companyID": company_id(of.key),
        "contactID": ticket.person, "status": status, "priority": priority, "queueID": queue(state, ticket),
        "ticketType": 1, "createDate": time(ticket.created), "lastActivityDate": time(ticket.updated),
        "dueDateTime": ticket.due.map(time), "completedDate": ticket.closed.filter(|_| done).map(time),
        "assignedResourceID": ticket.assignee.as_ref().map(|_| 29682885), "externalID": "", "userDefinedFields": [],
    })
}

pub(super) fn invoice(of: &Business, invoice: &Invoice) -> Value {
    // The world's amounts have two decimals, which the nearest binary number writes back as they are.
    let amount = |text: String| text.parse::<f64>().unwrap_or_default();
    json!({
        "id": invoice.key, "companyID": company_id(of.key), "invoiceNumber": invoice.number, "orderNumber": "",
        "invoiceDateTime": day(invoice.issued), "dueDate": day(invoice.due), "paidDate": invoice.paid.map(day),
        "isVoided": false, "invoiceTotal": amount((invoice.net + invoice.tax).to_string()),
        "totalTaxValue": amount(invoice.tax.to_string()), "batchID": 9, "comments": null,
    })
}
