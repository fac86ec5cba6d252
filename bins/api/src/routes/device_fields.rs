//! Which value of each field of a device is shown, who says it and what others say; and fixing it by hand.

use chrono::{DateTime, Utc};
use directory::{DeviceFact, Teller, device_facts, device_lock, device_unlock};
use domain::{
    ClientId, ConnectionId, DeviceId, Error, Permission, Problem, RecordId,
    device::{Candidate, ChosenBy, DeviceField, DeviceOrder, LockTo, Trade},
};
use integration::Category;
use persistence::{ListedDevice, Tx};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    devices::{JoinedDevice, device},
    fleet::sources,
};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    freshness::Sources,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// Whom the organisation believes about the devices of a client.
pub struct Believed<'a> {
    /// Who tells of them.
    pub(super) sources: &'a Sources,
    /// The organisation's order of integrations.
    pub(super) order: DeviceOrder,
    app: &'a App,
}

impl<'a> Believed<'a> {
    /// Reads the organisation's order.
    pub async fn read(app: &'a App, tx: &Tx, sources: &'a Sources) -> domain::Result<Self> {
        Ok(Self { sources, order: tx.device_precedence().await?.order, app })
    }

    /// Who a connection is.
    pub(super) fn teller(&self, connection: ConnectionId) -> Option<Teller> {
        let integration = self.sources.integration(connection)?.to_owned();
        Some(Teller { trade: trade(self.app, &integration), integration })
    }
}

/// What an integration is for.
pub(super) fn trade(app: &App, integration: &str) -> Trade {
    match app.entry(integration).map(|entry| entry.category) {
        Some(Category::RmmAndPsa) => Trade::Management,
        Some(Category::Productivity) => Trade::Registry,
        Some(Category::Security) => Trade::Security,
        Some(Category::Backup) => Trade::Backup,
        Some(Category::Network) => Trade::Network,
        _ => Trade::Other,
    }
}

/// A field of a device of which one value is shown
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DeviceFieldName {
    Name,
    Hostname,
    Class,
    Os,
    OsVersion,
    Manufacturer,
    Model,
    Serial,
    LastUser,
    PublicIp,
}

impl DeviceFieldName {
    pub(super) fn of(field: DeviceField) -> Self {
        match field {
            DeviceField::Name => Self::Name,
            DeviceField::Hostname => Self::Hostname,
            DeviceField::Class => Self::Class,
            DeviceField::Os => Self::Os,
            DeviceField::OsVersion => Self::OsVersion,
            DeviceField::Manufacturer => Self::Manufacturer,
            DeviceField::Model => Self::Model,
            DeviceField::Serial => Self::Serial,
            DeviceField::LastUser => Self::LastUser,
            DeviceField::PublicIp => Self::PublicIp,
        }
    }

    fn field(self) -> DeviceField {
        match self {
            Self::Name => DeviceField::Name,
            Self::Hostname => DeviceField::Hostname,
            Self::Class => DeviceField::Class,
            Self::Os => DeviceField::Os,
            Self::OsVersion => DeviceField::OsVersion,
            Self::Manufacturer => DeviceField::Manufacturer,
            Self::Model => DeviceField::Model,
            Self::Serial => DeviceField::Serial,
            Self::LastUser => DeviceField::LastUser,
            Self::PublicIp => DeviceField::PublicIp,
        }
    }
}

/// Why a value is the one that is shown
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DecidedBy {
    /// A person fixed it
    Lock,
    /// Nobody else says anything of it
    Alone,
    /// The organisation's order of integrations
    Precedence,
    /// The usual order of integrations
    UsualPrecedence,
    /// Most say so
    Most,
    /// Of those that count the same it is the newest
    Freshest,
}

/// What one observation says of a field.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct FieldTold {
    /// What it says, or said before `blank_since`
    pub value: String,
    /// Id of the observation
    pub observation_id: Uuid,
    /// Connection that says it
    pub connection_id: Uuid,
    /// Its name
    pub connection: String,
    /// Its integration
    pub integration: String,
    /// What the vendor calls the client there
    pub entity_id: Uuid,
    /// The last name seen of that
    pub entity: Option<String>,
    /// When this vendor last heard of the machine, to the day
    pub last_contact_at: Option<DateTime<Utc>>,
    /// When what is stored of the machine last changed there
    pub changed_at: DateTime<Utc>,
    /// When it was last true at the vendor; absent when its devices were never listed to the end
    pub synced_at: Option<DateTime<Utc>>,
    /// Older than twice the connection's cadence, or the connection does not work
    pub stale: bool,
    /// When the vendor said nothing of it any more; absent while it says it
    pub blank_since: Option<DateTime<Utc>>,
}

