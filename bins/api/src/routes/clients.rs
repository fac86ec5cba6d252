//! Clients: list, detail, make, change, delete.

use chrono::{DateTime, Utc};
use directory::{ClientSaved, Deletion, client_create, client_delete, client_update};
use domain::{ClientDraft, ClientId, ClientPatch, ClientStatus, EntityId, Error, Permission, SortOrder};
use persistence::{ClientSort, ListedClient, Tx};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    client_filter::{self, ArchivedClients, filter},
    typed::{MappingType, may_type, type_all},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    freshness::{Freshness, Sources, older},
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// Whether the MSP works for a client
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Status {
    /// In work
    Active,
    /// Kept and synced, but filtered out of daily views
    Inactive,
}

impl From<ClientStatus> for Status {
    fn from(status: ClientStatus) -> Self {
        match status {
            ClientStatus::Active => Self::Active,
            ClientStatus::Inactive => Self::Inactive,
        }
    }
}

impl From<Status> for ClientStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Inactive => Self::Inactive,
        }
    }
}

/// A business the MSP manages.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Client {
    /// Id
    pub id: Uuid,
    /// Name
    pub name: String,
    pub status: Status,
    /// Integrations it is mapped to
    pub integrations: Vec<String>,
    /// Devices attributed to it; absent while nothing that lists devices is mapped (unknown, not none)
    pub device_count: Option<i32>,
    /// Directory users attributed to it; absent while unknown
    pub user_count: Option<i32>,
    /// When the oldest of what is counted was true at its vendor; absent while some was never synced to the end, or
    /// nothing is counted
    pub counts_synced_at: Option<DateTime<Utc>>,
    /// Whether some of what is counted is older than twice its connection's cadence, or a connection does not work
    pub counts_stale: bool,
    /// Notes of the staff
    pub notes: Option<String>,
    /// Address of the main contact
    pub contact_email: Option<String>,
    /// Telephone
    pub phone: Option<String>,
    /// Postal address
    pub address: Option<String>,
    /// When it was archived; absent while it is not
    pub archived_at: Option<DateTime<Utc>>,
    /// Words that people sort their clients by
    pub tags: Vec<String>,
    /// When it was made
    pub created_at: DateTime<Utc>,
    /// When it was last changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// How many clients there are in the caller's reach, whatever the filters; archived ones are not counted.
#[derive(Debug, Clone, Object)]
pub struct ClientStats {
    /// All
    pub total: i64,
    /// Active ones
    pub active: i64,
    /// Inactive ones
    pub inactive: i64,
}

/// An entity mapped to a client.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientMapping {
    /// Entity
    pub entity_id: Uuid,
    /// Connection it comes from
    pub connection_id: Uuid,
    /// Its integration
    pub integration: String,
    /// What it is ("microsoft_tenant")
    pub kind: String,
    /// The vendor's id
    pub vendor_id: String,
    /// Name at the vendor, as last seen
    pub name: String,
    /// Devices under it
    pub device_count: i32,
    /// Directory users under it
    pub user_count: i32,
    /// When the vendor stopped listing it
    pub removed_at: Option<DateTime<Utc>>,
}

/// A client's overview.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientDetail {
    /// The client
    pub client: Client,
    /// The entities mapped to it
    pub mappings: Vec<ClientMapping>,
    /// How old its devices are
    pub devices: Freshness,
    /// How old its directory users are
    pub users: Freshness,
    /// How old its subscriptions are
    pub subscriptions: Freshness,
    /// Threats that want attention still; absent while nothing that lists threats is mapped (unknown, not none), and to
    /// those who may not see threats
    pub active_threats: Option<i64>,
    /// How old its threats are
    pub threats: Freshness,
}

/// What it takes to make a client.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ClientCreate {
    /// Name, 1 to 255 characters
    pub name: String,
    pub status: Option<Status>,
    /// Notes of the staff
    pub notes: Option<String>,
    /// Address of the main contact
    pub contact_email: Option<String>,
    /// Telephone
    pub phone: Option<String>,
    /// Postal address
    pub address: Option<String>,
    /// Entities to be mapped to it
    pub entities: Option<Vec<Uuid>>,
    /// Ids that vendors have for it, typed by hand, of tools that need not be connected; at most 50. See `mapping_type`
    pub ids: Option<Vec<MappingType>>,
}

/// A field that can be emptied
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ClearableField {
    /// Notes
    Notes,
    /// Address of the main contact
    ContactEmail,
    /// Telephone
    Phone,
    /// Postal address
    Address,
}

/// What to change about a client; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ClientUpdate {
    /// New name
    pub name: Option<String>,
    pub status: Option<Status>,
    /// New notes
    pub notes: Option<String>,
    /// New address of the main contact
    pub contact_email: Option<String>,
    /// New telephone
    pub phone: Option<String>,
    /// New postal address
    pub address: Option<String>,
    /// Fields to be emptied
    pub clear: Option<Vec<ClearableField>>,
}

