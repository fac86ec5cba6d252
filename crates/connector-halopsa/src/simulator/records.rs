//! The world in the vendor's words.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use integration::Vendor;
use serde_json::{Map, Value, json};
use vendorkit::{
    World,
    world::{Business, Device, Gravity, Invoice, Location, Person, Ticket, TicketState},
};

use super::{State, lists};
use crate::Halopsa;

/// Number 1 is the placeholder for unknown clients in real accounts.
const FIRST_CLIENT: u64 = 10;
const EMPTY_DATE: &str = "1900-01-01T00:00:00";

pub(super) fn client_id(business: &Business) -> u64 {
    business.key + FIRST_CLIENT
}

pub(super) fn is_inactive(state: &State, business: &Business) -> bool {
    let written = state.written.get(&("client", business.key)).and_then(|fields| fields.get("inactive")?.as_bool());
    written.unwrap_or(business.key.is_multiple_of(17))
}

pub(super) fn client(state: &State, business: &Business, whole: bool) -> Value {
    let key = business.key;
    let typed = state.typed.get(&key).filter(|name| **name == business.legal_name);
    let mut record = json!({
        "id": client_id(business), "name": typed.cloned().unwrap_or_else(|| business.name_at(Halopsa::ID)),
        "toplevel_id": 1, "toplevel_name": "Customers", "inactive": is_inactive(state, business), "colour": "#2bd3c6",
        "main_site_id": business.locations[0].key, "main_site_name": business.locations[0].name,
        "ref": format!("C-{}", business.psa_id), "datecreated": date(business.since, key),
        // People fill this in: with and without a scheme, and not always.
        "website": match key % 3 { 0 => format!("https://www.{}/", business.domain), 1 => business.domain.clone(), _ => String::new() },
        "ninjarmmid": if key.is_multiple_of(4) && business.vendors.contains("ninjaone") { key } else { 0 },
        "connectwiseid": 0, "autotaskid": 0, "xeroid": "",
    });
    if whole {
        record["main_phonenumber"] = business.phone.as_str().into();
        record["main_delivery_address"] = address(business);
    }
    overlaid(record, state.written.get(&("client", key)))
}

/// What is the third and the fourth line of an address; the fourth is mostly blank.
fn last_lines(business: &Business) -> (&str, &str) {
    business.region.split_once('\n').unwrap_or((business.region.as_str(), ""))
}

fn address(business: &Business) -> Value {
    let (third, fourth) = last_lines(business);
    json!({
        "id": business.key, "line1": business.street, "line2": business.city, "line3": third, "line4": fourth,
        "postcode": business.post_code,
    })
}

pub(super) fn site(state: &State, business: &Business, place: &Location, addressed: bool, whole: bool) -> Value {
    let main = business.locations[0].key == place.key;
    let mut record = json!({
        "id": place.key, "name": place.name, "client_id": client_id(business) as f64,
        "client_name": business.name_at(Halopsa::ID), "inactive": false, "notes": "", "timezone": "",
        "phonenumber": if main { business.phone.as_str() } else { "" },
    });
    if whole {
        record["delivery_address"] = if main { address(business) } else { json!({ "line1": place.address }) };
    } else if addressed && main {
        record["delivery_address_line1"] = business.street.as_str().into();
        record["delivery_address_line2"] = business.city.as_str().into();
        let (third, fourth) = last_lines(business);
        record["delivery_address_line3"] = third.into();
        record["delivery_address_line4"] = fourth.into();
        record["delivery_address_line5"] = business.post_code.as_str().into();
    } else if addressed {
        record["delivery_address_line1"] = place.address.as_str().into();
    }
    overlaid(record, state.written.get(&("site", place.key)))
}

pub(super) fn find_user(world: &World, key: u64) -> Option<(&Business, &Person)> {
    world.known_to(Halopsa::ID).find_map(|business| Some((business, business.person(key)?)))
}

pub(super) fn user(business: &Business, person: &Person, written: Option<&Map<String, Value>>) -> Value {
    let record = json!({
        "id": person.key, "name": format!("{} {}", person.given, person.family), "firstname": person.given,
        "surname": person.family, "emailaddress": person.email, "phonenumber": business.phone, "mobilenumber": "",
        "site_id": business.locations[0].key as f64, "site_name": business.locations[0].name,
        "client_id": client_id(business), "client_name": business.name_at(Halopsa::ID),
        "inactive": !person.enabled, "isimportantcontact": false, "isserviceaccount": false,
        "ulastupdate": date(person.created, person.key),
    });
    overlaid(record, written)
}

