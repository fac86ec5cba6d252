//! What people do with connections.

use domain::{
    ClientId, Connection, ConnectionId, ConnectionShare, ConnectionState, Context, Error, MappingState, PageRequest,
    Permission, Problem, Result, Trigger, valid_name,
};
use integration::{Category, Checked, Entry, FieldError, RecordKind};
use persistence::{EntityFilter, Tx};
use serde_json::{Map, Value};

use crate::{
    check::wants_consent,
    consent::waiting,
    engine,
    grants::grant_in,
    queue::{self, Started},
    rights::allowed,
};

/// Minutes between two syncs when nothing is said.
pub const CADENCE: i32 = 60;

/// Minutes that a cadence may have.
pub const CADENCES: std::ops::RangeInclusive<i32> = 5..=1440;

/// A connection to be made.
#[derive(Clone, Debug, Default)]
pub struct NewConnection {
    /// Which vendor.
    pub integration: String,
    /// Name given by the staff; the vendor's where empty.
    pub name: String,
    /// Credentials as entered.
    pub credentials: Map<String, Value>,
    /// Minutes between two syncs.
    pub cadence_minutes: Option<i32>,
}

/// What of a connection is to change.
#[derive(Clone, Debug, Default)]
pub struct ConnectionPatch {
    /// Another name.
    pub name: Option<String>,
    /// Another cadence, in minutes.
    pub cadence_minutes: Option<i32>,
    /// New credentials, all of them: what is stored is never filled in, because it could be sent elsewhere.
    pub credentials: Option<Map<String, Value>>,
}

/// Checks credentials; every mistake is named with its place in the body.
pub fn normalise(entry: &Entry, credentials: &Map<String, Value>) -> Result<Map<String, Value>, Vec<Problem>> {
    let problem = |mistake: FieldError| {
        let field = mistake.field.replace('~', "~0").replace('/', "~1");
        Problem::new(format!("/credentials/{field}"), "invalid_credential", mistake.message)
    };
    let typed = entry.consent_field().filter(|field| credentials.get(*field).is_some_and(|value| !value.is_null()));
    if let Some(field) = typed {
        let message = "is given at the vendor's own page: leave it out, save, and start the consent".to_owned();
        return Err(vec![problem(FieldError { field: field.to_owned(), message })]);
    }
    entry.normalise(credentials).map_err(|mistakes| mistakes.into_iter().map(problem).collect())
}

fn valid_cadence(minutes: i32, problems: &mut Vec<Problem>) -> i32 {
    if !CADENCES.contains(&minutes) {
        let message = format!("must be between {} and {} minutes", CADENCES.start(), CADENCES.end());
        problems.push(Problem::new("/cadence_minutes", "out_of_range", message));
    }
    minutes
}

fn note<T>(outcome: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    outcome.map_err(|problem| problems.push(problem)).ok()
}

