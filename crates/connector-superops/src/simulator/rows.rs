//! Single records of the world, as SuperOps writes them.

use chrono::{DateTime, Utc};
use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Alert, Business, Device, DeviceClass, Invoice, Location, Person, Ticket},
};

use super::{Problem, State, ids, words};
use crate::Superops;

const UNKNOWN: Problem = Problem("entity_does_not_exist", "");

/// A business that SuperOps knows.
pub(super) fn business(world: &World, key: u64) -> Result<&Business, Problem> {
    world.business(key).filter(|business| business.vendors.contains(Superops::ID)).ok_or(UNKNOWN)
}

/// A user, and the business that has them.
pub(super) fn person(world: &World, key: u64) -> Result<(&Business, &Person), Problem> {
    world.known_to(Superops::ID).find_map(|business| Some((business, business.person(key)?))).ok_or(UNKNOWN)
}

/// A business's name here: as it was last written here, else as SuperOps's people typed it.
pub(super) fn name(state: &State, business: &Business) -> String {
    let written = state.names.get(&business.key).filter(|(legal, _)| *legal == business.legal_name);
    written.map_or_else(|| business.name_at(Superops::ID), |(_, shown)| shown.clone())
}

pub(super) fn client(world: &World, state: &State, key: u64) -> Result<Value, Problem> {
    let business = business(world, key)?;
    let head_office = &business.locations[0];
    Ok(json!({
        "accountId": ids::text(ids::CLIENT, key),
        "name": name(state, business),
        "stage": "Active",
        "status": "Paid",
        "emailDomains": [business.domain],
        "hqSite": { "id": ids::number(ids::SITE, head_office.key), "name": head_office.name },
        "customFields": {},
    }))
}

fn client_tie(state: &State, business: &Business) -> Value {
    json!({ "accountId": ids::number(ids::CLIENT, business.key), "name": name(state, business) })
}

pub(super) fn site(state: &State, business: &Business, location: &Location) -> Value {
    let hq = location.key == business.locations[0].key;
    json!({
        "id": ids::text(ids::SITE, location.key),
        "name": location.name,
        "line1": location.address,
        "line2": null,
        "city": hq.then_some(&business.city),
        "postalCode": hq.then_some(&business.post_code),
        "countryCode": business.country,
        "contactNumber": business.phone,
        "timezoneCode": "Europe/London",
        "working24x7": true,
        "client": client_tie(state, business),
        "hq": hq,
    })
}

pub(super) fn user(world: &World, state: &State, key: u64) -> Result<Value, Problem> {
    let (business, person) = person(world, key)?;
    Ok(user_row(state, business, person))
}

pub(super) fn user_row(state: &State, business: &Business, person: &Person) -> Value {
    let key = person.key;
    let site =
        state.sites.get(&key).or(business.locations.first().filter(|_| key.is_multiple_of(2)).map(|first| &first.key));
    let site = site.and_then(|site| business.locations.iter().find(|location| location.key == *site));
    json!({
        "userId": ids::text(ids::USER, key),
        "firstName": person.given,
        "lastName": person.family,
        "name": format!("{} {}", person.given, person.family),
        "email": person.email,
        "contactNumber": state.phones.get(&key).unwrap_or(&business.phone),
        "site": site.map(|site| json!({ "id": ids::number(ids::SITE, site.key), "name": site.name })),
        "role": { "roleId": ids::text(ids::ROLE, 2), "name": "Requester" },
        "client": (!key.is_multiple_of(3)).then(|| client_tie(state, business)),
    })
}

