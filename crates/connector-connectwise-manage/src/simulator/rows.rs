//! Rows as ConnectWise writes them: what is null is left out.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Business, Gravity, Invoice, Location, Person, Ticket, TicketState},
};

use super::State;
use crate::ConnectwiseManage;

/// What was written of how a person is reached.
#[derive(Clone, Default)]
pub(super) struct Reached {
    pub phone: Option<String>,
    pub mobile: Option<String>,
    pub site: Option<u64>,
}

/// Ids of companies: the MSP's other tools know them by these.
pub(super) fn company_id(key: u64) -> u64 {
    key + 1000
}

pub(super) fn business(world: &World, id: u64) -> Option<&Business> {
    world.business(id.checked_sub(1000)?).filter(|business| business.vendors.contains(ConnectwiseManage::ID))
}

/// Countries: id, code, name.
pub(super) const COUNTRIES: [(u64, &str, &str); 10] = [
    (1, "US", "United States"),
    (5, "GB", "United Kingdom"),
    (6, "AU", "Australia"),
    (7, "NZ", "New Zealand"),
    (8, "IE", "Ireland"),
    (9, "DE", "Germany"),
    (10, "NL", "Netherlands"),
    (11, "FR", "France"),
    (12, "ES", "Spain"),
    (13, "SE", "Sweden"),
];

/// Service boards, each with the number before which its states stand.
pub(super) const BOARDS: [(u64, &str); 2] = [(1, "Help Desk"), (2, "Onsite")];

/// States of a board in their order.
pub(super) const STATES: [(TicketState, &str); 4] = [
    (TicketState::New, "New"),
    (TicketState::InProgress, "In Progress"),
    (TicketState::Waiting, "Waiting on Client"),
    (TicketState::Closed, "Closed"),
];

pub(super) const PRIORITIES: [(u64, Gravity, &str); 5] = [
    (6, Gravity::Critical, "Priority 1 - Critical"),
    (7, Gravity::High, "Priority 2 - High"),
    (8, Gravity::Medium, "Priority 3 - Normal"),
    (9, Gravity::Low, "Priority 4 - Low"),
    (10, Gravity::Info, "Do Not Respond"),
];

/// Kinds of communication: id, description, whether for mail, whether for voice.
pub(super) const COMMUNICATIONS: [(u64, &str, bool, bool); 4] =
    [(1, "Email", true, false), (2, "Direct", false, true), (4, "Mobile", false, true), (5, "Fax", false, false)];

