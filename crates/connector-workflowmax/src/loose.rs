//! Reading single values tolerantly: what cannot be understood is unknown. Version 2 is described by public
//! clients only, and they do not agree on everything.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A text; blank is unknown.
pub(crate) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(input).map(|value| as_text(&value))
}

/// A yes or no, also as a word.
pub(crate) fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(input)? {
        Value::Bool(flag) => Some(flag),
        Value::String(word) => match word.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" => Some(true),
            "false" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    })
}

/// A day, also where it is written as an instant.
pub(crate) fn day<'de, D: Deserializer<'de>>(input: D) -> Result<Option<NaiveDate>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(value.as_str().and_then(|text| text.trim().get(..10)?.parse().ok()))
}

/// An instant with a zone.
pub(crate) fn instant<'de, D: Deserializer<'de>>(input: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(value.as_str().and_then(|text| Some(DateTime::parse_from_rfc3339(text.trim()).ok()?.with_timezone(&Utc))))
}

/// The id of something else: as a text, or inside an object.
pub(crate) fn reference<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(as_text(&value).or_else(|| as_text(&value["uuid"])))
}

pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
