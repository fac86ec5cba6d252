//! Connections shared with clients.

use domain::{ClientId, ConnectionId, ConnectionShare, Error, Result};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use crate::{Tx, entity::connection_share as table, error::OrDomain, journalled::Journalled};

impl Journalled for table::Entity {
    const KIND: &'static str = "connection_share";
    const WHAT: &'static str = "share";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        None
    }
    fn version(_: &table::Model) -> i32 {
        1
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        Some(ClientId(row.client_id))
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> ConnectionShare {
    ConnectionShare {
        id: row.id.into(),
        connection_id: row.connection_id.into(),
        client_id: ClientId(row.client_id),
        created_at: row.created_at,
        created_by: row.created_by.map(Into::into),
    }
}

fn write(tx: &Tx, share: &ConnectionShare) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: share.id.0,
        connection_id: share.connection_id.0,
        client_id: share.client_id.0,
        created_at: share.created_at,
        created_by: share.created_by.map(|staff| staff.0),
    }
}

impl Tx {
    /// With whom a connection is shared, the first first.
    pub async fn shares_of_connection(&self, connection: ConnectionId) -> Result<Vec<ConnectionShare>> {
        let select = self.find::<table::Entity>().filter(table::Column::ConnectionId.eq(connection.0));
        let rows = select.order_by_asc(table::Column::CreatedAt).order_by_asc(table::Column::Id);
        Ok(rows.all(self.db()).await.or_domain()?.into_iter().map(read).collect())
    }

    /// What is shared with a client, the first first.
    pub async fn shares_of_client(&self, client: ClientId) -> Result<Vec<ConnectionShare>> {
        let select = self.find::<table::Entity>().filter(table::Column::ClientId.eq(client.0));
        let rows = select.order_by_asc(table::Column::CreatedAt).order_by_asc(table::Column::Id);
        Ok(rows.all(self.db()).await.or_domain()?.into_iter().map(read).collect())
    }

    /// Shares a connection with a client. The caller has locked both.
    pub async fn share_insert(&self, connection: ConnectionId, client: ClientId) -> Result<ConnectionShare> {
        let row = table::Model {
            organisation_id: self.organisation().0,
            id: self.new_id(),
            connection_id: connection.0,
            client_id: client.0,
            created_at: self.now(),
            created_by: self.context().actor.staff().map(|staff| staff.0),
        };
        self.insert_row::<table::Entity>(row.clone()).await?;
        Ok(read(row))
    }

    /// Ends a share.
    pub async fn share_delete(&self, share: &ConnectionShare) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, share)).await
    }

    /// Moves a share from one client to another, who must not have it yet.
    pub async fn share_move(&self, before: &ConnectionShare, client: ClientId) -> Result<()> {
        let after = ConnectionShare { client_id: client, ..before.clone() };
        self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await.map(drop)
    }

    /// A share by its id.
    pub(crate) async fn share(&self, id: Uuid) -> Result<Option<ConnectionShare>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        Ok(select.one(self.db()).await.or_domain()?.map(read))
    }

    /// Puts a share back as it was.
    pub(crate) async fn share_put_back(&self, share: &ConnectionShare) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, share)).await
    }
}
