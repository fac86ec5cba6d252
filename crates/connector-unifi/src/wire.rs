//! The vendor's JSON as it really is: only the fields we use. One odd value costs that value, never the record.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use integration::loose::{Loose, Maybe, Text};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

/// One page of a listing of Site Manager.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listing<'a> {
    #[serde(borrow)]
    pub data: Vec<&'a RawValue>,
    /// Absent, null or empty on the last page.
    #[serde(default)]
    pub next_token: Text,
}

/// One page of a listing of a Network application.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkListing<'a> {
    #[serde(borrow)]
    pub data: Vec<&'a RawValue>,
    #[serde(default)]
    pub offset: Maybe<u64>,
    #[serde(default)]
    pub total_count: Maybe<u64>,
}

/// Reads one record. The error names `noun` and the place, and repeats nothing of the content.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{noun} has an unexpected shape at byte {}", why.column()))
}

/// A console or server, in Site Manager.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Host {
    pub id: Text,
    pub is_blocked: Maybe<bool>,
    /// Its shape depends on model and firmware; it may be null.
    pub reported_state: Maybe<ReportedState>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ReportedState {
    pub name: Text,
    pub hostname: Text,
    pub state: Text,
}

/// A site as we keep it: what Site Manager says of it, and the name of its console.
#[derive(Serialize)]
pub(crate) struct KeptSite<'a> {
    pub console: Option<&'a str>,
    pub site: &'a RawValue,
}

/// The same, read.
#[derive(Deserialize)]
pub(crate) struct Kept {
    #[serde(default)]
    pub console: Text,
    pub site: Site,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Site {
    pub site_id: Text,
    pub host_id: Text,
    pub meta: Maybe<Meta>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Meta {
    /// The name that people gave it.
    pub desc: Text,
    /// The internal name.
    pub name: Text,
}

/// The devices of one console, in Site Manager.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group<'a> {
    #[serde(default)]
    pub host_id: Text,
    #[serde(default)]
    pub updated_at: Maybe<DateTime<Utc>>,
    /// Null for a console without any.
    #[serde(borrow)]
    pub devices: Option<Vec<&'a RawValue>>,
}

/// A device as we keep it: in the words of Site Manager or of a Network application; or why the devices of
/// a site are not known.
#[derive(Serialize)]
pub(crate) struct KeptDevice<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<&'a str>,
    /// Whether its console reports, so that its state is true now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reports: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<&'a str>,
}

/// The same, read.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct KeptDeviceRead {
    pub site: Option<String>,
    pub reports: Option<bool>,
    pub device: Option<Device>,
    pub network: Option<NetworkDevice>,
    pub unknown: Option<String>,
}

/// A device in Site Manager.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Device {
    pub id: Text,
    pub mac: Text,
    pub name: Text,
    pub model: Text,
    pub ip: Text,
    pub product_line: Text,
    pub status: Text,
    pub version: Text,
    pub is_console: Maybe<bool>,
    pub adoption_time: Maybe<DateTime<Utc>>,
}

/// A site in a Network application.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct NetworkSite {
    pub id: Text,
    pub internal_reference: Text,
    pub name: Text,
}

/// A device in a Network application.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct NetworkDevice {
    pub id: Text,
    pub mac_address: Text,
    pub ip_address: Text,
    pub name: Text,
    pub model: Text,
    pub state: Text,
    pub firmware_version: Text,
    pub features: Maybe<Vec<String>>,
}

integration::loose_parts!(ReportedState, Meta);

/// What an error body says, of either API.
#[derive(Default)]
pub(crate) struct Said {
    pub words: String,
    pub request_id: Option<String>,
    pub wait: Option<Duration>,
}

pub(crate) fn said(body: &[u8]) -> Said {
    let mut body: HashMap<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    let mut text = |key: &str| body.remove(key).and_then(<String as Loose>::read);
    let (code, message) = (text("code"), text("message"));
    let wait = message.as_deref().and_then(wait);
    let words = [code, message].into_iter().flatten().collect::<Vec<_>>().join(": ");
    Said { words, request_id: text("traceId").or_else(|| text("requestId")), wait }
}

/// The pause that "… retry after 3.25s" asks for.
fn wait(message: &str) -> Option<Duration> {
    let (_, after) = message.split_once("retry after ")?;
    let number: String = after.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect();
    let seconds: f64 = number.trim_end_matches('.').parse().ok()?;
    Some(Duration::from_secs_f64(seconds.min(86_400.0)))
}
