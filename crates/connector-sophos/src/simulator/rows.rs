//! The world in Sophos Central's words.

use chrono::{DateTime, Utc};
use integration::Vendor;
use serde_json::{Value, json};
use uuid::Uuid;
use vendorkit::world::{Alert, Business, Device, DeviceClass, Gravity, Threat, uuid};

use super::{accounts, is_endpoint};
use crate::Sophos;

/// The vendor's times have milliseconds.
fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn endpoint_id(device: u64) -> Uuid {
    uuid("sophos/endpoint", device)
}

/// Geography and region of a tenant's data.
pub(super) fn region(business: &Business) -> (&'static str, &'static str) {
    match business.country.as_str() {
        "AU" | "NZ" => ("AU", "au01"),
        "US" | "CA" => ("US", "us03"),
        "DE" | "AT" => ("DE", "eu02"),
        _ => ("IE", "eu01"),
    }
}

pub(super) fn tenant(business: &Business, host: &str) -> Value {
    let (geography, region) = region(business);
    let name = business.name_at(Sophos::ID);
    let contact = business.people.first();
    json!({
        "id": business.id_at(Sophos::ID),
        "showAs": name,
        "name": name,
        "dataGeography": geography,
        "dataRegion": region,
        "billingType": if business.key.is_multiple_of(5) { "term" } else { "usage" },
        "partner": { "id": accounts::ID },
        "apiHost": host,
        "status": if business.key % 19 == 7 { "suspended" } else { "active" },
        "contact": {
            "firstName": contact.map(|person| &person.given),
            "lastName": contact.map(|person| &person.family),
            "email": contact.map(|person| &person.email),
            "phone": business.phone,
            "address": {
                "address1": business.street, "city": business.city, "state": business.region,
                "countryCode": business.country, "postalCode": business.post_code,
            },
        },
        "externalIds": [],
        "products": [{ "code": "endpointProtection" }],
    })
}

pub(super) fn endpoints(business: &Business) -> impl Iterator<Item = &Device> {
    business.devices.iter().filter(|device| is_endpoint(device))
}

pub(super) fn endpoint(business: &Business, device: &Device) -> Value {
    let platform = match device.class {
        DeviceClass::Mac => "macOS",
        DeviceClass::LinuxServer => "linux",
        _ => "windows",
    };
    let server = matches!(device.class, DeviceClass::Server | DeviceClass::LinuxServer);
    let version: Vec<u64> = device.os_version.split('.').filter_map(|part| part.parse().ok()).collect();
    let person = device.person.and_then(|key| business.person(key)).map(|person| {
        let domain = business.domain.split('.').next().unwrap_or_default().to_uppercase();
        let login = format!("{domain}\\{}", person.email.split('@').next().unwrap_or_default());
        json!({ "id": person.id, "name": format!("{} {}", person.given, person.family), "viaLogin": login })
    });
    let health = if detections(business).any(|threat| threat.device == device.key) { "bad" } else { "good" };
    let mut row = json!({
        "id": endpoint_id(device.key),
        "type": if server { "server" } else { "computer" },
        "tenant": { "id": business.id_at(Sophos::ID) },
        "hostname": device.hostname,
        "health": { "overall": health, "threats": { "status": health }, "services": { "status": "good", "serviceDetails": [] } },
        "os": {
            "isServer": server, "platform": platform, "name": device.os, "majorVersion": version.first(),
            "minorVersion": version.get(1), "build": version.get(2),
        },
        "ipv4Addresses": [device.ip],
        "ipv6Addresses": [],
        "macAddresses": [device.mac],
        "associatedPerson": person,
        "tamperProtectionEnabled": true,
        "assignedProducts": [{ "code": "coreAgent", "version": "2026.1.0.42", "status": "installed" }],
        "lastSeenAt": instant(device.last_contact),
        "isolation": { "status": "notIsolated", "adminIsolated": false, "selfIsolated": false },
    });
    // Only newer agents say so.
    if device.key.is_multiple_of(2) {
        row["online"] = device.online.into();
    }
    row
}

fn on_endpoint(business: &Business, device: u64) -> bool {
    business.device(device).is_some_and(is_endpoint)
}

pub(super) fn alert_id(key: u64) -> Uuid {
    uuid("sophos/alert", key)
}

/// What may be done about an alert of a category.
pub(super) fn allowed(category: &str) -> &'static [&'static str] {
    match category {
        "malware" => &["acknowledge", "cleanVirus"],
        "pua" => &["acknowledge", "cleanPua", "authPua"],
        _ => &["acknowledge"],
    }
}

/// What was detected and is open.
pub(super) fn detections(business: &Business) -> impl Iterator<Item = &Threat> {
    business.threats.iter().filter(|threat| threat.resolved.is_none() && on_endpoint(business, threat.device))
}

/// What is wrong with the protection itself.
pub(super) fn conditions(business: &Business) -> impl Iterator<Item = &Alert> {
    business.alerts.iter().filter(|alert| alert.resolved.is_none() && on_endpoint(business, alert.device))
}

/// All open alerts, in the order of their keys.
pub(super) fn alerts(business: &Business) -> Vec<(u64, Value)> {
    let detected = detections(business).map(|threat| {
        let category = if threat.class == "PUA" { "pua" } else { "malware" };
        let words = format!("{} was detected at {}", threat.name, threat.path);
        let kind = "Event::Endpoint::Threat::Detected";
        (
            threat.key,
            alert(business, threat.key, threat.device, category, &words, kind, threat.gravity, threat.detected),
        )
    });
    let wrong = conditions(business).map(|one| {
        let (category, kind) = match one.class.as_str() {
            "antivirus" | "patch" => ("updating", "Event::Endpoint::UpdateFailure"),
            "offline" => ("connectivity", "Event::Endpoint::NotReporting"),
            _ => ("systemHealth", "Event::Endpoint::ServiceNotRunning"),
        };
        (one.key, alert(business, one.key, one.device, category, &one.title, kind, one.gravity, one.raised))
    });
    let mut all: Vec<(u64, Value)> = detected.chain(wrong).collect();
    all.sort_by_key(|(key, _)| *key);
    all
}

#[expect(clippy::too_many_arguments, reason = "one for each field that differs")]
fn alert(
    business: &Business,
    key: u64,
    device: u64,
    category: &str,
    description: &str,
    class: &str,
    gravity: Gravity,
    raised: DateTime<Utc>,
) -> Value {
    let device = business.device(device);
    let server = device.is_some_and(|d| matches!(d.class, DeviceClass::Server | DeviceClass::LinuxServer));
    let person = device.and_then(|device| business.person(device.person?));
    json!({
        "id": alert_id(key),
        "allowedActions": allowed(category),
        "category": category,
        "description": description,
        "groupKey": format!("group-{key}"),
        "managedAgent": { "id": device.map(|d| endpoint_id(d.key)), "type": if server { "server" } else { "computer" } },
        "person": person.map(|person| json!({ "id": person.id })),
        "product": if server { "server" } else { "endpoint" },
        "raisedAt": instant(raised),
        "severity": match gravity {
            Gravity::High | Gravity::Critical => "high",
            Gravity::Medium => "medium",
            Gravity::Low | Gravity::Info => "low",
        },
        "tenant": { "id": business.id_at(Sophos::ID), "name": business.name_at(Sophos::ID) },
        "type": class,
    })
}