/// What a person fixed a field to: a value or a connection.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct FieldLock {
    /// Id of the lock
    pub id: Uuid,
    /// The value
    pub value: Option<String>,
    /// The connection whose value is shown, for as long as it says anything
    pub connection_id: Option<Uuid>,
    /// Why
    pub reason: Option<String>,
    /// When
    pub locked_at: DateTime<Utc>,
    /// By whom of the staff; absent where a machine did it
    pub locked_by: Option<Uuid>,
}

/// A field of a device.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct DeviceFieldView {
    pub field: DeviceFieldName,
    /// What is shown; absent where nobody says anything
    pub value: Option<String>,
    /// Why it is this
    pub decided_by: Option<DecidedBy>,
    /// Who says it; absent for a value that a person wrote
    pub source: Option<FieldTold>,
    /// What the other observations say of it
    pub others: Vec<FieldTold>,
    /// What a person fixed it to
    pub lock: Option<FieldLock>,
}

/// A device, with where each of its fields comes from.
#[derive(Debug, Clone, Object)]
pub struct DeviceDetail {
    /// The device
    pub device: JoinedDevice,
    /// Its fields of which one value is shown. Addresses are those of all vendors together, it is online where one of
    /// them can reach it, and its last contact is the last that any had
    pub fields: Vec<DeviceFieldView>,
}

/// Fix a field of a device: to a value, or to what one connection says.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct DeviceLockSet {
    pub field: DeviceFieldName,
    /// The value, 1 to 255 characters; or leave it out and name a connection
    pub value: Option<String>,
    /// The connection whose value is to be shown for as long as it says anything
    pub connection_id: Option<Uuid>,
    /// Why, for whoever sees the lock; at most 500 characters
    pub reason: Option<String>,
}

/// Take the lock of a field away.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct DeviceLockRelease {
    pub field: DeviceFieldName,
}

/// Fields of devices.
pub struct DeviceFields;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl DeviceFields {
    /// A device, with where each of its fields comes from
    ///
    /// For each field: what is shown and why, which connection says it and when, and what others say. A field that a
    /// person fixed comes first, then the order of integrations (`device_precedence_get`), then the newest; a blank
    /// never takes the place of what is known.
    #[oai(path = "/:client_id/joined-devices/:device_id", method = "get", operation_id = "client_joined_device_get")]
    async fn client_joined_device_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        device_id: Path<Uuid>,
    ) -> Result<Answer<DeviceDetail>, Failure> {
        let tx = app.read(caller, Permission::DevicesView).await?;
        let (sources, client) = sources(&tx, client_id.0).await?;
        let found = tx.client_device(client, DeviceId(device_id.0)).await?;
        let believed = Believed::read(&app, &tx, &sources).await?;
        Ok(Answer::new(detail(&found, &believed)?))
    }

    /// Lock a field of a device
    ///
    /// To a value written by hand, or to what one connection says of it. It holds in every later sync, and after devices
    /// are joined or split, until `device_unlock`.
    #[oai(path = "/:client_id/joined-devices/:device_id/lock", method = "post", operation_id = "device_lock")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn device_lock(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        device_id: Path<Uuid>,
        body: Json<DeviceLockSet>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<DeviceDetail>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (client, id) = (ClientId(client_id.0), DeviceId(device_id.0));
        let request = (client, id, &body.0);
        app.permit(&context, Permission::DevicesView, "device_lock").await?;
        let write = match app.begin(&context, Permission::MappingsSave, "device_lock", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let to = match (&body.0.value, body.0.connection_id) {
            (Some(value), None) => LockTo::Value(value.clone()),
            (None, Some(connection)) => LockTo::Connection(ConnectionId(connection)),
            _ => {
                let message = "must have either a value or a connection_id";
                return Err(Error::Invalid(vec![Problem::new("/value", "required", message)]).into());
            }
        };
        let field = body.0.field.field();
        let locked = device_lock(&write.tx, client, id, field, to, body.0.reason.as_deref()).await?;
        let item = shown(&app, &write.tx, client, &locked).await?;
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }

    /// Unlock a field of a device: what is shown is chosen again
    #[oai(path = "/:client_id/joined-devices/:device_id/unlock", method = "post", operation_id = "device_unlock")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn device_unlock(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        device_id: Path<Uuid>,
        body: Json<DeviceLockRelease>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<DeviceDetail>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (client, id) = (ClientId(client_id.0), DeviceId(device_id.0));
        let request = (client, id, &body.0);
        app.permit(&context, Permission::DevicesView, "device_unlock").await?;
        let write = match app.begin(&context, Permission::MappingsSave, "device_unlock", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let left = device_unlock(&write.tx, client, id, body.0.field.field()).await?;
        let item = shown(&app, &write.tx, client, &left).await?;
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }
}

