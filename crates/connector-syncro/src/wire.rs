//! The vendor's JSON as it really is: only the fields we use. A record needs its id; the vendor's published
//! description has examples and next to no schemas, so everything else may be missing.

use chrono::{DateTime, NaiveDate, Utc};
use integration::Exact;
use serde::Deserialize;
use serde_json::Value;

use crate::loose;

/// What every record has.
#[derive(Deserialize)]
pub(crate) struct Numbered {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
}

#[derive(Deserialize)]
pub(crate) struct Customer {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    /// Empty for a person.
    #[serde(default, deserialize_with = "loose::text")]
    pub business_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub business_then_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub fullname: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub email: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub phone: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub mobile: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub city: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub state: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub disabled: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct Contact {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    #[serde(default, deserialize_with = "loose::reference")]
    pub customer_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub email: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub phone: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub mobile: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub updated_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
pub(crate) struct Asset {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    #[serde(default, deserialize_with = "loose::reference")]
    pub customer_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub asset_type: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub asset_serial: Option<String>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub created_at: Option<DateTime<Utc>>,
    /// Custom fields, and what the agent reports, in types that differ by the agent's version.
    #[serde(default)]
    pub properties: Value,
    #[serde(default)]
    pub rmm_store: Value,
}

#[derive(Deserialize)]
pub(crate) struct Alert {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    #[serde(default, deserialize_with = "loose::reference")]
    pub customer_id: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub asset_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub computer_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub formatted_output: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub resolved: Option<bool>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub created_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
pub(crate) struct Ticket {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    #[serde(default, deserialize_with = "loose::text")]
    pub number: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub customer_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub subject: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub priority: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub problem_type: Option<String>,
    /// Of listings.
    #[serde(default, deserialize_with = "loose::reference")]
    pub contact_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub contact_fullname: Option<String>,
    /// Of single records.
    #[serde(default)]
    pub contact: Value,
    #[serde(default)]
    pub user: Value,
    #[serde(default)]
    pub comments: Value,
    #[serde(default, deserialize_with = "loose::instant")]
    pub created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub updated_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub due_date: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub resolved_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
pub(crate) struct Invoice {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    #[serde(default, deserialize_with = "loose::reference")]
    pub customer_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub number: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub po_number: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub is_paid: Option<bool>,
    #[serde(default, deserialize_with = "loose::day")]
    pub date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "loose::day")]
    pub due_date: Option<NaiveDate>,
    pub subtotal: Option<Exact>,
    pub tax: Option<Exact>,
    pub total: Option<Exact>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub updated_at: Option<DateTime<Utc>>,
}

/// Reads one record. The error names the place, never its content.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, raw: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{what} of Syncro cannot be read at byte {}", why.column()))
}

/// What an error body says to a person: `error`, `errors` or `message`, each a text, a list of texts, or an
/// object of them by field.
pub(crate) fn words(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut words = Vec::new();
    ["error", "errors", "message"].iter().for_each(|key| collect(&body[*key], "", &mut words));
    words.join("; ")
}

fn collect(value: &Value, field: &str, words: &mut Vec<String>) {
    match value {
        Value::String(text) if field.is_empty() => words.push(text.trim().to_owned()),
        Value::String(text) => words.push(format!("{field} {}", text.trim())),
        Value::Array(all) => all.iter().for_each(|one| collect(one, field, words)),
        Value::Object(fields) => fields.iter().for_each(|(field, value)| collect(value, field, words)),
        _ => {}
    }
}
