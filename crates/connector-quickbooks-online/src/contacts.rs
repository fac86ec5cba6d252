//! Contacts: the one person, or at least the address, that stands on a customer itself.

use async_trait::async_trait;
use integration::{Contact, Item, Page, Position, Pull, Result};

use crate::{QuickbooksOnline, customers::CUSTOMERS, wire};

#[async_trait]
impl Pull<Contact> for QuickbooksOnline {
    fn incremental(&self) -> bool {
        true
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let mut page = self.api.page(&CUSTOMERS, at).await?;
        let mut without = Vec::new();
        page.records.retain(|raw| {
            // One that cannot be read stays, so that it is counted as rejected.
            let Ok(customer) = wire::read::<wire::Customer>("a customer", raw) else { return true };
            let stays = name(&customer).is_some();
            if !stays {
                without.extend(customer.id.0);
            }
            stays
        });
        if page.changes_only {
            // Its person may have been taken from it.
            page.removed.extend(without);
        }
        Ok(page)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Contact>, String> {
        let customer: wire::Customer = wire::read("a customer", raw)?;
        let name = name(&customer).ok_or("a customer of QuickBooks Online names nobody")?;
        let id = customer.id.0.ok_or("a customer of QuickBooks Online has no id")?;
        let number = |phone: wire::Phone| phone.free_form_number.0;
        let written = customer.meta_data.0.unwrap_or_default();
        let record = Contact {
            name,
            given_name: customer.given_name.0,
            family_name: customer.family_name.0,
            email: customer.primary_email_addr.0.and_then(|email| email.address.0),
            phone: customer.primary_phone.0.and_then(number),
            mobile: customer.mobile.0.and_then(number),
            primary: Some(true),
            active: customer.active.0,
            created_at: written.create_time.0,
            updated_at: written.last_updated_time.0,
            ..Contact::default()
        };
        Ok(Item { entity: Some(id.clone()), id, record })
    }
}

/// The person's name, else their address; without either the customer names nobody.
fn name(customer: &wire::Customer) -> Option<String> {
    let parts = [&customer.given_name.0, &customer.family_name.0];
    let name = parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    let address = || customer.primary_email_addr.0.as_ref().and_then(|email| email.address.0.clone());
    if name.is_empty() { address() } else { Some(name) }
}
