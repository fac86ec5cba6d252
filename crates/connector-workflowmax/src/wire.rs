//! The vendor's JSON as it really is: only the fields we use. A record needs its id; of some fields two
//! spellings are seen.

use chrono::{DateTime, NaiveDate, Utc};
use integration::Exact;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{api::NAME, loose};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Client {
    #[serde(alias = "id")]
    pub uuid: String,
    #[serde(default, deserialize_with = "loose::text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub first_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub last_name: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub archived: Option<bool>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub prospect: Option<bool>,
    pub contact_details: Option<Details>,
    pub addresses: Option<Vec<Address>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Details {
    #[serde(deserialize_with = "loose::text")]
    pub phone: Option<String>,
    #[serde(deserialize_with = "loose::text")]
    pub website: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Address {
    #[serde(deserialize_with = "loose::flag")]
    pub default: Option<bool>,
    #[serde(deserialize_with = "loose::text")]
    pub city: Option<String>,
    #[serde(deserialize_with = "loose::text")]
    pub state: Option<String>,
    #[serde(deserialize_with = "loose::text")]
    pub country: Option<String>,
}

/// A client with its contacts, not yet read.
#[derive(Deserialize)]
pub(crate) struct WithContacts<'a> {
    #[serde(alias = "id")]
    pub uuid: String,
    #[serde(default, deserialize_with = "loose::flag")]
    pub prospect: Option<bool>,
    #[serde(borrow)]
    pub contacts: Option<Vec<&'a RawValue>>,
}

/// A contact as we keep it: with the client under which it stood.
#[derive(Deserialize)]
pub(crate) struct KeptContact {
    pub client: String,
    pub contact: Contact,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contact {
    #[serde(alias = "id")]
    pub uuid: String,
    #[serde(default, deserialize_with = "loose::text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub first_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub last_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub email: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub phone: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub mobile: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub position: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub primary: Option<bool>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub archived: Option<bool>,
    #[serde(default, alias = "created_at", deserialize_with = "loose::instant")]
    pub created_at: Option<DateTime<Utc>>,
    #[serde(default, alias = "updated_at", deserialize_with = "loose::instant")]
    pub updated_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A job as we keep it: with the name of its state, of which the vendor's record holds only the id.
#[derive(Deserialize)]
pub(crate) struct KeptJob {
    pub state: Option<String>,
    pub job: Job,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    #[serde(alias = "id")]
    pub uuid: String,
    #[serde(default, deserialize_with = "loose::text")]
    pub job_number: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub name: Option<String>,
    #[serde(
        default,
        rename = "clientUUID",
        alias = "clientUuid",
        alias = "client",
        deserialize_with = "loose::reference"
    )]
    pub client: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub description: Option<String>,
    pub budget: Option<Exact>,
    #[serde(default, deserialize_with = "loose::text")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "loose::day")]
    pub start_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "loose::day")]
    pub due_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "loose::day")]
    pub completed_date: Option<NaiveDate>,
}

/// Of a job, the id of its state.
#[derive(Deserialize)]
pub(crate) struct JobState {
    #[serde(default, rename = "jobStatusUUID", alias = "jobStatusUuid", deserialize_with = "loose::reference")]
    pub state: Option<String>,
}

/// A state of jobs.
#[derive(Deserialize)]
pub(crate) struct State {
    #[serde(alias = "id")]
    pub uuid: String,
    #[serde(default, deserialize_with = "loose::text")]
    pub name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Invoice {
    #[serde(alias = "id")]
    pub uuid: String,
    #[serde(default, alias = "number", deserialize_with = "loose::text")]
    pub invoice_number: Option<String>,
    #[serde(
        default,
        rename = "clientUUID",
        alias = "clientUuid",
        alias = "client",
        deserialize_with = "loose::reference"
    )]
    pub client: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub status: Option<String>,
    pub total: Option<Exact>,
    #[serde(default, alias = "date", deserialize_with = "loose::day")]
    pub invoice_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "loose::day")]
    pub due_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "loose::day")]
    pub paid_date: Option<NaiveDate>,
    #[serde(default, alias = "updated_at", deserialize_with = "loose::instant")]
    pub updated_at: Option<DateTime<Utc>>,
}

/// Reads one record. The error names the place, never its content.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, raw: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{what} of {NAME} cannot be read at byte {}", why.column()))
}

/// A name of two parts, as far as they are there.
pub(crate) fn joined(first: Option<String>, last: Option<String>) -> Option<String> {
    let name = [first, last].into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

/// What an error body says to a person: `message`, then each field with its own.
pub(crate) fn words(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut words: Vec<String> = loose::as_text(&body["message"]).into_iter().collect();
    for one in body["errors"].as_array().into_iter().flatten() {
        let said = loose::as_text(&one["message"]).or_else(|| loose::as_text(one));
        words.extend(said.map(|said| match loose::as_text(&one["field"]) {
            Some(field) => format!("{field} {said}"),
            None => said,
        }));
    }
    words.join("; ")
}
