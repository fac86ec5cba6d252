//! Tenants: the customers, as each product that has a key lists them, one product after the other. Their ids
//! do not join, so a customer of two products comes twice, and each id says whose it is.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Checked, Cursor, Entity, Error, Item, Kind, Page, Position, Pull, Result};
use serde::Deserialize;

use crate::{
    CheckpointHarmony,
    api::{Api, NAME, Product, entity_id},
    endpoint::Tenant,
    wire::{self, said},
};

/// A tenant as the MSP API has it.
#[derive(Deserialize)]
struct MspTenant {
    #[serde(default, deserialize_with = "wire::text")]
    id: Option<String>,
    /// The name; mostly no DNS domain.
    domain: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default, deserialize_with = "wire::text")]
    status_code: Option<String>,
    description: Option<String>,
}

impl Api {
    fn products(&self) -> impl Iterator<Item = Product> + '_ {
        Product::ALL.into_iter().filter(|product| match product {
            Product::Msp => self.keys.msp.is_some(),
            Product::Email => self.keys.email.is_some(),
            Product::Endpoint => self.keys.endpoint.is_some(),
        })
    }

    /// The tenants of one product, from a place on, and where they go on.
    async fn tenants(&self, product: Product, scroll: Option<&str>) -> Result<(Vec<Bytes>, Option<String>)> {
        match product {
            Product::Msp => {
                let listing = self.msp_tenants(scroll).await?;
                Ok((listing.records, listing.scroll))
            }
            Product::Email => {
                let scopes = self.email_scopes().await?;
                Ok((scopes.iter().filter_map(|scope| serde_json::to_vec(scope).ok()).map(Bytes::from).collect(), None))
            }
            Product::Endpoint => {
                let tenants = self.endpoint_tenants().await?;
                let all = tenants.account.iter().chain(&tenants.below);
                Ok((all.filter_map(|tenant| serde_json::to_vec(tenant).ok()).map(Bytes::from).collect(), None))
            }
        }
    }
}

#[async_trait]
impl Pull<Entity> for CheckpointHarmony {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        if let Some(mistake) = self.api.keys.mistake() {
            return Err(mistake);
        }
        // Where to go on is the product's name, with its own place after it.
        let (name, scroll) = match at.cursor.map(Cursor::as_str) {
            None => (None, None),
            Some(text) => match text.split_once(' ') {
                Some((name, scroll)) => (Some(name), Some(scroll)),
                None => (Some(text), None),
            },
        };
        let mut products = self.api.products().skip_while(|product| name.is_some_and(|name| name != product.name()));
        let Some(product) = products.next() else {
            return Err(Error::new(Kind::Expired, format!("{NAME}: this place in the list of tenants is not known")));
        };
        let (records, scroll) = self.api.tenants(product, scroll).await?;
        let further = || products.next().map(|next| next.name().to_owned());
        let next = scroll.map(|scroll| format!("{} {scroll}", product.name())).or_else(further);
        Ok(Page { records, next: next.map(Cursor::new), ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let item = |product, id: &str, name: Option<String>| Item {
            id: entity_id(product, id),
            entity: None,
            record: Entity { name: name.unwrap_or_else(|| id.to_owned()), ..Entity::default() },
        };
        if raw.starts_with(b"\"") {
            let scope: String = wire::read(raw, "a customer of Email & Collaboration")?;
            let customer = scope.rsplit_once(':').map_or(scope.as_str(), |(_, customer)| customer);
            return match said(Some(scope.clone())) {
                Some(scope) => Ok(item(Product::Email, &scope, said(Some(customer.to_owned())))),
                None => Err("not a customer of Email & Collaboration: it has no name".into()),
            };
        }
        if let Ok(tenant) = serde_json::from_slice::<Tenant>(raw) {
            return Ok(item(Product::Endpoint, &tenant.tenant_id, said(tenant.tenant_name)));
        }
        let tenant: MspTenant = wire::read(raw, "a tenant")?;
        let id = said(tenant.id).ok_or("not a tenant: it has no id")?;
        let name = said(tenant.domain);
        let domain = name.as_deref().filter(|name| name.contains('.')).map(str::to_lowercase);
        let mut item = item(Product::Msp, &id, name);
        item.record.domains = domain.into_iter().collect();
        item.record.status = tenant.status.and_then(|status| said(status.description).or(said(status.status_code)));
        Ok(item)
    }
}

/// Tries each key by listing its tenants. Rights that one product lacks are a warning while another works.
pub(crate) async fn check(api: &Api) -> Result<Checked> {
    if let Some(mistake) = api.keys.mistake() {
        return Err(mistake);
    }
    let mut refused = Vec::new();
    let mut works = false;
    for product in api.products() {
        match api.tenants(product, None).await {
            Ok(_) => works = true,
            Err(error) if error.kind == Kind::Forbidden => refused.push(error),
            Err(error) => return Err(error),
        }
    }
    if !works && let Some(error) = refused.pop() {
        return Err(error);
    }
    Ok(Checked { account: None, warnings: refused.into_iter().map(|error| error.message).collect() })
}
