//! Locations of all organisations.

use async_trait::async_trait;
use integration::{Item, Location, Page, Position, Pull, Result};

use crate::{NinjaOne, wire};

#[async_trait]
impl Pull<Location> for NinjaOne {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page("/v2/locations", at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Location>, String> {
        let row: wire::Location = wire::read(raw, "location")?;
        let name = row.name.unwrap_or_else(|| format!("Location {}", row.id));
        Ok(Item {
            id: row.id,
            entity: Some(row.organization_id),
            record: Location { name, address: row.address, description: row.description },
        })
    }
}
