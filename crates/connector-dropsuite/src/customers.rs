//! Backup customers: what Dropsuite calls users at this level. Each is an administrator's login; several may be
//! of one organisation, on different pages, so the list is read as a whole and put together.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Entity, Item, Page, Position, Pull, Result, Secret};
use serde::Deserialize;

use crate::{
    Dropsuite,
    access::Known,
    api::Api,
    paging::{Whole, whole},
    wire,
};

/// One customer, as its best login tells of it.
pub(crate) struct Customer {
    /// The number of the organisation; `None` where it cannot be read.
    pub id: Option<String>,
    /// The vendor's record without what is secret in it.
    pub raw: Bytes,
    /// The vendor's id of the login, by which paths name it.
    pub login: Option<String>,
    /// What opens the customer's own lists.
    pub token: Option<Secret>,
    admin: bool,
}

impl Api {
    /// All customers, and whether the vendor says that these are all.
    pub(crate) async fn customers(&self) -> Result<(Vec<Customer>, bool)> {
        let Whole { records, counted } =
            whole(|page| async move { self.of_reseller(&["users"], page).await.map(Some) }).await?;
        let mut customers: Vec<Customer> = Vec::with_capacity(records.len());
        let mut places: HashMap<String, usize> = HashMap::new();
        for record in records {
            let user = wire::User::deserialize(&record).unwrap_or_default();
            let customer = Customer {
                login: user.id.0.filter(|id| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')),
                id: user.organization_id.0,
                token: user.authentication_token.0.map(Secret::new),
                admin: user.admin.0 == Some(true),
                raw: wire::bytes(&wire::without_secrets(record)),
            };
            // One that cannot be read stays, so that it is counted as rejected.
            let place = customer.id.as_ref().map(|id| *places.entry(id.clone()).or_insert(customers.len()));
            match place.and_then(|place| customers.get_mut(place)) {
                None => customers.push(customer),
                Some(other) if customer.rank() > other.rank() => *other = customer,
                Some(_) => {}
            }
        }
        Ok((customers, counted))
    }

    /// The customers as one page; their tokens are learned by the way.
    pub(crate) async fn customers_page(&self) -> Result<Page> {
        let (customers, counted) = self.customers().await?;
        *self.known.lock().await = Some(Known::of(&customers, self.http.now()));
        let total = counted.then_some(customers.len() as u64);
        Ok(Page { records: customers.into_iter().map(|customer| customer.raw).collect(), total, ..Page::default() })
    }
}

impl Customer {
    fn rank(&self) -> (bool, bool) {
        (self.token.is_some(), self.admin)
    }
}

#[async_trait]
impl Pull<Entity> for Dropsuite {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.customers_with_tenants(at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let user: wire::User = wire::read(raw, "a customer")?;
        let status = user.status();
        let (tenant_id, domains) = user.connected();
        let id = user.organization_id.0.ok_or("a customer without the number of its organisation")?;
        let record = Entity {
            // The e-mail is often the reseller's own, so its domain says nothing of the customer.
            name: user.organization_name.0.or(user.email.0).unwrap_or_else(|| format!("Customer {id}")),
            domains,
            tenant_id,
            active: status.map(|status| status == wire::ACTIVE),
            status: status.map(str::to_owned),
            ..Entity::default()
        };
        Ok(Item { id, entity: None, record })
    }
}
