//! Which observations of machines changed since devices were joined: noted with the change itself, so that a sync
//! that dies in between loses nothing, and one that changed nothing joins nothing.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ClientId, ConnectionId, EntityId, Result};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::{
    Tx,
    entity::{device, device_observation, device_stale as table, record, vendor_entity},
    error::OrDomain,
};

/// Kind of the records that are observations of machines.
pub(crate) const DEVICE: &str = "device";

/// Entities that are settled at once: their clients' observations are held in memory together.
const AT_ONCE: u64 = 50;

impl Tx {
    /// Notes that observations under these entities changed.
    pub(crate) async fn devices_touch(&self, under: BTreeSet<(ConnectionId, EntityId)>) -> Result<()> {
        let mut by_connection: BTreeMap<ConnectionId, BTreeSet<Uuid>> = BTreeMap::new();
        for (connection, entity) in under {
            by_connection.entry(connection).or_default().insert(entity.0);
        }
        for (connection, mut entities) in by_connection {
            let known: Vec<Uuid> = self
                .find::<table::Entity>()
                .select_only()
                .column(table::Column::EntityId)
                .filter(table::Column::ConnectionId.eq(connection.0))
                .filter(table::Column::EntityId.is_in(entities.iter().copied()))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            entities.retain(|entity| !known.contains(entity));
            let row = |entity_id| table::Model {
                organisation_id: self.organisation().0,
                connection_id: connection.0,
                entity_id,
            };
            let rows = entities.into_iter().map(row).collect();
            // Two who note the same at once mean the same.
            use table::Column as C;
            let key = [C::OrganisationId, C::ConnectionId, C::EntityId];
            self.insert_many::<table::Entity>(rows, &key, &[C::EntityId]).await?;
        }
        Ok(())
    }

    /// Notes the observations among these listed records.
    pub(crate) async fn devices_touch_where(&self, which: Condition) -> Result<()> {
        let under: Vec<(Uuid, Uuid)> = self
            .find::<record::Entity>()
            .select_only()
            .columns([record::Column::ConnectionId, record::Column::EntityId])
            .filter(which)
            .filter(record::Column::Kind.eq(DEVICE))
            .filter(record::Column::RemovedAt.is_null())
            .distinct()
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        self.devices_touch(under.into_iter().map(|(at, entity)| (at.into(), entity.into())).collect()).await
    }

    /// Joins anew the devices of some of the clients whose observations of this connection changed. Returns whether
    /// there may be more.
    pub async fn devices_settle(&self, connection: ConnectionId) -> Result<bool> {
        let entities: Vec<Uuid> = self
            .find::<table::Entity>()
            .select_only()
            .column(table::Column::EntityId)
            .filter(table::Column::ConnectionId.eq(connection.0))
            .order_by_asc(table::Column::EntityId)
            .limit(AT_ONCE)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        if entities.is_empty() {
            return Ok(false);
        }
        let owners: Vec<Option<Uuid>> = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .column(vendor_entity::Column::ClientId)
            .filter(vendor_entity::Column::Id.is_in(entities.iter().copied()))
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        let mut clients: BTreeSet<ClientId> = owners.into_iter().flatten().map(ClientId).collect();
        clients.extend(self.clients_left(&entities).await?);
        self.devices_refresh(&Vec::from_iter(clients)).await?;
        let settled = self
            .delete_many::<table::Entity>()
            .filter(table::Column::ConnectionId.eq(connection.0))
            .filter(table::Column::EntityId.is_in(entities.iter().copied()));
        settled.exec(self.db()).await.or_domain()?;
        Ok(entities.len() as u64 == AT_ONCE)
    }

    /// Clients whose devices have observations that are under these entities now: some moved there from others.
    async fn clients_left(&self, entities: &[Uuid]) -> Result<Vec<ClientId>> {
        let under = self
            .find::<record::Entity>()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::EntityId.is_in(entities.iter().copied()))
            .filter(record::Column::Kind.eq(DEVICE))
            .filter(record::Column::RemovedAt.is_null());
        let of = self
            .find::<device_observation::Entity>()
            .select_only()
            .column(device_observation::Column::DeviceId)
            .filter(device_observation::Column::RecordId.in_subquery(under.into_query()));
        let clients: Vec<Uuid> = self
            .find::<device::Entity>()
            .select_only()
            .column(device::Column::ClientId)
            .filter(device::Column::Id.in_subquery(of.into_query()))
            .distinct()
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(clients.into_iter().map(ClientId).collect())
    }
}
