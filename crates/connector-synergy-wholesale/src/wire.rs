//! The raw records as they are read: texts that mean days, switches, sizes and categories.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate};
use integration::loose::{Loose, Maybe, Text};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// Reads one raw record. The error names `noun`, never the content.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("a {noun} has an unexpected shape at byte {}", why.column()))
}

/// A category with the domains in it: made here of two of the vendor's listings.
#[derive(Deserialize)]
pub(crate) struct Category {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub domains: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Domain {
    /// Of this item, not of the domain: `OK`, `OK_TRANSFER_PENDING` …
    pub status: Text,
    #[serde(rename = "domainName")]
    pub name: Text,
    pub domain_status: Text,
    #[serde(rename = "domainStatus")]
    pub domain_status_too: Text,
    pub domain_expiry: Maybe<Day>,
    pub domain_created: Maybe<Day>,
    #[serde(rename = "createdDate")]
    pub created_date: Maybe<Day>,
    pub domain_create: Maybe<Day>,
    #[serde(rename = "nameServers")]
    pub name_servers: Maybe<Vec<String>>,
    #[serde(rename = "autoRenew")]
    pub auto_renew: Maybe<Switch>,
    #[serde(rename = "icannStatus")]
    pub icann_status: Text,
    #[serde(rename = "DSData")]
    pub ds_data: Maybe<Keys>,
    categories: Maybe<Places>,
    category: Maybe<Places>,
}

impl Domain {
    /// Its categories, the first first.
    pub fn places(&self) -> &[Place] {
        self.categories.0.as_ref().or(self.category.0.as_ref()).map_or(&[], |places| &places.0)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Hosting {
    /// Of this item, not of the service.
    pub status: Text,
    pub hoid: Text,
    pub domain: Text,
    #[serde(rename = "domainName")]
    pub domain_name: Text,
    pub server: Text,
    #[serde(rename = "serviceStatus")]
    pub service_status: Text,
    pub plan: Text,
    #[serde(rename = "billingPeriod")]
    pub billing_period: Text,
    #[serde(rename = "nextRenewalDue")]
    pub next_renewal_due: Maybe<Day>,
    #[serde(rename = "diskUsage")]
    pub disk_usage: Maybe<Size>,
    #[serde(rename = "diskLimit")]
    pub disk_limit: Maybe<Size>,
    /// Put there by this connector: the id of the category that its domain is in.
    #[serde(rename = "belongsTo")]
    pub belongs_to: Text,
}

/// A category as an item names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub id: String,
    pub name: String,
}

impl Place {
    /// From the vendor's two texts. An id may be blank: then the name stands for it.
    pub fn of(id: Option<&str>, name: Option<&str>) -> Option<Self> {
        let (id, name) = (id.map(str::trim).unwrap_or_default(), name.map(str::trim).unwrap_or_default());
        let either = if id.is_empty() { name } else { id };
        let name = if name.is_empty() { format!("Category {id}") } else { name.to_owned() };
        (!either.is_empty()).then(|| Self { id: either.to_owned(), name })
    }
}

/// Categories: a list, or one that stands alone.
pub(crate) struct Places(Vec<Place>);

impl Loose for Places {
    fn read(value: Value) -> Option<Self> {
        let place = |value: &Value| Place::of(value["id"].as_str(), value["name"].as_str());
        match &value {
            Value::Array(items) => Some(Self(items.iter().filter_map(place).collect())),
            Value::Object(_) => Some(Self(place(&value).into_iter().collect())),
            _ => None,
        }
    }
}

/// A day as the vendor writes it, `2027-01-02 03:04:05`. It has no zone and is the vendor's own (UTC+10, all year),
/// and a day stays the day that the vendor shows. A time with a zone is brought to the vendor's.
pub(crate) struct Day(pub NaiveDate);

impl Loose for Day {
    fn read(value: Value) -> Option<Self> {
        let text = value.as_str()?.trim();
        let brisbane = FixedOffset::east_opt(10 * 3600)?;
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Some(Self(at.with_timezone(&brisbane).date_naive()));
        }
        let day = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
        (1980..2200).contains(&day.year()).then_some(Self(day))
    }
}

/// `on` and `off` in the vendor's manual, `1` and `0` on the wire.
pub(crate) struct Switch(pub bool);

impl Loose for Switch {
    fn read(value: Value) -> Option<Self> {
        match value.as_str()?.trim().to_ascii_lowercase().as_str() {
            "on" | "1" | "true" | "yes" | "enabled" => Some(Self(true)),
            "off" | "0" | "false" | "no" | "disabled" => Some(Self(false)),
            _ => None,
        }
    }
}

/// Whether there are keys of a signed zone: an empty list says that there are none.
pub(crate) struct Keys(pub bool);

impl Loose for Keys {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Array(items) => Some(Self(!items.is_empty())),
            Value::String(text) => text.trim().is_empty().then_some(Self(false)),
            _ => None,
        }
    }
}

/// Bytes. The vendor's unit is not known, so a size without one is unknown too.
pub(crate) struct Size(pub u64);

impl Loose for Size {
    fn read(value: Value) -> Option<Self> {
        let text = value.as_str()?.trim().to_ascii_uppercase();
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = text[..digits].parse().ok().filter(|amount: &f64| amount.is_finite())?;
        let power = match text[digits..].trim().trim_end_matches('B').trim_end_matches('I') {
            "K" => 1,
            "M" => 2,
            "G" => 3,
            "T" => 4,
            _ => return None,
        };
        Some(Self((amount * 1024_f64.powi(power)) as u64))
    }
}