async fn shown(app: &App, tx: &Tx, client: ClientId, one: &ListedDevice) -> domain::Result<DeviceDetail> {
    let (sources, _) = sources(tx, client.0).await?;
    detail(one, &Believed::read(app, tx, &sources).await?)
}

fn detail(one: &ListedDevice, believed: &Believed<'_>) -> domain::Result<DeviceDetail> {
    let facts = device_facts(one, &believed.order, |connection| believed.teller(connection));
    let fields = facts.iter().map(|fact| view(one, fact, believed)).collect();
    Ok(DeviceDetail { device: device(one, believed)?, fields })
}

fn view(one: &ListedDevice, fact: &DeviceFact, believed: &Believed<'_>) -> DeviceFieldView {
    let chosen = fact.choice.as_ref().and_then(|choice| choice.source);
    let of = |record: RecordId| fact.candidates.iter().find(|candidate| candidate.record_id == record);
    let others = fact.candidates.iter().filter(|candidate| Some(candidate.record_id) != chosen);
    DeviceFieldView {
        field: DeviceFieldName::of(fact.field),
        value: fact.choice.as_ref().map(|choice| choice.value.clone()),
        decided_by: fact.choice.as_ref().map(|choice| match choice.by {
            ChosenBy::Lock => DecidedBy::Lock,
            ChosenBy::Alone => DecidedBy::Alone,
            ChosenBy::Order => DecidedBy::Precedence,
            ChosenBy::UsualOrder => DecidedBy::UsualPrecedence,
            ChosenBy::Most => DecidedBy::Most,
            ChosenBy::Freshest => DecidedBy::Freshest,
        }),
        source: chosen.and_then(of).and_then(|candidate| told(one, candidate, believed)),
        others: others.filter_map(|candidate| told(one, candidate, believed)).collect(),
        lock: fact.lock.as_ref().map(|lock| {
            let (value, connection_id) = match &lock.to {
                LockTo::Value(value) => (Some(value.clone()), None),
                LockTo::Connection(connection) => (None, Some(connection.0)),
            };
            FieldLock {
                id: lock.id.0,
                value,
                connection_id,
                reason: lock.reason.clone(),
                locked_at: lock.created_at,
                locked_by: lock.created_by.map(|staff| staff.0),
            }
        }),
    }
}

fn told(one: &ListedDevice, candidate: &Candidate, believed: &Believed<'_>) -> Option<FieldTold> {
    let record = &one.sources.iter().find(|source| source.record.id == candidate.record_id)?.record;
    let connection = believed.sources.connection(record.connection_id)?;
    let freshness = believed.sources.of_entity(record.entity_id, "device");
    Some(FieldTold {
        value: candidate.value.clone(),
        observation_id: record.id.0,
        connection_id: connection.id.0,
        connection: connection.name.clone(),
        integration: connection.integration.clone(),
        entity_id: record.entity_id.0,
        entity: believed.sources.entity(record.entity_id).map(|entity| entity.name.clone()),
        last_contact_at: candidate.heard_at,
        changed_at: record.changed_at,
        synced_at: freshness.as_ref().and_then(|freshness| freshness.synced_at),
        stale: freshness.is_none_or(|freshness| freshness.stale),
        blank_since: candidate.blank_since,
    })
}
