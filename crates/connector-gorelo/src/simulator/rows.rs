//! Single records of the world, as Gorelo writes them. Texts are empty rather than left out.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use vendorkit::world::{Alert, Business, Device, DeviceClass, Gravity, Invoice, Location, Person, Ticket};

use super::{State, account, ids};

pub(super) fn client(state: &State, business: &Business) -> Value {
    let status = if account::in_use(state, business) { (1, "Active") } else { (2, "Inactive") };
    json!({
        "Id": ids::CLIENT + business.key,
        "Name": account::name(state, business),
        "Status": code(status.0, status.1),
        "CreatedOn": time(business.since),
        "UpdatedOn": null,
        "BillingName": "",
        "AlternateName": "",
        "IsDefault": false,
        "Domains": [{ "Id": business.key, "Name": business.domain, "ExpirationDate": "2027-01-15", "Status": code(1, "Active") }],
    })
}

pub(super) fn location(business: &Business, location: &Location) -> Value {
    let first = location.key == business.locations[0].key;
    json!({
        "Id": ids::LOCATION + location.key,
        "Name": location.name,
        "ClientId": ids::CLIENT + business.key,
        "Phone": business.phone,
        "PhoneCountryCode": business.country,
        "BillingContactIds": "[]",
        "Address1": location.address,
        "Address2": "",
        "City": if first { business.city.as_str() } else { "" },
        "State": if first { business.region.as_str() } else { "" },
        "Country": business.country,
        "PostalCode": if first { business.post_code.as_str() } else { "" },
        "TimeZone": "",
        "IsDefault": first,
    })
}

pub(super) fn contact(state: &State, business: &Business, person: &Person) -> Value {
    let mut row = json!({
        "Id": ids::CONTACT + person.key,
        "FirstName": person.given,
        "LastName": person.family,
        "Status": if person.enabled { code(1, "Active") } else { code(2, "Inactive") },
        "ClientId": ids::CLIENT + business.key,
        "LocationId": ids::LOCATION + business.locations[0].key,
        "CreatedOn": time(person.created),
        "UpdatedOn": null,
        "PrimaryEmail": person.email,
        "Alias": "",
        "MobilePhone": "",
        "MobilePhoneCountryCode": "",
        "OfficePhone": "",
        "OfficePhoneCountryCode": "",
        "JobTitle": person.title,
        "Department": person.department,
        "TimeZone": "",
        "Description": "",
        "IsTemporaryContact": false,
        "MergedWithContactId": null,
    });
    for (name, value) in state.contacts.get(&person.key).into_iter().flatten() {
        row[name.as_str()] = value.clone();
    }
    row
}

/// Whether a machine has no agent of Gorelo's, and is entered by hand.
pub(super) fn by_hand(device: &Device) -> bool {
    matches!(device.class, DeviceClass::Firewall | DeviceClass::Switch)
}

pub(super) fn agent(business: &Business, device: &Device) -> Value {
    let status = if device.online { code(1, "Online") } else { code(2, "Offline") };
    let kind = match device.class {
        DeviceClass::Server | DeviceClass::LinuxServer => "Server",
        _ => "Laptop",
    };
    json!({
        "Id": ids::guid(ids::DEVICE, device.key),
        "Name": device.hostname,
        "DisplayName": "",
        "Status": status,
        "ClientId": ids::CLIENT + business.key,
        "LocationId": ids::LOCATION + device.location,
        "CreatedOn": time(device.created),
        "LastDisconnectDateTime": time(device.last_contact),
        "LastLoggedOnUser": "",
        "Os": device.os,
        "OsVersion": device.os_version,
        "HardwareType": kind,
        "Manufacturer": device.manufacturer,
        "Model": device.model,
        "SerialNo": device.serial,
        "LocalIPAddress": device.ip,
        "PublicIPAddress": "203.0.113.9",
    })
}

