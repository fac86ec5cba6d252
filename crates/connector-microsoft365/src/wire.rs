//! Microsoft's JSON as it is. Only ids are required; what is absent, null or of a new value is kept as
//! unknown, and what cannot be read is said without repeating the record.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One page of any listing.
#[derive(Deserialize)]
pub struct List<'a> {
    #[serde(borrow)]
    pub value: Vec<&'a RawValue>,
    #[serde(rename = "@odata.nextLink")]
    pub next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    pub delta: Option<String>,
}

/// Reads one raw record. Serde's own sentence may quote the record, so only its safe form is passed on.
pub fn read<'a, T: Deserialize<'a>>(raw: &'a [u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| {
        let said = why.to_string();
        match said.split_once(" at line") {
            Some((missing, _)) if missing.starts_with("missing field") => format!("not {what}: {missing}"),
            _ => format!("not {what}: it differs from Microsoft's description at byte {}", why.column()),
        }
    })
}

/// An instant, in UTC; unreadable ones count as unknown.
pub fn instant(text: Option<&str>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text?).ok().map(|at| at.with_timezone(&Utc))
}

/// A text worth keeping: not empty.
pub fn text(value: Option<String>) -> Option<String> {
    value.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
