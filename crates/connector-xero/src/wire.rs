//! The vendor's JSON as it really is: only the fields we use. A record needs its id; whatever else is missing or
//! cannot be understood is unknown.

use integration::{
    Exact, Money, Response,
    loose::{Maybe, Text},
    loose_parts,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    api::NAME,
    dates::{Day, Moment},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Organisations {
    pub organisations: Vec<Organisation>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Organisation {
    pub name: Text,
    pub is_demo_company: Maybe<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Contact {
    #[serde(rename = "ContactID")]
    pub id: Text,
    pub name: Text,
    pub first_name: Text,
    pub last_name: Text,
    pub email_address: Text,
    pub contact_status: Text,
    pub contact_number: Text,
    pub account_number: Text,
    pub website: Text,
    pub is_customer: Maybe<bool>,
    pub addresses: Maybe<Vec<Address>>,
    pub phones: Maybe<Vec<Phone>>,
    pub contact_persons: Maybe<Vec<Person>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Address {
    pub address_type: Text,
    pub city: Text,
    pub region: Text,
    pub country: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Phone {
    pub phone_type: Text,
    pub phone_number: Text,
    pub phone_area_code: Text,
    pub phone_country_code: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Person {
    pub first_name: Text,
    pub last_name: Text,
    pub email_address: Text,
}

/// A person as we keep them: they have neither id nor listing of their own.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptPerson {
    pub contact: String,
    /// What tells them apart from others of the contact.
    pub key: String,
    pub primary: bool,
    pub status: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub email: Option<String>,
}

/// The contact that something belongs to.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Party {
    #[serde(rename = "ContactID")]
    pub id: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Invoice {
    #[serde(rename = "InvoiceID")]
    pub id: Text,
    pub invoice_number: Text,
    pub reference: Text,
    pub status: Text,
    pub contact: Maybe<Party>,
    pub date: Maybe<Day>,
    pub date_string: Maybe<Day>,
    pub due_date: Maybe<Day>,
    pub due_date_string: Maybe<Day>,
    pub fully_paid_on_date: Maybe<Day>,
    pub currency_code: Text,
    pub sub_total: Option<Exact>,
    pub total_tax: Option<Exact>,
    pub total: Option<Exact>,
    pub amount_due: Option<Exact>,
    #[serde(rename = "UpdatedDateUTC")]
    pub updated: Maybe<Moment>,
}

/// Of a template, what decides whether it is listed.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Template {
    pub r#type: Text,
    pub status: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct RepeatingInvoice {
    #[serde(rename = "RepeatingInvoiceID")]
    pub id: Text,
    pub reference: Text,
    pub status: Text,
    pub contact: Maybe<Party>,
    pub schedule: Maybe<Schedule>,
    pub line_items: Maybe<Vec<Line>>,
    pub currency_code: Text,
    pub sub_total: Option<Exact>,
    pub total_tax: Option<Exact>,
    pub total: Option<Exact>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Schedule {
    pub period: Maybe<u64>,
    pub unit: Text,
    pub start_date: Maybe<Day>,
    pub next_scheduled_date: Maybe<Day>,
    pub end_date: Maybe<Day>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Line {
    pub description: Text,
}

loose_parts!(Address, Phone, Person, Party, Schedule, Line);

/// Reads one record. The error names the place, never its content.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, raw: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{what} of {NAME} cannot be read at byte {}", why.column()))
}

/// An amount with its currency; without one it is not money.
pub(crate) fn money(amount: Option<Exact>, currency: &Text) -> Option<Money> {
    Some(Money::new(amount?, currency.0.as_deref()?))
}

/// What an error body says.
#[derive(Default)]
pub(crate) struct Said {
    pub words: String,
    /// The gateway's id of the request.
    pub instance: Option<String>,
}

/// Reads an error body of any of the three shapes: the gateway's, that of a validation, and plain text.
pub(crate) fn said(response: &Response) -> Said {
    let Ok(text) = response.json_bytes(NAME) else { return Said::default() };
    let Ok(body) = serde_json::from_slice::<Value>(text) else {
        return Said { words: String::from_utf8_lossy(text).into_owned(), instance: None };
    };
    let listed = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let mistakes = listed(&body["Elements"]).into_iter().flat_map(|one| listed(&one["ValidationErrors"]));
    let mut words: Vec<String> = Vec::new();
    let parts = [&body["Title"], &body["Detail"], &body["Message"]].map(Clone::clone);
    for one in parts.into_iter().chain(mistakes.map(|mistake| mistake["Message"].clone())) {
        words.extend(
            one.as_str().map(|one| one.trim().to_owned()).filter(|one| !one.is_empty() && !words.contains(one)),
        );
    }
    Said { words: words.join(": "), instance: body["Instance"].as_str().map(str::to_owned) }
}
