//! Connections: accounts at vendors.

use chrono::{DateTime, Utc};
use domain::{ConnectionId, Permission};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::Any,
};
use serde_json::{Map, Value};
use sync::{ConnectionPatch, NewConnection};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// How a connection is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Saved, credentials not yet tried
    Draft,
    /// Works
    Connected,
    /// Works in part
    Degraded,
    /// The vendor no longer takes the credentials: reconnect
    ReauthRequired,
    /// Left alone for a while: reconnect to go on
    Paused,
    /// Switched off; mappings and data are kept and shown as stale
    Disconnected,
}

impl From<domain::ConnectionState> for ConnectionState {
    fn from(state: domain::ConnectionState) -> Self {
        match state {
            domain::ConnectionState::Draft => Self::Draft,
            domain::ConnectionState::Connected => Self::Connected,
            domain::ConnectionState::Degraded => Self::Degraded,
            domain::ConnectionState::ReauthRequired => Self::ReauthRequired,
            domain::ConnectionState::Paused => Self::Paused,
            domain::ConnectionState::Disconnected => Self::Disconnected,
        }
    }
}

/// One account at a vendor. Its credentials never show.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Connection {
    /// Id
    pub id: Uuid,
    /// Integration
    pub integration: String,
    /// Name
    pub name: String,
    pub state: ConnectionState,
    /// Why it is so, and what to do
    pub state_reason: Option<String>,
    /// Account at the vendor
    pub account: Option<String>,
    /// Whether a sync waits or runs
    pub syncing: bool,
    /// Minutes between two syncs by schedule
    pub cadence_minutes: i32,
    /// When the schedule syncs it next
    pub next_sync_at: Option<DateTime<Utc>>,
    /// When a sync of all it lists last ended well
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// All connections.
#[derive(Debug, Clone, Object)]
pub struct ConnectionViews {
    /// By integration and name
    pub items: Vec<Connection>,
}

/// What it takes to connect.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ConnectionCreate {
    /// Integration
    pub integration: String,
    /// Name; the integration's when left out
    pub name: Option<String>,
    /// The fields of the integration's connect form, as texts
    pub credentials: Any<Map<String, Value>>,
    /// Minutes between two syncs, 5 to 1,440; 60 when left out
    pub cadence_minutes: Option<i32>,
}

/// What to change about a connection; what is left out stays.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ConnectionUpdate {
    /// New name
    pub name: Option<String>,
    /// New credentials, whole: reconnects
    pub credentials: Option<Any<Map<String, Value>>>,
    /// Minutes between two syncs, 5 to 1,440
    pub cadence_minutes: Option<i32>,
}

/// Credentials to be tried before they are saved.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ConnectionTrial {
    /// Integration
    pub integration: String,
    /// The fields of the integration's connect form, as texts
    pub credentials: Any<Map<String, Value>>,
}

/// What a test found.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ConnectionTested {
    /// Always true: what fails is a problem
    pub works: bool,
    /// Account at the vendor
    pub account: Option<String>,
    /// What will not work, and which right to grant for it
    pub warnings: Vec<String>,
}

/// Whether a sync was started.
#[derive(Debug, Clone, Object)]
pub struct SyncStarted {
    /// False when one was waiting or running already
    pub started: bool,
}

/// Connections.
pub struct Connections;

