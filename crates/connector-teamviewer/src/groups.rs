//! Managed groups: what stands for a customer at TeamViewer. Only those that the token's account manages are
//! listed.

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};

use crate::{Teamviewer, wire};

#[async_trait]
impl Pull<Entity> for Teamviewer {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&["managed", "groups"], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let group: wire::Group = wire::read(raw, "managed group")?;
        let name = group.name.unwrap_or_else(|| format!("Group {}", group.id));
        Ok(Item { id: group.id, entity: None, record: Entity { name, ..Entity::default() } })
    }
}
