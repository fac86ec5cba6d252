//! Tenants: the customers' Microsoft 365 environments that CIPP manages.

use async_trait::async_trait;
use integration::{Checked, Entity, Error, Item, Kind, Page, Position, Pull, Result, Vendor};
use serde::Deserialize;

use crate::{
    Cipp, Guid,
    api::whole,
    wire::{self, said},
};

/// How the MSP's own tenant is named among its customers.
const PARTNER: &str = "*Partner Tenant";
/// The row that stands for all of them.
const ALL: &str = "AllTenants";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    customer_id: String,
    #[serde(default, deserialize_with = "wire::text")]
    display_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    default_domain_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    initial_domain_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    delegated_privilege_status: Option<String>,
    #[serde(default, rename = "Excluded", deserialize_with = "wire::flag")]
    excluded: Option<bool>,
    #[serde(default, rename = "GraphErrorCount", deserialize_with = "wire::count")]
    graph_errors: Option<i64>,
    /// Only in the row that is a failure.
    #[serde(default, rename = "Results", deserialize_with = "wire::text")]
    complaint: Option<String>,
}

fn tenant(raw: &[u8]) -> Result<Wire, String> {
    wire::read(raw, "a tenant")
}

impl Wire {
    /// Whether it is a customer that CIPP is to be asked about.
    fn wanted(&self) -> bool {
        let partner = self.display_name.as_deref().is_some_and(|name| name.starts_with(PARTNER));
        !partner && self.customer_id != ALL && self.excluded != Some(true)
    }
}

#[async_trait]
impl Pull<Entity> for Cipp {
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        let mut rows = self.api.tenants(|raw| tenant(raw).is_ok()).await?;
        // CIPP's failure looks like a success with one tenant.
        if let Some(failed) = rows.iter().filter_map(|raw| tenant(raw).ok()).find(|row| row.customer_id.is_empty()) {
            let words = failed.complaint.or(failed.display_name).unwrap_or_default();
            let message = "CIPP could not list its tenants: run a permission check in CIPP";
            return Err(Error::new(Kind::Unavailable, message).vendor_says(words));
        }
        // One that cannot be read stays, so that it is counted as rejected.
        rows.retain(|raw| tenant(raw).map_or(true, |row| row.wanted()));
        Ok(whole(rows))
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let wire = tenant(raw)?;
        let id = Guid::read(&wire.customer_id).ok_or("not a tenant: the customer ID is not a GUID")?.to_string();
        let domain = |text| said(text).map(|domain| domain.to_lowercase());
        let mut domains: Vec<String> =
            [domain(wire.default_domain_name), domain(wire.initial_domain_name)].into_iter().flatten().collect();
        domains.dedup();
        let record = Entity {
            name: said(wire.display_name).or_else(|| domains.first().cloned()).unwrap_or_else(|| id.clone()),
            domains,
            tenant_id: Some(id.clone()),
            status: said(wire.delegated_privilege_status),
            ..Entity::default()
        };
        Ok(Item { id, entity: None, record })
    }
}

/// Lists the tenants, and names those that CIPP itself cannot reach.
pub(crate) async fn check(cipp: &Cipp) -> Result<Checked> {
    let page = Pull::<Entity>::page(cipp, Position::default()).await?;
    let failing: Vec<String> = page
        .records
        .iter()
        .filter_map(|raw| tenant(raw).ok())
        .filter(|row| row.graph_errors.is_some_and(|count| count > 0))
        .map(|row| said(row.display_name).unwrap_or(row.customer_id))
        .collect();
    let mut warnings = Vec::new();
    if let Some(first) = failing.first() {
        let others = match failing.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        warnings.push(format!("{} has trouble reaching {first}{others}: see the tenant list in CIPP", Cipp::NAME));
    }
    Ok(Checked { account: None, warnings })
}
