//! TeamViewer's JSON as it really is: only the fields we use. Its spelling is mixed (`teamviewerId`,
//! `TeamViewerId`, `last_seen`), and what its description calls a number may come as a text. One odd value
//! costs that value, never the record.

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::{Value, value::RawValue};

/// Reads one record. The error names `noun` and the place, and repeats nothing of the content.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw)
        .map_err(|why| format!("a {noun} has an unexpected shape at byte {} of line {}", why.column(), why.line()))
}

/// One page of a managed list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List<'a> {
    #[serde(borrow)]
    pub resources: Vec<&'a RawValue>,
    /// Null on the last page.
    pub next_pagination_token: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Group {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Device {
    /// The management id. Names repeat, and so can the TeamViewer id of a cloned machine.
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default, alias = "TeamViewerId", alias = "teamViewerId", deserialize_with = "text")]
    pub teamviewer_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(default, alias = "IsOnline", deserialize_with = "flag")]
    pub is_online: Option<bool>,
    /// Only of devices that are offline, and of newer clients.
    #[serde(default, rename = "last_seen", alias = "lastSeen", deserialize_with = "instant")]
    pub last_seen: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
pub(crate) struct Ping {
    #[serde(default, deserialize_with = "flag")]
    pub token_valid: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct Account {
    #[serde(default, deserialize_with = "text")]
    company_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    email: Option<String>,
}

impl Account {
    /// Whose it is: the company's, or else the person's.
    pub(crate) fn title(self) -> Option<String> {
        self.company_name.or(self.name).or(self.email)
    }
}

/// An error body.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Failure {
    #[serde(deserialize_with = "text")]
    error: Option<String>,
    #[serde(deserialize_with = "text")]
    error_description: Option<String>,
    #[serde(deserialize_with = "text")]
    error_signature: Option<String>,
}

impl Failure {
    /// The word that programs go by ("license_required").
    pub(crate) fn word(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// What it says to a person.
    pub(crate) fn words(&self) -> &str {
        self.error_description.as_deref().or(self.error.as_deref()).unwrap_or_default()
    }

    /// The id of the mishap, for the vendor's support.
    pub(crate) fn signature(&self) -> Option<&str> {
        self.error_signature.as_deref()
    }
}

fn id<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    as_text(Value::deserialize(input)?).ok_or_else(|| D::Error::custom("an id that is neither a text nor a number"))
}

/// A text; blank is unknown.
fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(input).map(as_text)
}

fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    Value::deserialize(input).map(|value| value.as_bool())
}

/// A written time, in UTC where it does not say otherwise. The year 1, which stands for never, and others
/// before 1970 are unknown.
fn instant<'de, D: Deserializer<'de>>(input: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = Value::deserialize(input)?;
    let text = value.as_str().unwrap_or_default().trim();
    let at = DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc()));
    Ok(at.ok().filter(|at| at.year() >= 1970))
}

fn as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
