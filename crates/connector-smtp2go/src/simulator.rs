//! SMTP2GO, simulated: one account, that of the world's first business. A master account's key sees some of the next
//! ones as subaccounts.
//!
//! It has the vendor's habits that have cost others time: every call is a POST with a JSON body, a missing
//! permission has the status of a bad request, and a message that goes to nobody is a success.

mod account;

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, NaiveDateTime, Utc};
use integration::{Body, Method, RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{SharedWorld, World, world::Business};

use crate::Smtp2go;

const KEY: &str = "api-simulated-key-0001";
const WRONG: &str = "api-simulated-key-0002";
/// Permits nothing that we use.
const POWERLESS: &str = "api-simulated-key-0003";
/// As a new key is made: it may send, and nothing else.
const NEW: &str = "api-simulated-key-0004";
/// The key of a master account.
const MASTER: &str = "api-simulated-key-0005";
/// A master account's own endpoints come last.
const PERMITTED: [&str; 9] = [
    "/email/send",
    "/stats/email_summary",
    "/stats/email_cycle",
    "/domain/view",
    "/single_sender_emails/view",
    "/users/smtp/view",
    "/activity/search",
    "/subaccounts/search",
    "/stats/email_history",
];
/// How many of them an account without subaccounts is permitted.
const OWN: usize = 7;

/// SMTP2GO over the shared world.
#[derive(Default)]
pub struct Simulator {
    requests: AtomicU64,
    sent: AtomicU64,
    log: Mutex<Vec<Sent>>,
}

/// A message that was taken, for one recipient.
struct Sent {
    at: DateTime<Utc>,
    recipient: String,
    event: Value,
    headers: Map<String, Value>,
}

/// A status, and what the vendor says with it: code and words.
type Refusal = (u16, &'static str, &'static str);

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Smtp2go::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let request_id = format!("22e5acba-43bf-11e6-ae42-{number:012}");
        let (status, data) = match self.route(&world, request) {
            Ok(data) => (200, data),
            Err((status, code, words)) => {
                (status, json!({ "error": words, "error_code": format!("E_ApiResponseCodes.{code}") }))
            }
        };
        let body = json!({ "request_id": request_id, "data": data });
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Response { status, headers, body: body.to_string().into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, KEY)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, WRONG)
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS)
    }

    /// A key has no end.
    fn expire_tokens(&self) {}

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        let owner = world.businesses().first();
        match kind {
            RecordKind::Entity | RecordKind::MailUsage => Some(1),
            RecordKind::Domain => Some(account::domains(owner).len()),
            RecordKind::MailSender => Some(account::senders(owner).len() + account::users(owner).len()),
            _ => None,
        }
    }

    /// The vendor pages nothing that we read.
    fn unpaged(&self, _: RecordKind) -> bool {
        true
    }
}

impl Simulator {
    /// Credentials with a key as it is new: it may send, and nothing else.
    pub fn new_key(base: &str) -> Map<String, Value> {
        form(base, NEW)
    }

    /// Credentials of a master account whose subaccounts are listed.
    pub fn master(base: &str) -> Map<String, Value> {
        let mut form = form(base, MASTER);
        form.insert("subaccounts".to_owned(), "listed".into());
        form
    }

