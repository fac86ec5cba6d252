//! The vendor's JSON as it really is: only the fields we use. No reference of it is public, so nothing but an id
//! is required, and a value of another shape costs only itself.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use integration::{
    loose::{Loose, Maybe, Text},
    loose_parts,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A customer: an administrator's login with the organisation that it is of.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub id: Text,
    pub email: Text,
    pub organization_id: Text,
    pub organization_name: Text,
    pub plan_id: Text,
    pub authentication_token: Text,
    pub admin: Maybe<bool>,
    pub customer_deactivated: Maybe<bool>,
    pub flg_suspended: Maybe<bool>,
    pub login_disabled: Maybe<bool>,
    pub active_seats: Maybe<u64>,
    pub seats_used: Maybe<u64>,
    pub seats_available: Maybe<u64>,
    /// Put there by us: see `tenants.rs`.
    pub tenants: Maybe<Vec<Tenant>>,
}

/// A tenant that the customer is connected to.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tenant {
    pub domain: Text,
    pub tenant_id: Text,
    #[serde(rename = "type")]
    pub class: Text,
}

/// The state of a customer that is in use.
pub(crate) const ACTIVE: &str = "active";

impl User {
    /// The Microsoft tenant, if there is one and only one, and the domains of all tenants. Names that Microsoft gives
    /// (`onmicrosoft.com`) say no more than the tenant itself.
    pub(crate) fn connected(&self) -> (Option<String>, Vec<String>) {
        let tenants = self.tenants.0.as_deref().unwrap_or_default();
        let microsoft = tenants.iter().filter(|tenant| tenant.class.0.as_deref() == Some("m365"));
        let mut ids: Vec<String> =
            microsoft.filter_map(|tenant| tenant.tenant_id.0.as_ref().map(|id| id.to_lowercase())).collect();
        ids.sort();
        ids.dedup();
        let mut domains = Vec::new();
        for domain in tenants.iter().filter_map(|tenant| tenant.domain.0.as_ref()) {
            let domain = domain.to_lowercase();
            if domain.contains('.') && !domain.ends_with(".onmicrosoft.com") && !domains.contains(&domain) {
                domains.push(domain);
            }
        }
        let only = ids.len() == 1;
        (ids.pop().filter(|_| only), domains)
    }

    /// What the vendor's three marks say together; `None` where it sets none of them.
    pub(crate) fn status(&self) -> Option<&'static str> {
        match (self.customer_deactivated.0, self.flg_suspended.0, self.login_disabled.0) {
            (Some(true), ..) => Some("deactivated"),
            (_, Some(true), _) => Some("suspended"),
            (_, _, Some(true)) => Some("login disabled"),
            (None, None, None) => None,
            _ => Some(ACTIVE),
        }
    }
}

/// A raw record of a backup as we keep it: the vendor's, and what was true when it was seen.
#[derive(Deserialize)]
pub(crate) struct Seen {
    pub seen_at: DateTime<Utc>,
    pub product: String,
    /// Whether the vendor lists it among those that it cannot connect to.
    pub unreachable: bool,
    pub record: Account,
}

/// Something that is backed up, whichever product.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    pub id: Text,
    pub email: Text,
    pub display_name: Text,
    pub username: Text,
    pub domain_name: Text,
    pub storage: Maybe<u64>,
    pub last_backup: Told,
    pub errors: Value,
    pub current_backup_status: Text,
    pub deactivated_since: Text,
    pub flg_deleted: Maybe<bool>,
    pub user: Maybe<Owner>,
}

/// Whose a mailbox is.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Owner {
    pub organization_id: Text,
}

loose_parts!(Owner, Tenant);

/// When something was last backed up.
#[derive(Clone, Copy, Default)]
pub(crate) enum Told {
    /// The vendor does not say.
    #[default]
    Nothing,
    /// It says: never.
    Never,
    /// It says when.
    At(DateTime<Utc>),
}

impl Told {
    pub(crate) fn at(self) -> Option<DateTime<Utc>> {
        if let Self::At(at) = self { Some(at) } else { None }
    }
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(input)? {
            Value::Null => Self::Never,
            other => DateTime::read(other).map_or(Self::Nothing, Self::At),
        })
    }
}

/// Reads one record. The error names `noun` and the place, and repeats nothing of the content.
pub(crate) fn read<T: DeserializeOwned>(raw: &[u8], noun: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|why| format!("{noun} has an unexpected shape at byte {}", why.column()))
}

/// The id of any record.
pub(crate) fn id_of(record: &Value) -> Option<String> {
    String::read(record.get("id")?.clone())
}

/// The record without its secrets, however deep: the vendor puts a customer's tokens even into its mailboxes.
/// What leaves the connector is stored.
pub(crate) fn without_secrets(mut record: Value) -> Value {
    cut(&mut record);
    record
}

fn cut(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                let name = name.to_lowercase();
                !["token", "secret", "password"].iter().any(|word| name.contains(word))
            });
            fields.values_mut().for_each(cut);
        }
        Value::Array(items) => items.iter_mut().for_each(cut),
        _ => {}
    }
}

/// The record as text.
pub(crate) fn bytes(record: &Value) -> Bytes {
    Bytes::from(record.to_string())
}

/// What an error body says to a person: its shape is not documented, so a plain text will do.
pub(crate) fn words(body: &[u8]) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return String::from_utf8_lossy(body).into_owned() };
    let said = ["error", "message", "errors"].into_iter().filter_map(|name| body.get(name)).find_map(text);
    said.or_else(|| text(&body)).unwrap_or_default()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Array(items) => items.iter().find_map(text),
        Value::Object(fields) => fields.get("message").and_then(text),
        _ => None,
    }
}
