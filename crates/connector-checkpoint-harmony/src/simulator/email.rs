//! Email & Collaboration through the Infinity Portal.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use integration::{Method, Request};
use serde_json::{Value, json};
use uuid::Uuid;
use vendorkit::{
    World,
    world::{Business, Gravity, Threat},
};

use super::{Answer, EMAIL, POWERLESS, Simulator, VENDOR, envelope, label, wanted};

/// How long a token of the portal lives.
pub(super) const LIFE: TimeDelta = TimeDelta::minutes(30);
const FARM: &str = "mt-prod-sim-eu-1";
const PAGE: usize = 50;

impl Simulator {
    pub(super) fn email(&self, world: &World, request: &Request, path: &str) -> Answer {
        let portal = |status, message: &str| Answer::json(status, json!({ "success": false, "message": message }));
        match self.bearer(world.now, request).as_deref() {
            Some(EMAIL) => {}
            Some(POWERLESS) => return portal(403, "Access denied to service"),
            // A key for another service logs in, and is refused here.
            _ => return portal(401, "Authentication required"),
        }
        let id = request.header_value("x-av-req-id").and_then(|id| Uuid::try_parse(id).ok());
        let no = |code, text: &str| Answer::json(code, envelope(code, text, "", None, &[]));
        match (request.method, path, id) {
            (.., None) => no(400, "x-av-req-id is missing"),
            (Method::Get, "scopes", _) => {
                let scopes: Vec<Value> = world.known_to(VENDOR).map(|business| json!(scope(business))).collect();
                Answer::json(200, envelope(200, "Success", "", None, &scopes))
            }
            (Method::Post, "event/query", _) => events(world, &wanted(request)),
            _ => no(404, "Not Found"),
        }
    }
}

fn scope(business: &Business) -> String {
    format!("{FARM}:{}", label(business))
}

/// Newest first. There is always a place to go on from, until a page is empty.
fn events(world: &World, wanted: &Value) -> Answer {
    let no = |code, text: &str| Answer::json(code, envelope(code, text, "", None, &[]));
    let Some(since) = wanted["startDate"].as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok()) else {
        return no(500, "Internal Server Error");
    };
    let scopes: Option<Vec<&str>> =
        wanted["scopes"].as_array().map(|scopes| scopes.iter().filter_map(Value::as_str).collect());
    if scopes.is_none() && world.known_to(VENDOR).count() > 1 {
        return no(400, "scopes are required");
    }
    let mut found: Vec<(&Business, &Threat)> = world
        .threats_after(VENDOR, 0)
        .into_iter()
        .filter(|(business, _)| scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope(business).as_str())))
        .filter(|(_, threat)| threat.detected >= since)
        .collect();
    found.sort_by_key(|(_, threat)| (std::cmp::Reverse(threat.detected), threat.key));
    let done: usize = match wanted["scrollId"].as_str().map(|text| text.strip_prefix("scroll-").map(str::parse)) {
        None => 0,
        Some(Some(Ok(done))) => done,
        Some(_) => return no(400, "Bad Request"),
    };
    let page: Vec<Value> =
        found.iter().skip(done).take(PAGE).map(|(business, threat)| event(business, threat)).collect();
    let scroll = if page.is_empty() { String::new() } else { format!("scroll-{}", done + page.len()) };
    Answer::json(200, envelope(200, "Success", &scroll, None, &page))
}

fn event(business: &Business, threat: &Threat) -> Value {
    let severity = match threat.gravity {
        Gravity::Critical => 5,
        Gravity::High => 4,
        Gravity::Medium => 3,
        Gravity::Low => 2,
        Gravity::Info => 1,
    };
    let state = match (threat.resolved, &threat.verdict) {
        (None, _) => "new",
        (Some(_), None) => "remediated",
        (Some(_), Some(_)) => "dismissed",
    };
    let action = |name: &String| json!({ "actionName": name, "actionParameter": "" });
    json!({
        "eventId": format!("{:x}", threat.key), "customerId": label(business), "farm": FARM, "saas": "office365_emails",
        "entityId": threat.sha256, "state": state,
        "type": if threat.key.is_multiple_of(3) { "phishing" } else { "malware" },
        "confidenceIndicator": "malicious", "eventCreated": instant(threat.detected),
        // Here a text, there a number.
        "severity": if threat.key.is_multiple_of(2) { json!(severity.to_string()) } else { json!(severity) },
        "description": format!("{} in an attachment", threat.name), "data": "{}", "additionalData": null,
        "availableEventActions": [], "actions": threat.action.iter().map(action).collect::<Vec<_>>(),
    })
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