pub(super) fn asset(state: &State, business: &Business, device: &Device) -> Value {
    let category = match device.class {
        DeviceClass::Workstation | DeviceClass::Mac => "WORKSTATION",
        DeviceClass::Server | DeviceClass::LinuxServer => "SERVER",
        DeviceClass::Firewall | DeviceClass::Switch => "NETWORK",
    };
    json!({
        "assetId": ids::text(ids::ASSET, device.key),
        "name": device.hostname,
        "assetClass": { "classId": "1", "name": "Machine" },
        "client": client_tie(state, business),
        "site": { "id": ids::number(ids::SITE, device.location), "name": "a site" },
        "primaryMac": device.mac,
        "serialNumber": device.serial,
        "manufacturer": device.manufacturer,
        "model": device.model,
        "hostName": device.hostname,
        "publicIp": "203.0.113.9",
        "platform": device.os,
        "status": if device.online { "ONLINE" } else { "OFFLINE" },
        "lastCommunicatedTime": device.last_contact.format("%Y-%m-%dT%H:%M:%S%.3f").to_string(),
        "platformCategory": category,
        "platformVersion": device.os_version,
    })
}

pub(super) fn alert(state: &State, business: &Business, alert: &Alert) -> Value {
    let device = business.device(alert.device);
    json!({
        "id": ids::text(ids::ALERT, alert.key),
        "message": alert.title,
        // Without seconds, as the vendor writes it here.
        "createdTime": alert.raised.format("%Y-%m-%dT%H:%M").to_string(),
        "status": if alert.resolved.is_some() { "Resolved" } else { "Created" },
        "severity": words::priority(alert.gravity),
        "description": format!("{} on {}", alert.title, device.map_or("a machine", |device| &device.hostname)),
        "asset": {
            "assetId": ids::number(ids::ASSET, alert.device),
            "name": device.map(|device| &device.hostname),
            "client": client_tie(state, business),
        },
        "policy": { "name": alert.class, "policyType": "Hardware Performance Monitoring" },
    })
}

pub(super) fn ticket(world: &World, state: &State, key: u64) -> Result<Value, Problem> {
    let (home, ticket) = world.ticket(key).ok_or(UNKNOWN)?;
    let business = business(world, home.key)?;
    Ok(ticket_row(state, business, ticket))
}

pub(super) fn ticket_row(state: &State, business: &Business, ticket: &Ticket) -> Value {
    let status = words::status(ticket.state);
    let group = state.groups.get(&ticket.key).copied().unwrap_or(1);
    let person = ticket.person.and_then(|key| business.person(key));
    let technician = |name: &String| json!({ "userId": ids::text(ids::TECHNICIAN, 1), "name": name });
    json!({
        "ticketId": ids::text(ids::TICKET, ticket.key),
        "displayId": format!("{}-{:04}", ticket.created.format("%d%m%y"), ticket.key % 10_000),
        "subject": ticket.title,
        "requestType": "Incident",
        "source": "EMAIL",
        "client": client_tie(state, business),
        "requester": person.map(|person| json!({
            "userId": ids::number(ids::USER, person.key), "name": format!("{} {}", person.given, person.family),
        })),
        "techGroup": { "groupId": ids::number(ids::GROUP, group), "name": words::GROUPS[group as usize - 1] },
        "technician": ticket.assignee.as_ref().map(technician),
        "status": status,
        "priority": words::priority(ticket.gravity),
        "createdTime": time(ticket.created),
        "updatedTime": time(ticket.updated),
        "resolutionDueTime": ticket.due.map(time),
        "resolutionTime": ticket.closed.map(time),
        "resolutionViolated": false,
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

pub(super) fn invoice(world: &World, state: &State, business: &Business, invoice: &Invoice) -> Value {
    let status = match invoice.paid {
        Some(_) => "PAID",
        None if invoice.due < world.now.date_naive() => "OVERDUE",
        None => "APPROVED",
    };
    json!({
        "invoiceId": ids::text(ids::INVOICE, invoice.key),
        "displayId": invoice.number,
        "client": client_tie(state, business),
        "invoiceDate": invoice.issued.to_string(),
        "dueDate": invoice.due.to_string(),
        "statusEnum": status,
        "totalAmount": (invoice.net + invoice.tax).to_string(),
        "paymentDate": invoice.paid.map(|day| day.to_string()),
    })
}