/// Makes a connection. With `checked`, what a test of these very credentials found, it works at once and its
/// first sync is enqueued; without, it is a draft. It is a draft too where the vendor wants consent at its own
/// page: nothing can be tested before.
pub async fn connection_create(
    tx: &Tx,
    entries: &'static [Entry],
    input: &NewConnection,
    checked: Option<&Checked>,
) -> Result<Connection> {
    tx.context().require(Permission::ConnectionsManage)?;
    let Ok(entry) = engine::entry(entries, &input.integration) else {
        return Err(Error::invalid("/integration", "unknown", "is not an integration of the catalogue"));
    };
    allowed(tx.context(), Permission::ConnectionsManage, entry.category)?;
    let mut problems = Vec::new();
    let name = if input.name.trim().is_empty() { entry.name } else { &input.name };
    let name = note(valid_name("/name", name), &mut problems);
    let cadence_minutes = valid_cadence(input.cadence_minutes.unwrap_or(CADENCE), &mut problems);
    let credentials = normalise(entry, &input.credentials).map_err(|found| problems.extend(found)).ok();
    let (Some(name), Some(credentials), true) = (name, credentials, problems.is_empty()) else {
        return Err(Error::Invalid(problems));
    };
    let waits = entry.consent_wanted(&input.credentials).map(|_| waiting(entry.name));
    let checked = checked.filter(|_| waits.is_none());
    let connection = Connection {
        id: tx.new_id(),
        integration: entry.id.to_owned(),
        name,
        state: if checked.is_some() { ConnectionState::Connected } else { ConnectionState::Draft },
        state_reason: waits,
        account: checked.and_then(|checked| checked.account.clone()),
        credentials_version: 1,
        cadence_minutes,
        next_sync_at: None,
        last_synced_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.connection_insert(&connection).await?;
    tx.connection_seal(connection.id, &Value::Object(credentials)).await?;
    if checked.is_some() {
        begin_syncing(tx, &connection).await?;
    }
    Ok(connection)
}

/// Changes a connection. New credentials connect it again, whatever its state, and start a sync.
pub async fn connection_update(
    tx: &Tx,
    entries: &'static [Entry],
    id: ConnectionId,
    patch: &ConnectionPatch,
) -> Result<Connection> {
    let before = managed(tx, entries, id).await?;
    let mut problems = Vec::new();
    let mut after = before.clone();
    if let Some(name) = &patch.name
        && let Some(name) = note(valid_name("/name", name), &mut problems)
    {
        after.name = name;
    }
    if let Some(minutes) = patch.cadence_minutes {
        after.cadence_minutes = valid_cadence(minutes, &mut problems);
    }
    let (mut sealed, mut waits) = (None, None);
    if let Some(credentials) = &patch.credentials {
        let entry = engine::entry(entries, &before.integration)?;
        // What was granted to other credentials is gone with them.
        waits = entry.consent_wanted(credentials).map(|_| waiting(entry.name));
        match normalise(entry, credentials) {
            Ok(credentials) => sealed = Some(credentials),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    if let Some(credentials) = &sealed {
        after.credentials_version += 1;
        let state = if waits.is_some() { ConnectionState::Draft } else { ConnectionState::Connected };
        (after.state, after.state_reason) = (state, waits.clone());
        tx.connection_seal(id, &Value::Object(credentials.clone())).await?;
    }
    let after = tx.connection_update(&before, after).await?;
    if waits.is_some() {
        tx.connection_schedule(id, None, None).await?;
    } else if sealed.is_some() {
        begin_syncing(tx, &after).await?;
    } else if after.cadence_minutes != before.cadence_minutes && after.state.syncs() {
        let next = tx.now() + chrono::TimeDelta::minutes(i64::from(after.cadence_minutes));
        let sooner = after.next_sync_at.map_or(next, |set| set.min(next));
        tx.connection_schedule(id, Some(sooner), None).await?;
    }
    Ok(after)
}

/// Leaves a connection alone for a while: nothing is asked of its vendor until it is resumed by
/// [`connection_reconnect`]. Mappings and records stay and grow old.
pub async fn connection_pause(tx: &Tx, entries: &'static [Entry], id: ConnectionId) -> Result<Connection> {
    let before = managed(tx, entries, id).await?;
    if !before.state.syncs() {
        return Err(Error::conflict(
            "not_connected",
            format!("{} is {}: only one that works can be paused.", before.name, before.state.as_str()),
        ));
    }
    let after = Connection { state: ConnectionState::Paused, state_reason: None, ..before.clone() };
    let after = tx.connection_update(&before, after).await?;
    tx.connection_schedule(id, None, None).await?;
    Ok(after)
}

/// Lets a client use a connection: a reference that can be taken back, and never the credentials.
pub async fn connection_share(
    tx: &Tx,
    entries: &'static [Entry],
    id: ConnectionId,
    client: ClientId,
) -> Result<ConnectionShare> {
    shareable(tx, entries, id).await?;
    if tx.clients_by_id(&[client]).await?.is_empty() {
        return Err(Error::invalid("/client_id", "not_found", "there is no such client"));
    }
    if let Some(known) = tx.shares_of_connection(id).await?.into_iter().find(|share| share.client_id == client) {
        return Ok(known);
    }
    tx.share_insert(id, client).await
}

/// Takes a connection back from a client; from the next run on, nothing of it is theirs.
pub async fn connection_unshare(
    tx: &Tx,
    entries: &'static [Entry],
    id: ConnectionId,
    client: ClientId,
) -> Result<ConnectionShare> {
    shareable(tx, entries, id).await?;
    let shares = tx.shares_of_connection(id).await?.into_iter();
    let share = shares.into_iter().find(|share| share.client_id == client).ok_or(Error::NotFound { what: "share" })?;
    tx.share_delete(&share).await?;
    Ok(share)
}

/// Switches a connection off. Mappings and records stay, and show as stale.
pub async fn connection_disconnect(tx: &Tx, entries: &'static [Entry], id: ConnectionId) -> Result<Connection> {
    let before = managed(tx, entries, id).await?;
    let after = Connection { state: ConnectionState::Disconnected, state_reason: None, ..before.clone() };
    let after = tx.connection_update(&before, after).await?;
    tx.connection_schedule(id, None, None).await?;
    Ok(after)
}

/// Switches a connection on again, with new credentials or with those it has, and starts a sync.
pub async fn connection_reconnect(
    tx: &Tx,
    entries: &'static [Entry],
    id: ConnectionId,
    credentials: Option<&Map<String, Value>>,
) -> Result<Connection> {
    if let Some(credentials) = credentials {
        let patch = ConnectionPatch { credentials: Some(credentials.clone()), ..ConnectionPatch::default() };
        return connection_update(tx, entries, id, &patch).await;
    }
    let before = managed(tx, entries, id).await?;
    // Refused where there are none.
    let stored = tx.connection_credentials(id).await?;
    if let Ok(entry) = engine::entry(entries, &before.integration)
        && wants_consent(entry, &stored).is_some_and(|field| grant_in(&stored, field).is_none())
    {
        return Err(Error::conflict("consent_missing", waiting(entry.name)));
    }
    let after = Connection { state: ConnectionState::Connected, state_reason: None, ..before.clone() };
    let after = tx.connection_update(&before, after).await?;
    begin_syncing(tx, &after).await?;
    Ok(after)
}

/// Removes a connection and everything that its vendor told us. Refused while entities are mapped.
pub async fn connection_delete(tx: &Tx, entries: &'static [Entry], id: ConnectionId) -> Result<()> {
    let connection = managed(tx, entries, id).await?;
    let filter = EntityFilter {
        connection: Some(id),
        state: Some(MappingState::Mapped),
        with_removed: true,
        ..EntityFilter::default()
    };
    let mapped = tx.entity_list(&filter, &PageRequest { limit: 1, after: None }).await?.total;
    if mapped > 0 {
        return Err(Error::conflict(
            "entities_mapped",
            format!("{mapped} entities of {} are mapped to clients: unmap them first.", connection.name),
        ));
    }
    for share in tx.shares_of_connection(id).await? {
        tx.share_delete(&share).await?;
    }
    tx.connection_delete(&connection).await
}

/// Starts a sync, or hurries the one that waits.
pub async fn sync_start(
    tx: &Tx,
    entries: &'static [Entry],
    id: ConnectionId,
    kinds: Option<Vec<RecordKind>>,
) -> Result<Started> {
    let connection = tx.connection(id).await?;
    permitted(tx.context(), entries, &connection, Permission::SyncStart)?;
    queue::start(tx, &connection, kinds, Trigger::Manual).await
}

/// Lets the schedule sync a connection from now on, and starts the first sync.
pub(crate) async fn begin_syncing(tx: &Tx, connection: &Connection) -> Result<()> {
    let next = tx.now() + chrono::TimeDelta::minutes(i64::from(connection.cadence_minutes));
    tx.connection_schedule(connection.id, Some(next), None).await?;
    queue::start(tx, connection, None, Trigger::Connected).await.map(drop)
}

async fn shareable(tx: &Tx, entries: &'static [Entry], id: ConnectionId) -> Result<Connection> {
    let connection = tx.connection(id).await?;
    permitted(tx.context(), entries, &connection, Permission::ConnectionsShare)?;
    Ok(connection)
}

pub(crate) async fn managed(tx: &Tx, entries: &'static [Entry], id: ConnectionId) -> Result<Connection> {
    let connection = tx.connection(id).await?;
    permitted(tx.context(), entries, &connection, Permission::ConnectionsManage)?;
    Ok(connection)
}

/// Refuses unless the caller has this right over the vendor of this connection. Of a vendor that is not in
/// this build, the shelf is not known: only the whole right will do.
pub(crate) fn permitted(
    context: &Context,
    entries: &'static [Entry],
    connection: &Connection,
    permission: Permission,
) -> Result<()> {
    let category = engine::entry(entries, &connection.integration).map_or(Category::RmmAndPsa, |entry| entry.category);
    allowed(context, permission, category)
}
