//! What bulk operations read of many clients at once.

use std::collections::HashMap;

use domain::{Client, ClientId, ConnectionId, EntityId, Result};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    ClientFilter, Tx, clients,
    entity::{client, portal_config, portal_user, vendor_entity},
    error::OrDomain,
};

/// Clients that one statement names.
const NAMED: usize = 500;

/// An entity of a client, as far as a bulk operation asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedEntity {
    /// Entity.
    pub id: EntityId,
    /// The connection that lists it.
    pub connection_id: ConnectionId,
    /// Kind of entity.
    pub kind: String,
    /// Name at the vendor.
    pub name: String,
}

/// How ClientOne stands for a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortalStanding {
    /// Whether it is enabled.
    pub enabled: bool,
    /// Accounts of its people, invited and shut out ones included.
    pub accounts: i64,
}

impl Tx {
    /// Clients that a filter leaves, in order of their ids, after this one; at most `limit`.
    pub async fn clients_matching(
        &self,
        filter: &ClientFilter,
        after: Option<ClientId>,
        limit: u64,
    ) -> Result<Vec<Client>> {
        let mut select = self.client_select(filter);
        if let Some(after) = after {
            select = select.filter(client::Column::Id.gt(after.0));
        }
        let rows = select.order_by_asc(client::Column::Id).limit(limit).all(self.db()).await.or_domain()?;
        rows.into_iter().map(clients::read).collect()
    }

    /// The entities of these clients, by client, in order of their ids; of one connection or of all.
    pub async fn entities_mapped_to(
        &self,
        clients: &[ClientId],
        connection: Option<ConnectionId>,
    ) -> Result<HashMap<ClientId, Vec<MappedEntity>>> {
        use vendor_entity::Column as C;
        let mut mapped: HashMap<ClientId, Vec<MappedEntity>> = HashMap::new();
        for chunk in clients.chunks(NAMED) {
            let mut select = self
                .find::<vendor_entity::Entity>()
                .select_only()
                .columns([C::ClientId, C::Id, C::ConnectionId, C::Kind, C::Name])
                .filter(C::ClientId.is_in(chunk.iter().map(|client| client.0)));
            if let Some(connection) = connection {
                select = select.filter(C::ConnectionId.eq(connection.0));
            }
            let rows: Vec<(Uuid, Uuid, Uuid, String, String)> =
                select.order_by_asc(C::Id).into_tuple().all(self.db()).await.or_domain()?;
            for (client, id, connection_id, kind, name) in rows {
                let entity = MappedEntity { id: id.into(), connection_id: connection_id.into(), kind, name };
                mapped.entry(ClientId(client)).or_default().push(entity);
            }
        }
        Ok(mapped)
    }

    /// How ClientOne stands for these clients; those of which nothing was ever set and nobody has an account are left
    /// out.
    pub async fn portals_standing(&self, clients: &[ClientId]) -> Result<HashMap<ClientId, PortalStanding>> {
        let mut standing: HashMap<ClientId, PortalStanding> = HashMap::new();
        for chunk in clients.chunks(NAMED) {
            let ids = || chunk.iter().map(|client| client.0);
            let enabled: Vec<Uuid> = self
                .find::<portal_config::Entity>()
                .select_only()
                .column(portal_config::Column::ClientId)
                .filter(portal_config::Column::ClientId.is_in(ids()))
                .filter(portal_config::Column::Enabled.eq(true))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            for client in enabled {
                standing.entry(ClientId(client)).or_default().enabled = true;
            }
            let counted: Vec<(Uuid, i64)> = self
                .find::<portal_user::Entity>()
                .select_only()
                .column(portal_user::Column::ClientId)
                .column_as(portal_user::Column::Id.count(), "accounts")
                .filter(portal_user::Column::ClientId.is_in(ids()))
                .group_by(portal_user::Column::ClientId)
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            for (client, accounts) in counted {
                standing.entry(ClientId(client)).or_default().accounts = accounts;
            }
        }
        Ok(standing)
    }
}
