//! The vendor's JSON as it really is: only the fields we use.

use chrono::{DateTime, Datelike, Utc};
use integration::loose::{Loose, Maybe, Text};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Reads one raw record. The error names `noun`, never the content.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("a {noun} has an unexpected shape at byte {}", why.column()))
}

/// One page of any listing.
#[derive(Deserialize)]
pub(crate) struct Listing {
    pub value: Vec<Map<String, Value>>,
    #[serde(default, rename = "@odata.count")]
    pub count: Maybe<Count>,
    #[serde(rename = "@odata.nextLink")]
    pub next_link: Option<Value>,
}

/// Something that can be dialled, or stands behind one that can.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Peer {
    pub number: Text,
    pub name: Text,
    pub r#type: Text,
}

/// An extension with the calls that were counted for it.
#[derive(Deserialize)]
pub(crate) struct Counted {
    pub user: User,
    pub calls: Option<Calls>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct User {
    pub number: Text,
    pub first_name: Text,
    pub last_name: Text,
    pub display_name: Text,
    pub email_address: Text,
    pub enabled: Maybe<bool>,
    pub is_registered: Maybe<bool>,
    pub current_profile_name: Text,
    #[serde(rename = "OutboundCallerID")]
    pub outbound_caller_id: Text,
}

/// Calls of one number: a leg that it began, or that reached it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calls {
    pub made: i64,
    pub answered: i64,
    pub missed: i64,
}

/// One leg of a call.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Segment {
    pub segment_start_time: Maybe<DateTime<Utc>>,
    pub src_dn: Text,
    pub dst_dn: Text,
    pub call_answered: Maybe<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct System {
    #[serde(rename = "FQDN")]
    pub fqdn: Text,
    pub version: Text,
    #[serde(rename = "OS")]
    pub os: Text,
    pub license_active: Maybe<bool>,
    pub expiration_date: Maybe<Moment>,
    pub max_sim_calls: Maybe<Count>,
    pub extensions_total: Maybe<Count>,
    pub extensions_registered: Maybe<Count>,
    pub trunks_total: Maybe<Count>,
    pub trunks_registered: Maybe<Count>,
    pub disk_usage: Maybe<Count>,
    pub has_not_running_services: Maybe<bool>,
    pub backup_scheduled: Maybe<bool>,
    pub last_backup_date_time: Maybe<Moment>,
}

/// A count, however the vendor writes it.
pub(crate) struct Count(pub i64);

impl Loose for Count {
    fn read(value: Value) -> Option<Self> {
        let text = value.as_str().and_then(|text| text.trim().parse().ok());
        let rounded = || value.as_f64().filter(|number| number.abs() < 1e15).map(|number| number.round() as i64);
        value.as_i64().or(text).or_else(rounded).map(Self)
    }
}

/// A time that happened: "never" is written as the year 1.
pub(crate) struct Moment(pub DateTime<Utc>);

impl Loose for Moment {
    fn read(value: Value) -> Option<Self> {
        DateTime::<Utc>::read(value).filter(|at| (1990..2200).contains(&at.year())).map(Self)
    }
}

/// What an error body says to a person: the token address has words of its own.
pub(crate) fn words(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &body["error"];
    let details = error["details"].as_array().into_iter().flatten().map(|detail| &detail["message"]);
    let mut words: Vec<&str> = Vec::new();
    for said in [&error["message"], error, &body["error_description"]].into_iter().chain(details) {
        let text = said.as_str().map(str::trim).unwrap_or_default();
        if !text.is_empty() && !words.contains(&text) {
            words.push(text);
        }
    }
    words.join("; ")
}
