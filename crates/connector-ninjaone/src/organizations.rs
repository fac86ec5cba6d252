//! Organisations: what NinjaOne calls a customer.

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};

use crate::{NinjaOne, wire};

#[async_trait]
impl Pull<Entity> for NinjaOne {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page("/v2/organizations", at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let row: wire::Organization = wire::read(raw, "organization")?;
        let name = row.name.unwrap_or_else(|| format!("Organization {}", row.id));
        Ok(Item { id: row.id, entity: None, record: Entity { name, ..Entity::default() } })
    }
}
