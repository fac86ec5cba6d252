//! Customers.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{
    CompanyDraft, Entity, Error, Item, Kind, Method, Page, Position, Pull, Result, Retry, Vendor, WriteCompanies,
};
use serde_json::{Map, Value};

use crate::{Syncro, api::number, wire};

#[async_trait]
impl Pull<Entity> for Syncro {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let all = [("include_disabled", "true"), ("sort", "id ASC")];
        self.api.list("customers", "customers", &all, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let customer: wire::Customer = wire::read("a customer", raw)?;
        let names = [customer.business_name, customer.business_then_name, customer.fullname, customer.email];
        let place: Vec<String> = [customer.city, customer.state].into_iter().flatten().collect();
        let record = Entity {
            name: names.into_iter().flatten().next().unwrap_or_else(|| format!("Customer {}", customer.id)),
            phone: customer.phone.or(customer.mobile),
            place: (!place.is_empty()).then(|| place.join(", ")),
            active: customer.disabled.map(|disabled| !disabled),
            ..Entity::default()
        };
        Ok(Item { id: customer.id, entity: None, record })
    }
}

#[async_trait]
impl WriteCompanies for Syncro {
    async fn create(&self, draft: &CompanyDraft) -> Result<Bytes> {
        if draft.name.as_deref().is_none_or(|name| name.trim().is_empty()) {
            return Err(Error::new(Kind::Refused, "a new customer of Syncro needs a name"));
        }
        let customer = said(draft)?.into();
        self.customer_answered(self.api.write(Method::Post, &["customers"], customer, "customer").await?)
    }

    async fn update(&self, entity_id: &str, draft: &CompanyDraft) -> Result<Bytes> {
        let id = number(entity_id)?.to_string();
        let change = said(draft)?;
        if change.is_empty() {
            return WriteCompanies::fetch(self, entity_id).await;
        }
        let answer = self.api.write(Method::Put, &["customers", &id], change.into(), "customer").await?;
        self.customer_answered(answer)
    }

    async fn fetch(&self, entity_id: &str) -> Result<Bytes> {
        self.api.one("customers", "customer", entity_id).await
    }
}

impl Syncro {
    fn customer_answered(&self, raw: Bytes) -> Result<Bytes> {
        let read = Pull::<Entity>::read(self, &raw);
        read.map_err(|why| Error::unreadable(Self::NAME, why).retry(Retry::No)).map(|_| raw)
    }
}

/// What a draft says, in the vendor's words. It has no place for a website or a country.
fn said(draft: &CompanyDraft) -> Result<Map<String, Value>> {
    if draft.active == Some(false) {
        return Err(Error::new(Kind::Refused, "Syncro lets customers be disabled on its own pages only"));
    }
    let mut customer = Map::new();
    put(&mut customer, "business_name", &draft.name);
    put(&mut customer, "phone", &draft.phone);
    put(&mut customer, "address", &draft.street);
    put(&mut customer, "city", &draft.city);
    put(&mut customer, "state", &draft.region);
    put(&mut customer, "zip", &draft.post_code);
    Ok(customer)
}

/// Puts a text in, if there is one.
pub(crate) fn put(record: &mut Map<String, Value>, key: &str, text: &Option<String>) {
    if let Some(text) = text {
        record.insert(key.to_owned(), text.as_str().into());
    }
}
