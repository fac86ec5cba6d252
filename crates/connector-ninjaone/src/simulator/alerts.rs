//! Open alerts: conditions of devices that hold now.

use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Alert, Business, Gravity, uuid},
};

use super::{
    answers::{Query, Refusal, json as to_json},
    devices::seconds,
};
use crate::NinjaOne;

/// Open alerts. The filter would look at devices: it is not simulated here.
pub(super) fn list(world: &World, query: &Query) -> Result<Vec<u8>, Refusal> {
    query.without(&["df", "sourceType"])?;
    let all = world.known_to(NinjaOne::ID).flat_map(|business| open(business).map(move |alert| (business, alert)));
    to_json(&all.map(|(business, alert)| row(world, business, alert)).collect::<Vec<_>>())
}

/// How many are open.
pub(super) fn count(business: &Business) -> usize {
    open(business).count()
}

fn open(business: &Business) -> impl Iterator<Item = &Alert> {
    business.alerts.iter().filter(|alert| alert.resolved.is_none())
}

fn row(world: &World, business: &Business, alert: &Alert) -> Value {
    let (severity, priority) = match alert.gravity {
        Gravity::Info => ("NONE", "NONE"),
        Gravity::Low => ("MINOR", "LOW"),
        Gravity::Medium => ("MODERATE", "MEDIUM"),
        Gravity::High => ("MAJOR", "HIGH"),
        Gravity::Critical => ("CRITICAL", "HIGH"),
    };
    let (source, name) = match alert.class.as_str() {
        "disk" => ("CONDITION_AGENT_DISK_FREE_SPACE", "Low disk"),
        "cpu" => ("CONDITION_AGENT_CPU", "Busy processor"),
        "service" => ("CONDITION_WINDOWS_SERVICE_STATE_CHANGED", "Service stopped"),
        "offline" => ("AGENT_OFFLINE", "Offline"),
        "patch" => ("CONDITION_PENDING_REBOOT", "Restart pending"),
        _ => ("CONDITION_SCRIPT_RESULT", "Script"),
    };
    let mut row = json!({
        "uid": uuid("ninjaone/alert", alert.key).to_string(),
        "deviceId": alert.device,
        "message": alert.title,
        "createTime": seconds(alert.raised),
        "updateTime": seconds(alert.updated),
        "sourceType": source,
        "sourceConfigUid": uuid("ninjaone/condition", alert.gravity as u64).to_string(),
        "sourceName": name,
        "subject": name,
        "severity": severity,
        "priority": priority,
        "conditionName": name,
        "conditionHealthStatus": "NEEDS_ATTENTION",
        "useGlobalHealthStatus": false,
    });
    // The world keeps an alert whose device is gone; NinjaOne tells with it what the device was.
    if !world.device(alert.device).is_some_and(|(home, _)| home.vendors.contains(NinjaOne::ID)) {
        row["device"] = json!({"id": alert.device, "organizationId": business.key, "approvalStatus": "DECOMMISSIONED"});
    }
    row
}
