//! Tenants: what Hatz AI calls a customer.

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};

use crate::{HatzAi, wire};

#[async_trait]
impl Pull<Entity> for HatzAi {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&["tenants"], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let tenant: wire::Tenant = wire::read(raw, "a tenant")?;
        let id = tenant.id.0.ok_or("a tenant without an id")?;
        let record = Entity {
            name: tenant.name.0.unwrap_or_else(|| format!("Tenant {id}")),
            // Other words than this one are not known, so they say neither.
            active: tenant.status.0.as_deref().filter(|word| word.eq_ignore_ascii_case("active")).map(|_| true),
            status: tenant.status.0,
            ..Entity::default()
        };
        Ok(Item { id, entity: None, record })
    }
}