/// Order of the client list
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ClientOrder {
    /// By name
    Name,
    /// By number of devices
    DeviceCount,
    /// By number of directory users
    UserCount,
    /// By time of making
    CreatedAt,
}

/// Direction of an order
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Direction {
    /// Smallest first
    Asc,
    /// Largest first
    Desc,
}

/// Clients.
pub struct Clients;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl Clients {
    /// A page of the client list
    #[oai(path = "/", method = "get", operation_id = "client_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Part of the name
        search: Query<Option<String>>,
        status: Query<Option<Status>>,
        /// Mapped to all of these integrations, separated by commas
        has: Query<Option<String>>,
        /// Lacking at least one of these integrations, separated by commas
        missing: Query<Option<String>>,
        /// At least so many devices
        devices_min: Query<Option<i32>>,
        /// At most so many devices
        devices_max: Query<Option<i32>>,
        /// At least so many directory users
        users_min: Query<Option<i32>>,
        /// At most so many directory users
        users_max: Query<Option<i32>>,
        /// Whether the number of devices is known: not, where nothing that lists devices is mapped
        devices_known: Query<Option<bool>>,
        /// Whether the number of directory users is known
        users_known: Query<Option<bool>>,
        /// `hidden` when left out
        archived: Query<Option<ArchivedClients>>,
        /// With this tag
        tag: Query<Option<String>>,
        sort: Query<Option<ClientOrder>>,
        direction: Query<Option<Direction>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<Client>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let ranges = [(devices_min.0, devices_max.0), (users_min.0, users_max.0)];
        let mut filter =
            filter(&app, search.0, status.0, (has.0, missing.0), ranges, [devices_known.0, users_known.0], archived.0)?;
        filter.tag = client_filter::tag(tag.0);
        let sort = match sort.0.unwrap_or(ClientOrder::Name) {
            ClientOrder::Name => ClientSort::Name,
            ClientOrder::DeviceCount => ClientSort::Devices,
            ClientOrder::UserCount => ClientSort::Users,
            ClientOrder::CreatedAt => ClientSort::Created,
        };
        let order = match direction.0 {
            Some(Direction::Desc) => SortOrder::Descending,
            _ => SortOrder::Ascending,
        };
        let tx = app.read(caller, Permission::ClientsView).await?;
        let listed = tx.client_list(&filter, sort, order, &page).await?;
        Ok(Answer::page(listed.map(|client| view(&app, client)), uri))
    }

    /// How many clients there are, whatever the filters
    #[oai(path = "/stats", method = "get", operation_id = "client_stats")]
    async fn client_stats(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<ClientStats>, Failure> {
        let totals = app.read(caller, Permission::ClientsView).await?.client_totals().await?;
        let stats = ClientStats { total: totals.total(), active: totals.active, inactive: totals.inactive };
        Ok(Answer::new(stats))
    }

    /// Make a client
    #[oai(path = "/", method = "post", operation_id = "client_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<ClientCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Client>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        app.permit(&context, Permission::ClientsEdit, "client_create").await?;
        may_type(&app, &context, "client_create", body.0.ids.as_deref().unwrap_or_default()).await?;
        let begun = app.begin(&context, Permission::ClientsEdit, "client_create", asked, &body.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let body = body.0;
        let draft = ClientDraft {
            name: body.name,
            status: body.status.map(Into::into).unwrap_or_default(),
            notes: body.notes,
            contact_email: body.contact_email,
            phone: body.phone,
            address: body.address,
        };
        let entities: Vec<EntityId> = body.entities.unwrap_or_default().into_iter().map(EntityId).collect();
        if !entities.is_empty() {
            context.require(Permission::MappingsSave)?;
        }
        let saved = client_create(&write.tx, draft, &entities).await?;
        type_all(&write.tx, saved.client.id, &body.ids.unwrap_or_default()).await?;
        let (item, warnings) = answer(&app, &write.tx, saved).await?;
        Ok(Answer::new(write.finish(Some(item), warnings).await?))
    }

    /// A client's overview
    #[oai(path = "/:client_id", method = "get", operation_id = "client_get")]
    async fn client_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
    ) -> Result<Answer<ClientDetail>, Failure> {
        let tx = app.read(caller, Permission::ClientsView).await?;
        let listed = tx.client_listed(ClientId(client_id.0)).await?;
        let entities = tx.entities_of_client(listed.client.id).await?;
        let mappings = entities.iter().map(mapping).collect();
        let sources = Sources::read(&tx, entities).await?;
        let version = listed.client.version;
        let threats = sources.of(&app, "threat");
        let shown = threats.mapped && tx.context().permissions.allows(Permission::ThreatsView);
        let detail = ClientDetail {
            active_threats: if shown { Some(tx.client_threats_active(listed.client.id).await?) } else { None },
            threats,
            client: view(&app, listed),
            mappings,
            devices: sources.of(&app, "device"),
            users: sources.of(&app, "directory_user"),
            subscriptions: sources.of(&app, "subscription"),
        };
        Ok(Answer::versioned(detail, version))
    }

    /// Change a client
    #[oai(path = "/:client_id", method = "patch", operation_id = "client_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        body: Json<ClientUpdate>,
        /// ETag of the client as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<Client>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let begun =
            app.begin(&context, Permission::ClientsEdit, "client_update", asked, &(client_id.0, &body.0)).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let saved = client_update(&write.tx, ClientId(client_id.0), patch(body.0)?, version).await?;
        let (item, warnings) = answer(&app, &write.tx, saved).await?;
        let version = item.version;
        Ok(Answer::versioned(write.finish(Some(item), warnings).await?, version))
    }

    /// Delete a client
    ///
    /// Its entities become unmapped, what vendors said stays, and for 30 days reverting the journal
    /// entry restores all of it. With Microsoft 365 tenants mapped it needs `cascade` and the digest of a
    /// preview as `expect`.
    #[oai(path = "/:client_id", method = "delete", operation_id = "client_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        /// Also where Microsoft 365 tenants are mapped
        cascade: Query<Option<bool>>,
        /// ETag of the client as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<Client>>, Failure> {
        let context = app.proven(caller, "client_delete", dry_run.0.unwrap_or(false)).await?;
        let version = if_match(version.0.as_deref())?;
        let previewed = dry_run.0.unwrap_or(false) || expect.0.is_some();
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let begun = app.begin(&context, Permission::ClientsDelete, "client_delete", asked, &client_id.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let how = Deletion { cascade: cascade.0.unwrap_or(false), previewed };
        client_delete(&write.tx, ClientId(client_id.0), version, how).await?;
        Ok(Answer::new(write.finish(None, Vec::new()).await?))
    }
}

