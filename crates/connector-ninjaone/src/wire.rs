//! NinjaOne's JSON as it really is: only the fields we use. One odd value (a number where text should
//! be, an unknown word) costs that value, never the record.

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};

use crate::loose::{flag, id, instant, text, texts};

/// Reads one record. The error names `noun` and the place, and repeats nothing of the content.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw)
        .map_err(|why| format!("a {noun} has an unexpected shape at byte {} of line {}", why.column(), why.line()))
}

/// The id alone, for paging.
#[derive(Deserialize)]
pub(crate) struct Row {
    #[serde(deserialize_with = "id")]
    pub id: String,
}

#[derive(Deserialize)]
pub(crate) struct Organization {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Location {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(deserialize_with = "id")]
    pub organization_id: String,
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub address: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndUser {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(deserialize_with = "id")]
    pub organization_id: String,
    #[serde(default, deserialize_with = "text")]
    pub first_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub last_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub email: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub phone: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    #[serde(deserialize_with = "id")]
    pub uid: String,
    #[serde(default, deserialize_with = "text")]
    pub device_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub message: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub subject: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub condition_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub source_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub source_type: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub severity: Option<String>,
    #[serde(default, deserialize_with = "instant")]
    pub create_time: Option<DateTime<Utc>>,
    /// Not always told: `alerts.rs` puts it there.
    #[serde(default)]
    pub device: Option<AlertDevice>,
}

/// A device as far as its alerts need it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AlertDevice {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(deserialize_with = "text")]
    pub organization_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub display_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub system_name: Option<String>,
}

/// A device of any kind: agents have `os` and `system`, hypervisors and their guests say the like
/// one level up.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Device {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(deserialize_with = "id")]
    pub organization_id: String,
    #[serde(default, deserialize_with = "text")]
    pub location_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub node_class: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub approval_status: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub offline: Option<bool>,
    #[serde(default, deserialize_with = "text")]
    pub display_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub system_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub dns_name: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub netbios_name: Option<String>,
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub last_contact: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "texts")]
    pub ip_addresses: Vec<String>,
    #[serde(default, deserialize_with = "texts")]
    pub mac_addresses: Vec<String>,
    #[serde(default, rename = "publicIP", deserialize_with = "text")]
    pub public_ip: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub last_logged_in_user: Option<String>,
    #[serde(default)]
    pub os: Option<OperatingSystem>,
    #[serde(default)]
    pub system: Option<System>,
    /// VMware and Hyper-V guests.
    #[serde(default, rename = "guestOSFullName", deserialize_with = "text")]
    pub guest_os: Option<String>,
    /// VMware and Hyper-V hosts, as the next two.
    #[serde(default, deserialize_with = "text")]
    pub vendor: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub model: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub service_tag: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct OperatingSystem {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub build_number: Option<String>,
    #[serde(deserialize_with = "text")]
    pub release_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct System {
    #[serde(deserialize_with = "text")]
    pub manufacturer: Option<String>,
    #[serde(deserialize_with = "text")]
    pub model: Option<String>,
    #[serde(deserialize_with = "text")]
    pub serial_number: Option<String>,
    #[serde(deserialize_with = "text")]
    pub bios_serial_number: Option<String>,
    /// Managed mobiles.
    #[serde(deserialize_with = "text")]
    pub build: Option<String>,
}
