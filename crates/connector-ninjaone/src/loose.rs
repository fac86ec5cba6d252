//! Reading single values tolerantly: what cannot be understood is unknown, except an id.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// An id: NinjaOne's are numbers; a text would do as well.
pub(crate) fn id<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    as_text(Value::deserialize(input)?).ok_or_else(|| D::Error::custom("an id that is neither a number nor a text"))
}

/// A text; blank is unknown.
pub(crate) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Value::deserialize(input).map(as_text)
}

/// A list of texts without the blank ones.
pub(crate) fn texts<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(input)? {
        Value::Array(items) => items.into_iter().filter_map(as_text).collect(),
        one => as_text(one).into_iter().collect(),
    })
}

/// A list; none is an empty one.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(input: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(input).map(Option::unwrap_or_default)
}

/// A yes or no.
pub(crate) fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    Value::deserialize(input).map(|value| value.as_bool())
}

/// Epoch seconds with a fraction, kept to the microsecond. Zero stands for never; an instant outside
/// the years 1970 to 9999 is not one.
pub(crate) fn instant<'de, D: Deserializer<'de>>(input: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    const YEAR_10000: f64 = 253_402_300_800.0;
    let seconds = Value::deserialize(input)?.as_f64().filter(|seconds| *seconds > 0.0 && *seconds < YEAR_10000);
    Ok(seconds.and_then(|seconds| DateTime::from_timestamp_micros((seconds * 1e6).round() as i64)))
}

/// A text or a number as text; blank is unknown.
pub(crate) fn as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if text.trim().len() == text.len() && !text.is_empty() => Some(text),
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