pub(super) fn custom(business: &Business, device: &Device) -> Value {
    json!({
        "Id": ids::guid(ids::DEVICE, device.key),
        "Name": device.hostname,
        "ClientId": ids::CLIENT + business.key,
        "LocationId": ids::LOCATION + device.location,
        "CreatedOn": time(device.created),
        "HardwareType": if device.class == DeviceClass::Switch { "Switch" } else { "Firewall" },
        "IpAddress": device.ip,
        "SerialNumber": device.serial,
    })
}

pub(super) fn alert(business: &Business, alert: &Alert) -> Value {
    let severity = match alert.gravity {
        Gravity::Critical => code(1, "Critical"),
        Gravity::High => code(2, "Error"),
        Gravity::Medium => code(3, "Warning"),
        Gravity::Low | Gravity::Info => code(4, "Information"),
    };
    json!({
        "Id": ids::guid(ids::ALERT, alert.key),
        "Title": alert.title,
        "Type": code(8, &alert.class),
        "Severity": severity,
        "Status": if alert.resolved.is_some() { code(2, "Ignored") } else { code(1, "New") },
        "Message": "",
        "ClientId": ids::CLIENT + business.key,
        "DeviceId": ids::guid(ids::DEVICE, alert.device),
        "DismissedOn": alert.resolved.map(time),
        "CreatedOn": time(alert.raised),
        "UpdatedOn": time(alert.updated),
    })
}

pub(super) fn ticket(state: &State, business: &Business, ticket: &Ticket, whole: bool) -> Value {
    let status = account::STATUSES.iter().find(|(_, _, known)| *known == ticket.state).unwrap_or(&account::STATUSES[0]);
    let priority =
        account::PRIORITIES.iter().find(|(_, _, known)| *known == ticket.gravity).unwrap_or(&account::PRIORITIES[0]);
    let group = state.groups.get(&ticket.key).copied().unwrap_or(account::GROUPS[0].0);
    let mut row = json!({
        "Id": ids::guid(ids::TICKET, ticket.key),
        "Title": ticket.title,
        "Number": ticket.key,
        "DisplayNumber": format!("GRL-{}", ticket.key),
        "ClientId": ids::CLIENT + business.key,
        "ContactId": ticket.person.map(|key| ids::CONTACT + key),
        "GroupIds": [group],
        "PrimaryGroupId": group,
        "Status": code(status.0, status.1),
        "Priority": code(priority.0, priority.1),
        "Source": code(2, "Email"),
        "Type": code(account::TYPES[1].0, account::TYPES[1].1),
        "IsMerged": false,
        "MergedIntoTicketId": null,
        "CreatedOn": time(ticket.created),
        "UpdatedOn": time(ticket.updated),
        "ClosedOn": ticket.closed.map(time),
    });
    if whole {
        row["Description"] = json!(ticket.description);
    }
    row
}

pub(super) fn invoice(business: &Business, invoice: &Invoice) -> Value {
    let exact = |amount: String| serde_json::from_str::<Value>(&amount).unwrap_or_default();
    json!({
        "Id": ids::guid(ids::INVOICE, invoice.key),
        "Number": invoice.key,
        "DisplayNumber": invoice.number,
        "ClientId": ids::CLIENT + business.key,
        "Status": if invoice.paid.is_some() { code(6, "Paid") } else { code(5, "Approved") },
        "InvoiceDate": invoice.issued.to_string(),
        "DueDate": invoice.due.to_string(),
        "SubTotal": exact(invoice.net.to_string()),
        "TotalDiscount": 0,
        "TotalTax": exact(invoice.tax.to_string()),
        "Total": exact((invoice.net + invoice.tax).to_string()),
        "AmountDue": exact(invoice.balance.to_string()),
        "Reference": "",
        "UpdatedOn": time(invoice.updated),
    })
}

pub(super) fn code(id: u64, name: &str) -> Value {
    json!({ "Id": id, "Name": name })
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
