//! Sites: the places of a client.

use async_trait::async_trait;
use integration::{Item, Location, Page, Position, Pull, Result};

use crate::{Halopsa, clients::one_line, wire};

#[async_trait]
impl Pull<Location> for Halopsa {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.list("Site", "sites", &[("includeaddress", "true")], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Location>, String> {
        let site: wire::Site = wire::read("a site", raw)?;
        let client = site.client_id.ok_or("a site of HaloPSA names no client")?;
        let lines = wire::Address {
            line1: site.delivery_address_line1,
            line2: site.delivery_address_line2,
            line3: site.delivery_address_line3,
            line4: site.delivery_address_line4,
            postcode: site.delivery_address_line5,
        };
        let address = one_line(&lines).or_else(|| site.delivery_address.as_ref().and_then(one_line));
        let name = site.name.unwrap_or_else(|| format!("Site {}", site.id));
        let record = Location { name, address, description: site.notes };
        Ok(Item { id: site.id, entity: Some(client), record })
    }
}
