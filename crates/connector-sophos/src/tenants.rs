//! Tenants: the customers of a partner, or the parts of an organization.

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};

use crate::{Sophos, account::Account, wire};

/// Records asked for at once: the most that the vendor gives.
const SIZE: u32 = 100;

#[async_trait]
impl Pull<Entity> for Sophos {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let account = match self.api.account().await? {
            // There is nothing to list: what was said of the credentials is the tenant.
            Account::Tenant { raw, .. } => return Ok(Page { records: vec![raw], total: Some(1), ..Page::default() }),
            over => over,
        };
        let page = self.api.page_by_number(&account, SIZE, at.cursor).await?;
        for raw in &page.records {
            // A tenant may have moved since the last listing.
            if let Ok(wire::Tenant { id, api_host, .. }) = wire::read(raw, "a tenant")
                && let (Some(id), Some(host)) = (id.0, api_host.0)
            {
                self.api.hosts.remember(&id, host);
            }
        }
        Ok(page)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let tenant: wire::Tenant = wire::read(raw, "a tenant")?;
        let id = tenant.id.0.ok_or("a tenant without an id")?;
        let contact = tenant.contact.0.unwrap_or_default();
        let address = contact.address.0.unwrap_or_default();
        let place: Vec<String> =
            [address.city.0, address.state.0, address.country_code.0].into_iter().flatten().collect();
        let status = tenant.status.0;
        let record = Entity {
            name: tenant.name.0.or(tenant.show_as.0).unwrap_or_else(|| format!("Tenant {id}")),
            phone: contact.phone.0.or(contact.mobile.0),
            place: (!place.is_empty()).then(|| place.join(", ")),
            active: match status.as_deref() {
                Some("active") => Some(true),
                Some("suspended" | "terminated") => Some(false),
                _ => None,
            },
            status,
            ..Entity::default()
        };
        Ok(Item { id, entity: None, record })
    }
}
