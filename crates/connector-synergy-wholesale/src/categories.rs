//! Domain categories: what the MSP makes one of for each client. Each comes with its domains, which say more of whose
//! it is than its name does.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Entity, Item, Page, Position, Pull, Result};
use serde_json::json;

use crate::{
    SynergyWholesale,
    api::HOSTINGS,
    owners::Owners,
    wire::{self, Place},
};

/// The id of what stands for "no category". Every record needs an entity, and a domain that nobody has sorted yet
/// must be seen rather than refused. The vendor's own ids are numbers.
pub(crate) const NOWHERE: &str = "uncategorised";
const NOWHERE_NAME: &str = "Without a category";

/// Domains that a category names at most: one with more is no client's.
const DOMAINS_NAMED: usize = 200;

#[async_trait]
impl Pull<Entity> for SynergyWholesale {
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        let categories = self.api.categories().await?;
        let owners = Owners::walk(&self.api).await?;
        let mut domains: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (domain, place) in owners.iter().filter(|(_, place)| *place != NOWHERE) {
            domains.entry(place).or_default().push(domain);
        }
        let mut records = Vec::with_capacity(categories.len() + 1);
        for category in &categories {
            // One without either id or name cannot be told from another; as a record it is counted as rejected.
            records.push(match Place::of(category.said("id"), category.said("name")) {
                Some(place) => raw(&place, domains.get(place.id.as_str()).map_or(&[], Vec::as_slice)),
                None => Bytes::from_static(b"{}"),
            });
        }
        // It is there from the first domain on, and does not come and go with the last one that is sorted.
        let bare = records.is_empty() && owners.is_empty();
        if !bare || !self.api.page(&HOSTINGS, 1).await?.0.is_empty() {
            records.push(raw(&Place { id: NOWHERE.to_owned(), name: NOWHERE_NAME.to_owned() }, &[]));
        }
        Ok(Page { records, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let category: wire::Category = wire::read(raw, "domain category")?;
        let record = Entity { name: category.name, domains: category.domains, ..Entity::default() };
        Ok(Item { id: category.id, entity: None, record })
    }
}

fn raw(place: &Place, domains: &[&str]) -> Bytes {
    let named = &domains[..domains.len().min(DOMAINS_NAMED)];
    json!({ "id": place.id, "name": place.name, "domains": named }).to_string().into()
}