pub(super) fn state_id(board: u64, state: TicketState) -> u64 {
    board * 40 + STATES.iter().position(|(other, _)| *other == state).unwrap_or(0) as u64
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn day(day: NaiveDate) -> String {
    format!("{day}T00:00:00Z")
}

fn marks(updated: DateTime<Utc>, entered: DateTime<Utc>) -> Value {
    json!({ "lastUpdated": time(updated), "updatedBy": "jdoe", "dateEntered": time(entered), "enteredBy": "jdoe" })
}

/// As null fields are left out.
fn without_nulls(mut row: Value) -> Value {
    if let Some(fields) = row.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    row
}

pub(super) fn name(state: &State, of: &Business) -> String {
    match state.names.get(&of.key) {
        Some((then, written)) if *then == of.legal_name => written.clone(),
        _ => of.name_at(ConnectwiseManage::ID),
    }
}

pub(super) fn code(state: &State, of: &Business) -> String {
    let usual = || {
        let letters: String = of.short_name.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        format!("{letters}{}", of.key)
    };
    state.codes.get(&of.key).cloned().unwrap_or_else(usual)
}

fn country(code: &str) -> Value {
    let known = COUNTRIES.iter().find(|(_, other, _)| *other == code);
    known.map_or(Value::Null, |(id, _, name)| json!({ "id": id, "name": name }))
}

fn mention(state: &State, of: &Business) -> Value {
    json!({ "id": company_id(of.key), "identifier": code(state, of), "name": name(state, of) })
}

pub(super) fn company(state: &State, of: &Business) -> Value {
    let active = !state.inactive.contains(&of.key);
    let (status, word) = if active { (1, "Active") } else { (2, "Inactive") };
    let [first, second] = of.street_lines();
    let second = Some(second).filter(|second| !second.is_empty());
    without_nulls(json!({
        "id": company_id(of.key), "identifier": code(state, of), "name": name(state, of),
        "status": { "id": status, "name": word },
        "addressLine1": first, "addressLine2": second, "city": of.city, "state": of.region, "zip": of.post_code,
        "country": country(&of.country), "phoneNumber": of.phone, "website": format!("https://www.{}", of.domain),
        "territory": { "id": 2, "name": "Corporate" }, "accountNumber": format!("C-{}", of.psa_id),
        "dateAcquired": time(of.since), "deletedFlag": false, "types": [{ "id": 1, "name": "Client" }],
        "site": of.locations.first().map(|site| json!({ "id": site.key, "name": site.name })),
        "_info": marks(of.since, of.since),
    }))
}

pub(super) fn site(state: &State, of: &Business, site: &Location) -> Value {
    let street = site.address.split(',').next().unwrap_or_default();
    without_nulls(json!({
        "id": site.key, "name": site.name, "addressLine1": street, "city": of.city,
        "stateReference": { "id": 3, "identifier": of.region, "name": of.region }, "zip": of.post_code,
        "country": country(&of.country), "phoneNumber": of.phone,
        "primaryAddressFlag": of.locations.first().is_some_and(|first| first.key == site.key),
        "inactiveFlag": false, "company": mention(state, of), "_info": marks(of.since, of.since),
    }))
}

pub(super) fn contact(state: &State, of: &Business, person: &Person) -> Value {
    let reached = state.reached.get(&person.key).cloned().unwrap_or_default();
    let item = |at: u64, kind: (u64, &str), value: &str, word: &str, default: bool| {
        json!({
            "id": person.key * 10 + at, "type": { "id": kind.0, "name": kind.1 }, "value": value,
            "defaultFlag": default, "communicationType": word,
        })
    };
    let mut items = vec![item(1, (1, "Email"), &person.email, "Email", true)];
    items.extend(reached.phone.as_deref().map(|phone| item(2, (2, "Direct"), phone, "Phone", true)));
    items.extend(reached.mobile.as_deref().map(|phone| item(3, (4, "Mobile"), phone, "Phone", false)));
    let site = reached.site.and_then(|key| of.locations.iter().find(|site| site.key == key)).or(of.locations.first());
    without_nulls(json!({
        "id": person.key, "firstName": person.given, "lastName": person.family, "company": mention(state, of),
        "site": site.map(|site| json!({ "id": site.key, "name": site.name })), "title": person.title,
        "inactiveFlag": !person.enabled, "defaultFlag": of.people.first().is_some_and(|first| first.key == person.key),
        "portalPassword": "never-to-be-kept", "communicationItems": items,
        "_info": marks(person.created, person.created),
    }))
}

pub(super) fn board(state: &State, ticket: &Ticket) -> u64 {
    state.boards.get(&ticket.key).copied().unwrap_or(ticket.key % 2 + 1)
}

pub(super) fn ticket(state: &State, of: &Business, ticket: &Ticket) -> Value {
    let (board, at) = BOARDS[(board(state, ticket) as usize - 1).min(1)];
    let word = STATES.iter().find(|(state, _)| *state == ticket.state).map_or("New", |(_, word)| word);
    let priority = PRIORITIES.iter().find(|(_, gravity, _)| *gravity == ticket.gravity).unwrap_or(&PRIORITIES[2]);
    let person = ticket.person.and_then(|key| of.person(key));
    let asked = person.map(|person| format!("{} {}", person.given, person.family));
    without_nulls(json!({
        "id": ticket.key, "summary": ticket.title, "recordType": "ServiceTicket",
        "board": { "id": board, "name": at }, "status": { "id": state_id(board, ticket.state), "name": word },
        "company": mention(state, of), "contact": person.map(|p| json!({ "id": p.key, "name": asked })),
        "contactName": asked, "contactEmailAddress": person.map(|person| &person.email),
        "type": { "id": 3, "name": "Incident" },
        "owner": ticket.assignee.as_ref().map(|who| json!({ "id": 176, "identifier": "tech", "name": who })),
        "priority": { "id": priority.0, "name": priority.2, "sort": priority.0 },
        "severity": "Medium", "impact": "Medium", "requiredDate": ticket.due.map(time),
        "closedDate": ticket.closed.map(time), "closedFlag": ticket.state == TicketState::Closed,
        "_info": marks(ticket.updated, ticket.created),
    }))
}

pub(super) fn invoice(state: &State, of: &Business, invoice: &Invoice) -> Value {
    // The world's amounts have two decimals, which the nearest binary number writes back as they are.
    let amount = |text: String| text.parse::<f64>().unwrap_or_default();
    let status = if invoice.paid.is_some() { (3, "Closed") } else { (2, "Sent") };
    without_nulls(json!({
        "id": invoice.key, "invoiceNumber": invoice.number, "type": "Agreement",
        "status": { "id": status.0, "name": status.1 }, "company": mention(state, of), "date": day(invoice.issued),
        "dueDate": day(invoice.due), "subtotal": amount(invoice.net.to_string()),
        "salesTax": amount(invoice.tax.to_string()), "total": amount((invoice.net + invoice.tax).to_string()),
        "balance": amount(invoice.balance.to_string()),
        "currency": { "id": 7, "currencyCode": invoice.currency, "name": invoice.currency },
        "_info": marks(invoice.updated, invoice.updated),
    }))
}
