//! Clients: what WorkflowMax calls a customer.

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};
use url::{Host, Url};

use crate::{Workflowmax, wire};

/// The order in which a listing by page numbers moves least.
pub(crate) const ORDER: [(&str, &str); 2] = [("sort", "created"), ("order", "asc")];

#[async_trait]
impl Pull<Entity> for Workflowmax {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let filter = [ORDER[0], ORDER[1], ("includes", "contact-details,addresses")];
        let mut listed = self.api.list("clients", &filter, at.cursor).await?.whole()?;
        // One that cannot be read stays, so that it is counted as rejected.
        listed.rows.retain(|raw| {
            let prospect =
                wire::read::<wire::Client>("a client", raw).is_ok_and(|client| client.prospect == Some(true));
            self.prospects || !prospect
        });
        Ok(Page { records: listed.rows, next: listed.next, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let client: wire::Client = wire::read("a client", raw)?;
        let name = client.name.or_else(|| wire::joined(client.first_name, client.last_name));
        let details = client.contact_details.unwrap_or_default();
        let addresses = client.addresses.unwrap_or_default();
        let address = addresses.iter().find(|one| one.default == Some(true)).or_else(|| addresses.first());
        let place = address.map(|one| {
            [&one.city, &one.state, &one.country].into_iter().flatten().cloned().collect::<Vec<_>>().join(", ")
        });
        let status = match (client.archived, client.prospect) {
            (Some(true), _) => Some("Archived"),
            (_, Some(true)) => Some("Prospect"),
            (Some(false), _) => Some("Active"),
            (None, _) => None,
        };
        let record = Entity {
            name: name.ok_or("a client of WorkflowMax has no name")?,
            domains: details.website.as_deref().and_then(domain).into_iter().collect(),
            phone: details.phone,
            place: place.filter(|place| !place.is_empty()),
            active: client.archived.map(|archived| !archived),
            status: status.map(str::to_owned),
            ..Entity::default()
        };
        Ok(Item { id: client.uuid, entity: None, record })
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
