//! Sites and agents in SentinelOne's words.

use chrono::{DateTime, TimeDelta, Utc};
use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::world::{Business, Device, DeviceClass};

use crate::SentinelOne;

/// Ids are texts of nineteen digits.
const SITES: u64 = 1_417_899_000_000_000_000;
const AGENTS: u64 = 1_500_111_000_000_000_000;

/// The MSP's accounts: id and name. Most sites are under the first.
const ACCOUNTS: [(&str, &str); 2] =
    [("1417000000000000001", "Quayside IT"), ("1417000000000000002", "Quayside IT Projects")];

pub(super) fn account(business: &Business) -> (&'static str, &'static str) {
    ACCOUNTS[usize::from(business.key % 5 == 3)]
}

/// The vendor's times have microseconds.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

pub(super) fn site_id(business: &Business) -> String {
    (SITES + business.key).to_string()
}

pub(super) fn agent_id(device: &Device) -> String {
    (AGENTS + device.key).to_string()
}

pub(super) fn state(business: &Business) -> &'static str {
    if business.key % 13 == 6 { "expired" } else { "active" }
}

pub(super) fn site(business: &Business) -> Value {
    let (account_id, account_name) = account(business);
    let agents = business.devices.len();
    json!({
        "id": site_id(business),
        "name": business.name_at(SentinelOne::ID),
        "accountId": account_id,
        "accountName": account_name,
        "state": state(business),
        "siteType": "Paid",
        "isDefault": false,
        "activeLicenses": agents,
        "totalLicenses": agents + 5,
        "unlimitedLicenses": false,
        "expiration": Value::Null,
        "unlimitedExpiration": true,
        // Not every site was given the id of the PSA.
        "externalId": if business.key.is_multiple_of(4) { Value::Null } else { business.psa_id.clone().into() },
        "description": Value::Null,
        "usageType": "customer",
        "sku": "Complete",
        "suite": "Complete",
        "healthStatus": true,
        "creator": "Dana Ito",
        "createdAt": instant(business.since),
        "updatedAt": instant(business.since),
        "licenses": { "bundles": [], "modules": [], "settings": [] },
    })
}

pub(super) fn os_type(class: DeviceClass) -> &'static str {
    match class {
        DeviceClass::Mac => "macos",
        DeviceClass::LinuxServer => "linux",
        _ => "windows",
    }
}

pub(super) fn machine_type(device: &Device) -> &'static str {
    match device.class {
        DeviceClass::Server | DeviceClass::LinuxServer => "server",
        _ if ["OptiPlex", "mini"].iter().any(|sign| device.model.contains(sign)) => "desktop",
        _ => "laptop",
    }
}

pub(super) fn agent(business: &Business, device: &Device) -> Value {
    let (account_id, account_name) = account(business);
    let user = device.person.and_then(|key| business.person(key)).map(|person| {
        let account = person.email.split('@').next().unwrap_or_default();
        account.to_owned()
    });
    json!({
        "id": agent_id(device),
        "uuid": format!("{:032x}", device.key),
        "computerName": device.hostname,
        "siteId": site_id(business),
        "siteName": business.name_at(SentinelOne::ID),
        "accountId": account_id,
        "accountName": account_name,
        "groupId": (SITES + 500_000_000 + business.key).to_string(),
        "machineType": machine_type(device),
        "osType": os_type(device.class),
        "osName": device.os,
        "osRevision": device.os_version,
        "modelName": format!("{} - {}", device.manufacturer, device.model),
        "serialNumber": device.serial,
        "domain": business.domain.split('.').next().unwrap_or_default().to_uppercase(),
        "externalIp": format!("203.0.113.{}", business.key % 254 + 1),
        "lastIpToMgmt": device.ip,
        "networkInterfaces": [{
            "id": agent_id(device),
            "name": "Ethernet",
            "physical": device.mac.to_lowercase(),
            "inet": [device.ip],
            "inet6": [],
            "gatewayIp": Value::Null,
            "gatewayMacAddress": Value::Null,
        }],
        "lastLoggedInUserName": user.unwrap_or_default(),
        "isActive": device.online,
        "lastActiveDate": instant(device.last_contact),
        "networkStatus": "connected",
        "infected": business.threats.iter().any(|threat| threat.device == device.key && threat.resolved.is_none()),
        "activeThreats": business.threats.iter().filter(|t| t.device == device.key && t.resolved.is_none()).count(),
        "agentVersion": "24.2.3.471",
        "isDecommissioned": false,
        "isUninstalled": false,
        "mitigationMode": "protect",
        "userActionsNeeded": [],
        "externalId": "",
        "tags": { "sentinelone": [] },
        "registeredAt": instant(device.created),
        "createdAt": instant(device.created + TimeDelta::milliseconds(10)),
        "updatedAt": instant(device.last_contact),
    })
}
