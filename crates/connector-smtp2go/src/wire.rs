//! The vendor's JSON as it really is: only the fields we use. What is absent or strange is unknown.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use integration::{
    loose::{Maybe, Text},
    loose_parts,
};
use serde::Deserialize;
use serde_json::{Error, Value, value::RawValue};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

/// What an answer is about.
pub(crate) fn data(body: &[u8]) -> Result<&RawValue, Error> {
    serde_json::from_slice::<Envelope<'_>>(body).map(|envelope| envelope.data)
}

/// The rows under a key of the data; `None` where there is no such key.
pub(crate) fn rows<'a>(data: &'a [u8], key: &str) -> Result<Option<Vec<&'a RawValue>>, Error> {
    let mut fields: BTreeMap<String, &'a RawValue> = serde_json::from_slice(data)?;
    fields.remove(key).map(|rows| serde_json::from_str(rows.get())).transpose()
}

/// Endpoints that a key permits. The description wraps them once more than its own example does.
pub(crate) fn permitted(body: &[u8]) -> Result<Vec<String>, Error> {
    let items: Vec<Value> = serde_json::from_str(data(body)?.get())?;
    let flat = items.into_iter().flat_map(|item| match item {
        Value::Object(mut wrapped) => match wrapped.remove("data") {
            Some(Value::Array(inner)) => inner,
            _ => Vec::new(),
        },
        one => vec![one],
    });
    Ok(flat.filter_map(|item| Some(format!("/{}", item.as_str()?.trim_matches('/')))).collect())
}

#[derive(Deserialize)]
pub(crate) struct SenderDomain {
    pub domain: DomainParts,
    #[serde(default)]
    pub trackers: Maybe<Vec<Tracker>>,
}

#[derive(Deserialize)]
pub(crate) struct DomainParts {
    pub fulldomain: String,
    #[serde(default)]
    pub dkim_verified: Maybe<bool>,
    #[serde(default)]
    pub dkim_status: Text,
    #[serde(default)]
    pub rpath_verified: Maybe<bool>,
    #[serde(default)]
    pub rpath_status: Text,
}

/// The name under which links in mails are followed.
#[derive(Deserialize)]
pub(crate) struct Tracker {
    #[serde(default)]
    pub fulldomain: Text,
    #[serde(default)]
    pub cname_verified: Maybe<bool>,
    #[serde(default)]
    pub cname_status: Text,
    #[serde(default)]
    pub enabled: Maybe<bool>,
}

loose_parts!(Tracker);

/// A single sender has an address, an SMTP user a name.
#[derive(Deserialize)]
pub(crate) struct Sender {
    #[serde(default)]
    pub email_address: Text,
    #[serde(default)]
    pub username: Text,
    #[serde(default)]
    pub verified: Maybe<bool>,
    #[serde(default)]
    pub sending_allowed: Maybe<bool>,
    #[serde(default)]
    pub status: Text,
    #[serde(default)]
    pub description: Text,
}

#[derive(Deserialize)]
pub(crate) struct Usage {
    /// Only of a subaccount.
    #[serde(default)]
    pub name: Text,
    #[serde(default)]
    pub cycle_start: Text,
    #[serde(default)]
    pub cycle_end: Text,
    pub cycle_used: Maybe<u64>,
    #[serde(default)]
    pub cycle_max: Maybe<u64>,
    #[serde(default)]
    pub email_count: Maybe<u64>,
    #[serde(default)]
    pub hardbounces: Maybe<u64>,
    #[serde(default)]
    pub softbounces: Maybe<u64>,
    #[serde(default)]
    pub spam_emails: Maybe<u64>,
    #[serde(default)]
    pub unsubscribes: Maybe<u64>,
    #[serde(default)]
    pub rejects: Maybe<u64>,
    #[serde(default)]
    pub opens: Maybe<u64>,
    #[serde(default)]
    pub clicks: Maybe<u64>,
}

/// A subaccount in the listing.
#[derive(Deserialize)]
pub(crate) struct Subaccount {
    #[serde(default)]
    pub id: Text,
    #[serde(default)]
    pub name: Text,
    #[serde(default)]
    pub state: Text,
    #[serde(default)]
    pub plan_size: Maybe<u64>,
    #[serde(default)]
    pub plan_used: Maybe<u64>,
}

impl Subaccount {
    /// Whether it is closed.
    pub(crate) fn closed(&self) -> bool {
        self.state.0.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("closed"))
    }
}

/// Where a listing goes on; blank at its end.
#[derive(Deserialize)]
pub(crate) struct Place {
    #[serde(default)]
    pub continue_token: Text,
}

/// What was sent, a row for each subaccount.
#[derive(Deserialize)]
pub(crate) struct History {
    pub history: Vec<Value>,
}

/// What became of a message.
#[derive(Deserialize)]
pub(crate) struct Sent {
    #[serde(default)]
    pub email_id: Text,
    /// Left out where the vendor took the message without looking at it.
    #[serde(default)]
    pub succeeded: Maybe<u64>,
    /// A list of what went wrong; what stands in its place otherwise is one such thing.
    #[serde(default)]
    pub failures: Value,
}

/// Something that happened to a message, for one recipient.
#[derive(Deserialize)]
pub(crate) struct Event {
    #[serde(default)]
    pub email_id: Text,
    #[serde(default)]
    pub event: Text,
    #[serde(default)]
    pub recipient: Text,
    #[serde(default)]
    pub reason: Text,
    #[serde(default)]
    pub smtp_response: Text,
    /// Those that were asked for, by name.
    #[serde(default)]
    custom_headers: Value,
}

impl Event {
    /// Whether the message had this header. Mail programs may write a header's name in other letters.
    pub(crate) fn has(&self, header: &str, value: &str) -> bool {
        let headers = self.custom_headers.as_object().into_iter().flatten();
        let mut named = headers.filter(|(name, _)| name.eq_ignore_ascii_case(header));
        named.any(|(_, kept)| kept.as_str().map(str::trim) == Some(value))
    }
}

/// One page of what happened.
#[derive(Deserialize)]
pub(crate) struct Events {
    pub events: Vec<Event>,
    #[serde(default)]
    pub continue_token: Text,
}

/// What an error body says: in `data` or beside it, the vendor does both.
#[derive(Default)]
pub(crate) struct Failure {
    pub code: String,
    pub words: String,
    pub request_id: Option<String>,
}

impl Failure {
    pub(crate) fn read(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let find = |key: &str| [&body["data"][key], &body[key]].into_iter().find(|value| !value.is_null());
        let text = |key: &str| find(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let mut words = vec![text("error")];
        let faults = match find("field_validation_errors") {
            Some(Value::Array(faults)) => faults.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        words.extend(faults.into_iter().filter_map(|fault| {
            let said = fault["message"].as_str()?;
            Some(fault["fieldname"].as_str().map_or_else(|| said.to_owned(), |field| format!("{field}: {said}")))
        }));
        words.retain(|said| !said.is_empty());
        let request_id = Some(text("request_id")).filter(|id| !id.is_empty());
        Self { code: text("error_code"), words: words.join("; "), request_id }
    }
}

/// Statistics write `2026-05-01 00:00:00+00:00`, older ones leave the offset out: it is UTC.
pub(crate) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let naive = || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map(|at| at.and_utc());
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z"))
        .map(|at| at.with_timezone(&Utc))
        .or_else(|_| naive())
        .ok()
}

/// What cannot be read is said without the content.
pub(crate) fn read<'a, T: Deserialize<'a>>(raw: &'a [u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{what} has an unexpected shape at byte {}", why.column()))
}
