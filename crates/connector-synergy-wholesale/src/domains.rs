//! Domains, each under its first category.

use async_trait::async_trait;
use integration::{Cursor, Domain, Item, Page, Position, Pull, Result};

use crate::{
    SynergyWholesale, api,
    categories::NOWHERE,
    owners::plain,
    raw,
    wire::{self, Place},
};

#[async_trait]
impl Pull<Domain> for SynergyWholesale {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let number = api::number(at.cursor)?;
        let (items, more) = self.api.page(&api::DOMAINS, number).await?;
        let next = more.then(|| Cursor::new((number + 1).to_string()));
        Ok(Page { records: raw::records(&items, |_| ()), next, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Domain>, String> {
        let domain: wire::Domain = wire::read(raw, "domain")?;
        raw::refused("domain", domain.status.0.as_deref())?;
        let name = domain.name.0.as_deref().map(plain).filter(|name| !name.is_empty());
        let name = name.ok_or("a domain has no name")?;
        let problems = problems(&domain);
        let entity = domain.places().first().map_or(NOWHERE, |place| &place.id).to_owned();
        // One whose transfer or registration is under way has no state of its own yet.
        let pending = domain.status.0.filter(|status| status != "OK");
        let record = Domain {
            name: name.clone(),
            status: domain.domain_status.0.or(domain.domain_status_too.0).or(pending),
            registered_on: [domain.domain_created, domain.created_date, domain.domain_create]
                .into_iter()
                .find_map(|day| day.0)
                .map(|day| day.0),
            expires_on: domain.domain_expiry.0.map(|day| day.0),
            auto_renew: domain.auto_renew.0.map(|switch| switch.0),
            name_servers: domain.name_servers.0.unwrap_or_default().iter().map(|server| plain(server)).collect(),
            dnssec: domain.ds_data.0.map(|keys| keys.0),
            problems,
            ..Domain::default()
        };
        Ok(Item { id: name, entity: Some(entity), record })
    }
}

fn problems(domain: &wire::Domain) -> Vec<String> {
    let mut problems = Vec::new();
    if let [first, _, ..] = domain.places() {
        let names: Vec<&str> = domain.places().iter().map(|Place { name, .. }| name.as_str()).collect();
        problems.push(format!("It is in several categories ({}) and counts for {}", names.join(", "), first.name));
    }
    // "Verified" and "N/A" are as they should be.
    let icann = domain.icann_status.0.as_deref();
    if let Some(status) = icann.filter(|status| status.starts_with("Pending") || status.starts_with("Suspended")) {
        problems.push(format!("ICANN: {status}"));
    }
    problems
}
