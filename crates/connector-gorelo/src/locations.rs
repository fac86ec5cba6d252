//! Locations, asked for client by client: Gorelo has no listing of all.

use async_trait::async_trait;
use integration::{Item, Location, Page, Position, Pull, Reach, Result};
use serde::Deserialize;

use crate::{
    Gorelo,
    loose::{self, Text},
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Row {
    id: Text,
    name: Text,
    address1: Text,
    address2: Text,
    city: Text,
    state: Text,
    postal_code: Text,
    country: Text,
}

#[async_trait]
impl Pull<Location> for Gorelo {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let records = self.api.all(&["clients", at.entity.unwrap_or_default(), "locations"]).await?;
        let total = Some(records.len() as u64);
        Ok(Page { records, total, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Location>, String> {
        let row: Row = loose::read("a location", raw)?;
        let id = row.id.own_id("a location")?;
        let lines = [row.address1, row.address2, row.city, row.state, row.postal_code, row.country];
        let address = lines.into_iter().filter_map(|line| line.0).collect::<Vec<_>>().join(", ");
        let record = Location {
            name: row.name.0.unwrap_or_else(|| format!("Location {id}")),
            address: Some(address).filter(|address| !address.is_empty()),
            description: None,
        };
        Ok(Item { id, entity: None, record })
    }
}
