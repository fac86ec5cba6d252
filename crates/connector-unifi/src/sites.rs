//! Sites: the MSP's customers.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Cursor, Entity, Error, Item, Page, Position, Pull, Result};
use serde_json::value::RawValue;

use crate::{Unifi, Way, api::NAME, cloud, network, wire};

/// The name that a site has before anybody gives it one.
const UNNAMED: &str = "Default";

#[async_trait]
impl Pull<Entity> for Unifi {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let place = at.cursor.map(Cursor::as_str);
        if self.api.way == Way::Console {
            let slice = self.api.network_page(None, &["sites"], network::PAGE_SIZE, place).await?;
            let (next, total) = (slice.next.map(Cursor::new), Some(slice.total));
            return Ok(Page { records: slice.records, next, total, ..Page::default() });
        }
        let consoles = self.memory.consoles(&self.api, place.is_none()).await?;
        let slice = self.api.list("sites", cloud::PAGE_SIZE, place).await?;
        let records = slice.records.iter().map(|raw| {
            let host = wire::read::<wire::Site>(raw, "a site").ok().and_then(|site| site.host_id.0);
            let console = host.and_then(|host| consoles.get(&host)).and_then(|console| console.name.as_deref());
            keep(console, raw)
        });
        Ok(Page { records: records.collect::<Result<_>>()?, next: slice.next.map(Cursor::new), ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let (id, name, console, internal) = if self.api.way == Way::Console {
            let site: wire::NetworkSite = wire::read(raw, "a site")?;
            (site.id.0, site.name.0, self.api.host().map(str::to_owned), site.internal_reference.0)
        } else {
            let kept: wire::Kept = wire::read(raw, "a site")?;
            let meta = kept.site.meta.0.unwrap_or_default();
            (kept.site.site_id.0, meta.desc.0, kept.console.0, meta.name.0)
        };
        let id = id.ok_or("a site has no id")?;
        let name = name.or(internal).unwrap_or_else(|| UNNAMED.to_owned());
        let name = match console {
            Some(console) if name.eq_ignore_ascii_case(UNNAMED) => format!("{console} / {name}"),
            _ => name,
        };
        Ok(Item { id, entity: None, record: Entity { name, ..Entity::default() } })
    }
}

fn keep(console: Option<&str>, raw: &[u8]) -> Result<Bytes> {
    let site: &RawValue = serde_json::from_slice(raw).map_err(|why| Error::unreadable(NAME, why))?;
    let kept = serde_json::to_vec(&wire::KeptSite { console, site }).map_err(|why| Error::unreadable(NAME, why))?;
    Ok(kept.into())
}
