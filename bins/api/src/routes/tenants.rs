//! Microsoft 365 tenants, whichever connections list them.

use chrono::{DateTime, Utc};
use directory::{TenantFilter, TenantPatch, TenantSort, tenant_get, tenant_list, tenant_update};
use domain::{ClientId, EntityId, Permission, SortOrder};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Chapter, clients::Direction};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// How a tenant is, or all tenants of a customer
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Health {
    /// Not all is known now, and nothing of what is known is wrong
    Unknown,
    /// All is known, and nothing is wrong
    Healthy,
    /// A person should look
    Warning,
    /// A person must look
    Critical,
}

impl From<domain::Health> for Health {
    fn from(health: domain::Health) -> Self {
        match health {
            domain::Health::Unknown => Self::Unknown,
            domain::Health::Healthy => Self::Healthy,
            domain::Health::Warning => Self::Warning,
            domain::Health::Critical => Self::Critical,
        }
    }
}

impl From<Health> for domain::Health {
    fn from(health: Health) -> Self {
        match health {
            Health::Unknown => Self::Unknown,
            Health::Healthy => Self::Healthy,
            Health::Warning => Self::Warning,
            Health::Critical => Self::Critical,
        }
    }
}

/// A Microsoft 365 tenant.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Tenant {
    /// Id
    pub id: Uuid,
    /// Microsoft's id of it
    pub tenant_id: String,
    /// Name: the one given by the staff, else the vendor's
    pub name: String,
    /// Name at the vendor, as last seen
    pub vendor_name: String,
    /// Name given by the staff
    pub display_name: Option<String>,
    /// Tags of the staff
    pub tags: Vec<String>,
    /// Main domain
    pub domain: Option<String>,
    /// The customer that has it
    pub customer_id: Option<Uuid>,
    /// Name of that customer
    pub customer: Option<String>,
    pub health: Health,
    /// Why, the worst first
    pub health_reasons: Vec<String>,
    /// Directory users with a licence; absent while unknown
    pub users: Option<i64>,
    /// Directory users without a licence; absent while unknown
    pub unlicensed_users: Option<i64>,
    /// Secure score in percent of what is possible; absent while unknown, and to those who may not see directory users
    pub secure_score: Option<f64>,
    /// The entities that are this tenant: several where several connections list it
    pub entities: Vec<Uuid>,
    /// The connections that list it
    pub connections: Vec<Uuid>,
    /// Last sync: the oldest time of its users, licences and score; absent while one was never listed to the end
    pub synced_at: Option<DateTime<Utc>>,
    /// Whether one of these is older than twice its connection's cadence, or the connection does not work
    pub stale: bool,
    /// When the vendor stopped listing it
    pub removed_at: Option<DateTime<Utc>>,
    /// Since when nothing is asked about it: `tenant_reconnect` takes it up again
    pub disconnected_at: Option<DateTime<Utc>>,
    /// Version of its name and tags, also the ETag; 0 while nobody gave any
    pub version: i32,
}

impl Tenant {
    /// The view of a tenant for a caller who may, or may not, see what is in its directory.
    pub fn of(tenant: directory::Tenant, directory: bool) -> Self {
        let disconnected_at = tenant.disconnected_at();
        let setting = tenant.setting;
        Self {
            disconnected_at,
            id: tenant.id.0,
            tenant_id: tenant.tenant,
            name: tenant.name,
            vendor_name: tenant.vendor_name,
            version: setting.as_ref().map_or(0, |said| said.version),
            display_name: setting.as_ref().and_then(|said| said.display_name.clone()),
            tags: setting.map(|said| said.tags).unwrap_or_default(),
            domain: tenant.domain,
            customer_id: tenant.client.as_ref().map(|(client, _)| client.0),
            customer: tenant.client.map(|(_, name)| name),
            health: tenant.health.into(),
            health_reasons: if directory { tenant.reasons } else { Vec::new() },
            users: tenant.users,
            unlicensed_users: tenant.unlicensed,
            secure_score: tenant.score.filter(|_| directory),
            entities: tenant.entities.into_iter().map(|entity| entity.0).collect(),
            connections: tenant.connections.into_iter().map(|connection| connection.0).collect(),
            synced_at: tenant.synced_at,
            stale: tenant.stale,
            removed_at: tenant.removed_at,
        }
    }
}

