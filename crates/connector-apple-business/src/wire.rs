//! The vendor's JSON as it really is: only the fields we use. One odd value costs that value, never the record.

use chrono::{DateTime, Utc};
use integration::loose::{Loose, Maybe, Text};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

/// One page of any listing.
#[derive(Deserialize)]
pub(crate) struct Listing<'a> {
    #[serde(borrow)]
    pub data: Vec<&'a RawValue>,
    #[serde(default)]
    pub links: Maybe<Links>,
    #[serde(default)]
    pub meta: Maybe<Meta>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Links {
    pub next: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Meta {
    pub paging: Maybe<Paging>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Paging {
    /// Absent or empty on the last page.
    pub next_cursor: Text,
    pub total: Maybe<u64>,
}

/// One thing of any kind.
#[derive(Deserialize)]
pub(crate) struct Resource<T> {
    pub id: String,
    pub attributes: Option<T>,
}

/// Reads one record. The error names `noun` and the place, and repeats nothing of the content.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{noun} has an unexpected shape at byte {}", why.column()))
}

/// The id of a record of any kind.
pub(crate) fn id_of(raw: &[u8]) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    read::<Named>(raw, "a record").map(|named| named.id)
}

/// A device as we keep it: what the vendor says of it, and the service it is assigned to.
#[derive(Serialize)]
pub(crate) struct KeptDevice<'a> {
    pub server: Option<&'a str>,
    pub device: &'a RawValue,
}

/// The same, read.
#[derive(Deserialize)]
pub(crate) struct Kept {
    pub server: Option<String>,
    pub device: Resource<Device>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Device {
    pub serial_number: Text,
    pub device_model: Text,
    pub product_family: Text,
    pub product_type: Text,
    pub added_to_org_date_time: Maybe<DateTime<Utc>>,
    pub wifi_mac_address: Maybe<Several>,
    pub ethernet_mac_address: Maybe<Several>,
    pub bluetooth_mac_address: Maybe<Several>,
}

/// A text in older versions of the API, a list of texts in newer ones.
#[derive(Default)]
pub(crate) struct Several(pub Vec<String>);

impl Loose for Several {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Array(items) => Some(Self(items.into_iter().filter_map(String::read).collect())),
            one => String::read(one).map(|one| Self(vec![one])),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Server {
    pub server_name: Text,
    pub server_type: Text,
    pub status: Text,
    pub device_count: Maybe<u64>,
    pub default_product_families: Maybe<Vec<String>>,
    pub created_date_time: Maybe<DateTime<Utc>>,
    pub updated_date_time: Maybe<DateTime<Utc>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct User {
    pub first_name: Text,
    pub last_name: Text,
    pub email: Text,
    pub managed_apple_account: Text,
    pub status: Text,
    pub is_external_user: Maybe<bool>,
    pub department: Text,
    pub job_title: Text,
    pub created_date_time: Maybe<DateTime<Utc>>,
}

integration::loose_parts!(Links, Meta, Paging);

/// What an error body says, of the API or of the sign-in.
#[derive(Default)]
pub(crate) struct Said {
    pub words: String,
    pub id: Option<String>,
}

pub(crate) fn said(body: &[u8]) -> Said {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |of: &Value, key: &str| String::read(of[key].clone());
    let mut words: Vec<String> = Vec::new();
    let mut id = None;
    for error in body["errors"].as_array().into_iter().flatten() {
        let said = [text(error, "code"), text(error, "detail").or_else(|| text(error, "title"))];
        words.push(said.into_iter().flatten().collect::<Vec<_>>().join(": "));
        id = id.or_else(|| text(error, "id"));
    }
    words.extend([text(&body, "error"), text(&body, "error_description")].into_iter().flatten());
    words.retain(|word| !word.is_empty());
    Said { words: words.join("; "), id }
}
