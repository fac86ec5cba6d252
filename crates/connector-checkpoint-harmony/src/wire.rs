//! The vendor's JSON as it really is: only the fields we use. Numbers may come as texts, instants as texts
//! or as milliseconds.

use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use integration::{Error, Response, Result, Retry, raw_slice};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use crate::api::NAME;

/// The portal's answer to a login.
#[derive(Deserialize)]
pub(crate) struct Login {
    pub success: Option<bool>,
    pub message: Option<String>,
    pub data: Option<LoginData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoginData {
    pub token: String,
    /// Seconds.
    #[serde(default)]
    pub expires_in: Value,
}

/// What Email & Collaboration wraps every answer in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wrapped<'a> {
    pub response_envelope: Envelope,
    #[serde(borrow)]
    pub response_data: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Envelope {
    /// 0 or 200 is good.
    pub response_code: Option<i64>,
    pub response_text: Option<String>,
    pub additional_text: Option<String>,
    pub request_id: Option<String>,
    pub total_records_number: Option<u64>,
    pub scroll_id: Option<String>,
}

/// An account of Harmony Endpoint with the tenants below it. An MSSP's account says who it is; of any other
/// only its servers do.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    pub tenant_id: Option<String>,
    pub tenant_name: Option<String>,
    /// `MSSP` or `CUSTOMER`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub machines: Option<Vec<Machine>>,
    #[serde(default)]
    pub child_tenants: Vec<Account>,
}

/// A server that manages an account's computers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Machine {
    pub tenant_id: Option<String>,
}

/// A piece of work that Harmony Endpoint does in its own time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobBegun {
    pub job_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobState<'a> {
    /// `IN_PROGRESS`, `DONE`, `FAILED` or `NOT_FOUND`.
    pub status: String,
    pub status_code: Option<u16>,
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Computers<'a> {
    /// Written as a decimal number.
    pub total_count: f64,
    #[serde(borrow)]
    pub computers: Vec<&'a RawValue>,
}

/// What an error body says, and the id by which the vendor's support finds it.
#[derive(Default)]
pub(crate) struct Said {
    pub words: String,
    pub id: Option<String>,
}

impl Said {
    /// Reads a body of any of the three products.
    pub(crate) fn read(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let envelope = &body["responseEnvelope"];
        let places =
            [&envelope["responseText"], &envelope["additionalText"], &body["title"], &body["detail"], &body["message"]];
        let words: Vec<&str> =
            places.iter().filter_map(|place| place.as_str()).map(str::trim).filter(|word| !word.is_empty()).collect();
        let id = envelope["requestId"].as_str().or(body["referenceId"].as_str()).map(str::to_owned);
        Self { words: words.join(": "), id }
    }
}

/// Reads a part of an answer. Half an answer may come whole next time; another shape will not.
pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|why| {
        let error = Error::unreadable(NAME, &why);
        if why.is_eof() { error.retry(Retry::Yes) } else { error }
    })
}

/// The elements of an array that is part of an answer, each a slice of it.
pub(crate) fn items(response: &Response, array: &RawValue) -> Result<Vec<Bytes>> {
    let items: Vec<&RawValue> = parse(array.get().as_bytes())?;
    Ok(items.into_iter().map(|item| raw_slice(&response.body, item)).collect())
}

/// Reads one record. The error names what is wrong, never the record's content.
pub(crate) fn read<'a, T: Deserialize<'a>>(raw: &'a [u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| {
        let said = why.to_string();
        match said.split_once(" at line") {
            Some((missing, _)) if missing.starts_with("missing field") => format!("not {what}: {missing}"),
            _ => format!("not {what}: it has another shape at byte {}", why.column()),
        }
    })
}

/// A text that says something.
pub(crate) fn said(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A text of Harmony Endpoint that says something: `999` and `N/A` stand for nothing there.
pub(crate) fn known(text: Option<String>) -> Option<String> {
    said(text).filter(|text| !matches!(text.as_str(), "999" | "N/A"))
}

/// A text, also where it is written as a number.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Seconds, as a number or a text.
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    value.as_f64().map(|seconds| seconds as i64).or_else(|| value.as_str()?.trim().parse().ok())
}

/// An instant in any of the vendor's forms; what cannot be read, or is next to 1970, is unknown.
pub(crate) fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = text(from)? else { return Ok(None) };
    let text = text.trim();
    let bare = || {
        let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
        forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|at| at.and_utc())
    };
    Ok(match text.parse::<i64>() {
        Ok(millis) => DateTime::from_timestamp_millis(millis).filter(|_| millis > 1_000),
        Err(_) => DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc)).or_else(bare),
    })
}
