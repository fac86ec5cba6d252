//! Contacts: the people of a customer. The vendor keeps one name, not its parts.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{
    Contact, ContactDraft, Error, Item, Kind, Method, Page, Position, Pull, Result, Retry, Vendor, WriteContacts,
};
use serde_json::{Map, Value};

use crate::{Syncro, api::number, customers::put, wire};

#[async_trait]
impl Pull<Contact> for Syncro {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.list("contacts", "contacts", &[], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Contact>, String> {
        let contact: wire::Contact = wire::read("a contact", raw)?;
        let customer = contact.customer_id.ok_or("a contact of Syncro names no customer")?;
        let record = Contact {
            name: contact.name.or_else(|| contact.email.clone()).unwrap_or_else(|| format!("Contact {}", contact.id)),
            email: contact.email,
            phone: contact.phone,
            mobile: contact.mobile,
            job_title: contact.title,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
            ..Contact::default()
        };
        Ok(Item { id: contact.id, entity: Some(customer), record })
    }
}

#[async_trait]
impl WriteContacts for Syncro {
    async fn create(&self, entity_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let mut contact = said(draft)?;
        let name = joined(draft.given_name.as_deref(), draft.family_name.as_deref()).or(draft.email.clone());
        let name =
            name.ok_or_else(|| Error::new(Kind::Refused, "a new contact of Syncro needs a name or an e-mail"))?;
        contact.insert("name".to_owned(), name.into());
        contact.insert("customer_id".to_owned(), number(entity_id)?.into());
        self.contact_answered(self.api.write(Method::Post, &["contacts"], contact.into(), "contact").await?)
    }

    async fn update(&self, entity_id: &str, contact_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let (before, now) = self.contact(entity_id, contact_id).await?;
        let mut change = said(draft)?;
        put(&mut change, "title", &draft.job_title);
        let name = renamed(now.name.as_deref().unwrap_or_default(), draft);
        if change.is_empty() && name == now.name {
            return Ok(before);
        }
        // The vendor wants the name with every change.
        put(&mut change, "name", &name);
        let path = ["contacts", contact_id];
        self.contact_answered(self.api.write(Method::Put, &path, change.into(), "contact").await?)
    }

    fn removable(&self) -> bool {
        true
    }

    async fn remove(&self, entity_id: &str, contact_id: &str) -> Result<()> {
        self.contact(entity_id, contact_id).await?;
        self.api.delete("contacts", contact_id).await
    }

    async fn fetch(&self, entity_id: &str, contact_id: &str) -> Result<Bytes> {
        Ok(self.contact(entity_id, contact_id).await?.0)
    }
}

impl Syncro {
    /// A contact of this customer as the vendor has it now: one of another customer is not found.
    pub(crate) async fn contact(&self, customer_id: &str, contact_id: &str) -> Result<(Bytes, wire::Contact)> {
        let raw = self.api.one("contacts", "contact", contact_id).await?;
        let contact: wire::Contact = wire::read("a contact", &raw).map_err(|why| Error::unreadable(Self::NAME, why))?;
        if contact.id != contact_id || contact.customer_id.as_deref() != Some(customer_id) {
            return Err(Error::new(Kind::NotFound, "Syncro has no such contact under this customer"));
        }
        Ok((raw, contact))
    }

    fn contact_answered(&self, raw: Bytes) -> Result<Bytes> {
        let read = Pull::<Contact>::read(self, &raw);
        read.map_err(|why| Error::unreadable(Self::NAME, why).retry(Retry::No)).map(|_| raw)
    }
}

/// What a draft says, in the vendor's words, without the name.
fn said(draft: &ContactDraft) -> Result<Map<String, Value>> {
    if draft.active == Some(false) {
        return Err(Error::new(Kind::Refused, "a contact of Syncro is in use until it is removed"));
    }
    if draft.location_id.is_some() {
        return Err(Error::new(Kind::Refused, "a contact of Syncro has no site"));
    }
    let mut contact = Map::new();
    put(&mut contact, "email", &draft.email);
    put(&mut contact, "phone", &draft.phone);
    put(&mut contact, "mobile", &draft.mobile);
    Ok(contact)
}

/// The name after a change. Its first word counts as the given name where only one of the two changes.
fn renamed(now: &str, draft: &ContactDraft) -> Option<String> {
    let (given, family) = now.trim().split_once(' ').unwrap_or((now.trim(), ""));
    joined(draft.given_name.as_deref().or(Some(given)), draft.family_name.as_deref().or(Some(family)))
}

fn joined(given: Option<&str>, family: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = [given, family].into_iter().flatten().map(str::trim).filter(|one| !one.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
