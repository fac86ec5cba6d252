//! Contacts.

use async_trait::async_trait;
use integration::{Contact, Item, Page, Position, Pull, Result};

use crate::{
    Autotask,
    queries::{Shape, of_clients},
    wire::{self, instant, said},
};

pub(crate) const SHAPE: Shape = Shape {
    entity: "Contacts",
    fields: &[
        "id",
        "companyID",
        "companyLocationID",
        "firstName",
        "lastName",
        "emailAddress",
        "phone",
        "mobilePhone",
        "title",
        "isActive",
        "primaryContact",
        "createDate",
        "lastModifiedDate",
    ],
    picked: &[],
};

#[async_trait]
impl Pull<Contact> for Autotask {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(SHAPE, of_clients(), at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Contact>, String> {
        let contact: wire::Contact = wire::read("contact", raw)?;
        let (given, family) = (said(contact.first_name), said(contact.last_name));
        let whole = [given.clone(), family.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let email = said(contact.email_address);
        let record = Contact {
            name: said(Some(whole)).or_else(|| email.clone()).unwrap_or_else(|| format!("Contact {}", contact.id.0)),
            given_name: given,
            family_name: family,
            email,
            phone: said(contact.phone),
            mobile: said(contact.mobile_phone),
            job_title: said(contact.title),
            location_id: contact.location.map(|id| id.0),
            primary: contact.primary_contact.map(|flag| flag.0),
            active: contact.is_active.map(|flag| flag.0),
            created_at: instant(contact.create_date.as_deref()),
            updated_at: instant(contact.last_modified_date.as_deref()),
        };
        Ok(Item { id: contact.id.0, entity: wire::owner("contact", contact.company)?, record })
    }
}
