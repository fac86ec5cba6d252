//! The vendor's JSON as it really is: only the fields we use. A record needs its id and what a person
//! calls it; the short records of listings leave out the rest.

mod work;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use self::work::{Action, Invoice, Priority, Status, Team, Ticket};
use crate::loose;

/// What every record has.
#[derive(Deserialize)]
pub(crate) struct Numbered {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
}

#[derive(Deserialize)]
pub(crate) struct Client {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    /// The vendor's own description lets it be null.
    #[serde(default, deserialize_with = "loose::text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub inactive: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub website: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub domain: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub main_site_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub main_phonenumber: Option<String>,
    pub main_delivery_address: Option<Address>,
    #[serde(default, deserialize_with = "loose::text")]
    pub ninjarmmid: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub connectwiseid: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub autotaskid: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub syncroid: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub datto_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub xeroid: Option<String>,
}

/// An address by lines; which line holds the city is the custom of each account.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Address {
    #[serde(deserialize_with = "loose::text")]
    pub line1: Option<String>,
    #[serde(deserialize_with = "loose::text")]
    pub line2: Option<String>,
    #[serde(deserialize_with = "loose::text")]
    pub line3: Option<String>,
    #[serde(deserialize_with = "loose::text")]
    pub line4: Option<String>,
    #[serde(deserialize_with = "loose::text")]
    pub postcode: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Site {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    /// The vendor's own description lets it be null.
    #[serde(default, deserialize_with = "loose::text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub client_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub notes: Option<String>,
    /// Single records have it.
    pub delivery_address: Option<Address>,
    #[serde(default, deserialize_with = "loose::text")]
    pub delivery_address_line1: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub delivery_address_line2: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub delivery_address_line3: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub delivery_address_line4: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub delivery_address_line5: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct User {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    #[serde(default, deserialize_with = "loose::text")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub firstname: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub surname: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub emailaddress: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub phonenumber: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub mobilenumber: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub site_id: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub client_id: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub inactive: Option<bool>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub datecreated: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "loose::instant")]
    pub ulastupdate: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
pub(crate) struct Asset {
    #[serde(deserialize_with = "loose::id")]
    pub id: String,
    #[serde(default, deserialize_with = "loose::text")]
    pub inventory_number: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub key_field: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub assettype_name: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub client_id: Option<String>,
    #[serde(default, deserialize_with = "loose::reference")]
    pub site_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub username: Option<String>,
    pub fields: Option<Vec<Field>>,
}

/// One of the fields that the account gave to a type of asset.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Field {
    pub name: Option<String>,
    pub value: Value,
    /// The value as people read it, where the value is the number of a choice.
    pub display: Option<String>,
}

/// Reads one record. The error names the place, never its content.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &str, raw: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{what} of HaloPSA cannot be read at byte {}", why.column()))
}

/// What an error body says to a person: one of the five forms that the vendor has, or a plain text.
pub(crate) fn words(body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return String::from_utf8_lossy(body).into_owned();
    };
    if let Value::String(text) = body {
        return text;
    }
    let keys = ["error_description", "Message", "message", "errorMessage", "error"];
    keys.iter().find_map(|key| loose::as_text(&body[*key])).unwrap_or_default()
}
