//! Single values as SuperOps sends them: ids of 19 digits as texts or as bare numbers (too long for a
//! float), times without a zone, and associations as untyped JSON. What cannot be understood is unknown.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use integration::Exact;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A text or a number, as written; blank is unknown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text(pub Option<String>);

/// An instant in UTC: without a zone, with or without seconds and their fraction.
#[derive(Debug, Default)]
pub(crate) struct Time(pub Option<DateTime<Utc>>);

/// A day; of an instant, its day.
#[derive(Debug, Default)]
pub(crate) struct Day(pub Option<NaiveDate>);

/// Anything, where it has the shape we know: a count in digits, an amount, an association.
#[derive(Debug)]
pub(crate) struct Maybe<T>(pub Option<T>);

/// Something that a record is tied to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tie {
    #[serde(alias = "accountId", alias = "userId", alias = "groupId", alias = "assetId")]
    pub id: Text,
    pub name: Text,
    pub email: Text,
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(input)?;
        let raw = raw.get();
        let text = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(raw).ok(),
            Some(b'-' | b'0'..=b'9') => Some(raw.to_owned()),
            _ => None,
        };
        Ok(Self(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())))
    }
}

impl Text {
    /// As the id of a record's own, which must be there.
    pub(crate) fn own_id(self, what: &str) -> Result<String, String> {
        self.0.ok_or_else(|| format!("{what} without an id"))
    }

    /// As a count.
    pub(crate) fn count(&self) -> Option<u64> {
        self.0.as_ref()?.parse().ok()
    }

    /// As an amount, digit by digit.
    pub(crate) fn amount(&self) -> Option<Exact> {
        serde_json::from_str(self.0.as_ref()?).ok()
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Text::deserialize(input).map(|text| Self(text.0.as_deref().and_then(instant)))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(input)?.0.unwrap_or_default();
        let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
        Ok(Self(day.or_else(|| instant(&text).map(|at| at.date_naive()))))
    }
}

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: for<'a> Deserialize<'a>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(input)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}

impl Maybe<Tie> {
    /// The id of what it is tied to.
    pub(crate) fn id(&self) -> Option<String> {
        self.0.as_ref()?.id.0.clone()
    }

    /// The name of what it is tied to.
    pub(crate) fn name(&self) -> Option<String> {
        self.0.as_ref()?.name.0.clone()
    }
}

/// Reads a raw record; the error does not repeat its content.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, raw: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{what} has an unexpected shape at byte {}", why.column()))
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.with_timezone(&Utc));
    }
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|naive| naive.and_utc())
}
