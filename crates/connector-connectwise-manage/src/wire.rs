//! The vendor's JSON as it really is. ConnectWise leaves out what is null, so nearly nothing is required.

use chrono::{DateTime, NaiveDateTime, Utc};
use integration::{Exact, Response};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::api::NAME;

/// An id, whether written as a number or as a text.
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

/// Declares structs whose fields may all be missing or null.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $field:ident: $type:ty),+ $(,)? })+) => { $(
        $(#[$doc])*
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub(crate) struct $name { $($(#[$meta])* pub $field: Option<$type>),+ }
    )+ };
}

rows! {
    /// Where the API of a server stands.
    CompanyInfo { #[serde(rename = "Codebase", alias = "codebase")] codebase: String }
    /// The part of any record that a listing goes by.
    Row { id: Id, company: Reference }
    /// A mention of another record.
    Reference { id: Id, name: String, identifier: String }
    Company {
        id: Id, identifier: String, name: String, status: Reference, address_line1: String, address_line2: String,
        city: String, state: String, zip: String, country: Reference,
        phone_number: String, website: String, account_number: String, deleted_flag: bool,
    }
    Site {
        id: Id, name: String, address_line1: String, address_line2: String, city: String,
        state_reference: Reference, zip: String, country: Reference, phone_number: String,
    }
    Contact {
        id: Id, first_name: String, last_name: String, company: Reference, site: Reference, title: String,
        inactive_flag: bool, default_flag: bool, communication_items: Vec<Communication>,
        #[serde(rename = "_info")] marks: Marks,
    }
    Communication { id: Id, r#type: Reference, value: String, default_flag: bool, communication_type: String }
    Ticket {
        id: Id, summary: String, board: Reference, status: Reference, company: Reference, contact: Reference,
        contact_name: String, contact_email_address: String, r#type: Reference, owner: Reference,
        priority: Reference, required_date: String, closed_date: String, closed_flag: bool,
        #[serde(rename = "_info")] marks: Marks,
    }
    Note {
        id: Id, text: String, detail_description_flag: bool, internal_analysis_flag: bool, resolution_flag: bool,
        member: Reference, contact: Reference, date_created: String, created_by: String,
    }
    Invoice {
        id: Id, invoice_number: String, status: Reference, company: Reference, reference: String,
        #[serde(rename = "customerPO")] purchase_order: String, date: String, due_date: String, subtotal: Exact,
        sales_tax: Exact, total: Exact, balance: Exact, currency: Currency, #[serde(rename = "_info")] marks: Marks,
    }
    Currency { currency_code: String, currency_identifier: String }
    /// When a record was made and changed.
    Marks { last_updated: String, date_entered: String }
    /// What can be chosen: a state, type, board, priority, country, kind of communication. Each has other
    /// words for its name and for being out of use.
    Choice {
        id: Id, name: String, description: String, default_flag: bool, inactive_flag: bool, inactive: bool,
        project_flag: bool, email_flag: bool, phone_flag: bool,
    }
    /// What a callback says. `entity` (the record as text) is not read: the record is fetched instead.
    Callback {
        #[serde(rename = "ID")] id: Id, #[serde(rename = "Type")] kind: String,
        #[serde(rename = "CompanyId")] company: Id, #[serde(rename = "Metadata")] metadata: Metadata,
    }
    Metadata { #[serde(rename = "key_url")] key_url: String }
    SigningKey { #[serde(rename = "signing_key")] signing_key: String }
}

impl Reference {
    pub(crate) fn id(self) -> Option<String> {
        self.id.map(|id| id.0)
    }
}

impl Choice {
    pub(crate) fn in_use(&self) -> bool {
        self.inactive_flag != Some(true) && self.inactive != Some(true)
    }

    /// As people read it.
    pub(crate) fn label(&self) -> &str {
        self.name.as_deref().or(self.description.as_deref()).unwrap_or_default()
    }

    /// As a list of choices names it; nothing without an id.
    pub(crate) fn offered(self) -> Option<integration::Choice> {
        let label = self.label().to_owned();
        self.id.map(|id| integration::Choice { id: id.0, label })
    }
}

/// Reads one record. The error says what it is, never what stands in it.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, raw: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("this is not a {NAME} {what} ({:?} error)", why.classify()))
}

/// The id of a record, which none may lack.
pub(crate) fn required(what: &str, id: Option<Id>) -> Result<String, String> {
    id.map(|id| id.0).ok_or_else(|| format!("a {NAME} {what} without an id"))
}

/// The company that a record belongs to.
pub(crate) fn owner(what: &str, company: Option<Reference>) -> Result<Option<String>, String> {
    let id = company.and_then(Reference::id);
    id.map(Some).ok_or_else(|| format!("a {NAME} {what} that belongs to no company"))
}

/// A text that says something.
pub(crate) fn said(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A time; without a zone it is UTC, as ConnectWise says of all its times.
pub(crate) fn instant(text: Option<&str>) -> Option<DateTime<Utc>> {
    let text = text?.trim();
    let naive = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|at| at.and_utc());
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc)).or_else(naive)
}

/// The vendor's words in an error body, each once: `message`, then those of `errors`.
pub(crate) fn words(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut words: Vec<&str> = Vec::new();
    for said in std::iter::once(&body["message"]).chain(body["errors"].as_array().into_iter().flatten()) {
        let text = said.as_str().or(said["message"].as_str()).map(str::trim).unwrap_or_default();
        if !text.is_empty() && !words.contains(&text) {
            words.push(text);
        }
    }
    words.join("; ")
}

/// Whether the API itself says that it has no such record. Otherwise nobody answers at this address.
pub(crate) fn knows_not(response: &Response) -> bool {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    body["code"].as_str().is_some_and(|code| code.eq_ignore_ascii_case("NotFound"))
}
