//! The vendor's JSON as it really is: only the fields we use. Editions of the interface differ, so nothing but an id
//! is required, and a value of another shape costs only itself.

use chrono::{DateTime, Utc};
use integration::{
    Exact,
    loose::{Maybe, Text},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tenant {
    pub id: Text,
    pub name: Text,
    pub status: Text,
    pub primary_package_name: Text,
    pub additional_package_names: Maybe<Vec<String>>,
    pub user_count: Count,
    pub total_credits_used: Credits,
    pub total_credit_limit: Credits,
}

/// The MSP's own account.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Msp {
    pub name: Text,
    pub tenant_user_count: Count,
}

/// A user; the names of these fields are a guess.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub id: Text,
    pub email: Text,
    pub name: Text,
    pub first_name: Text,
    pub last_name: Text,
    pub status: Text,
    pub created_at: Maybe<DateTime<Utc>>,
    #[serde(alias = "last_signin_at", alias = "last_login_at", alias = "last_sign_in", alias = "last_login")]
    pub last_sign_in_at: Maybe<DateTime<Utc>>,
}

/// A number of people.
#[derive(Default)]
pub(crate) struct Count(pub Option<i64>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(input)?;
        Ok(Self(value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())))
    }
}

/// A number of credits, which may be a fraction.
#[derive(Default)]
pub(crate) struct Credits(pub Option<Decimal>);

impl<'de> Deserialize<'de> for Credits {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        // The value is taken whole before it is understood, so one that cannot be leaves the rest readable.
        Ok(Self(Exact::deserialize(input).ok().map(|credits| credits.0)))
    }
}

/// Reads one record. The error names `noun` and the place, and repeats nothing of the content.
pub(crate) fn read<'a, T: Deserialize<'a>>(raw: &'a [u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{noun} has an unexpected shape at byte {}", why.column()))
}

/// The id of any record.
pub(crate) fn id_of(raw: &[u8]) -> Option<String> {
    serde_json::from_slice::<Tenant>(raw).ok()?.id.0
}

/// What an error body says to a person. Its shape is inferred: `detail`, which is a text or a list of faults, or a
/// word of another name, or a plain text.
pub(crate) fn words(body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return String::from_utf8_lossy(body).into_owned() };
    let said = ["detail", "message", "error"].into_iter().filter_map(|name| body.get(name)).find_map(text);
    said.or_else(|| text(&body)).unwrap_or_default()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Array(faults) => {
            let faults: Vec<String> = faults.iter().filter_map(text).collect();
            (!faults.is_empty()).then(|| faults.join("; "))
        }
        Value::Object(fields) => ["msg", "message"].into_iter().filter_map(|name| fields.get(name)).find_map(text),
        _ => None,
    }
}
