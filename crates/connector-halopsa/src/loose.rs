//! Reading single values tolerantly: what cannot be understood is unknown, except a record's own id.

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// A record's own id. HaloPSA writes some of its whole numbers as `14.0`.
pub(crate) fn id<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    whole(&Value::deserialize(input)?)
        .map(|id| id.to_string())
        .ok_or_else(|| D::Error::custom("an id that is not a whole number"))
}

/// The id of something else. Zero and less stand for none.
pub(crate) fn reference<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    let id = whole(&Value::deserialize(input)?);
    Ok(id.filter(|id| *id > 0).map(|id| id.to_string()))
}

/// A text; blank is unknown, and so is a number where a zero stands for none.
pub(crate) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(&Value::deserialize(input)?))
}

/// A yes or no.
pub(crate) fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    Value::deserialize(input).map(|value| value.as_bool())
}

/// An instant, with or without a zone; without one it is UTC. HaloPSA's empty dates lie in 1900 and before.
pub(crate) fn instant<'de, D: Deserializer<'de>>(input: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = Value::deserialize(input)?;
    let text = value.as_str().unwrap_or_default().trim();
    let at = DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc()));
    Ok(at.ok().filter(|at| (1971..2200).contains(&at.year())))
}

pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) if number.as_f64() != Some(0.0) => Some(number.to_string()),
        _ => None,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            // Beyond 2^53 a float is no longer the id that was meant; HaloPSA's ids have 32 bits.
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15)?;
            Some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
