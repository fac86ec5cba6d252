//! The vendor's JSON as it really is. Anything but the ids may be null or missing.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use integration::Exact;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use crate::api::NAME;

/// An id or a picked value, whether written as a number or as a text: Autotask does both.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Id(pub String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) => Ok(Self(number.to_string())),
            Value::String(text) if !text.trim().is_empty() => Ok(Self(text.trim().to_owned())),
            _ => Err(serde::de::Error::custom("not an id")),
        }
    }
}

/// Yes or no, whether written as a word or as 1 and 0, as contacts do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(flag) => Ok(Self(flag)),
            Value::Number(number) => Ok(Self(number.as_i64() != Some(0))),
            Value::String(text) => Ok(Self(matches!(text.to_lowercase().as_str(), "true" | "1"))),
            _ => Err(serde::de::Error::custom("neither yes nor no")),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Zone {
    pub url: String,
}

#[derive(Deserialize)]
pub(crate) struct Attachments {
    pub items: Vec<Attachment>,
}

#[derive(Deserialize)]
pub(crate) struct Attachment {
    pub title: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Written {
    pub item_id: Id,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listing<'a> {
    #[serde(borrow)]
    pub items: Vec<&'a RawValue>,
    pub page_details: PageDetails,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageDetails {
    pub next_page_url: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Fields {
    pub fields: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Field {
    pub name: String,
    pub is_required: Option<bool>,
    pub picklist_values: Option<Vec<Pick>>,
}

/// One value of a picklist.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pick {
    pub value: Id,
    pub label: Option<String>,
    pub is_default_value: Option<bool>,
    pub sort_order: Option<i64>,
    pub is_active: Option<bool>,
}

/// Declares records whose fields may all be missing or null but for the id.
macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $field:ident: $type:ty),+ $(,)? })+) => { $(
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name { pub id: Id, $($(#[$meta])* pub $field: Option<$type>),+ }
    )+ };
}

records! {
    Company {
        company_name: String, company_number: String, phone: String, web_address: String, address1: String,
        address2: String, city: String, state: String, postal_code: String, is_active: Flag,
        #[serde(rename = "_labels")] labels: BTreeMap<String, String>,
    }
    Location {
        #[serde(rename = "companyID")] company: Id, name: String, description: String, address1: String,
        address2: String, city: String, state: String, postal_code: String,
    }
    Contact {
        #[serde(rename = "companyID")] company: Id, first_name: String, last_name: String, email_address: String,
        phone: String, mobile_phone: String, title: String, is_active: Flag, primary_contact: Flag,
        #[serde(rename = "companyLocationID")] location: Id, create_date: String, last_modified_date: String,
    }
    Ticket {
        #[serde(rename = "companyID")] company: Id, ticket_number: String, title: String, description: String,
        status: Id, priority: Id, #[serde(rename = "contactID")] contact: Id, create_date: String,
        last_activity_date: String, due_date_time: String, completed_date: String,
        #[serde(rename = "_labels")] labels: BTreeMap<String, String>,
    }
    Invoice {
        #[serde(rename = "companyID")] company: Id, invoice_number: String, order_number: String,
        invoice_date_time: String, due_date: String, paid_date: String, is_voided: Flag, invoice_total: Exact,
        total_tax_value: Exact,
    }
    /// A country or a user: only who they are is of use.
    Known { is_active: Flag }
}

/// What a webhook says.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Hook {
    pub action: Option<String>,
    pub entity_type: Option<String>,
    pub id: Option<Id>,
    /// The fields that the webhook was made to show.
    pub fields: Option<BTreeMap<String, Value>>,
}

/// Reads one record. The error says what it is, never what stands in it.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, raw: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("this is not an {NAME} {what} ({:?} error)", why.classify()))
}

/// The company that a record belongs to.
pub(crate) fn owner(what: &str, company: Option<Id>) -> Result<Option<String>, String> {
    company.map(|id| Some(id.0)).ok_or_else(|| format!("an {NAME} {what} that belongs to no company"))
}

/// A text that says something.
pub(crate) fn said(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A time; without a zone it is UTC, as Autotask says of all its times.
pub(crate) fn instant(text: Option<&str>) -> Option<DateTime<Utc>> {
    let text = text?.trim();
    let naive = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|at| at.and_utc());
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc)).or_else(naive)
}

/// The vendor's words in an error body: texts, or objects with a message.
pub(crate) fn words(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = |one: &Value| one.as_str().or(one["message"].as_str()).map(|text| text.trim().to_owned());
    let words: Vec<String> = body["errors"].as_array().into_iter().flatten().filter_map(said).collect();
    words.join("; ")
}
