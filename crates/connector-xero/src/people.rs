//! The people of a contact: its own first and last name with its e-mail, and up to five more. They come with their
//! contact and have no ids.

use std::collections::HashSet;

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Contact, Error, Item, Page, Position, Pull, Result};

use crate::{
    Xero,
    api::NAME,
    contacts::joined,
    wire::{self, KeptPerson, Person},
};

#[async_trait]
impl Pull<Contact> for Xero {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let page = self.contact_page(at.cursor).await?;
        let mut records = Vec::new();
        for raw in &page.records {
            let Ok(contact) = wire::read("a contact", raw) else {
                // It stays, so that it is counted as rejected.
                records.push(raw.clone());
                continue;
            };
            for person in people(contact) {
                let kept = serde_json::to_vec(&person).map_err(|why| Error::unreadable(NAME, why))?;
                records.push(Bytes::from(kept));
            }
        }
        Ok(Page { records, next: page.next, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Contact>, String> {
        let person: KeptPerson = wire::read("a person", raw)?;
        let name = joined([person.given_name.clone(), person.family_name.clone()]);
        let record = Contact {
            name: name.or_else(|| person.email.clone()).ok_or("a person of Xero has no name")?,
            given_name: person.given_name,
            family_name: person.family_name,
            email: person.email,
            primary: Some(person.primary),
            active: match person.status.as_deref() {
                Some("ACTIVE") => Some(true),
                Some("ARCHIVED") => Some(false),
                _ => None,
            },
            ..Contact::default()
        };
        Ok(Item { id: format!("{}/{}", person.contact, person.key), entity: Some(person.contact), record })
    }
}

/// The people of a contact, each once.
fn people(contact: wire::Contact) -> Vec<KeptPerson> {
    let Some(id) = contact.id.0 else { return Vec::new() };
    let own =
        Person { first_name: contact.first_name, last_name: contact.last_name, email_address: contact.email_address };
    let mut keys = HashSet::new();
    let all = std::iter::once((true, own))
        .chain(contact.contact_persons.0.unwrap_or_default().into_iter().map(|one| (false, one)));
    all.filter_map(|(primary, person)| {
        let Person { first_name, last_name, email_address } = person;
        let called = joined([first_name.0.clone(), last_name.0.clone()]);
        let known_by = email_address.0.clone().or(called)?.to_lowercase();
        let key = if primary { "primary".to_owned() } else { known_by };
        keys.insert(key.clone()).then(|| KeptPerson {
            contact: id.clone(),
            key,
            primary,
            status: contact.contact_status.0.clone(),
            given_name: first_name.0,
            family_name: last_name.0,
            email: email_address.0,
        })
    })
    .collect()
}
