//! A client's devices and directory users, as vendors told us.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{ClientId, EntityId, Error, Listed, Permission, Record};
use integration::RecordType;
use persistence::Tx;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    types::{ParseFromJSON, ToJSON},
};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::{App, AppData},
    auth::Caller,
    freshness::{Freshness, Sources},
    page::{Answer, page_request},
    problem::Failure,
};

/// A page of what vendors told us, with its age.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct RecordPage<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// Rows
    pub items: Vec<T>,
    /// Send it as `cursor` for the next page; absent on the last
    pub next_cursor: Option<String>,
    /// Rows of the whole list
    pub total: i64,
    /// How old it is
    pub freshness: Freshness,
}

/// A device, as one vendor sees it.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Device {
    /// Id
    pub id: Uuid,
    /// Connection that says it
    pub connection_id: Uuid,
    /// The vendor's id
    pub vendor_id: String,
    /// Name
    pub name: String,
    /// Host name
    pub hostname: Option<String>,
    /// The vendor's class of device
    pub class: Option<String>,
    /// Whether the vendor can reach it; absent while unknown
    pub online: Option<bool>,
    /// Operating system
    pub os: Option<String>,
    /// Its version
    pub os_version: Option<String>,
    /// Maker
    pub manufacturer: Option<String>,
    /// Model
    pub model: Option<String>,
    /// Serial number as reported
    pub serial: Option<String>,
    /// MAC addresses
    pub macs: Vec<String>,
    /// IP addresses
    pub ips: Vec<String>,
    /// Account that last signed in
    pub last_user: Option<String>,
    /// When the vendor last heard of it, to the day
    pub last_contact_at: Option<DateTime<Utc>>,
    /// When what is stored last changed
    pub changed_at: DateTime<Utc>,
}

/// State of a second factor
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum MfaState {
    /// Registered
    Registered,
    /// Not registered
    NotRegistered,
    /// The vendor did not say
    Unknown,
}

/// A person in a directory, as one vendor sees it.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct DirectoryUser {
    /// Id
    pub id: Uuid,
    /// Connection that says it
    pub connection_id: Uuid,
    /// The vendor's id
    pub vendor_id: String,
    /// Name
    pub name: String,
    /// Sign-in name
    pub principal_name: Option<String>,
    /// E-mail
    pub email: Option<String>,
    /// Whether sign-in is allowed; absent while unknown
    pub enabled: Option<bool>,
    /// Whether this is a guest; absent while unknown
    pub guest: Option<bool>,
    pub mfa: MfaState,
    /// Registered methods in the vendor's words
    pub mfa_methods: Vec<String>,
    /// Whether it is an administrator; absent while unknown
    pub admin: Option<bool>,
    /// Its administrator's roles
    pub admin_roles: Vec<String>,
    /// Job title
    pub job_title: Option<String>,
    /// Department
    pub department: Option<String>,
    /// Number of assigned licences
    pub licences: u64,
    /// When what is stored last changed
    pub changed_at: DateTime<Utc>,
}

/// Devices and directory users of a client.
pub struct Fleet;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl Fleet {
    /// A client's devices
    #[oai(path = "/:client_id/devices", method = "get", operation_id = "client_device_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_device_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        client_id: Path<Uuid>,
        /// Part of the name
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<RecordPage<Device>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::DevicesView).await?;
        let (sources, client) = sources(&tx, client_id.0).await?;
        let listed = tx.client_records(client, "device", search.0.as_deref(), &page).await?;
        let Listed { items, next, total } = listed;
        let items = items.into_iter().map(device).collect::<domain::Result<Vec<_>>>()?;
        Ok(record_page(&app, uri, &sources, "device", Listed { items, next, total }))
    }

    /// A client's directory users, with second factor and administrator's marks
    #[oai(path = "/:client_id/users", method = "get", operation_id = "client_user_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_user_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        client_id: Path<Uuid>,
        /// Part of the name
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<RecordPage<DirectoryUser>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::DirectoryView).await?;
        let (sources, client) = sources(&tx, client_id.0).await?;
        let Listed { items, next, total } =
            tx.client_records(client, "directory_user", search.0.as_deref(), &page).await?;
        let marks = Marks::read(&tx, &app, &sources, &items).await?;
        let items = items.into_iter().map(|record| marks.user(record)).collect::<domain::Result<Vec<_>>>()?;
        Ok(record_page(&app, uri, &sources, "directory_user", Listed { items, next, total }))
    }
}

