//! Users of a tenant, as Graph has them, with fields of CIPP's own beside.

use async_trait::async_trait;
use integration::{DirectoryUser, Item, Page, Position, Pull, Reach, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::{Cipp, api::whole, wire};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    #[serde(default, deserialize_with = "wire::text")]
    user_principal_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    mail: Option<String>,
    #[serde(default, deserialize_with = "wire::flag")]
    account_enabled: Option<bool>,
    #[serde(default, deserialize_with = "wire::text")]
    user_type: Option<String>,
    /// A list, or one of them by itself.
    #[serde(default)]
    assigned_licenses: Value,
    #[serde(default, deserialize_with = "wire::text")]
    job_title: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    department: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    created_date_time: Option<String>,
    #[serde(default, deserialize_with = "wire::flag")]
    on_premises_sync_enabled: Option<bool>,
}

/// The ids of the licences, as far as they are told.
fn licence_ids(assigned: &Value) -> Vec<String> {
    let all = assigned.as_array().map_or_else(|| std::slice::from_ref(assigned), Vec::as_slice);
    all.iter().filter_map(|one| one["skuId"].as_str().map(str::to_owned)).collect()
}

#[async_trait]
impl Pull<DirectoryUser> for Cipp {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let reads = |raw: &[u8]| Pull::<DirectoryUser>::read(self, raw).is_ok();
        self.api.of_tenant("ListUsers", at, reads).await.map(whole)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<DirectoryUser>, String> {
        let wire: Wire = wire::read(raw, "a user")?;
        let principal_name = wire.user_principal_name;
        let name = wire.display_name.or_else(|| principal_name.clone()).unwrap_or_else(|| wire.id.clone());
        let record = DirectoryUser {
            name,
            principal_name,
            email: wire.mail,
            enabled: wire.account_enabled,
            guest: match wire.user_type.as_deref() {
                Some("Guest") => Some(true),
                Some("Member") => Some(false),
                _ => None,
            },
            job_title: wire.job_title,
            department: wire.department,
            licence_ids: licence_ids(&wire.assigned_licenses),
            created_at: wire::instant(wire.created_date_time.as_deref()),
            last_sign_in_at: None,
            synchronised: wire.on_premises_sync_enabled,
        };
        Ok(Item { id: wire.id, entity: None, record })
    }
}
