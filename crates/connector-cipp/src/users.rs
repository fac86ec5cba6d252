//! Users of a tenant, as Graph has them, with fields of CIPP's own beside.

use async_trait::async_trait;
use integration::{DirectoryUser, Item, Page, Position, Pull, Reach, Result};
use serde::Deserialize;

use crate::{
    Cipp,
    api::whole,
    wire::{self, said},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    user_principal_name: Option<String>,
    display_name: Option<String>,
    mail: Option<String>,
    #[serde(default, deserialize_with = "wire::flag")]
    account_enabled: Option<bool>,
    user_type: Option<String>,
    assigned_licenses: Option<Vec<Assigned>>,
    job_title: Option<String>,
    department: Option<String>,
    created_date_time: Option<String>,
    #[serde(default, deserialize_with = "wire::flag")]
    on_premises_sync_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assigned {
    sku_id: String,
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
        let principal_name = said(wire.user_principal_name);
        let name = said(wire.display_name).or_else(|| principal_name.clone()).unwrap_or_else(|| wire.id.clone());
        let record = DirectoryUser {
            name,
            principal_name,
            email: said(wire.mail),
            enabled: wire.account_enabled,
            guest: match wire.user_type.as_deref() {
                Some("Guest") => Some(true),
                Some("Member") => Some(false),
                _ => None,
            },
            job_title: said(wire.job_title),
            department: said(wire.department),
            licence_ids: wire.assigned_licenses.unwrap_or_default().into_iter().map(|one| one.sku_id).collect(),
            created_at: wire::instant(wire.created_date_time.as_deref()),
            last_sign_in_at: None,
            synchronised: wire.on_premises_sync_enabled,
        };
        Ok(Item { id: wire.id, entity: None, record })
    }
}
