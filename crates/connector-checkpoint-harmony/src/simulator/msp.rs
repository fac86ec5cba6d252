//! The MSP API of Email & Collaboration.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Method, Request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use vendorkit::{World, world::Business};

use super::{Answer, MSP, POWERLESS, SECRET, Simulator, VENDOR, envelope, wanted};

const LIFE: TimeDelta = TimeDelta::hours(2);
const PAGE: usize = 100;
/// How far the request's clock may be off.
const DRIFT: TimeDelta = TimeDelta::minutes(5);

impl Simulator {
    pub(super) fn msp(&self, world: &World, request: &Request, path: &str) -> Answer {
        let no = |code, text: &str| Answer::json(code, envelope(code, text, "", None, &[]));
        let login = path == "auth";
        let Some(app) = signer(world.now, request, login) else { return no(401, "Unauthorized") };
        let token = request.header_value("x-av-token").unwrap_or_default();
        match (request.method, path) {
            (Method::Get, "auth") if token.is_empty() => {
                // As the vendor gives it: plain text, in quotes.
                let token = self.token("msp", world.now, app);
                Answer { status: 200, header: None, body: format!("\"{token}\"\n") }
            }
            _ if self.client("msp", world.now, LIFE, Some(token)).as_deref() != Some(app) => no(401, "Unauthorized"),
            _ if app == POWERLESS => no(403, "Forbidden"),
            (Method::Get, "msp/tenants") => tenants(world, request),
            _ => no(404, "Not Found"),
        }
    }
}

/// Whose signature the request has, if it is right.
fn signer(now: DateTime<Utc>, request: &Request, login: bool) -> Option<&'static str> {
    let header = |name| request.header_value(name);
    let (id, date) = (header("x-av-req-id")?, header("x-av-date")?);
    let app = [MSP, POWERLESS].into_iter().find(|app| header("x-av-app-id") == Some(app))?;
    let at = DateTime::parse_from_rfc3339(date).ok().filter(|_| date.ends_with('Z') && date.len() == 24)?;
    let known = Uuid::try_parse(id).is_ok() && header("content-type") == Some("application/json");
    if !known || (now - at.with_timezone(&Utc)).abs() > DRIFT {
        return None;
    }
    let mut address = String::new();
    if !login {
        address.push_str(request.url.path());
        address.extend(request.url.query().map(|query| format!("?{query}")));
    }
    let text = STANDARD.encode(format!("{id}{app}{date}{address}{SECRET}"));
    (header("x-av-sig") == Some(&hex::encode(Sha256::digest(text)))).then_some(app)
}

/// By key; the place to go on is the last key told.
fn tenants(world: &World, request: &Request) -> Answer {
    let after: u64 = wanted(request)["scrollId"].as_str().and_then(|key| key.parse().ok()).unwrap_or(0);
    let total = world.known_to(VENDOR).count();
    let mut rest = world.known_to(VENDOR).filter(|business| business.key > after);
    let page: Vec<&Business> = rest.by_ref().take(PAGE).collect();
    let scroll = page.last().filter(|_| rest.next().is_some()).map(|last| last.key.to_string()).unwrap_or_default();
    let data: Vec<Value> = page.iter().map(|business| tenant(business)).collect();
    Answer::json(200, envelope(0, "", &scroll, Some(total), &data))
}

fn tenant(business: &Business) -> Value {
    let name: String = business.name_at(VENDOR).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let trial = business.key.is_multiple_of(9);
    json!({
        "id": business.key, "domain": name, "deploymentMode": "Prevent", "pocDateStart": "2025-02-01T00:00:00",
        "pocDateExpiration": null, "users": business.people.len(),
        "status": if trial { json!({ "statusCode": "poc", "description": "POC" }) }
            else { json!({ "statusCode": "active", "description": "Active" }) },
        "package": if trial { Value::Null }
            else { json!({ "id": 7, "codeName": "complete_protect", "displayName": "Complete Protect" }) },
        "addons": [], "maxLicensedUsers": if trial { Value::Null } else { json!(business.people.len() + 5) },
    })
}
