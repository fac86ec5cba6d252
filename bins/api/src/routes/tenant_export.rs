//! The tenant list as a file.

use directory::{Tenant, TenantFilter, TenantSort, tags_cell, tenant_list};
use domain::{ClientId, PageRequest, Permission, SortOrder};
use poem_openapi::{OpenApi, param::Query};
use uuid::Uuid;

use super::{
    Chapter,
    client_export::{ExportFormat, Exported},
    table_file::TableFile,
    tenants::{Health, can},
};
use crate::{app::AppData, auth::Caller, problem::Failure};

/// Columns of the file.
const HEADER: [&str; 14] = [
    "id",
    "tenant_id",
    "name",
    "domain",
    "customer",
    "customer_id",
    "health",
    "health_reasons",
    "users",
    "unlicensed_users",
    "secure_score",
    "last_sync",
    "stale",
    "tags",
];

/// Exports of tenants.
pub struct TenantExports;

#[OpenApi(prefix_path = "/api/tenants", tag = "Chapter::Tenants")]
impl TenantExports {
    /// The tenant list as a file
    ///
    /// With the filters of the list, in the order of names. A figure that is not known is an empty cell; `stale` says
    /// whether what is there is too old. Several tags in one cell are separated by `|`. A cell that a spreadsheet would
    /// take for a formula has an apostrophe before it.
    #[oai(path = "/export", method = "get", operation_id = "tenant_export")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn tenant_export(
        &self,
        app: AppData<'_>,
        caller: Caller,
        /// `csv` when left out
        format: Query<Option<ExportFormat>>,
        /// Begin a CSV file with a byte order mark, by which Excel knows that it is UTF-8
        bom: Query<Option<bool>>,
        /// Part of the tenant's name or domain, or of the customer's name
        search: Query<Option<String>>,
        health: Query<Option<Health>>,
        /// With this tag
        tag: Query<Option<String>>,
        /// Of this customer
        customer_id: Query<Option<Uuid>>,
    ) -> Result<Exported, Failure> {
        let filter = TenantFilter {
            text: search.0,
            health: health.0.map(Into::into),
            tag: tag.0,
            client: customer_id.0.map(ClientId),
        };
        let tx = app.read(caller, Permission::DirectoryView).await?;
        let context = tx.context().clone();
        let table = TableFile::begin(format.0, bom.0, "Tenants", &HEADER).await;
        // All at once: the list is put together whole for every page of it.
        let whole = PageRequest { limit: u64::from(u32::MAX), after: None };
        let order = (TenantSort::Name, SortOrder::Ascending);
        let tenants = tenant_list(&tx, &filter, order, &whole, &can(&app)).await?.items;
        drop(tx);
        table.rows(tenants.into_iter().map(row).collect()).await;
        Ok(table.end(&app, context, "tenant_export", "tenants").await?)
    }
}

/// How a tenant, or all tenants of a customer, are, in a cell: the words of the API.
pub fn word(health: domain::Health) -> &'static str {
    match health {
        domain::Health::Unknown => "unknown",
        domain::Health::Healthy => "healthy",
        domain::Health::Warning => "warning",
        domain::Health::Critical => "critical",
    }
}

fn row(tenant: Tenant) -> Vec<String> {
    let number = |count: Option<i64>| count.map(|count| count.to_string()).unwrap_or_default();
    let (customer_id, customer) =
        tenant.client.map_or_else(Default::default, |(client, name)| (client.to_string(), name));
    vec![
        tenant.id.to_string(),
        tenant.tenant,
        tenant.name,
        tenant.domain.unwrap_or_default(),
        customer,
        customer_id,
        word(tenant.health).to_owned(),
        tenant.reasons.join("; "),
        number(tenant.users),
        number(tenant.unlicensed),
        tenant.score.map(|score| format!("{score:.1}")).unwrap_or_default(),
        tenant.synced_at.map(|at| at.to_rfc3339()).unwrap_or_default(),
        if tenant.stale { "yes" } else { "no" }.to_owned(),
        tenant.setting.map(|setting| tags_cell(&setting.tags)).unwrap_or_default(),
    ]
}