    /// How many messages were taken.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn route(&self, world: &World, request: &Request) -> Result<Value, Refusal> {
        let permitted: &[&str] = match request.header_value("x-smtp2go-api-key") {
            Some(KEY) => &PERMITTED[..OWN],
            Some(MASTER) => &PERMITTED,
            Some(NEW) => &PERMITTED[..1],
            Some(POWERLESS) => &["/sms/send"],
            _ => return Err((401, "API_EXCEPTION", "The API key is not valid")),
        };
        let Some((_, endpoint)) = request.url.path().split_once("/v3") else {
            return Err((404, "API_EXCEPTION", "There is no such endpoint"));
        };
        let (Method::Post, None, Body::Json(Value::Object(body))) =
            (request.method, request.url.query(), &request.body)
        else {
            return Err((400, "API_EXCEPTION", "Every call is a POST with a JSON object"));
        };
        if endpoint == "/api_keys/permissions" {
            return Ok(json!(permitted));
        }
        if !permitted.contains(&endpoint) {
            let words = "You do not have permission to access this API endpoint";
            return Err((400, "ENDPOINT_PERMISSION_DENIED", words));
        }
        let owner = match body.get("subaccount_id").and_then(Value::as_str) {
            None => world.businesses().first(),
            Some(id) => Some(account::below(world).find(|one| account::subaccount_id(one) == id).ok_or((
                400,
                "API_EXCEPTION",
                "There is no such subaccount",
            ))?),
        };
        if endpoint == "/email/send" {
            return self.send(owner, body, world.now);
        }
        let optional: &[&str] = match endpoint {
            "/stats/email_summary" => &["username"],
            "/domain/view" => &["domain", "subaccount_id"],
            "/single_sender_emails/view" => &["email_address", "subaccount_id"],
            "/users/smtp/view" => &["username", "subaccount_id"],
            "/activity/search" => &["start_date", "search_recipient", "custom_headers", "limit", "continue_token"],
            "/subaccounts/search" => &["states", "page_size", "continue_token"],
            "/stats/email_history" => &["group_by", "subaccounts"],
            _ => &[],
        };
        if body.keys().any(|key| !optional.contains(&key.as_str())) {
            return Err((400, "NON_VALIDATING_IN_PAYLOAD", "The payload does not validate"));
        }
        let sent = self.sent.load(Ordering::Relaxed);
        Ok(match endpoint {
            "/domain/view" => json!({ "domains": account::domains(owner) }),
            "/single_sender_emails/view" => json!({ "senders": account::senders(owner) }),
            "/users/smtp/view" => json!({
                "results": account::users(owner), "default_ratelimit_value": 0, "default_ratelimit_period": "unlimited",
            }),
            "/activity/search" => self.activity(body)?,
            "/subaccounts/search" => account::subaccounts(world, body),
            "/stats/email_history" => account::history(world, body),
            _ => account::summary(owner, sent, world.now),
        })
    }

    /// What happened to messages, with those headers that were asked for.
    fn activity(&self, body: &Map<String, Value>) -> Result<Value, Refusal> {
        let refused = (400, "NON_VALIDATING_IN_PAYLOAD", "The payload does not validate");
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let read = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ").ok();
        let from = read(text("start_date").ok_or(refused)?).ok_or(refused)?.and_utc();
        let limit = body.get("limit").and_then(Value::as_u64).unwrap_or(100);
        if limit > 1_000 {
            return Err(refused);
        }
        let wanted: Vec<&str> = body
            .get("custom_headers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let found = log.iter().filter(|one| one.at >= from);
        let found = found.filter(|one| text("search_recipient").is_none_or(|part| one.recipient.contains(part)));
        let events: Vec<Value> = found
            .map(|one| {
                let headers = one.headers.iter().filter(|(name, _)| wanted.contains(&name.as_str()));
                let headers: Map<String, Value> = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
                let mut event = one.event.clone();
                event["custom_headers"] = headers.into();
                event
            })
            .collect();
        Ok(json!({ "total_events": events.len(), "continue_token": null, "events": events }))
    }

    fn send(&self, owner: Option<&Business>, body: &Map<String, Value>, now: DateTime<Utc>) -> Result<Value, Refusal> {
        let known = ["sender", "to", "subject", "text_body", "html_body", "custom_headers", "fastaccept"];
        let to: Vec<&str> =
            body.get("to").and_then(Value::as_array).into_iter().flatten().flat_map(Value::as_str).collect();
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let valid = body.keys().all(|key| known.contains(&key.as_str()))
            && (1..=100).contains(&to.len())
            && !(text("text_body").is_empty() && text("html_body").is_empty());
        if !valid {
            return Err((400, "NON_VALIDATING_IN_PAYLOAD", "The payload does not validate"));
        }
        if !account::may_send(owner, address(text("sender"))) {
            return Err((400, "API_EXCEPTION", "The sender is not a verified domain or address of this account"));
        }
        let refused: Vec<String> = to
            .iter()
            .map(|one| address(one))
            .filter(|one| one.ends_with("@suppressed.example"))
            .map(|one| format!("{one}: the address is suppressed"))
            .collect();
        // A message to several is one message.
        let taken = u64::from(refused.len() < to.len());
        let number = self.sent.fetch_add(taken, Ordering::Relaxed) + taken;
        let mut answer = json!({ "succeeded": taken, "failed": 1 - taken, "failures": refused });
        if taken == 1 {
            let email_id = format!("1x7QaM-simulated-{number:04}");
            let headers = body.get("custom_headers").and_then(Value::as_array).into_iter().flatten();
            let headers: Map<String, Value> =
                headers.filter_map(|one| Some((one["header"].as_str()?.to_owned(), one["value"].clone()))).collect();
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            for recipient in to.iter().map(|one| address(one)).filter(|one| !one.ends_with("@suppressed.example")) {
                let event = json!({
                    "email_id": email_id, "date": now.format("%Y-%m-%dT%H:%M:%SZ").to_string(), "event": "processed",
                    "recipient": recipient, "subject": text("subject"), "sender": address(text("sender")),
                });
                log.push(Sent { at: now, recipient: recipient.to_owned(), event, headers: headers.clone() });
            }
            answer["email_id"] = email_id.into();
        }
        Ok(answer)
    }
}

/// The address in `Name <address>`.
fn address(text: &str) -> &str {
    let inner = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(inner, _)| inner);
    inner.trim()
}

fn form(base: &str, key: &str) -> Map<String, Value> {
    let fields = [("account_name", "Mail relay"), ("region", "nearest"), ("api_key", key)];
    let mut form: Map<String, Value> =
        fields.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
    form.insert("api_url".to_owned(), format!("{base}/v3").into());
    form
}
