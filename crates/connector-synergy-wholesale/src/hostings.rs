//! Hosting services, each under the category of its domain.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use integration::{Cursor, Hosting, Item, Page, Position, Pull, Result};

use crate::{SynergyWholesale, api, categories::NOWHERE, owners::Owners, owners::plain, raw, wire};

#[async_trait]
impl Pull<Hosting> for SynergyWholesale {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let number = api::number(at.cursor)?;
        let owners = self.owners(number == 1).await?;
        let (items, more) = self.api.page(&api::HOSTINGS, number).await?;
        let records = raw::records(&items, |kept| {
            let domain = ["domain", "domainName"].into_iter().find_map(|key| kept.get(key)?.as_str());
            let place = owners.of(domain.unwrap_or_default()).to_owned();
            kept.insert("belongsTo".to_owned(), place.into());
        });
        Ok(Page { records, next: more.then(|| Cursor::new((number + 1).to_string())), ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Hosting>, String> {
        let hosting: wire::Hosting = wire::read(raw, "hosting service")?;
        raw::refused("hosting service", hosting.status.0.as_deref())?;
        let id = hosting.hoid.0.ok_or("a hosting service has no id")?;
        let domain = hosting.domain.0.or(hosting.domain_name.0).map(|domain| plain(&domain));
        let record = Hosting {
            name: domain.unwrap_or_else(|| format!("Hosting {id}")),
            plan: hosting.plan.0,
            status: hosting.service_status.0,
            server: hosting.server.0,
            billing_term: hosting.billing_period.0,
            renews_on: hosting.next_renewal_due.0.map(|day| day.0),
            disk_used: hosting.disk_usage.0.map(|size| size.0),
            disk_limit: hosting.disk_limit.0.map(|size| size.0),
        };
        Ok(Item { id, entity: Some(hosting.belongs_to.0.unwrap_or_else(|| NOWHERE.to_owned())), record })
    }
}

impl SynergyWholesale {
    /// Whose each domain is: looked up at the beginning of a listing, and kept for its other pages.
    async fn owners(&self, anew: bool) -> Result<Arc<Owners>> {
        let kept = self.owners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|_| !anew) {
            return Ok(kept);
        }
        let walked = Arc::new(Owners::walk(&self.api).await?);
        *self.owners.lock().unwrap_or_else(PoisonError::into_inner) = Some(walked.clone());
        Ok(walked)
    }
}
