//! Reading single values tolerantly: what cannot be understood is unknown, except an id.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// An id: a text; a number would do as well.
pub(crate) fn id<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    as_text(&Value::deserialize(input)?).ok_or_else(|| D::Error::custom("an id that is neither a text nor a number"))
}

/// A text; blank is unknown.
pub(crate) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(input).map(|value| as_text(&value))
}

/// A yes or no.
pub(crate) fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    Value::deserialize(input).map(|value| value.as_bool())
}

/// A count.
pub(crate) fn count<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    Value::deserialize(input).map(|value| value.as_u64())
}

/// Epoch milliseconds, as the vendor sends them, or a written time, as its description says. Zero stands
/// for never; an instant outside the years 1970 to 9999 is not one.
pub(crate) fn instant<'de, D: Deserializer<'de>>(input: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    const YEAR_10000: i64 = 253_402_300_800_000;
    let value = Value::deserialize(input)?;
    let written = value.as_str().map(str::trim);
    let millis = value.as_i64().or_else(|| written?.parse().ok());
    Ok(match (millis, written) {
        (Some(millis), _) => {
            Some(millis).filter(|millis| (1..YEAR_10000).contains(millis)).and_then(DateTime::from_timestamp_millis)
        }
        (None, Some(text)) => DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
            .map(|at| at.with_timezone(&Utc))
            .ok(),
        (None, None) => None,
    })
}

/// A text that says something.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
