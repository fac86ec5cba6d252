//! Single values as Gorelo sends them. Its API is young and changes often: what cannot be understood is
//! unknown, except an id of a record's own.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use integration::Exact;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A text or a number, as written; blank is unknown. Gorelo leaves texts empty rather than out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text(pub Option<String>);

/// An instant in UTC.
#[derive(Debug, Default)]
pub(crate) struct Time(pub Option<DateTime<Utc>>);

/// A day; of an instant, its day.
#[derive(Debug, Default)]
pub(crate) struct Day(pub Option<NaiveDate>);

/// A coded value, such as a status.
#[derive(Debug, Default)]
pub(crate) struct Code {
    /// The vendor's number for it.
    pub id: Option<String>,
    /// Its word.
    pub name: Option<String>,
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

    /// As the id of something else: 0 stands for none.
    pub(crate) fn other_id(&self) -> Option<String> {
        self.0.clone().filter(|id| id != "0")
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

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "PascalCase")]
        struct Wire {
            id: Text,
            name: Text,
        }
        let raw = Box::<RawValue>::deserialize(input)?;
        let wire: Wire = serde_json::from_str(raw.get()).unwrap_or_default();
        Ok(Self { id: wire.id.0, name: wire.name.0 })
    }
}

impl Code {
    /// Its word in lower case, to be compared.
    pub(crate) fn word(&self) -> String {
        self.name.as_deref().unwrap_or_default().to_lowercase()
    }
}

/// Reads a raw record; the error does not repeat its content.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, raw: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{what} has an unexpected shape at byte {}", why.column()))
}

/// Whether a record names its client. One that cannot be read counts, so that it is seen to be wrong.
pub(crate) fn names_client(raw: &[u8]) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "PascalCase")]
    struct Row {
        client_id: Text,
    }
    serde_json::from_slice::<Row>(raw).map_or(true, |row| row.client_id.other_id().is_some())
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.with_timezone(&Utc));
    }
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|naive| naive.and_utc())
}