/// The view of a client.
pub fn view(app: &crate::app::App, listed: ListedClient) -> Client {
    let ListedClient { client, integrations, ages } = listed;
    let known = |kind: &str| integrations.iter().any(|integration| app.can(integration, kind));
    let counts = |integration: &str| app.can(integration, "device") || app.can(integration, "directory_user");
    let counted = || ages.iter().filter(|age| integrations.contains(&age.integration) && counts(&age.integration));
    Client {
        device_count: known("device").then_some(client.device_count),
        user_count: known("directory_user").then_some(client.user_count),
        counts_synced_at: counted().map(|age| age.synced_at).reduce(older).flatten(),
        counts_stale: counted().any(|age| age.stale),
        id: client.id.0,
        name: client.name,
        status: client.status.into(),
        integrations,
        notes: client.notes,
        contact_email: client.contact_email,
        phone: client.phone,
        address: client.address,
        archived_at: client.archived_at,
        tags: client.tags,
        created_at: client.created_at,
        updated_at: client.updated_at,
        version: client.version,
    }
}

fn mapping(entity: &domain::Entity) -> ClientMapping {
    ClientMapping {
        entity_id: entity.id.0,
        connection_id: entity.connection_id.0,
        integration: entity.integration.clone(),
        kind: entity.kind.clone(),
        vendor_id: entity.vendor_id.clone(),
        name: entity.name.clone(),
        device_count: entity.device_count,
        user_count: entity.user_count,
        removed_at: entity.removed_at,
    }
}

async fn answer(app: &crate::app::App, tx: &Tx, saved: ClientSaved) -> domain::Result<(Client, Vec<String>)> {
    let warnings = saved.same_name.iter().map(|id| format!("another client has the same name: {id}")).collect();
    Ok((view(app, tx.client_listed(saved.client.id).await?), warnings))
}

fn patch(body: ClientUpdate) -> domain::Result<ClientPatch> {
    let clear = body.clear.unwrap_or_default();
    let field = |value: Option<String>, field: ClearableField, name: &str| match (value, clear.contains(&field)) {
        (Some(_), true) => Err(Error::invalid(format!("/{name}"), "one_of", "is given and to be cleared: choose one")),
        (Some(text), false) => Ok(Some(Some(text))),
        (None, true) => Ok(Some(None)),
        (None, false) => Ok(None),
    };
    Ok(ClientPatch {
        name: body.name,
        status: body.status.map(Into::into),
        notes: field(body.notes, ClearableField::Notes, "notes")?,
        contact_email: field(body.contact_email, ClearableField::ContactEmail, "contact_email")?,
        phone: field(body.phone, ClearableField::Phone, "phone")?,
        address: field(body.address, ClearableField::Address, "address")?,
    })
}
