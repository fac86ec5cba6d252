//! The world in the vendor's words.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use integration::Vendor;
use serde_json::{Map, Value, json};
use vendorkit::{
    World,
    world::{Alert, Business, Device, Gravity, Invoice, Person, Ticket, TicketState},
};

use super::{State, lists};
use crate::Syncro;

/// Numbers of customers begin here, so that they are not taken for anything else's.
const FIRST_CUSTOMER: u64 = 500;
const FIRST_TICKET: u64 = 2_000;

pub(super) fn customer_id(business: &Business) -> u64 {
    business.key + FIRST_CUSTOMER
}

pub(super) fn is_disabled(business: &Business) -> bool {
    business.key.is_multiple_of(19)
}

/// The name as typed here, or with the noise of the world.
fn name(state: &State, business: &Business) -> String {
    let typed = state.typed.get(&business.key).filter(|name| **name == business.legal_name);
    typed.cloned().unwrap_or_else(|| business.name_at(Syncro::ID))
}

pub(super) fn customer(state: &State, business: &Business) -> Value {
    let name = name(state, business);
    // Some were entered as if they were a person.
    let person = business.key.is_multiple_of(13) && !state.typed.contains_key(&business.key);
    json!({
        "id": customer_id(business), "firstname": if person { name.as_str() } else { "" }, "lastname": "",
        "fullname": if person { name.as_str() } else { "" }, "business_name": (!person).then_some(&name),
        "business_and_full_name": &name, "business_then_name": &name, "email": format!("office@{}", business.domain),
        "phone": business.phone, "mobile": null, "address": business.street, "address_2": null,
        "city": business.city, "state": business.region, "zip": business.post_code, "disabled": is_disabled(business),
        "created_at": date(business.since, business.key), "updated_at": date(business.since, business.key),
        "properties": {}, "contacts": [],
    })
}

pub(super) fn find_person(world: &World, key: u64) -> Option<(&Business, &Person)> {
    world.known_to(Syncro::ID).find_map(|business| Some((business, business.person(key)?)))
}

pub(super) fn full_name(person: &Person) -> String {
    format!("{} {}", person.given, person.family).trim().to_owned()
}

pub(super) fn contact(business: &Business, person: &Person, written: Option<&Map<String, Value>>) -> Value {
    let mut record = json!({
        "id": person.key, "name": full_name(person), "email": person.email, "phone": business.phone, "mobile": null,
        "address1": null, "customer_id": customer_id(business), "account_id": 1, "notes": null, "extension": null,
        "created_at": date(person.created, person.key), "updated_at": date(person.created, person.key),
        "properties": {}, "opt_out": false,
    });
    for (key, value) in written.into_iter().flatten() {
        record[key] = value.clone();
    }
    record
}

pub(super) fn asset(business: &Business, device: &Device, now: DateTime<Utc>) -> Value {
    let user = device.person.and_then(|key| business.person(key)).map(|person| person.given.clone());
    let agent = json!({
        "general": {
            "name": device.hostname, "manufacturer": device.manufacturer, "model": device.model,
            "serial_number": device.serial, "form_factor": format!("{:?}", device.class), "ip": "203.0.113.9",
            "mac": [device.mac],
        },
        "os": { "name": device.os, "build": device.os_version },
        "network_adapters": [{ "name": "Ethernet", "ipv4": device.ip, "physical_address": device.mac }],
        "last_synced_at": date(device.last_contact.min(now), device.key), "last_user": user,
    });
    // Older agents report a text that holds the object.
    let old = device.key.is_multiple_of(7);
    json!({
        "id": device.key, "name": device.hostname, "customer_id": customer_id(business), "contact_id": null,
        "created_at": date(device.created, device.key), "updated_at": date(device.created, device.key),
        "asset_type": "Syncro Device", "asset_serial": if old { "" } else { device.serial.as_str() },
        "properties": if old { json!({}) } else { json!({ "kabuto_information": &agent }) },
        "customer": { "id": customer_id(business), "business_then_name": business.name_at(Syncro::ID) },
        "rmm_links": [],
        "rmm_store": {
            "asset_id": device.key,
            "triggers": { "no_av_triggered": "false", "agent_offline_triggered": (!device.online).to_string() },
            "general": if old { json!({ "info": agent.to_string() }) } else { json!({}) },
        },
    })
}

