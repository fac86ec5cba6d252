//! Which Microsoft 365 tenants a customer has.

use directory::{customer_get, customer_tenant_associate, customer_tenant_dissociate};
use domain::{ClientId, EntityId, Permission};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    customers::{Customer, CustomerDetail},
    tenants::{Tenant, can},
};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// A customer's tenants.
#[derive(Debug, Clone, Object)]
pub struct CustomerTenantList {
    /// By name
    pub items: Vec<Tenant>,
}

/// Which tenant.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct TenantAssociate {
    /// The tenant's id here, as `tenant_list` gives it
    pub tenant_id: Uuid,
}

/// Tenants of customers.
pub struct CustomerTenants;

#[OpenApi(prefix_path = "/api/msp-portal/customers", tag = "Chapter::Customers")]
impl CustomerTenants {
    /// A customer's tenants
    #[oai(path = "/:customerId/tenants", method = "get", operation_id = "customer_tenant_list")]
    async fn customer_tenant_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
    ) -> Result<Answer<CustomerTenantList>, Failure> {
        let tx = app.read(caller, Permission::DirectoryView).await?;
        let found = customer_get(&tx, ClientId(customer_id.0), &can(&app)).await?;
        let items = found.tenants.into_iter().map(|tenant| Tenant::of(tenant, true)).collect();
        Ok(Answer::new(CustomerTenantList { items }))
    }

    /// Associate a tenant with this customer
    ///
    /// Whatever connections list the tenant are mapped, and users and all else under it follow at once. A tenant has
    /// one customer: where another has it, it is refused (409) and that customer is named.
    #[oai(path = "/:customerId/tenants", method = "post", operation_id = "customer_tenant_associate")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_tenant_associate(
        &self,
        app: AppData<'_>,
        caller: Caller,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
        body: Json<TenantAssociate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<CustomerDetail>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (client, tenant) = (ClientId(customer_id.0), EntityId(body.0.tenant_id));
        let action = "customer_tenant_associate";
        let write = match app.begin(&context, Permission::MappingsSave, action, asked, &(client, tenant)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let may = |integration: &str| app.permit_vendor(&context, Permission::MappingsSave, integration).is_ok();
        let done = customer_tenant_associate(&write.tx, client, tenant, may).await;
        let (write, _) = app.passed(write, done).await?;
        let item = detail(&app, &write.tx, client).await?;
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }

    /// Take a tenant from this customer
    #[oai(path = "/:customerId/tenants/:tenantId", method = "delete", operation_id = "customer_tenant_dissociate")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_tenant_dissociate(
        &self,
        app: AppData<'_>,
        caller: Caller,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
        #[oai(name = "tenantId")] tenant_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<CustomerDetail>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (client, tenant) = (ClientId(customer_id.0), EntityId(tenant_id.0));
        let action = "customer_tenant_dissociate";
        let write = match app.begin(&context, Permission::MappingsSave, action, asked, &(client, tenant)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let may = |integration: &str| app.permit_vendor(&context, Permission::MappingsSave, integration).is_ok();
        let done = customer_tenant_dissociate(&write.tx, client, tenant, may).await;
        let (write, _) = app.passed(write, done).await?;
        let item = detail(&app, &write.tx, client).await?;
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }
}

async fn detail(app: &App, tx: &persistence::Tx, client: ClientId) -> domain::Result<CustomerDetail> {
    let found = customer_get(tx, client, &can(app)).await?;
    let directory = tx.context().permissions.allows(Permission::DirectoryView);
    let customer = Customer::of(&found, directory);
    let tenants = found.tenants.into_iter().map(|tenant| Tenant::of(tenant, directory)).collect();
    Ok(CustomerDetail { customer, tenants })
}
