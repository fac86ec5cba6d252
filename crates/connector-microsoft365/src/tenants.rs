//! Tenants: the customers of the partner tenant. Two listings, one after the other, because neither has
//! all: customers with delegated rights (GDAP), then customers by contract. Of those that are in both, the
//! first listing is believed: a contract keeps the name it was made with.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Checked, Cursor, Entity, Error, Item, Kind, Page, Position, Pull, Result};
use serde::Deserialize;

use crate::{
    Guid, Microsoft365,
    api::{Api, Source},
    wire,
};

const DELEGATED: Source = Source {
    path: "tenantRelationships/delegatedAdminCustomers",
    query: "$top=300",
    right: "DelegatedAdminRelationship.Read.All",
};
const CONTRACTS: Source = Source { path: "contracts", query: "", right: "Directory.Read.All" };

/// In a cursor, after the name of the walk: the second listing. Microsoft's link follows, or nothing for
/// its first page.
const SECOND: &str = "contracts:";

fn given(link: &str) -> Option<&str> {
    Some(link).filter(|link| !link.is_empty())
}

/// One row of either listing: the first calls the tenant `tenantId`, the second `customerId`. A contract's
/// own id is not the tenant's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    tenant_id: Option<String>,
    customer_id: Option<String>,
    display_name: Option<String>,
    default_domain_name: Option<String>,
}

#[async_trait]
impl Pull<Entity> for Microsoft365 {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let partner = self.api.partner();
        let (walk, place) = match at.cursor.map(Cursor::as_str) {
            None => (self.walks.begin(self.api.now()), ""),
            Some(cursor) => cursor.split_once(' ').map_or((String::new(), cursor), |(walk, at)| (walk.to_owned(), at)),
        };
        let id = |raw: &Bytes| Pull::<Entity>::read(self, raw).ok().map(|item| item.id);
        let (records, next) = if let Some(link) = place.strip_prefix(SECOND) {
            let mut listed = self.api.list(partner, &CONTRACTS, given(link)).await?;
            listed.records.retain(|raw| !id(raw).is_some_and(|id| self.walks.has_seen(&walk, &id)));
            (listed.records, listed.next.map(|link| format!("{walk} {SECOND}{link}")))
        } else {
            let listed = self.api.list(partner, &DELEGATED, given(place)).await?;
            self.walks.saw(&walk, place, listed.records.iter().filter_map(id).collect());
            (listed.records, Some(format!("{walk} {}", listed.next.as_deref().unwrap_or(SECOND))))
        };
        Ok(Page { records, next: next.map(Cursor::new), ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let wire: Wire = wire::read(raw, "a customer")?;
        let tenant = wire.tenant_id.or(wire.customer_id).ok_or("not a customer: it has no tenant ID")?;
        let tenant = Guid::read(&tenant).ok_or("not a customer: the tenant ID is not a GUID")?.to_string();
        let domain = wire::text(wire.default_domain_name).map(|domain| domain.to_lowercase());
        let name = wire::text(wire.display_name).or_else(|| domain.clone()).unwrap_or_else(|| tenant.clone());
        let record = Entity {
            name,
            domains: domain.into_iter().collect(),
            tenant_id: Some(tenant.clone()),
            ..Entity::default()
        };
        Ok(Item { id: tenant, entity: None, record })
    }
}

/// Tries both listings for one row each. One right missing is a warning, both an error.
pub(crate) async fn check(api: &Api) -> Result<Checked> {
    let mut refused: Vec<Error> = Vec::new();
    let mut rows = 0;
    for source in [Source { query: "$top=1", ..DELEGATED }, Source { query: "$top=1", ..CONTRACTS }] {
        match api.list(api.partner(), &source, None).await {
            Ok(listed) => rows += listed.records.len(),
            Err(error) if error.kind == Kind::Forbidden => refused.push(error),
            Err(error) => return Err(error),
        }
    }
    let mut warnings: Vec<String> = refused.iter().map(|error| error.message.clone()).collect();
    match refused.pop() {
        Some(error) if !refused.is_empty() => return Err(error),
        None if rows == 0 => warnings.push("this tenant has no customers: is it your partner tenant?".into()),
        _ => {}
    }
    Ok(Checked { account: None, warnings })
}
