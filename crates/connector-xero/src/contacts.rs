//! Contacts: what Xero calls a customer. Suppliers are contacts too.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Cursor, Entity, Item, Page, Position, Pull, Result};
use url::{Host, Url};

use crate::{
    Xero,
    wire::{self, Address, Phone},
};

impl Xero {
    /// One page of contacts. What is not a customer is left out here: Xero refuses to filter by that where contacts
    /// are many. Its count of all contacts says nothing of what is left.
    pub(crate) async fn contact_page(&self, cursor: Option<&Cursor>) -> Result<Page> {
        let with = [("order", "ContactID ASC"), ("includeArchived", "true")];
        let mut page = self.api.list("Contacts", &with, cursor).await?;
        if !self.everyone {
            page.total = None;
            page.records.retain(listed);
        }
        Ok(page)
    }
}

/// One that cannot be read stays, so that it is counted as rejected; so does one of which Xero does not say.
fn listed(raw: &Bytes) -> bool {
    wire::read::<wire::Contact>("a contact", raw).map_or(true, |contact| contact.is_customer.0 != Some(false))
}

#[async_trait]
impl Pull<Entity> for Xero {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.contact_page(at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let contact: wire::Contact = wire::read("a contact", raw)?;
        let name = contact.name.0.or_else(|| joined([contact.first_name.0, contact.last_name.0]));
        let held = [("account_number", contact.account_number.0), ("contact_number", contact.contact_number.0)];
        let active = match contact.contact_status.0.as_deref() {
            Some("ACTIVE") => Some(true),
            Some("ARCHIVED") => Some(false),
            _ => None,
        };
        let record = Entity {
            name: name.ok_or("a contact of Xero has no name")?,
            domains: contact.website.0.as_deref().and_then(domain).into_iter().collect(),
            external_ids: held.into_iter().filter_map(|(system, id)| Some((system.to_owned(), id?))).collect(),
            tenant_id: None,
            phone: phone(contact.phones.0.unwrap_or_default()),
            place: place(contact.addresses.0.unwrap_or_default()),
            active,
            status: contact.contact_status.0,
            ..Entity::default()
        };
        Ok(Item { id: contact.id.0.ok_or("a contact of Xero has no id")?, entity: None, record })
    }
}

/// A name of its parts, as far as they are there.
pub(crate) fn joined<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

/// The first that has a number, the main one before others; entries that hold only their type are usual.
fn phone(phones: Vec<Phone>) -> Option<String> {
    let rank = |phone: &Phone| match phone.phone_type.0.as_deref() {
        Some("DEFAULT") => 0,
        Some("OFFICE") => 1,
        Some("DDI") => 2,
        Some("MOBILE") => 3,
        Some("FAX") => 5,
        _ => 4,
    };
    let best = phones.into_iter().filter(|phone| phone.phone_number.0.is_some()).min_by_key(rank)?;
    // A fax is no telephone.
    let usable = best.phone_type.0.as_deref() != Some("FAX");
    joined([best.phone_country_code.0, best.phone_area_code.0, best.phone_number.0]).filter(|_| usable)
}

/// Where it stands, else where its post goes.
fn place(addresses: Vec<Address>) -> Option<String> {
    let (street, others): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|one| one.address_type.0.as_deref() == Some("STREET"));
    street.into_iter().chain(others).find_map(|one| {
        let parts: Vec<String> = [one.city.0, one.region.0, one.country.0].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    })
}

/// The domain that a website speaks for, written with or without a scheme.
fn domain(website: &str) -> Option<String> {
    let url = Url::parse(website).ok().filter(Url::has_host);
    let url = url.or_else(|| Url::parse(&format!("https://{website}")).ok())?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let host = host.trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    host.contains('.').then(|| host.to_owned())
}
