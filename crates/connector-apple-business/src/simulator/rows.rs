//! The world in the vendor's words. An organisation owns its Macs, and a telephone for everybody who may sign in.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use vendorkit::world::{Business, DeviceClass, Person};

/// A service that manages devices.
pub(super) struct Server {
    pub id: &'static str,
    name: &'static str,
    class: &'static str,
    default_for: &'static [&'static str],
}

pub(super) const SERVERS: [Server; 2] = [
    Server { id: "1F97-0001", name: "Device management", class: "MDM", default_for: &["MAC", "IPHONE"] },
    Server { id: "1F97-0002", name: "Configurator", class: "APPLE_CONFIGURATOR", default_for: &[] },
];

/// A device that an organisation owns.
pub(super) struct Owned {
    pub id: String,
    serial: String,
    /// Family, model and type.
    model: (&'static str, &'static str, &'static str),
    mac: Option<String>,
    since: DateTime<Utc>,
    pub server: Option<&'static str>,
    mobile: Option<u64>,
}

/// Everything that the organisation owns.
pub(super) fn fleet(business: &Business) -> Vec<Owned> {
    let macs = business.devices.iter().filter(|device| device.class == DeviceClass::Mac).map(|device| {
        // No Mac has a placeholder for a serial number.
        let real = device.serial.len() == 7 && device.serial.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let serial = if real { device.serial.clone() } else { format!("C02{:07}", device.key) };
        let model = if device.model.starts_with("MacBook") {
            ("Mac", "MacBook Pro 14\"", "MacBookPro18,3")
        } else {
            ("Mac", "Mac mini", "Macmini9,1")
        };
        let mac = Some(device.mac.to_lowercase());
        let server = assigned(device.key);
        Owned { id: serial.clone(), serial, model, mac, since: device.created, server, mobile: None }
    });
    let telephones = business.people.iter().filter(|person| person.enabled && !person.guest).map(|person| Owned {
        id: format!("F2L{:07}", person.key),
        serial: format!("F2L{:07}", person.key),
        model: ("iPhone", "iPhone 15", "iPhone15,4"),
        mac: None,
        since: person.created,
        server: assigned(person.key),
        mobile: Some(person.key),
    });
    macs.chain(telephones).collect()
}

fn assigned(key: u64) -> Option<&'static str> {
    match key % 5 {
        0 => None,
        1 => Some(SERVERS[1].id),
        _ => Some(SERVERS[0].id),
    }
}

/// A device, with its addresses in the newer or the older form.
pub(super) fn device(owned: &Owned) -> Value {
    let (family, model, kind) = owned.model;
    let mut attributes = json!({
        "serialNumber": owned.serial, "addedToOrgDateTime": owned.since, "updatedDateTime": owned.since + TimeDelta::hours(1),
        "deviceModel": model, "productFamily": family, "productType": kind, "color": "SPACE GRAY",
        "status": if owned.server.is_some() { "ASSIGNED" } else { "UNASSIGNED" },
        "purchaseSourceType": "RESELLER", "purchaseSourceId": "16FEA00",
    });
    if let Some(mac) = &owned.mac {
        attributes["wifiMacAddress"] = mac.as_str().into();
        attributes["ethernetMacAddress"] = json!([]);
    }
    if let Some(number) = owned.mobile {
        let imei = format!("35{number:013}");
        attributes["imei"] = if number % 2 == 0 { json!(imei) } else { json!([imei]) };
    }
    let own = format!("https://api-business.apple.com/v1/orgDevices/{}", owned.id);
    json!({
        "type": "orgDevices", "id": owned.id, "attributes": attributes, "links": { "self": own },
        "relationships": { "assignedServer": { "links": { "self": format!("{own}/relationships/assignedServer") } } },
    })
}

/// A service; the newer attributes only where they were asked for.
pub(super) fn server(server: &Server, fleet: &[Owned], fields: &str, now: DateTime<Utc>) -> Value {
    let mut attributes = json!({
        "serverName": server.name, "serverType": server.class, "createdDateTime": now - TimeDelta::days(300),
        "updatedDateTime": now - TimeDelta::days(20),
    });
    if fields.split(',').any(|field| field == "deviceCount") {
        attributes["status"] = "ACTIVE".into();
        attributes["deviceCount"] = fleet.iter().filter(|device| device.server == Some(server.id)).count().into();
        attributes["defaultProductFamilies"] = json!(server.default_for);
    }
    json!({ "type": "mdmServers", "id": server.id, "attributes": attributes })
}

pub(super) fn user(person: &Person) -> Value {
    json!({
        "type": "users", "id": person.id,
        "attributes": {
            "firstName": person.given, "lastName": person.family, "email": person.email, "managedAppleAccount": person.email,
            "status": if person.enabled { "ACTIVE" } else { "DEACTIVATED" }, "isExternalUser": person.guest,
            "department": person.department, "jobTitle": person.title, "createdDateTime": person.created,
            "roleOuList": [{ "roleName": "Staff", "ouId": "1" }],
        },
    })
}
