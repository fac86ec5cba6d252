//! Threats in SentinelOne's words.

use chrono::TimeDelta;
use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::world::{Business, Device, DeviceClass, Gravity, Threat};

use super::rows::{account, agent_id, instant, machine_type, os_type, site_id};
use crate::SentinelOne;

/// Ids are texts of nineteen digits.
const THREATS: u64 = 1_611_222_000_000_000_000;

pub(super) fn threat_id(key: u64) -> String {
    (THREATS + key).to_string()
}

/// A threat of a business; `now` is the machine with its present owner, while there is one.
pub(super) fn threat(business: &Business, threat: &Threat, now: Option<(&Business, &Device)>, incident: &str) -> Value {
    let class = now.map_or(DeviceClass::Workstation, |(_, device)| device.class);
    let (file, path) = place(class, threat);
    let benign = threat.verdict.as_deref() == Some("false_positive");
    let mitigation = match threat.action {
        _ if benign => "marked_as_benign",
        Some(_) => "mitigated",
        None => "not_mitigated",
    };
    let runs = threat.action.as_deref().unwrap_or_default().split(", ").filter(|action| !action.is_empty());
    let runs: Vec<Value> = runs
        .map(|action| {
            json!({ "action": action, "status": "success", "lastUpdate": instant(threat.updated), "latestReport": Value::Null })
        })
        .collect();
    let id = threat_id(threat.key);
    let realtime = now.map(|(home, device)| {
        json!({
            "agentId": agent_id(device), "agentComputerName": device.hostname, "siteId": site_id(home),
            "siteName": home.name_at(SentinelOne::ID), "accountId": account(home).0, "agentOsType": os_type(class),
            "agentMachineType": machine_type(device), "agentIsActive": device.online, "agentIsDecommissioned": false,
            "agentNetworkStatus": "connected", "rebootRequired": false, "userActionsNeeded": [],
        })
    });
    json!({
        "id": id,
        "threatInfo": {
            "threatId": id,
            "threatName": file,
            "classification": threat.class,
            "classificationSource": "Cloud",
            "confidenceLevel": if threat.gravity >= Gravity::High { "malicious" } else { "suspicious" },
            "mitigationStatus": mitigation,
            "incidentStatus": incident,
            "analystVerdict": threat.verdict.as_deref().unwrap_or("undefined"),
            "filePath": path,
            "sha1": Value::Null,
            "sha256": threat.sha256,
            "processUser": Value::Null,
            "isFileless": false,
            "detectionType": "static",
            "initiatedBy": "agent_policy",
            "identifiedAt": instant(threat.detected),
            "createdAt": instant(threat.detected + TimeDelta::milliseconds(511)),
            "updatedAt": instant(threat.updated),
        },
        "agentRealtimeInfo": realtime.unwrap_or_else(|| json!({ "agentId": null, "agentComputerName": null, "siteId": null })),
        "agentDetectionInfo": {
            "siteId": site_id(business), "siteName": business.name_at(SentinelOne::ID), "accountId": account(business).0,
            "agentVersion": "24.2.3.471", "agentDomain": Value::Null, "agentLastLoggedInUserName": Value::Null,
        },
        "indicators": [],
        "mitigationStatus": runs,
        "whiteningOptions": ["hash", "path"],
    })
}

/// File and path as this kind of machine has them: the world's threats are all of Windows.
fn place(class: DeviceClass, threat: &Threat) -> (String, String) {
    let file = threat.path.rsplit('\\').next().unwrap_or_default();
    match class {
        DeviceClass::Mac => (file.to_owned(), format!("/Users/Shared/{file}")),
        DeviceClass::LinuxServer => (file.to_owned(), format!("/tmp/{file}")),
        _ => (file.to_owned(), threat.path.replacen("C:", "\\Device\\HarddiskVolume3", 1)),
    }
}
