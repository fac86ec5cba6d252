//! CIPP's values as they are: PowerShell writes numbers and booleans as texts, `""` where it knows
//! nothing, and one text where there could be several.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// Reads one record. Serde's own sentence may quote the record, so only its safe form is passed on.
pub(crate) fn read<'a, T: Deserialize<'a>>(raw: &'a [u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| {
        let said = why.to_string();
        match said.split_once(" at line") {
            Some((missing, _)) if missing.starts_with("missing field") => format!("not {what}: {missing}"),
            _ => format!("not {what}: it has another shape at byte {}", why.column()),
        }
    })
}

/// A yes or no, also as a text; anything else is unknown.
pub(crate) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(flag) => Some(flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    })
}

/// A whole number, also as a text; anything else is unknown.
pub(crate) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// A text, also where PowerShell wrote a number; anything else is unknown.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => said(Some(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A number, also as a text. What is neither is no number at all.
pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let value = Value::deserialize(from)?;
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.ok_or_else(|| D::Error::custom("a text where a number should be"))
}

/// Texts: several, one by itself, or none.
pub(crate) fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = match Value::deserialize(from)? {
        Value::Array(items) => items,
        one => vec![one],
    };
    Ok(texts.into_iter().filter_map(|one| said(one.as_str().map(str::to_owned))).collect())
}

/// A text that says something.
pub(crate) fn said(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// An instant, in UTC; unreadable ones count as unknown.
pub(crate) fn instant(text: Option<&str>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text?.trim()).ok().map(|at| at.with_timezone(&Utc))
}

/// What an error body says: a plain text, a text in JSON, or one under a usual name, each perhaps in an
/// array.
pub(crate) fn words(body: &[u8]) -> String {
    let Ok(mut body) = serde_json::from_slice::<Value>(body) else {
        return String::from_utf8_lossy(body).into_owned();
    };
    if let Some(first) = body.get_mut(0) {
        body = first.take();
    }
    let named = ["Results", "Error", "error_description", "error", "Message", "message"];
    let mut candidates = named.iter().filter_map(|name| {
        let found = &body[*name];
        found.as_str().or_else(|| found[0].as_str()).map(str::to_owned)
    });
    body.as_str().map(str::to_owned).or_else(|| candidates.next()).unwrap_or_default()
}
