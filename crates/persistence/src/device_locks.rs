//! What people fixed of devices: it outlives what vendors say, and finds its device again after devices were joined or
//! split.

use std::collections::BTreeSet;

use domain::{
    ClientId, ConnectionId, DeviceId, Error, RecordId, Result,
    device::{DeviceField, DeviceLock, LockTo, Standing, follow},
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::device_lock as table,
    error::{OrDomain, known},
    journalled::Journalled,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "device_lock";
    const WHAT: &'static str = "device lock";

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
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> Result<DeviceLock> {
    let to = match (row.value, row.connection_id) {
        (Some(value), None) => LockTo::Value(value),
        (None, Some(connection)) => LockTo::Connection(ConnectionId(connection)),
        _ => return Err(Error::internal("a device lock is to nothing, or to two things")),
    };
    let records: BTreeSet<RecordId> = serde_json::from_str(&row.records).map_err(Error::internal)?;
    Ok(DeviceLock {
        id: row.id.into(),
        client_id: ClientId(row.client_id),
        device_id: row.device_id.into(),
        field: known(DeviceField::parse(&row.field), "device_lock.field")?,
        to,
        reason: row.reason,
        created_at: row.created_at,
        created_by: row.created_by.map(Into::into),
        records,
    })
}

fn records_text(lock: &DeviceLock) -> Result<String> {
    serde_json::to_string(&lock.records).map_err(Error::internal)
}

fn write(tx: &Tx, lock: &DeviceLock) -> Result<table::Model> {
    let (value, connection_id) = match &lock.to {
        LockTo::Value(value) => (Some(value.clone()), None),
        LockTo::Connection(connection) => (None, Some(connection.0)),
    };
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: lock.id.0,
        client_id: lock.client_id.0,
        device_id: lock.device_id.0,
        field: lock.field.as_str().to_owned(),
        value,
        connection_id,
        reason: lock.reason.clone(),
        records: records_text(lock)?,
        created_at: lock.created_at,
        created_by: lock.created_by.map(|staff| staff.0),
    })
}

impl Tx {
    /// What is fixed of these devices. Those locks that came with devices joined to them are among it.
    pub async fn device_locks(&self, devices: &[DeviceId]) -> Result<Vec<DeviceLock>> {
        let mut found = Vec::new();
        for chunk in devices.chunks(500) {
            let own = table::Column::DeviceId.is_in(chunk.iter().map(|device| device.0));
            let mut select = self.find::<table::Entity>().filter(own).order_by_asc(table::Column::Id);
            if self.require_writable().is_ok() {
                select = select.lock_exclusive();
            }
            for row in select.all(self.db()).await.or_domain()? {
                found.push(read(row)?);
            }
        }
        Ok(found)
    }

    /// What is fixed of the devices of these clients, those included that are gone and may come back.
    pub(crate) async fn device_locks_of(&self, clients: &BTreeSet<ClientId>) -> Result<Vec<DeviceLock>> {
        let clients: Vec<Uuid> = clients.iter().map(|client| client.0).collect();
        let mut found = Vec::new();
        for chunk in clients.chunks(500) {
            let own = table::Column::ClientId.is_in(chunk.iter().copied());
            let select = self.find::<table::Entity>().filter(own).order_by_asc(table::Column::Id);
            for row in select.all(self.db()).await.or_domain()? {
                found.push(read(row)?);
            }
        }
        Ok(found)
    }

    /// Lets locks follow their devices after these were joined anew, and returns them as they are then. What a person
    /// decided does not change by it, so there is nothing for the journal.
    pub(crate) async fn device_locks_follow(
        &self,
        locks: Vec<DeviceLock>,
        devices: &[Standing],
    ) -> Result<Vec<DeviceLock>> {
        if locks.is_empty() {
            return Ok(locks);
        }
        let places = follow(&locks, devices);
        let mut after = Vec::with_capacity(locks.len());
        for (lock, place) in locks.into_iter().zip(places) {
            let Some(device) = place.and_then(|place| devices.get(place)) else {
                after.push(lock);
                continue;
            };
            let mut moved = DeviceLock { device_id: device.id, client_id: device.client_id, ..lock.clone() };
            if !device.records.iter().any(|record| lock.records.contains(record)) {
                // None of those it was decided for is left: from now on it is known by these too.
                moved.records.extend(device.records.iter().copied());
            }
            if moved != lock {
                let update = self
                    .update_many::<table::Entity>()
                    .col_expr(table::Column::DeviceId, Expr::val(moved.device_id.0))
                    .col_expr(table::Column::ClientId, Expr::val(moved.client_id.0))
                    .col_expr(table::Column::Records, Expr::val(records_text(&moved)?))
                    .filter(table::Column::Id.eq(lock.id.0));
                update.exec(self.db()).await.or_domain()?;
            }
            after.push(moved);
        }
        Ok(after)
    }

    /// Keeps a lock; a person's own, and in the journal.
    pub async fn device_lock_insert(&self, lock: &DeviceLock) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, lock)?).await
    }

    /// Fixes it to something else.
    pub async fn device_lock_update(&self, before: &DeviceLock, after: &DeviceLock) -> Result<()> {
        self.update_row::<table::Entity>(&write(self, before)?, write(self, after)?).await.map(drop)
    }

    /// Takes a lock away.
    pub async fn device_lock_delete(&self, lock: &DeviceLock) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, lock)?).await
    }

    /// A lock, wherever its device is.
    pub(crate) async fn device_lock_by_id(&self, id: Uuid) -> Result<Option<DeviceLock>> {
        let select = self.find::<table::Entity>().filter(table::Column::Id.eq(id));
        select.lock_exclusive().one(self.db()).await.or_domain()?.map(read).transpose()
    }
}
