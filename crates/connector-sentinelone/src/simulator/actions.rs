//! What is done about threats. As at the vendor, an empty filter means everything.

use std::sync::PoisonError;

use integration::Body;
use serde_json::{Map, Value, json};
use vendorkit::{World, world::DeviceClass};

use super::{Answer, No, Simulator, invalid, no_such_path, rows, threat_rows::threat_id, threats};

const MITIGATIONS: [&str; 6] =
    ["kill", "quarantine", "remediate", "rollback-remediation", "un-quarantine", "network-quarantine"];
const STATUSES: [&str; 3] = ["unresolved", "in_progress", "resolved"];
const VERDICTS: [&str; 4] = ["undefined", "true_positive", "false_positive", "suspicious"];

/// What is to be done.
enum Asked<'a> {
    Mitigate(&'a str),
    Mark { status: Option<&'a str>, verdict: Option<&'a str> },
}

fn asked<'a>(path: &[&'a str], data: Option<&Value>) -> Result<Asked<'a>, No> {
    match path {
        ["mitigate", action] if MITIGATIONS.contains(action) => {
            chosen(data, &[])?;
            Ok(Asked::Mitigate(action))
        }
        ["incident"] => {
            let said = chosen(data, &[("incidentStatus", &STATUSES), ("analystVerdict", &VERDICTS)])?;
            match said[0] {
                Some(status) => Ok(Asked::Mark { status: Some(status), verdict: said[1] }),
                None => Err(invalid("incidentStatus: Missing data.")),
            }
        }
        ["analyst-verdict"] => match chosen(data, &[("analystVerdict", &VERDICTS)])?[0] {
            Some(verdict) => Ok(Asked::Mark { status: None, verdict: Some(verdict) }),
            None => Err(invalid("analystVerdict: Missing data.")),
        },
        _ => Err(no_such_path()),
    }
}

impl Simulator {
    pub(super) fn act(&self, world: &mut World, path: &[&str], body: &Body, may_act: bool) -> Answer {
        let (filter, data) = parts(body)?;
        let keys = matching(world, filter)?;
        let asked = asked(path, data)?;
        let one = |key| match asked {
            Asked::Mitigate(action) => mitigate(world, key, action, may_act),
            Asked::Mark { status, verdict } => self.mark(world, key, status, verdict, may_act),
        };
        let done: Vec<(bool, Value)> = keys.into_iter().map(one).collect();
        let affected = done.iter().filter(|(acted, _)| *acted).count();
        let details: Vec<Value> = done.into_iter().map(|(_, detail)| detail).collect();
        Ok(json!({ "data": { "affected": affected, "details": details } }))
    }

    fn mark(
        &self,
        world: &mut World,
        key: u64,
        status: Option<&str>,
        verdict: Option<&str>,
        may: bool,
    ) -> (bool, Value) {
        let now = world.now;
        let Some((_, threat)) = world.threat(key) else { return (false, Value::Null) };
        let present = self.incident(threat);
        let same_verdict = verdict.is_none_or(|verdict| verdict == threat.verdict.as_deref().unwrap_or("undefined"));
        let same = status.is_none_or(|status| status == present) && same_verdict;
        let result = match (may, same) {
            (false, _) => "missing_permissions",
            (_, true) => "already_set",
            _ => "updated",
        };
        if result == "updated" {
            world.change_threat(key, |threat| {
                if let Some(verdict) = verdict {
                    threat.verdict = Some(verdict.to_owned()).filter(|verdict| verdict != "undefined");
                }
                if let Some(status) = status {
                    threat.resolved = (status == "resolved").then(|| threat.resolved.unwrap_or(now));
                }
            });
            let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
            match status {
                Some("in_progress") => drop(begun.insert(key)),
                Some(_) => drop(begun.remove(&key)),
                None => {}
            }
        }
        (result == "updated", json!({ "threatId": threat_id(key), "result": result }))
    }
}

/// Keys of the threats that a filter means.
fn matching(world: &World, filter: &Map<String, Value>) -> Result<Vec<u64>, No> {
    let known = ["ids", "siteIds", "accountIds"];
    if let Some(strange) = filter.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(invalid(format!("{strange}: Unknown field.")));
    }
    let wants = |key: &str, value: &str| match filter.get(key) {
        None => true,
        Some(wanted) => wanted.as_array().is_some_and(|wanted| wanted.iter().any(|one| one == value)),
    };
    let found = threats(world).filter(|(business, threat)| {
        wants("ids", &threat_id(threat.key))
            && wants("siteIds", &rows::site_id(business))
            && wants("accountIds", rows::account(business).0)
    });
    Ok(found.map(|(_, threat)| threat.key).collect())
}

fn mitigate(world: &mut World, key: u64, action: &str, may_act: bool) -> (bool, Value) {
    let Some((_, threat)) = world.threat(key) else { return (false, Value::Null) };
    let done = threat.action.clone().unwrap_or_default();
    let windows = world
        .device(threat.device)
        .is_none_or(|(_, device)| !matches!(device.class, DeviceClass::Mac | DeviceClass::LinuxServer));
    let refused = match action {
        _ if !may_act => Some("permissions"),
        "rollback-remediation" if !windows => Some("not_supported"),
        "un-quarantine" if !done.split(", ").any(|one| one == "quarantine") => Some("precondition"),
        _ => None,
    };
    let id = threat_id(key);
    if let Some(reason) = refused {
        let skipped = json!({ "action": action, "reason": reason, "description": "The action was not begun" });
        return (false, json!({ "threatId": id, "reports": [], "skipped": [skipped] }));
    }
    let now_done = if done.is_empty() { action.to_owned() } else { format!("{done}, {action}") };
    world.change_threat(key, |threat| threat.action = Some(now_done));
    (true, json!({ "threatId": id, "reports": [{ "action": action, "status": "sent" }], "skipped": [] }))
}

/// Filter and data of a request.
fn parts(body: &Body) -> Result<(&Map<String, Value>, Option<&Value>), No> {
    let Body::Json(Value::Object(body)) = body else { return Err(invalid("the body must be a JSON object")) };
    if let Some(strange) = body.keys().find(|key| !["filter", "data"].contains(&key.as_str())) {
        return Err(invalid(format!("{strange}: Unknown field.")));
    }
    let filter = body.get("filter").and_then(Value::as_object).ok_or_else(|| invalid("filter: Missing data."))?;
    Ok((filter, body.get("data")))
}

/// The values of `data`, each one of its choices, in the order of `fields`. Nothing else may be in it.
fn chosen(data: Option<&Value>, fields: &[(&str, &'static [&'static str])]) -> Result<Vec<Option<&'static str>>, No> {
    let empty = Map::new();
    let data = data.and_then(Value::as_object).unwrap_or(&empty);
    if let Some(strange) = data.keys().find(|key| fields.iter().all(|(name, _)| name != key)) {
        return Err(invalid(format!("{strange}: Unknown field.")));
    }
    let value = |(name, choices): &(&str, &'static [&'static str])| {
        let Some(said) = data.get(*name) else { return Ok(None) };
        let found = choices.iter().copied().find(|choice| said.as_str() == Some(choice));
        found.map(Some).ok_or_else(|| invalid(format!("{name}: Not a valid choice.")))
    };
    fields.iter().map(value).collect()
}
