//! The vendor's JSON as it really is. Only what the vendor never leaves out is required; its own
//! examples omit most of the rest.

use std::iter;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use integration::Exact;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Company {
    pub id: String,
    pub name: String,
    pub address: Option<Address>,
    pub phone: Option<String>,
    pub website: Option<String>,
    /// The MSP's own id, mostly the one in its PSA.
    pub external_id: Option<String>,
    /// `Active`, `Inactive` (contacts are missing; still a customer) or `Deleted`.
    pub status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Address {
    pub city: Option<String>,
    pub state_or_province: Option<String>,
    pub country: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscription {
    pub id: String,
    pub company_id: String,
    pub product_id: Option<String>,
    pub product_name: Option<String>,
    pub quantity: Option<Exact>,
    pub price: Option<Exact>,
    pub partner_cost: Option<Exact>,
    pub currency_code: Option<String>,
    pub billing_term: Option<String>,
    pub status: String,
    #[serde(default, deserialize_with = "instant")]
    pub start_date: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub end_date: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub updated_date: Option<DateTime<Utc>>,
    pub commitment_term: Option<CommitmentTerm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommitmentTerm {
    pub term: Option<String>,
    #[serde(default, deserialize_with = "instant")]
    pub end_date: Option<DateTime<Utc>>,
}

/// The vendor's words in an error body, each once: `message` with `details`, or a flat list of texts
/// that has been seen too. Anything else says nothing.
pub(crate) fn words(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let lists = ["details", "errors"].into_iter().filter_map(|key| body[key].as_array()).flatten();
    let mut words: Vec<&str> = Vec::new();
    for said in iter::once(&body["message"]).chain(lists) {
        let text = said.as_str().or(said["message"].as_str()).map(str::trim).unwrap_or_default();
        if !text.is_empty() && !words.contains(&text) {
            words.push(text);
        }
    }
    words.join("; ")
}

/// Reads one record. The error names the field, never its content.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, raw: &'a [u8]) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_slice(raw);
    serde_path_to_error::deserialize(&mut json).map_err(|why| {
        let path = why.path().to_string();
        let reason = why.inner().to_string();
        match reason.split_once(" at line") {
            Some((missing, _)) if missing.starts_with("missing field") => format!("a Pax8 {what}: {missing}"),
            _ if path == "." => format!("this is not a Pax8 {what}"),
            _ => format!("a Pax8 {what}: {path} cannot be read"),
        }
    })
}

/// Whether this can stand in an address. The ids are UUIDs; anything else would be another address.
pub(crate) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// A text that says something.
pub(crate) fn said(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    match said(Option::deserialize(deserializer)?) {
        None => Ok(None),
        Some(text) => parse_instant(&text).map(Some).ok_or_else(|| D::Error::custom("not a date")),
    }
}

/// The vendor writes `…-0600`, `…Z` and bare days, even in one field. A bare day begins at midnight UTC.
pub(crate) fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .map(|at| at.with_timezone(&Utc))
        .ok()
        .or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN).and_utc()))
}
