//! Locations: the places of a company.

use async_trait::async_trait;
use integration::{Item, Location, Page, Position, Pull, Result};
use serde_json::json;

use crate::{
    Autotask,
    queries::Shape,
    wire::{self, said},
};

const SHAPE: Shape = Shape {
    entity: "CompanyLocations",
    fields: &["id", "companyID", "name", "description", "address1", "address2", "city", "state", "postalCode"],
    picked: &[],
};

#[async_trait]
impl Pull<Location> for Autotask {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let in_use = json!([
            { "op": "gt", "field": "companyID", "value": 0 },
            { "op": "eq", "field": "isActive", "value": true },
        ]);
        self.api.page(SHAPE, in_use, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Location>, String> {
        let place: wire::Location = wire::read("location", raw)?;
        let parts = [place.address1, place.address2, place.city, place.state, place.postal_code];
        let address: Vec<String> = parts.into_iter().filter_map(said).collect();
        let record = Location {
            name: said(place.name).unwrap_or_else(|| format!("Location {}", place.id.0)),
            address: said(Some(address.join(", "))),
            description: said(place.description),
        };
        Ok(Item { id: place.id.0, entity: wire::owner("location", place.company)?, record })
    }
}