#[OpenApi(prefix_path = "/api/connections", tag = "Chapter::Connections")]
impl Connections {
    /// All connections
    #[oai(path = "/", method = "get", operation_id = "connection_list")]
    async fn connection_list(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<ConnectionViews>, Failure> {
        let context = caller.context()?;
        let tx = app.read_as(&context, Permission::ConnectionsView).await?;
        let mut items = Vec::new();
        for connection in tx.connections().await? {
            if app.permit_vendor(&context, Permission::ConnectionsView, &connection.integration).is_ok() {
                let syncing = is_syncing(&tx, connection.id).await?;
                items.push(view(connection, syncing));
            }
        }
        Ok(Answer::new(ConnectionViews { items }))
    }

    /// Connect a vendor: the credentials are tried, sealed, and a first sync starts
    ///
    /// They are tried at the vendor first; if it does not take them, nothing is saved. Where these credentials want
    /// consent at its own page too, a draft is saved: go on with `connection_consent_start`.
    #[oai(path = "/", method = "post", operation_id = "connection_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn connection_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<ConnectionCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Connection>>, Failure> {
        let context = caller.context()?;
        let body = body.0;
        app.permit_for(&context, Permission::ConnectionsManage, "connection_create", &body.integration).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (&body.integration, &body.name, body.cadence_minutes, fingerprint(&body.credentials.0));
        if let Some(answer) = app.answered(&context, "connection_create", &asked, &request).await? {
            return Ok(Answer::new(answer));
        }
        let checked = app.engine.credentials_try(&context, &body.integration, &body.credentials.0).await?;
        let begun = app.begin(&context, Permission::ConnectionsManage, "connection_create", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let new = NewConnection {
            integration: body.integration,
            name: body.name.unwrap_or_default(),
            credentials: body.credentials.0,
            cadence_minutes: body.cadence_minutes,
        };
        let made = sync::connection_create(&write.tx, app.entries, &new, checked.as_ref()).await?;
        let warnings =
            checked.as_ref().map_or_else(|| made.state_reason.iter().cloned().collect(), |c| c.warnings.clone());
        let answer = write.finish(Some(view(made, checked.is_some())), warnings).await?;
        app.wake.notify_one();
        Ok(Answer::new(answer))
    }

    /// Try credentials without saving them
    #[oai(path = "/trial", method = "post", operation_id = "connection_trial")]
    async fn connection_trial(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<ConnectionTrial>,
    ) -> Result<Answer<ConnectionTested>, Failure> {
        let context = caller.context()?;
        app.permit_for(&context, Permission::ConnectionsManage, "connection_trial", &body.0.integration).await?;
        let found = app.engine.credentials_test(&context, &body.0.integration, &body.0.credentials.0).await?;
        Ok(Answer::new(tested(found)))
    }

    /// One connection
    #[oai(path = "/:connection_id", method = "get", operation_id = "connection_get")]
    async fn connection_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
    ) -> Result<Answer<Connection>, Failure> {
        let context = caller.context()?;
        let tx = app.read_as(&context, Permission::ConnectionsView).await?;
        let connection = tx.connection(ConnectionId(connection_id.0)).await?;
        app.permit_vendor(&context, Permission::ConnectionsView, &connection.integration)?;
        let syncing = is_syncing(&tx, connection.id).await?;
        let version = connection.version;
        Ok(Answer::versioned(view(connection, syncing), version))
    }