/// The sources of a client in scope, and its id.
pub(super) async fn sources(tx: &Tx, client: Uuid) -> domain::Result<(Sources, ClientId)> {
    let client = tx.client(ClientId(client)).await?.id;
    let entities = tx.entities_of_client(client).await?;
    Ok((Sources::read(tx, entities).await?, client))
}

/// A page of records with its age.
pub(super) fn record_page<T: ParseFromJSON + ToJSON + Send + Sync>(
    app: &App,
    uri: &poem::http::Uri,
    sources: &Sources,
    kind: &str,
    listed: Listed<T>,
) -> Answer<RecordPage<T>> {
    let Answer::Ok(page, link, _) = Answer::page(listed, uri);
    let body = RecordPage {
        items: page.0.items,
        next_cursor: page.0.next_cursor,
        total: page.0.total,
        freshness: sources.of(app, kind),
    };
    Answer::Ok(poem_openapi::payload::Json(body), link, None)
}

/// Reads a stored record back into the struct of its kind.
pub(super) fn body<T: RecordType>(record: &Record) -> domain::Result<T> {
    serde_json::from_str(&record.body).map_err(|why| Error::internal(format!("stored {}: {why}", record.kind)))
}

fn device(record: Record) -> domain::Result<Device> {
    let body: integration::Device = body(&record)?;
    Ok(Device {
        id: record.id.0,
        connection_id: record.connection_id.0,
        vendor_id: record.vendor_id,
        name: body.name,
        hostname: body.hostname,
        class: body.class,
        online: body.online,
        os: body.os,
        os_version: body.os_version,
        manufacturer: body.manufacturer,
        model: body.model,
        serial: body.serial,
        macs: body.macs,
        ips: body.ips,
        last_user: body.last_user,
        last_contact_at: body.last_contact_at,
        changed_at: record.changed_at,
    })
}

/// What other listings say of the users of a page.
struct Marks {
    methods: BTreeMap<(EntityId, String), integration::SignInMethods>,
    roles: BTreeMap<(EntityId, String), Vec<String>>,
    /// Entities whose administrators' roles were listed to the end.
    roles_known: bool,
}

impl Marks {
    async fn read(tx: &Tx, app: &App, sources: &Sources, users: &[Record]) -> domain::Result<Self> {
        let mut entities: Vec<EntityId> = users.iter().map(|user| user.entity_id).collect();
        entities.sort_unstable();
        entities.dedup();
        let mut marks = Self {
            methods: BTreeMap::new(),
            roles: BTreeMap::new(),
            roles_known: sources.of(app, "admin_role").synced_at.is_some(),
        };
        for record in tx.records_under(&entities, "sign_in_methods").await? {
            marks.methods.insert((record.entity_id, record.vendor_id.clone()), body(&record)?);
        }
        for record in tx.records_under(&entities, "admin_role").await? {
            let role: integration::AdminRole = body(&record)?;
            marks.roles.entry((record.entity_id, role.user_id)).or_default().push(role.role);
        }
        Ok(marks)
    }

    fn user(&self, record: Record) -> domain::Result<DirectoryUser> {
        let body: integration::DirectoryUser = body(&record)?;
        let key = (record.entity_id, record.vendor_id.clone());
        let methods = self.methods.get(&key);
        let roles = self.roles.get(&key).cloned().unwrap_or_default();
        let mfa = match methods.and_then(|methods| methods.mfa_registered) {
            Some(true) => MfaState::Registered,
            Some(false) => MfaState::NotRegistered,
            None => MfaState::Unknown,
        };
        let admin = match (roles.is_empty(), self.roles_known) {
            (false, _) => Some(true),
            (true, true) => Some(false),
            (true, false) => methods.and_then(|methods| methods.is_admin),
        };
        Ok(DirectoryUser {
            id: record.id.0,
            connection_id: record.connection_id.0,
            vendor_id: record.vendor_id,
            name: body.name,
            principal_name: body.principal_name,
            email: body.email,
            enabled: body.enabled,
            guest: body.guest,
            mfa,
            mfa_methods: methods.map(|methods| methods.methods.clone()).unwrap_or_default(),
            admin,
            admin_roles: roles,
            job_title: body.job_title,
            department: body.department,
            licences: body.licence_ids.len() as u64,
            changed_at: record.changed_at,
        })
    }
}
