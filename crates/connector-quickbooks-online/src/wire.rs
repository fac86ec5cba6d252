//! The vendor's JSON as it really is: only the fields we use. Anything may be left out.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use integration::{
    Exact,
    loose::{Loose, Maybe, Text},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::api::NAME;

/// The part of an answer that holds records: under the name of their type, beside counts.
pub(crate) type Found<'a> = HashMap<String, &'a RawValue>;

/// The answer to a query, or to the question what changed.
#[derive(Deserialize)]
pub(crate) struct Answer<'a> {
    #[serde(borrow, rename = "QueryResponse")]
    pub found: Option<Found<'a>>,
    #[serde(borrow, rename = "CDCResponse")]
    pub changes: Option<Vec<Changes<'a>>>,
    /// The vendor's clock.
    #[serde(default)]
    pub time: Maybe<DateTime<Utc>>,
}

/// One element for each type that was asked for.
#[derive(Deserialize)]
pub(crate) struct Changes<'a> {
    #[serde(borrow, rename = "QueryResponse")]
    pub found: Option<Vec<Found<'a>>>,
}

/// Of any record: its id, and whether it is gone.
#[derive(Deserialize)]
pub(crate) struct Mark {
    #[serde(default, rename = "Id")]
    pub id: Text,
    #[serde(default)]
    pub status: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Company {
    pub company_name: Text,
    pub legal_name: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Customer {
    pub id: Text,
    pub display_name: Text,
    pub company_name: Text,
    pub fully_qualified_name: Text,
    pub given_name: Text,
    pub family_name: Text,
    pub active: Maybe<bool>,
    pub job: Maybe<bool>,
    pub is_project: Maybe<bool>,
    pub parent_ref: Maybe<Reference>,
    pub primary_email_addr: Maybe<Email>,
    pub primary_phone: Maybe<Phone>,
    pub mobile: Maybe<Phone>,
    pub web_addr: Maybe<Web>,
    pub bill_addr: Maybe<Address>,
    pub ship_addr: Maybe<Address>,
    pub meta_data: Maybe<MetaData>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reference {
    pub value: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Email {
    pub address: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Phone {
    pub free_form_number: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Web {
    #[serde(rename = "URI")]
    pub uri: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Address {
    pub city: Text,
    pub country_sub_division_code: Text,
    pub country: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct MetaData {
    pub create_time: Maybe<DateTime<Utc>>,
    pub last_updated_time: Maybe<DateTime<Utc>>,
}

/// An invoice, or the template of one.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Invoice {
    pub id: Text,
    pub doc_number: Text,
    pub customer_ref: Maybe<Reference>,
    pub currency_ref: Maybe<Reference>,
    pub txn_date: Maybe<Day>,
    pub due_date: Maybe<Day>,
    pub total_amt: Option<Exact>,
    pub balance: Option<Exact>,
    pub txn_tax_detail: Option<TaxDetail>,
    pub private_note: Text,
    pub recurring_info: Maybe<RecurringInfo>,
    pub meta_data: Maybe<MetaData>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TaxDetail {
    pub total_tax: Option<Exact>,
}

/// What is made again and again: an invoice, or something else, which we do not read.
#[derive(Deserialize)]
pub(crate) struct Template {
    #[serde(rename = "Invoice")]
    pub invoice: Invoice,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct RecurringInfo {
    pub name: Text,
    pub recur_type: Text,
    pub active: Maybe<bool>,
    pub schedule_info: Maybe<ScheduleInfo>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ScheduleInfo {
    pub interval_type: Text,
    pub num_interval: Maybe<u64>,
    pub start_date: Maybe<Day>,
    pub end_date: Maybe<Day>,
    pub next_date: Maybe<Day>,
}

integration::loose_parts!(Reference, Email, Phone, Web, Address, MetaData, RecurringInfo, ScheduleInfo);

/// A day, also where it is written as an instant.
pub(crate) struct Day(pub NaiveDate);

impl Loose for Day {
    fn read(value: Value) -> Option<Self> {
        value.as_str()?.trim().get(..10)?.parse().ok().map(Self)
    }
}

/// Reads one record. The error names the place, never its content.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, raw: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{what} of {NAME} cannot be read at byte {}", why.column()))
}
