//! The one entity of a connection: the account itself.

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};
use serde_json::json;

use crate::{AppleBusiness, wire};

#[async_trait]
impl Pull<Entity> for AppleBusiness {
    /// Apple does not tell the organisation's name. One request proves that the account is still there, so that
    /// a key that was revoked is not taken for a client.
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        self.api.list(&["mdmServers"], 1, &[], None).await?;
        let record = json!({ "id": self.api.account(), "name": self.organisation });
        Ok(Page { records: vec![record.to_string().into()], total: Some(1), ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        #[derive(serde::Deserialize)]
        struct Account {
            id: String,
            name: String,
        }
        let account: Account = wire::read(raw, "the account")?;
        Ok(Item { id: account.id, entity: None, record: Entity { name: account.name, ..Entity::default() } })
    }
}