pub(super) fn asset(business: &Business, device: &Device, fields: bool) -> Value {
    let user = device.person.and_then(|key| business.person(key)).map(|p| format!("{} {}", p.given, p.family));
    let mut record = json!({
        "id": device.key, "inventory_number": device.hostname, "key_field": device.manufacturer,
        "key_field2": device.model, "assettype_id": 4, "assettype_name": format!("{:?}", device.class),
        "client_id": client_id(business), "site_id": device.location, "username": user, "inactive": false,
        "status_id": 1, "warranty_end": EMPTY_DATE,
    });
    if fields {
        record["fields"] = json!([
            { "id": 1, "name": "Serial Number", "value": device.serial },
            { "id": 2, "name": "Manufacturer", "value": device.manufacturer },
            { "id": 3, "name": "Model", "value": device.model },
            { "id": 4, "name": "Host Name", "value": device.hostname },
            { "id": 5, "name": "Operating System", "value": 3, "display": device.os },
            { "id": 6, "name": "OS Version", "value": device.os_version },
            { "id": 7, "name": "MAC Address", "value": device.mac },
            { "id": 8, "name": "IP Address", "value": device.ip },
        ]);
    }
    record
}

pub(super) fn ticket(business: &Business, one: &Ticket, named: bool, written: Option<&Map<String, Value>>) -> Value {
    let person = one.person.and_then(|key| business.person(key));
    let (status, priority) = (status_of(one.state), priority_of(one.gravity));
    let mut record = json!({
        "id": one.key, "summary": one.title, "details": one.description, "dateoccurred": date(one.created, one.key),
        "status_id": status.0, "tickettype_id": 1, "priority_id": priority.0, "sla_id": 1,
        "client_id": client_id(business), "client_name": business.name_at(Halopsa::ID),
        "site_id": business.locations[0].key, "site_name": business.locations[0].name,
        "user_id": person.map_or(0, |p| p.key), "user_name": person.map(|p| format!("{} {}", p.given, p.family)),
        "user_email": person.map(|p| p.email.as_str()), "team": lists::TEAMS[(one.key % 2) as usize],
        "agent_id": if one.assignee.is_some() { 4 } else { 1 }, "hasbeenclosed": one.state == TicketState::Closed,
        "dateclosed": one.closed.map_or(EMPTY_DATE.to_owned(), |at| date(at, one.key)),
        "fixbydate": one.due.map_or(EMPTY_DATE.to_owned(), |at| date(at, one.key)),
        "last_update": date(one.updated, one.key), "customfields": [],
    });
    if named {
        record["status_name"] = status.1.into();
        record["priority_name"] = priority.1.into();
        record["tickettype_name"] = "Incident".into();
        record["agent_name"] = one.assignee.as_deref().into();
    }
    overlaid(record, written)
}

pub(super) fn invoice(business: &Business, one: &Invoice) -> Value {
    let number = |amount: String| amount.parse::<f64>().unwrap_or_default();
    // Accounts with one currency do not always name it.
    let named = !one.key.is_multiple_of(5);
    json!({
        "id": one.key, "client_id": client_id(business), "client_name": business.name_at(Halopsa::ID),
        "invoicenumber": one.number, "thirdpartyinvoicenumber": "", "posted": true, "voided": false,
        "invoice_date": day(one.issued), "duedate": day(one.due),
        "datepaid": one.paid.map_or(EMPTY_DATE.to_owned(), day),
        "total": number((one.net + one.tax).to_string()), "tax_total": number(one.tax.to_string()),
        "amountpaid": number((one.net + one.tax - one.balance).to_string()), "amountdue": number(one.balance.to_string()),
        "currency_code_name": named.then_some(&one.currency), "currency": if named { "" } else { "£" },
        "last_modified": date(one.updated, one.key),
    })
}

pub(super) fn status_of(state: TicketState) -> (u64, &'static str) {
    lists::STATUSES[match state {
        TicketState::New => 0,
        TicketState::InProgress => 1,
        TicketState::Waiting => 2,
        TicketState::Closed => 3,
    }]
}

pub(super) fn priority_of(gravity: Gravity) -> (u64, &'static str) {
    lists::PRIORITIES[match gravity {
        Gravity::Critical => 0,
        Gravity::High => 1,
        Gravity::Medium => 2,
        Gravity::Low | Gravity::Info => 3,
    }]
}

/// Instants with a zone and without one: both are UTC.
pub(super) fn date(at: DateTime<Utc>, way: u64) -> String {
    at.format(if way.is_multiple_of(2) { "%Y-%m-%dT%H:%M:%S%.3fZ" } else { "%Y-%m-%dT%H:%M:%S%.3f" }).to_string()
}

fn day(day: NaiveDate) -> String {
    date(day.and_time(NaiveTime::MIN).and_utc(), 1)
}

fn overlaid(mut record: Value, written: Option<&Map<String, Value>>) -> Value {
    for (key, value) in written.into_iter().flatten() {
        record[key] = value.clone();
    }
    record
}
