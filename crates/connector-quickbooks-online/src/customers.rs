//! Customers: also inactive ones, and those below others (sub-customers, projects), each for itself.

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};
use url::{Host, Url};

use crate::{QuickbooksOnline, listing::Source, wire};

/// Without the filter the vendor leaves out inactive customers, whose invoices it lists all the same.
pub(crate) const CUSTOMERS: Source = Source { entity: "Customer", rest: " WHERE Active IN (true, false) ORDERBY Id" };

/// What the vendor puts after the name of a customer that somebody made inactive.
const SUFFIX: &str = " (deleted)";

#[async_trait]
impl Pull<Entity> for QuickbooksOnline {
    fn incremental(&self) -> bool {
        true
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&CUSTOMERS, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let customer: wire::Customer = wire::read("a customer", raw)?;
        let id = customer.id.0.ok_or("a customer of QuickBooks Online has no id")?;
        let below = customer.job.0 == Some(true) || customer.parent_ref.0.and_then(|parent| parent.value.0).is_some();
        let own = customer.display_name.0.or(customer.company_name.0);
        // The whole name of one below another begins with that of the other ("Harbour Dental:Branch").
        let whole = customer.fully_qualified_name.0;
        let mut name = if below { whole.or(own) } else { own.or(whole) };
        if customer.active.0 == Some(false) {
            name = name.map(|name| name.strip_suffix(SUFFIX).map(str::to_owned).unwrap_or(name));
        }
        let state = customer.active.0.map(|active| if active { "Active" } else { "Inactive" });
        let sort = match (customer.is_project.0, below) {
            (Some(true), _) => Some("project"),
            (_, true) => Some("sub-customer"),
            _ => None,
        };
        let status = [state, sort].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let phone = [customer.primary_phone.0, customer.mobile.0].into_iter().flatten();
        let place = [customer.bill_addr.0, customer.ship_addr.0].into_iter().flatten().map(|address| {
            let parts = [address.city.0, address.country_sub_division_code.0, address.country.0];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        });
        let website = customer.web_addr.0.and_then(|web| web.uri.0);
        let record = Entity {
            name: name.ok_or("a customer of QuickBooks Online has no name")?,
            domains: website.as_deref().and_then(domain).into_iter().collect(),
            phone: phone.filter_map(|phone| phone.free_form_number.0).next(),
            place: place.into_iter().find(|place| !place.is_empty()),
            active: customer.active.0,
            status: Some(status).filter(|status| !status.is_empty()),
            ..Entity::default()
        };
        Ok(Item { id, entity: None, record })
    }
}

/// Hosts that many businesses give as their website: they identify nobody.
const SHARED: [&str; 6] = ["facebook.com", "google.com", "instagram.com", "linkedin.com", "twitter.com", "x.com"];

/// The domain that a website speaks for, written with or without a scheme.
fn domain(website: &str) -> Option<String> {
    let url = Url::parse(website).ok().filter(Url::has_host);
    let url = url.or_else(|| Url::parse(&format!("https://{website}")).ok())?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let host = host.trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    let mut endings = SHARED.iter().filter_map(|shared| host.strip_suffix(shared));
    let shared = endings.any(|rest| rest.is_empty() || rest.ends_with('.'));
    (host.contains('.') && !shared).then(|| host.to_owned())
}
