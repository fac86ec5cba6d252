//! What people decided about observations: they are one machine, or they are not.

use std::collections::BTreeSet;

use domain::{ClientId, EntityId, RecordId, Result, device::DeviceRuling};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    device_stale::DEVICE,
    entity::{device_ruling as table, record, vendor_entity},
    error::OrDomain,
    journalled::Journalled,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "device_ruling";
    const WHAT: &'static str = "device ruling";

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
        serde_json::to_value(read(row.clone())).map_err(domain::Error::internal)
    }
}

fn read(row: table::Model) -> DeviceRuling {
    DeviceRuling {
        id: row.id.into(),
        client_id: ClientId(row.client_id),
        record_a: row.record_a.into(),
        record_b: row.record_b.into(),
        one: row.one,
        created_at: row.created_at,
        created_by: row.created_by.map(Into::into),
    }
}

fn write(tx: &Tx, ruling: &DeviceRuling) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: ruling.id.0,
        client_id: ruling.client_id.0,
        record_a: ruling.record_a.0,
        record_b: ruling.record_b.0,
        one: ruling.one,
        created_at: ruling.created_at,
        created_by: ruling.created_by.map(|staff| staff.0),
    }
}

impl Tx {
    /// Rulings about observations that are these clients' now, whosever they were when it was decided.
    pub(crate) async fn device_rulings_of(&self, clients: &BTreeSet<ClientId>) -> Result<Vec<DeviceRuling>> {
        let entities = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .column(vendor_entity::Column::Id)
            .filter(vendor_entity::Column::ClientId.is_in(clients.iter().map(|client| client.0)));
        let records = self
            .find::<record::Entity>()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::EntityId.in_subquery(entities.into_query()))
            .filter(record::Column::Kind.eq(DEVICE))
            .filter(record::Column::RemovedAt.is_null());
        let select = self.find::<table::Entity>().filter(table::Column::RecordA.in_subquery(records.into_query()));
        let rows = select.order_by_asc(table::Column::Id).all(self.db()).await.or_domain()?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// What was decided about pairs of these observations.
    pub async fn device_rulings_between(&self, records: &[RecordId]) -> Result<Vec<DeviceRuling>> {
        let among = || records.iter().map(|record| record.0);
        let pairs =
            Condition::all().add(table::Column::RecordA.is_in(among())).add(table::Column::RecordB.is_in(among()));
        let mut select = self.find::<table::Entity>().filter(pairs);
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(table::Column::Id).all(self.db()).await.or_domain()?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// Keeps a ruling; a person's own, and in the journal.
    pub async fn device_ruling_insert(&self, ruling: &DeviceRuling) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, ruling)).await
    }

    /// Decides a pair otherwise.
    pub async fn device_ruling_update(&self, before: &DeviceRuling, after: &DeviceRuling) -> Result<()> {
        self.update_row::<table::Entity>(&write(self, before), write(self, after)).await.map(drop)
    }

    /// Joins a client's devices anew, after something was decided about them.
    pub async fn devices_rejoin(&self, client: ClientId) -> Result<()> {
        self.devices_refresh(&[client]).await
    }
}

impl Tx {
    /// The entities that these records are under.
    pub(crate) async fn entities_of_records(&self, records: &[RecordId]) -> Result<Vec<EntityId>> {
        let mut found = Vec::new();
        for chunk in records.chunks(500) {
            let under: Vec<Uuid> = self
                .find::<record::Entity>()
                .select_only()
                .column(record::Column::EntityId)
                .filter(record::Column::Id.is_in(chunk.iter().map(|record| record.0)))
                .distinct()
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            found.extend(under.into_iter().map(EntityId));
        }
        Ok(found)
    }
}
