//! Connections and their sealed credentials.

use domain::{ClientId, Connection, ConnectionId, ConnectionState, Error, Result, Timestamp};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::{connection, ticket_link, ticket_sending},
    error::{OrDomain, known},
    journalled::Journalled,
    keys::Place,
};

impl Journalled for connection::Entity {
    const KIND: &'static str = "connection";
    const WHAT: &'static str = "connection";

    fn id(row: &connection::Model) -> Uuid {
        row.id
    }
    fn id_column() -> connection::Column {
        connection::Column::Id
    }
    fn version_column() -> Option<connection::Column> {
        Some(connection::Column::Version)
    }
    fn version(row: &connection::Model) -> i32 {
        row.version
    }
    fn client_of(_: &connection::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &connection::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
    fn settle(row: &mut connection::ActiveModel) {
        // Credentials and the webhooks' secret are written by their own functions alone, times of syncs by the schedule.
        row.credentials = ActiveValue::NotSet;
        row.webhook_secret = ActiveValue::NotSet;
        row.next_sync_at = ActiveValue::NotSet;
        row.last_synced_at = ActiveValue::NotSet;
    }
}

fn read(row: connection::Model) -> Result<Connection> {
    Ok(Connection {
        id: row.id.into(),
        integration: row.integration,
        name: row.name,
        state: known(ConnectionState::parse(&row.state), "connection.state")?,
        state_reason: row.state_reason,
        account: row.account,
        credentials_version: row.credentials_version,
        cadence_minutes: row.cadence_minutes,
        next_sync_at: row.next_sync_at,
        last_synced_at: row.last_synced_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(tx: &Tx, connection: &Connection) -> connection::Model {
    connection::Model {
        organisation_id: tx.organisation().0,
        id: connection.id.0,
        integration: connection.integration.clone(),
        name: connection.name.clone(),
        state: connection.state.as_str().to_owned(),
        state_reason: connection.state_reason.clone(),
        account: connection.account.clone(),
        credentials: None,
        webhook_secret: None,
        credentials_version: connection.credentials_version,
        cadence_minutes: connection.cadence_minutes,
        next_sync_at: connection.next_sync_at,
        last_synced_at: connection.last_synced_at,
        created_at: connection.created_at,
        updated_at: connection.updated_at,
        version: connection.version,
    }
}

fn credentials_place(tx: &Tx, id: ConnectionId) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "connection", row: id.0, column: "credentials" }
}

impl Tx {
    /// A connection. In a transaction that writes, its row is locked.
    pub async fn connection(&self, id: ConnectionId) -> Result<Connection> {
        let mut select = self.find::<connection::Entity>().filter(connection::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.ok_or(Error::NotFound { what: "connection" }).and_then(read)
    }

    /// All connections by integration and name.
    pub async fn connections(&self) -> Result<Vec<Connection>> {
        let rows = self
            .find::<connection::Entity>()
            .order_by_asc(connection::Column::Integration)
            .order_by_asc(connection::Column::Name)
            .order_by_asc(connection::Column::Id)
            .all(self.db())
            .await
            .or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// Makes a connection, without credentials.
    pub async fn connection_insert(&self, connection: &Connection) -> Result<()> {
        self.insert_row::<connection::Entity>(write(self, connection)).await
    }

    /// Changes a connection that was read before.
    pub async fn connection_update(&self, before: &Connection, mut after: Connection) -> Result<Connection> {
        after.version = before.version + 1;
        after.updated_at = self.now();
        if self.update_row::<connection::Entity>(&write(self, before), write(self, &after)).await? {
            Ok(after)
        } else {
            Ok(before.clone())
        }
    }

    /// Removes a connection with everything its vendor told us. Refused while entities are mapped.
    pub async fn connection_delete(&self, connection: &Connection) -> Result<()> {
        self.records_forget(connection.id).await?;
        // Tickets at a PSA that is no more are ours alone from now on.
        let sendings = ticket_sending::Column::ConnectionId.eq(connection.id.0);
        self.delete_many::<ticket_sending::Entity>().filter(sendings).exec(self.db()).await.or_domain()?;
        let links = ticket_link::Column::ConnectionId.eq(connection.id.0);
        self.delete_many::<ticket_link::Entity>().filter(links).exec(self.db()).await.or_domain()?;
        self.delete_row::<connection::Entity>(&write(self, connection)).await
    }

    /// Seals credentials into a connection. The caller raises `credentials_version`, so that the
    /// journal shows that they changed.
    pub async fn connection_seal(&self, id: ConnectionId, credentials: &Value) -> Result<()> {
        let plain = serde_json::to_vec(credentials).map_err(Error::internal)?;
        let store = self.store();
        let sealed = store.keys().seal(&credentials_place(self, id), &plain, store.chance().as_ref())?;
        let row =
            connection::ActiveModel { credentials: ActiveValue::Set(Some(sealed)), ..ActiveModelTrait::default() };
        self.update_row_where::<connection::Entity>(row, Condition::all().add(connection::Column::Id.eq(id.0))).await?;
        Ok(())
    }

    /// Opens a connection's credentials: for the connector, nothing else.
    pub async fn connection_credentials(&self, id: ConnectionId) -> Result<Value> {
        let row = self
            .find::<connection::Entity>()
            .filter(connection::Column::Id.eq(id.0))
            .one(self.db())
            .await
            .or_domain()?
            .ok_or(Error::NotFound { what: "connection" })?;
        let sealed = row
            .credentials
            .ok_or_else(|| Error::conflict("no_credentials", "The connection has no credentials: reconnect it."))?;
        let plain = self.store().keys().open(&credentials_place(self, id), &sealed)?;
        serde_json::from_slice(&plain).map_err(Error::internal)
    }

    /// Seals anew what was sealed by an old key; returns how many connections that were.
    pub async fn connections_reseal(&self) -> Result<usize> {
        let rows = self.find::<connection::Entity>().all(self.db()).await.or_domain()?;
        let mut resealed = 0;
        for row in rows {
            if row.credentials.as_ref().is_some_and(|sealed| !self.store().keys().is_current(sealed)) {
                let id = ConnectionId(row.id);
                let plain = self.connection_credentials(id).await?;
                self.connection_seal(id, &plain).await?;
                resealed += 1;
            }
            if row.webhook_secret.as_ref().is_some_and(|sealed| !self.store().keys().is_current(sealed)) {
                let id = ConnectionId(row.id);
                let secret = self.webhook_secret(id).await?;
                self.webhook_write(id, secret.as_deref()).await?;
            }
        }
        Ok(resealed)
    }

    /// Sets when the schedule syncs a connection next, and when it last ended well. Not journalled.
    pub async fn connection_schedule(
        &self,
        id: ConnectionId,
        next: Option<Timestamp>,
        synced: Option<Timestamp>,
    ) -> Result<()> {
        let row = connection::ActiveModel {
            next_sync_at: ActiveValue::Set(next),
            last_synced_at: synced.map_or(ActiveValue::NotSet, |at| ActiveValue::Set(Some(at))),
            ..ActiveModelTrait::default()
        };
        self.update_row_where::<connection::Entity>(row, Condition::all().add(connection::Column::Id.eq(id.0))).await?;
        Ok(())
    }

    /// Working connections whose time has come.
    pub async fn connections_due(&self) -> Result<Vec<Connection>> {
        let working = [ConnectionState::Connected.as_str(), ConnectionState::Degraded.as_str()];
        let rows = self
            .find::<connection::Entity>()
            .filter(connection::Column::State.is_in(working))
            .filter(connection::Column::NextSyncAt.lte(self.now()))
            .limit(1_000)
            .all(self.db())
            .await
            .or_domain()?;
        rows.into_iter().map(read).collect()
    }
}