    /// Change a connection's name, cadence or credentials
    ///
    /// New credentials are tried first, and reconnect a connection that had stopped working. Where the vendor
    /// wants consent at its own page too, they make it a draft until that is given anew.
    #[oai(path = "/:connection_id", method = "patch", operation_id = "connection_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn connection_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        body: Json<ConnectionUpdate>,
        /// ETag of the connection as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<Connection>>, Failure> {
        // New credentials are sensitive; another name or cadence is not.
        let harmless = body.0.credentials.is_none() || dry_run.0.unwrap_or(false);
        let context = app.proven(caller, "connection_update", harmless).await?;
        let body = body.0;
        let id = ConnectionId(connection_id.0);
        let connection = app.read_as(&context, Permission::ConnectionsView).await?.connection(id).await?;
        app.permit_for(&context, Permission::ConnectionsManage, "connection_update", &connection.integration).await?;
        let checked = match &body.credentials {
            Some(new) => app.engine.credentials_try(&context, &connection.integration, &new.0).await?,
            None => None,
        };
        let warnings = checked.as_ref().map(|checked| checked.warnings.clone()).unwrap_or_default();
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let begun = app.begin(&context, Permission::ConnectionsManage, "connection_update", asked, &id).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let patch = ConnectionPatch {
            name: body.name,
            credentials: body.credentials.map(|credentials| credentials.0),
            cadence_minutes: body.cadence_minutes,
        };
        let version = if_match(version.0.as_deref())?;
        if version.is_some_and(|version| version != connection.version) {
            return Err(domain::Error::Stale { what: "connection" }.into());
        }
        let saved = sync::connection_update(&write.tx, app.entries, id, &patch).await?;
        let warnings = if saved.state == domain::ConnectionState::Draft {
            saved.state_reason.iter().cloned().collect()
        } else {
            warnings
        };
        let syncing = is_syncing(&write.tx, id).await?;
        let version = saved.version;
        let answer = write.finish(Some(view(saved, syncing)), warnings).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }

    /// Remove a connection with everything its vendor told us; refused while entities are mapped
    #[oai(path = "/:connection_id", method = "delete", operation_id = "connection_delete")]
    async fn connection_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<Connection>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let write = match manage(&app, caller, connection_id.0, "connection_delete", asked).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        sync::connection_delete(&write.tx, app.entries, ConnectionId(connection_id.0)).await?;
        Ok(Answer::new(write.finish(None, Vec::new()).await?))
    }

    /// Test a connection with its saved credentials
    #[oai(path = "/:connection_id/test", method = "post", operation_id = "connection_test")]
    async fn connection_test(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
    ) -> Result<Answer<ConnectionTested>, Failure> {
        let context = caller.context()?;
        let id = ConnectionId(connection_id.0);
        let connection = app.read_as(&context, Permission::ConnectionsView).await?.connection(id).await?;
        app.permit_for(&context, Permission::ConnectionsManage, "connection_test", &connection.integration).await?;
        Ok(Answer::new(tested(app.engine.connection_test(&context, id).await?)))
    }

    /// Switch a connection off: mappings and data are kept and shown as stale
    #[oai(path = "/:connection_id/disconnect", method = "post", operation_id = "connection_disconnect")]
    async fn connection_disconnect(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Connection>>, Failure> {
        let asked = Asked { reason: reason.0, key: key.0, ..Asked::default() };
        let write = match manage(&app, caller, connection_id.0, "connection_disconnect", asked).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let saved = sync::connection_disconnect(&write.tx, app.entries, ConnectionId(connection_id.0)).await?;
        Ok(Answer::new(write.finish(Some(view(saved, false)), Vec::new()).await?))
    }

    /// Switch a connection on again with its saved credentials, or resume a paused one, and sync it
    #[oai(path = "/:connection_id/reconnect", method = "post", operation_id = "connection_reconnect")]
    async fn connection_reconnect(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Connection>>, Failure> {
        let context = caller.context()?;
        let id = ConnectionId(connection_id.0);
        let connection = app.read_as(&context, Permission::ConnectionsView).await?.connection(id).await?;
        app.permit_for(&context, Permission::ConnectionsManage, "connection_reconnect", &connection.integration)
            .await?;
        let checked = app.engine.connection_test(&context, id).await?;
        let asked = Asked { reason: reason.0, key: key.0, ..Asked::default() };
        let begun = app.begin(&context, Permission::ConnectionsManage, "connection_reconnect", asked, &id).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let saved = sync::connection_reconnect(&write.tx, app.entries, id, None).await?;
        let answer = write.finish(Some(view(saved, true)), checked.warnings).await?;
        app.wake.notify_one();
        Ok(Answer::new(answer))
    }

    /// Sync a connection now
    #[oai(path = "/:connection_id/sync", method = "post", operation_id = "sync_start")]
    async fn sync_start(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
    ) -> Result<Answer<SyncStarted>, Failure> {
        let context = caller.context()?;
        let id = ConnectionId(connection_id.0);
        let connection = app.read_as(&context, Permission::ConnectionsView).await?.connection(id).await?;
        app.permit_for(&context, Permission::SyncStart, "sync_start", &connection.integration).await?;
        let tx = app.store.begin(context).await?;
        let started = sync::sync_start(&tx, app.entries, id, None).await?;
        tx.commit_unjournalled().await?;
        app.wake.notify_one();
        Ok(Answer::new(SyncStarted { started: !started.pending }))
    }
}

/// Begins a write on a connection of a vendor that the caller may manage.
pub(super) async fn manage(
    app: &App,
    caller: Caller,
    id: Uuid,
    action: &'static str,
    asked: Asked,
) -> domain::Result<Begun<Connection>> {
    // What takes everything away, or shows a secret.
    let sensitive = matches!(action, "connection_delete" | "connection_webhook_create");
    let context = app.proven(caller, action, !sensitive || asked.is_dry_run()).await?;
    let connection = app.read_as(&context, Permission::ConnectionsView).await?.connection(ConnectionId(id)).await?;
    app.permit_for(&context, Permission::ConnectionsManage, action, &connection.integration).await?;
    app.begin(&context, Permission::ConnectionsManage, action, asked, &id).await
}

/// Whether a sync of a connection waits or runs.
async fn is_syncing(tx: &persistence::Tx, connection: ConnectionId) -> domain::Result<bool> {
    Ok(tx.job_pending(&sync::sync_key(connection)).await?.is_some())
}

fn tested(checked: integration::Checked) -> ConnectionTested {
    ConnectionTested { works: true, account: checked.account, warnings: checked.warnings }
}

/// Tells one set of credentials from another without keeping it.
fn fingerprint(credentials: &Map<String, Value>) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    Value::Object(credentials.clone()).to_string().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

pub(super) fn view(connection: domain::Connection, syncing: bool) -> Connection {
    Connection {
        id: connection.id.0,
        integration: connection.integration,
        name: connection.name,
        state: connection.state.into(),
        state_reason: connection.state_reason,
        account: connection.account,
        syncing,
        cadence_minutes: connection.cadence_minutes,
        next_sync_at: connection.next_sync_at,
        last_synced_at: connection.last_synced_at,
        created_at: connection.created_at,
        version: connection.version,
    }
}