pub(super) fn alert(business: &Business, alert: &Alert) -> Value {
    let device = business.device(alert.device);
    json!({
        "id": alert.key, "customer_id": customer_id(business), "asset_id": alert.device, "ticket_number": null,
        "computer_name": device.map(|device| device.hostname.as_str()), "properties": {}, "check_id": 4,
        "resolved": alert.resolved.is_some(), "status": if alert.resolved.is_some() { "auto_resolved" } else { "triggered" },
        "description": alert.title, "formatted_output": format!("{}\nof {}", alert.title, alert.class),
        "created_at": date(alert.raised, alert.key), "updated_at": date(alert.updated, alert.key),
    })
}

pub(super) fn ticket(state: &State, business: &Business, one: &Ticket, whole: bool) -> Value {
    let person = one.person.and_then(|key| business.person(key));
    let status = state.statuses.get(&one.key).filter(|status| state_of(status) == Some(one.state));
    let mut comments = vec![comment(one, 1, "Initial Issue", &one.description, true)];
    for (at, (text, public)) in one.notes.iter().enumerate() {
        comments.insert(0, comment(one, at as u64 + 2, "Update", text, *public));
    }
    if one.description.is_empty() {
        comments.pop();
    }
    let mut record = json!({
        "id": one.key, "number": one.key + FIRST_TICKET, "subject": one.title, "customer_id": customer_id(business),
        "customer_business_then_name": name(state, business), "problem_type": "Hardware",
        "status": status.map_or(word_of(one.state), String::as_str), "priority": priority_of(one.gravity),
        "created_at": date(one.created, one.key), "updated_at": date(one.updated, one.key),
        "due_date": one.due.map(|at| date(at, one.key)), "resolved_at": one.closed.map(|at| date(at, one.key)),
        "properties": {}, "tag_list": [], "comments": comments,
        "user": one.assignee.as_ref().map(|name| json!({ "id": 1, "full_name": name, "admin": true })),
    });
    if whole {
        record["contact"] = person.map_or(Value::Null, |person| contact(business, person, None));
        record["customer"] = customer(state, business);
    } else {
        record["contact_id"] = person.map(|person| person.key).into();
        record["contact_fullname"] = person.map(full_name).into();
    }
    record
}

fn comment(ticket: &Ticket, at: u64, subject: &str, body: &str, public: bool) -> Value {
    json!({
        "id": ticket.key * 100 + at, "ticket_id": ticket.key, "subject": subject, "body": body, "hidden": !public,
        "tech": null, "user_id": null, "created_at": date(ticket.created, at), "updated_at": date(ticket.created, at),
    })
}

pub(super) fn invoice(business: &Business, one: &Invoice) -> Value {
    json!({
        "id": one.key, "customer_id": customer_id(business), "customer_business_then_name": business.name_at(Syncro::ID),
        "number": one.number, "date": day(one.issued), "due_date": day(one.due), "subtotal": one.net.to_string(),
        "total": (one.net + one.tax).to_string(), "tax": one.tax.to_string(), "is_paid": one.paid.is_some(),
        "verified_paid": one.paid.is_some(), "tech_marked_paid": false, "po_number": null, "contact_id": null,
        "created_at": date(one.updated, one.key), "updated_at": date(one.updated, one.key),
    })
}

/// The state that a word stands for.
pub(super) fn state_of(word: &str) -> Option<TicketState> {
    lists::STATUSES.contains(&word).then_some(match word {
        "New" => TicketState::New,
        "In Progress" | "Scheduled" => TicketState::InProgress,
        "Resolved" | "Invoiced" => TicketState::Closed,
        _ => TicketState::Waiting,
    })
}

fn word_of(state: TicketState) -> &'static str {
    match state {
        TicketState::New => "New",
        TicketState::InProgress => "In Progress",
        TicketState::Waiting => "Waiting on Customer",
        TicketState::Closed => "Resolved",
    }
}

pub(super) fn priority_of(gravity: Gravity) -> &'static str {
    lists::PRIORITIES[match gravity {
        Gravity::Critical => 0,
        Gravity::High => 1,
        Gravity::Medium => 2,
        Gravity::Low | Gravity::Info => 3,
    }]
}

/// Instants in UTC and in the account's own time.
fn date(at: DateTime<Utc>, way: u64) -> String {
    if way.is_multiple_of(2) {
        return at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    }
    let zone = FixedOffset::west_opt(8 * 3600).expect("eight hours is an offset");
    at.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

fn day(day: NaiveDate) -> String {
    format!("{day}T00:00:00.000-08:00")
}
