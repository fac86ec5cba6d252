//! Companies: the MSP's customers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};
use url::{Host, Url};

use crate::{
    Pax8,
    paging::SIZE,
    wire::{self, said},
};

/// Hosts that many companies give as their website: they identify nobody.
const SHARED: [&str; 7] =
    ["facebook.com", "google.com", "instagram.com", "linkedin.com", "linktr.ee", "twitter.com", "x.com"];

#[async_trait]
impl Pull<Entity> for Pax8 {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        // No change date and no id to sort by: the name moves least. The vendor describes the field alone, without a
        // direction, which subscriptions have to name.
        let mut page = self.api.list(&["companies"], &[("sort", "name")], SIZE, at.cursor).await?;
        let mut removed = Vec::new();
        page.records.retain(|raw| match wire::read::<wire::Company>("company", raw) {
            Ok(company) if company.status.as_deref() == Some("Deleted") => {
                removed.push(company.id);
                false
            }
            // One that cannot be read stays, so that it is counted as rejected.
            _ => true,
        });
        page.removed = removed;
        Ok(page)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let company: wire::Company = wire::read("company", raw)?;
        let status = said(company.status);
        let place = company.address.and_then(|address| {
            let parts = [address.city, address.state_or_province, address.country];
            said(Some(parts.into_iter().filter_map(said).collect::<Vec<_>>().join(", ")))
        });
        let record = Entity {
            name: company.name.trim().to_owned(),
            domains: company.website.as_deref().and_then(domain).into_iter().collect(),
            external_ids: said(company.external_id)
                .map(|id| ("psa".to_owned(), id))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
            tenant_id: None,
            phone: said(company.phone),
            place,
            active: match status.as_deref() {
                Some("Active") => Some(true),
                Some("Inactive" | "Deleted") => Some(false),
                _ => None,
            },
            status,
            ..Entity::default()
        };
        Ok(Item { id: company.id, entity: None, record })
    }
}

/// The domain that a website speaks for, written with or without a scheme.
fn domain(website: &str) -> Option<String> {
    let website = website.trim();
    let url =
        Url::parse(website).ok().filter(Url::has_host).or_else(|| Url::parse(&format!("https://{website}")).ok())?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let host = host.trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    let shared =
        SHARED.iter().filter_map(|shared| host.strip_suffix(shared)).any(|rest| rest.is_empty() || rest.ends_with('.'));
    (host.contains('.') && !shared).then(|| host.to_owned())
}
