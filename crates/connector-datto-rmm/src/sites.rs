//! Sites: what Datto RMM calls a customer.

use std::collections::BTreeMap;

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};

use crate::{DattoRmm, wire};

#[async_trait]
impl Pull<Entity> for DattoRmm {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.list(&[&["account", "sites"]], at.cursor, |_| None).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let site: wire::Site = wire::read(raw, "site")?;
        let name = site.name.unwrap_or_else(|| format!("Site {}", site.uid));
        // The link is to Autotask by name; other vendors hold the same id as that of "the PSA".
        let external_ids: BTreeMap<_, _> = site
            .autotask_company_id
            .into_iter()
            .flat_map(|id| ["autotask", "psa"].map(|system| (system.to_owned(), id.clone())))
            .collect();
        Ok(Item { id: site.uid, entity: None, record: Entity { name, external_ids, ..Entity::default() } })
    }
}
