//! Contacts: they have no listing of their own, and come with their clients.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Contact, Error, Item, Page, Position, Pull, Result};
use serde_json::Value;

use crate::{
    Workflowmax,
    api::NAME,
    clients::ORDER,
    wire::{self, KeptContact, WithContacts},
};

#[async_trait]
impl Pull<Contact> for Workflowmax {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let filter = [ORDER[0], ORDER[1], ("includes", "contacts")];
        let listed = self.api.list("clients", &filter, at.cursor).await?.whole()?;
        let mut records = Vec::new();
        for raw in &listed.rows {
            let client: WithContacts<'_> =
                wire::read("a client with its contacts", raw).map_err(|why| Error::unreadable(NAME, why))?;
            if client.prospect == Some(true) && !self.prospects {
                continue;
            }
            // The contact does not name its client: it is kept with it.
            let id = Value::String(client.uuid);
            let kept = |contact: &serde_json::value::RawValue| {
                Bytes::from(format!(r#"{{"client":{id},"contact":{}}}"#, contact.get()))
            };
            records.extend(client.contacts.unwrap_or_default().into_iter().map(kept));
        }
        Ok(Page { records, next: listed.next, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Contact>, String> {
        let KeptContact { client, contact } = wire::read("a contact", raw)?;
        let name = contact.name.or_else(|| wire::joined(contact.first_name.clone(), contact.last_name.clone()));
        let gone = contact.deleted_at.map(|_| true).or(contact.archived);
        let record = Contact {
            name: name.or_else(|| contact.email.clone()).ok_or("a contact of WorkflowMax has no name")?,
            given_name: contact.first_name,
            family_name: contact.last_name,
            email: contact.email,
            phone: contact.phone,
            mobile: contact.mobile,
            job_title: contact.position,
            location_id: None,
            primary: contact.primary,
            active: gone.map(|gone| !gone),
            created_at: contact.created_at,
            updated_at: contact.updated_at,
        };
        // One contact may stand under several clients: each is a record of its own.
        Ok(Item { id: format!("{client}/{}", contact.uuid), entity: Some(client), record })
    }
}