/// Order of tenants
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum TenantOrder {
    /// By name
    Name,
    /// By main domain
    Domain,
    /// By the customer's name
    Customer,
    /// By health: unknown, healthy, warning, critical
    Health,
    /// By licensed users
    Users,
    /// By secure score
    SecureScore,
    /// By last sync
    SyncedAt,
}

/// What to change about a tenant; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct TenantUpdate {
    /// Name in place of the vendor's; an empty one takes it back
    pub display_name: Option<String>,
    /// All its tags, at most 20 of 50 characters
    pub tags: Option<Vec<String>>,
}

/// Tenants.
pub struct Tenants;

#[OpenApi(prefix_path = "/api/tenants", tag = "Chapter::Tenants")]
impl Tenants {
    /// A page of the Microsoft 365 tenants
    ///
    /// A tenant that several connections list is shown once, each figure from the connection that knows it best: one
    /// that is not stale, then the latest. Health is critical with a secure score below 30 percent, or with a product in
    /// use whose subscription is suspended, locked out or deleted; warning with a score below 50 percent, a product in
    /// use in its grace period, or more seats in use than are owned; healthy where score and licences are known now and
    /// nothing of that is so; else unknown.
    #[oai(path = "/", method = "get", operation_id = "tenant_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn tenant_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Part of the tenant's name or domain, or of the customer's name
        search: Query<Option<String>>,
        health: Query<Option<Health>>,
        /// With this tag
        tag: Query<Option<String>>,
        /// Of this customer
        customer_id: Query<Option<Uuid>>,
        sort: Query<Option<TenantOrder>>,
        direction: Query<Option<Direction>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<Tenant>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let filter = TenantFilter {
            text: search.0,
            health: health.0.map(Into::into),
            tag: tag.0,
            client: customer_id.0.map(ClientId),
        };
        let sort = match sort.0.unwrap_or(TenantOrder::Name) {
            TenantOrder::Name => TenantSort::Name,
            TenantOrder::Domain => TenantSort::Domain,
            TenantOrder::Customer => TenantSort::Customer,
            TenantOrder::Health => TenantSort::Health,
            TenantOrder::Users => TenantSort::Users,
            TenantOrder::SecureScore => TenantSort::Score,
            TenantOrder::SyncedAt => TenantSort::Synced,
        };
        let order = if direction.0 == Some(Direction::Desc) { SortOrder::Descending } else { SortOrder::Ascending };
        let tx = app.read(caller, Permission::DirectoryView).await?;
        let listed = tenant_list(&tx, &filter, (sort, order), &page, &can(&app)).await?;
        Ok(Answer::page(listed.map(|tenant| Tenant::of(tenant, true)), uri))
    }

    /// A tenant
    #[oai(path = "/:tenant_id", method = "get", operation_id = "tenant_get")]
    async fn tenant_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        tenant_id: Path<Uuid>,
    ) -> Result<Answer<Tenant>, Failure> {
        let tx = app.read(caller, Permission::DirectoryView).await?;
        let tenant = Tenant::of(tenant_get(&tx, EntityId(tenant_id.0), &can(&app)).await?, true);
        let version = tenant.version;
        Ok(Answer::versioned(tenant, version))
    }

    /// Change a tenant's name and tags here; nothing is sent to the vendor
    #[oai(path = "/:tenant_id", method = "patch", operation_id = "tenant_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn tenant_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        tenant_id: Path<Uuid>,
        body: Json<TenantUpdate>,
        /// ETag of the tenant as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Tenant>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (tenant_id.0, &body.0, version);
        let write = match app.begin(&context, Permission::ClientsEdit, "tenant_update", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let display_name = body.0.display_name.map(|name| Some(name).filter(|name| !name.trim().is_empty()));
        let patch = TenantPatch { display_name, tags: body.0.tags };
        let tenant = tenant_update(&write.tx, EntityId(tenant_id.0), patch, version, &can(&app)).await?;
        let tenant = Tenant::of(tenant, true);
        let version = tenant.version;
        Ok(Answer::versioned(write.finish(Some(tenant), Vec::new()).await?, version))
    }
}

/// Whether an integration's connector has a capability, as the directory asks.
pub fn can(app: &App) -> impl Fn(&str, &str) -> bool + Send + Sync + '_ {
    |integration, capability| app.can(integration, capability)
}
