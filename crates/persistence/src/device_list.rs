//! Reading devices, with the observations that each is made of.

use std::collections::HashMap;

use domain::{
    ClientId, DeviceId, Error, Listed, PageRequest, Record, RecordId, Result, Timestamp,
    device::{Device, DeviceLock, Evidence},
    name_key,
};
use sea_orm::{
    ColumnTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    KnownValue, Tx,
    client_list::literal,
    entity::{device as table, device_observation, record},
    error::OrDomain,
};

/// An observation in its device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceSource {
    /// What the vendor says.
    pub record: Record,
    /// Why it belongs to the others; empty where it stands alone.
    pub evidence: Vec<Evidence>,
    /// How sure that is, 0 to 1; `None` where it stands alone.
    pub confidence: Option<f64>,
    /// What the vendor said once of fields that are blank now.
    pub known: Vec<KnownValue>,
}

/// A device with its observations.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedDevice {
    /// The device.
    pub device: Device,
    /// What it is made of, by record id.
    pub sources: Vec<DeviceSource>,
    /// What people fixed of it.
    pub locks: Vec<DeviceLock>,
}

/// A record without the vendor's own text, which nobody reads here: id, connection, entity, kind, vendor's id, title,
/// body, first seen, changed, removed.
type Said = (Uuid, Uuid, Uuid, String, String, String, String, Timestamp, Timestamp, Option<Timestamp>);

fn said(row: Said) -> Record {
    Record {
        id: row.0.into(),
        connection_id: row.1.into(),
        entity_id: row.2.into(),
        kind: row.3,
        vendor_id: row.4,
        title: row.5,
        body: row.6,
        first_seen_at: row.7,
        changed_at: row.8,
        removed_at: row.9,
    }
}

fn read(row: table::Model) -> Device {
    Device { id: row.id.into(), client_id: ClientId(row.client_id), name: row.name, created_at: row.created_at }
}

impl Tx {
    /// A page of a client's devices by name.
    pub async fn client_devices(
        &self,
        client: ClientId,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Listed<ListedDevice>> {
        let select = self.find::<table::Entity>().filter(table::Column::ClientId.eq(client.0));
        self.device_page(select, search, page).await
    }

    /// A page of a selection of devices by name.
    pub(crate) async fn device_page(
        &self,
        mut select: Select<table::Entity>,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Listed<ListedDevice>> {
        if let Some(search) = search.map(name_key).filter(|text| !text.is_empty()) {
            select = select.filter(Expr::col(table::Column::NameKey).like(literal(&search)));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, id)) = &page.after {
            let place = Expr::tuple([Expr::col(table::Column::NameKey), Expr::col(table::Column::Id)]);
            select = select.filter(place.gt(Expr::tuple([Expr::val(key.as_str()), Expr::val(*id)])));
        }
        let mut rows = select
            .order_by_asc(table::Column::NameKey)
            .order_by_asc(table::Column::Id)
            .limit(page.limit + 1)
            .all(self.db())
            .await
            .or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (last.name_key.clone(), last.id))).flatten();
        let items = self.with_sources(rows).await?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// One of a client's devices. In a transaction that writes, its client's row must be locked before.
    pub async fn client_device(&self, client: ClientId, id: DeviceId) -> Result<ListedDevice> {
        let select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        self.one_device(select.filter(table::Column::ClientId.eq(client.0))).await
    }

    /// The one device of a selection.
    pub(crate) async fn one_device(&self, select: Select<table::Entity>) -> Result<ListedDevice> {
        let row = select.one(self.db()).await.or_domain()?;
        let found = self.with_sources(row.into_iter().collect()).await?.pop();
        found.ok_or(Error::NotFound { what: "device" })
    }

    /// The device of a client that has this observation.
    pub async fn client_device_of(&self, client: ClientId, observation: RecordId) -> Result<ListedDevice> {
        let of = self
            .find::<device_observation::Entity>()
            .select_only()
            .column(device_observation::Column::DeviceId)
            .filter(device_observation::Column::RecordId.eq(observation.0));
        let select = self.find::<table::Entity>().filter(table::Column::Id.in_subquery(of.into_query()));
        let row = select.filter(table::Column::ClientId.eq(client.0)).one(self.db()).await.or_domain()?;
        let found = self.with_sources(row.into_iter().collect()).await?.pop();
        found.ok_or(Error::NotFound { what: "device" })
    }

    /// Devices of which several observations tell, in order of their ids, at most `limit` after `after`: only of these
    /// anything else is shown when integrations are believed otherwise.
    pub async fn devices_of_several(&self, after: Option<DeviceId>, limit: u64) -> Result<Vec<ListedDevice>> {
        let several = self
            .find::<device_observation::Entity>()
            .select_only()
            .column(device_observation::Column::DeviceId)
            .group_by(device_observation::Column::DeviceId)
            .having(device_observation::Column::RecordId.count().gt(1));
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.in_subquery(several.into_query()));
        if let Some(after) = after {
            select = select.filter(table::Column::Id.gt(after.0));
        }
        let rows = select.order_by_asc(table::Column::Id).limit(limit).all(self.db()).await.or_domain()?;
        self.with_sources(rows).await
    }

    async fn with_sources(&self, rows: Vec<table::Model>) -> Result<Vec<ListedDevice>> {
        let joined = self
            .find::<device_observation::Entity>()
            .filter(device_observation::Column::DeviceId.is_in(rows.iter().map(|row| row.id)))
            .order_by_asc(device_observation::Column::RecordId)
            .all(self.db())
            .await
            .or_domain()?;
        let ids: Vec<Uuid> = joined.iter().map(|row| row.record_id).collect();
        let mut records = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let found: Vec<Said> = self
                .find::<record::Entity>()
                .select_only()
                .columns([
                    record::Column::Id,
                    record::Column::ConnectionId,
                    record::Column::EntityId,
                    record::Column::Kind,
                    record::Column::VendorId,
                    record::Column::Title,
                    record::Column::Body,
                    record::Column::FirstSeenAt,
                    record::Column::ChangedAt,
                    record::Column::RemovedAt,
                ])
                .filter(record::Column::Id.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            records.extend(found.into_iter().map(|row| (row.0, said(row))));
        }
        let mut known = self.device_known_of(&ids).await?;
        let locks = self.device_locks(&rows.iter().map(|row| DeviceId(row.id)).collect::<Vec<_>>()).await?;
        let mut devices: Vec<ListedDevice> = rows
            .into_iter()
            .map(|row| ListedDevice { device: read(row), sources: Vec::new(), locks: Vec::new() })
            .collect();
        let at: HashMap<DeviceId, usize> = devices.iter().enumerate().map(|(at, one)| (one.device.id, at)).collect();
        for row in joined {
            let (Some(at), Some(record)) = (at.get(&DeviceId(row.device_id)), records.remove(&row.record_id)) else {
                continue;
            };
            let evidence = serde_json::from_str(&row.evidence).map_err(Error::internal)?;
            let known = known.remove(&record.id).unwrap_or_default();
            devices[*at].sources.push(DeviceSource { record, evidence, confidence: row.confidence, known });
        }
        for lock in locks {
            if let Some(at) = at.get(&lock.device_id) {
                devices[*at].locks.push(lock);
            }
        }
        Ok(devices)
    }
}
