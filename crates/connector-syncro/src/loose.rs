//! Reading single values tolerantly: what cannot be understood is unknown, except a record's own id.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// A record's own id: a number; a text would do as well.
pub(crate) fn id<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    as_id(&Value::deserialize(input)?).ok_or_else(|| D::Error::custom("an id that is not a whole number"))
}

/// The id of something else; zero stands for none.
pub(crate) fn reference<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(input).map(|value| as_id(&value))
}

/// A text; blank is unknown.
pub(crate) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(input).map(|value| as_text(&value))
}

/// A yes or no; some are written as texts.
pub(crate) fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    Value::deserialize(input).map(|value| as_flag(&value))
}

/// An instant with its zone, which is the account's or UTC.
pub(crate) fn instant<'de, D: Deserializer<'de>>(input: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Value::deserialize(input).map(|value| as_instant(&value))
}

/// A day, written as the midnight at which it begins where the account is: the day as written counts.
pub(crate) fn day<'de, D: Deserializer<'de>>(input: D) -> Result<Option<NaiveDate>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(value.as_str().and_then(|text| text.trim().get(..10)?.parse().ok()))
}

pub(crate) fn as_id(value: &Value) -> Option<String> {
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    number.filter(|number| *number > 0).map(|number| number.to_string())
}

pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(crate) fn as_flag(value: &Value) -> Option<bool> {
    match value.as_str() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => value.as_bool(),
    }
}

pub(crate) fn as_instant(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?.trim();
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc));
    zoned.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc())).ok()
}
