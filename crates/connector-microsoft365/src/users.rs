//! Users of a tenant, as Microsoft writes them. Which pages there are is in `rounds.rs`.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use integration::{DirectoryUser, Item};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::wire;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    user_principal_name: Option<String>,
    display_name: Option<String>,
    mail: Option<String>,
    account_enabled: Option<bool>,
    user_type: Option<String>,
    assigned_licenses: Option<Vec<Assigned>>,
    job_title: Option<String>,
    department: Option<String>,
    created_date_time: Option<String>,
    on_premises_sync_enabled: Option<bool>,
    /// Only of tenants with Entra ID P1, and of users who ever signed in.
    #[serde(default)]
    sign_in_activity: Value,
}

impl Wire {
    /// The last one that succeeded; older ones are told only as the last that was tried.
    fn last_sign_in(&self) -> Option<DateTime<Utc>> {
        let told = ["lastSuccessfulSignInDateTime", "lastSignInDateTime"];
        told.into_iter().find_map(|name| wire::instant(self.sign_in_activity[name].as_str()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assigned {
    /// May be null by Microsoft's own description.
    sku_id: Option<String>,
}

/// Both reasons (soft-deleted, deleted for good) mean that the user is gone.
#[derive(Deserialize)]
struct Gone {
    id: String,
    #[serde(rename = "@removed")]
    _removed: IgnoredAny,
}

/// The id, if this says that a user is gone.
pub(crate) fn gone(raw: &Bytes) -> Option<String> {
    serde_json::from_slice::<Gone>(raw).ok().map(|gone| gone.id)
}

/// Reads one user.
pub(crate) fn read(raw: &[u8]) -> Result<Item<DirectoryUser>, String> {
    let wire: Wire = wire::read(raw, "a user")?;
    let last_sign_in_at = wire.last_sign_in();
    let principal_name = wire::text(wire.user_principal_name);
    let name = wire::text(wire.display_name).or_else(|| principal_name.clone()).unwrap_or_else(|| wire.id.clone());
    let record = DirectoryUser {
        name,
        principal_name,
        email: wire::text(wire.mail),
        enabled: wire.account_enabled,
        guest: match wire.user_type.as_deref() {
            Some("Guest") => Some(true),
            Some("Member") => Some(false),
            _ => None,
        },
        job_title: wire::text(wire.job_title),
        department: wire::text(wire.department),
        licence_ids: wire.assigned_licenses.unwrap_or_default().into_iter().filter_map(|one| one.sku_id).collect(),
        created_at: wire::instant(wire.created_date_time.as_deref()),
        last_sign_in_at,
        synchronised: wire.on_premises_sync_enabled,
    };
    Ok(Item { id: wire.id, entity: None, record })
}
