//! The shapes of rows. Ids are made of the world's keys.

use chrono::{DateTime, Utc};
use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{self, Business, DeviceClass, Gravity, uuid},
};

use crate::DattoRmm;

/// Id space of devices.
pub(super) const DEVICE: &str = "datto-rmm/device";
/// Id space of alerts.
pub(super) const ALERT: &str = "datto-rmm/alert";
const ACCOUNT: &str = "sim0000001";
const PORTAL: &str = "https://simulated-rmm.example";

pub(super) fn account(world: &World) -> Value {
    let devices = || world.known_to(DattoRmm::ID).flat_map(|business| &business.devices);
    let (all, online) = (devices().count(), devices().filter(|device| device.online).count());
    json!({
        "id": 1, "uid": ACCOUNT, "name": "Northern Managed Services", "currency": "GBP",
        "descriptor": { "billingEmail": "billing@msp.example", "deviceLimit": 5000, "timeZone": "Europe/London" },
        "devicesStatus": {
            "numberOfDevices": all, "numberOfOnlineDevices": online, "numberOfOfflineDevices": all - online,
            "numberOfOnDemandDevices": 0, "numberOfManagedDevices": all,
        },
    })
}

pub(super) fn site(business: &Business) -> Value {
    let (all, online) = (business.devices.len(), business.devices.iter().filter(|device| device.online).count());
    // The link to Autotask is made site by site, and not for all of them.
    let linked = !business.key.is_multiple_of(3);
    json!({
        "id": 100 + business.key,
        "uid": business.id_at(DattoRmm::ID),
        "accountUid": ACCOUNT,
        "name": business.name_at(DattoRmm::ID),
        "description": if business.key.is_multiple_of(2) { Value::Null } else { "".into() },
        "notes": null,
        "onDemand": false,
        "splashtopAutoInstall": true,
        "proxySettings": null,
        "devicesStatus": {
            "numberOfDevices": all, "numberOfOnlineDevices": online, "numberOfOfflineDevices": all - online,
        },
        "autotaskCompanyName": linked.then_some(&business.short_name),
        "autotaskCompanyId": linked.then_some(&business.psa_id),
        "portalUrl": format!("{PORTAL}/site/{}", 100 + business.key),
    })
}

pub(super) fn device(home: &Business, device: &world::Device) -> Value {
    let (category, class) = match device.class {
        DeviceClass::Workstation => ("Desktop", "device"),
        DeviceClass::Mac => ("Laptop", "device"),
        DeviceClass::Server | DeviceClass::LinuxServer => ("Server", "device"),
        DeviceClass::Firewall | DeviceClass::Switch => ("Network Device", "rmmnetworkdevice"),
    };
    let managed = class == "device";
    let user = device.person.and_then(|key| home.person(key));
    let number = 5_000 + device.key;
    json!({
        "id": number,
        "uid": uuid(DEVICE, device.key),
        "siteId": 100 + home.key,
        "siteUid": home.id_at(DattoRmm::ID),
        "siteName": home.name_at(DattoRmm::ID),
        "deviceType": { "category": category, "type": if managed { "Main System Chassis" } else { "Generic" } },
        "hostname": device.hostname,
        "intIpAddress": device.ip,
        "extIpAddress": format!("203.0.113.{}", home.key % 254 + 1),
        "operatingSystem": managed.then(|| format!("{} {}", device.os, device.os_version)),
        "lastLoggedInUser": user.map(|user| format!("{}\\{}", home.domain.split('.').next().unwrap_or_default(), user.given)),
        "domain": managed.then_some(&home.domain),
        "cagVersion": managed.then_some("4.4.2235"),
        "displayVersion": managed.then_some("2235"),
        "description": null,
        "a64Bit": true,
        "rebootRequired": managed.then_some(false),
        "online": device.online,
        "suspended": false,
        "deleted": false,
        "lastSeen": millis(device.last_contact),
        "lastReboot": null,
        "lastAuditDate": millis(device.last_contact),
        "creationDate": millis(device.created),
        "udf": { "udf1": format!("recovery-key-of-{number}"), "udf2": null },
        "snmpEnabled": !managed,
        "deviceClass": class,
        "portalUrl": format!("{PORTAL}/device/{number}"),
        "webRemoteUrl": managed.then(|| format!("{PORTAL}/web-remote/{number}")),
        "warrantyDate": null,
        "antivirus": managed.then(|| json!({ "antivirusProduct": "Built-in", "antivirusStatus": "RunningAndUpToDate" })),
        "patchManagement": managed.then(|| json!({
            "patchStatus": "FullyPatched", "patchesApprovedPending": 0, "patchesNotApproved": 2, "patchesInstalled": 110,
        })),
        "softwareStatus": null,
    })
}

/// A device that is gone, but still listed.
pub(super) fn deleted_device(home: &Business) -> Value {
    json!({
        "id": 900_000_000 + home.key,
        "uid": uuid("datto-rmm/deleted", home.key),
        "siteId": 100 + home.key,
        "siteUid": home.id_at(DattoRmm::ID),
        "siteName": home.name_at(DattoRmm::ID),
        "deviceType": null,
        "hostname": "OLD-PC",
        "online": false,
        "suspended": false,
        "deleted": true,
        "lastSeen": millis(home.since),
        "creationDate": millis(home.since),
        "udf": {},
        "deviceClass": "device",
    })
}

pub(super) fn alert(home: &Business, alert: &world::Alert) -> Value {
    let device = home.device(alert.device);
    let priority = match alert.gravity {
        Gravity::Info => "Information",
        Gravity::Low => "Low",
        Gravity::Medium => "Moderate",
        Gravity::High => "High",
        Gravity::Critical => "Critical",
    };
    let class = match alert.class.as_str() {
        "disk" => "perf_disk_usage_ctx",
        "cpu" => "perf_resource_usage_ctx",
        "service" => "srvc_status_ctx",
        "antivirus" => "antivirus_ctx",
        "offline" => "online_offline_status_ctx",
        _ => "patch_ctx",
    };
    json!({
        "alertUid": uuid(ALERT, alert.key),
        "priority": priority,
        "diagnostics": alert.title,
        "resolved": alert.resolved.is_some(),
        "resolvedBy": alert.resolved.map(|_| "system"),
        "resolvedOn": alert.resolved.map(millis),
        "muted": false,
        "ticketNumber": null,
        "timestamp": millis(alert.raised),
        "alertMonitorInfo": { "sendsEmails": true, "createsTicket": false },
        "alertContext": { "@class": class },
        "alertSourceInfo": {
            "deviceUid": uuid(DEVICE, alert.device),
            "deviceName": device.map(|device| &device.hostname),
            "siteUid": home.id_at(DattoRmm::ID),
            "siteName": home.name_at(DattoRmm::ID),
        },
        "responseActions": [],
        "autoresolveMins": 60,
    })
}

/// As on the wire, though the vendor's description says text.
fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}
