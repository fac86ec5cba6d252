//! Datto RMM's JSON as it really is: only the fields we use. One odd value costs that value, never the
//! record.

use chrono::{DateTime, Utc};
use integration::{Error, Result};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{
    api::NAME,
    loose::{as_text, count, flag, id, instant, text},
};

/// Reads one record. The error names `noun` and the place, and repeats nothing of the content.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw)
        .map_err(|why| format!("a {noun} has an unexpected shape at byte {} of line {}", why.column(), why.line()))
}

/// One page of any listing. Each listing calls its list by another name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listing<'a> {
    pub page_details: PageDetails,
    #[serde(borrow, default, rename = "sites", alias = "devices", alias = "alerts")]
    rows: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageDetails {
    #[serde(default, deserialize_with = "count")]
    count: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    pub total_count: Option<u64>,
    pub next_page_url: Option<String>,
}

impl<'a> Listing<'a> {
    /// The records. A list that is not there is only taken for empty where the vendor counted none.
    pub(crate) fn rows(&self) -> Result<&[&'a RawValue]> {
        match &self.rows {
            Some(rows) => Ok(rows),
            None if self.page_details.count == Some(0) => Ok(&[]),
            None => Err(Error::unreadable(NAME, "a listing without its list")),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Account {
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Site {
    #[serde(deserialize_with = "id")]
    pub uid: String,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// A text, though it is a number at Autotask.
    #[serde(default, deserialize_with = "text")]
    pub autotask_company_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Device {
    #[serde(deserialize_with = "id")]
    pub uid: String,
    #[serde(default, deserialize_with = "text")]
    pub hostname: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub description: Option<String>,
    /// `{"category": "Desktop", "type": "Main System Chassis"}`.
    #[serde(default)]
    pub device_type: Value,
    #[serde(default, deserialize_with = "text")]
    pub device_class: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub operating_system: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub int_ip_address: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub ext_ip_address: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub last_logged_in_user: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub online: Option<bool>,
    #[serde(default, deserialize_with = "instant")]
    pub last_seen: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub creation_date: Option<DateTime<Utc>>,
}

/// What tells a deleted device from others.
#[derive(Deserialize)]
pub(crate) struct Deletion {
    #[serde(deserialize_with = "id")]
    pub uid: String,
    #[serde(default, deserialize_with = "flag")]
    pub deleted: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    #[serde(deserialize_with = "id")]
    pub alert_uid: String,
    #[serde(default, deserialize_with = "text")]
    pub priority: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub diagnostics: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub resolved: Option<bool>,
    #[serde(default, deserialize_with = "instant")]
    pub resolved_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub timestamp: Option<DateTime<Utc>>,
    /// `{"@class": "perf_disk_usage_ctx", …}`: the rest differs for each class and build.
    #[serde(default)]
    pub alert_context: Value,
    /// `{"deviceUid", "deviceName", "siteUid", "siteName"}`.
    #[serde(default)]
    pub alert_source_info: Value,
}

/// What an error body says to a person: the token address has words of its own.
pub(crate) fn words(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    ["error_description", "message", "error"].into_iter().find_map(|key| as_text(&body[key])).unwrap_or_default()
}
