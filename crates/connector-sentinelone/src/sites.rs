//! Sites: what SentinelOne calls a customer, under an account of the MSP.

use std::collections::BTreeMap;

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};

use crate::{SentinelOne, wire};

/// Which sites are listed. One whose licence has ended is still a customer's, and keeps its agents.
pub(crate) const STATES: &str = "active,expired";

/// Records asked for at once: half of what the vendor would give.
const SIZE: u32 = 500;

#[async_trait]
impl Pull<Entity> for SentinelOne {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(self.api.get(&["sites"]).query("limit", SIZE).query("states", STATES), at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let site: wire::Site = wire::read(raw, "a site")?;
        let id = site.id.0.ok_or("a site without an id")?;
        let (account, state) = (site.account_name.0, site.state.0);
        let name = match (site.name.0, &account) {
            // Every account has a "Default site": its name alone tells nothing.
            (Some(name), Some(account)) if site.is_default.0 == Some(true) => format!("{account} / {name}"),
            (Some(name), _) => name,
            (None, _) => format!("Site {id}"),
        };
        let record = Entity {
            name,
            external_ids: site.external_id.0.map(|id| ("psa".to_owned(), id)).into_iter().collect::<BTreeMap<_, _>>(),
            place: account,
            active: match state.as_deref() {
                Some("active") => Some(true),
                Some("expired" | "deleted") => Some(false),
                _ => None,
            },
            status: state,
            ..Entity::default()
        };
        Ok(Item { id, entity: None, record })
    }
}
