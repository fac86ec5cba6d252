//! Sophos Central's JSON as it really is: only the fields we use. One odd value costs that value, never the
//! record.

use chrono::{DateTime, Utc};
use integration::loose::{Loose, Maybe, Text};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

/// One page of any listing.
#[derive(Deserialize)]
pub(crate) struct Listing<'a> {
    #[serde(borrow)]
    pub items: Vec<&'a RawValue>,
    pub pages: Pages,
}

/// The place of a page: by number, or by key (absent on the last page).
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Pages {
    pub current: Maybe<u64>,
    pub total: Maybe<u64>,
    /// Records of the whole listing.
    pub items: Maybe<u64>,
    pub next_key: Text,
}

/// Reads one record. The error names `noun` and the place, and repeats nothing of the content.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw)
        .map_err(|why| format!("{noun} has an unexpected shape at byte {} of line {}", why.column(), why.line()))
}

/// Who the credentials are.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Who {
    pub id: Text,
    pub id_type: Text,
    pub api_hosts: Maybe<ApiHosts>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ApiHosts {
    pub data_region: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Tenant {
    pub id: Text,
    pub name: Text,
    pub show_as: Text,
    pub status: Text,
    pub api_host: Text,
    pub contact: Maybe<Contact>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Contact {
    pub phone: Text,
    pub mobile: Text,
    pub address: Maybe<Address>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Address {
    pub city: Text,
    pub state: Text,
    pub country_code: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Endpoint {
    pub id: Text,
    #[serde(rename = "type")]
    pub class: Text,
    pub hostname: Text,
    pub os: Maybe<OperatingSystem>,
    pub ipv4_addresses: Maybe<Vec<String>>,
    pub ipv6_addresses: Maybe<Vec<String>>,
    pub mac_addresses: Maybe<Vec<String>>,
    pub associated_person: Maybe<Person>,
    pub last_seen_at: Maybe<DateTime<Utc>>,
    /// Only newer answers have it.
    pub online: Maybe<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct OperatingSystem {
    pub name: Text,
    pub platform: Text,
    pub major_version: Text,
    pub minor_version: Text,
    pub build: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Person {
    pub name: Text,
    pub via_login: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Alert {
    pub id: Text,
    #[serde(rename = "type")]
    pub class: Text,
    pub category: Text,
    pub description: Text,
    pub severity: Text,
    pub managed_agent: Maybe<Agent>,
    pub person: Maybe<Person>,
    pub raised_at: Maybe<DateTime<Utc>>,
    pub allowed_actions: Maybe<Vec<String>>,
}

/// What became of an action.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Done {
    pub alert_id: Text,
    pub status: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Agent {
    pub id: Text,
    pub name: Text,
}

integration::loose_parts!(ApiHosts, Contact, Address, OperatingSystem, Person, Agent);

/// What an error body says.
#[derive(Default)]
pub(crate) struct Said {
    pub words: String,
    pub request_id: Option<String>,
}

/// Reads an error body, of the API or of the sign-in.
pub(crate) fn said(body: &[u8]) -> Said {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |key: &str| <String as Loose>::read(body[key].clone());
    let mut words: Vec<String> = Vec::new();
    for word in ["error", "errorCode", "code", "message"].into_iter().filter_map(text) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let request_id = ["requestId", "correlationId", "trackingId"].into_iter().find_map(text);
    Said { words: words.join(": "), request_id }
}
