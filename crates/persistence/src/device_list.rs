//! Reading devices, with the observations that each is made of.

use std::collections::HashMap;

use domain::{
    ClientId, DeviceId, Error, Listed, PageRequest, Record, RecordId, Result,
    device::{Device, Evidence},
    name_key,
};
use sea_orm::{
    ColumnTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, sea_query::Expr,
};

use crate::{
    Tx,
    client_list::literal,
    entity::{device as table, device_observation, record},
    error::OrDomain,
    records,
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
}

/// A device with its observations.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedDevice {
    /// The device.
    pub device: Device,
    /// What it is made of, by record id.
    pub sources: Vec<DeviceSource>,
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

    async fn with_sources(&self, rows: Vec<table::Model>) -> Result<Vec<ListedDevice>> {
        let joined = self
            .find::<device_observation::Entity>()
            .filter(device_observation::Column::DeviceId.is_in(rows.iter().map(|row| row.id)))
            .order_by_asc(device_observation::Column::RecordId)
            .all(self.db())
            .await
            .or_domain()?;
        let ids: Vec<uuid::Uuid> = joined.iter().map(|row| row.record_id).collect();
        let mut said = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let found = self.find::<record::Entity>().filter(record::Column::Id.is_in(chunk.iter().copied()));
            said.extend(found.all(self.db()).await.or_domain()?.into_iter().map(|row| (row.id, records::read(row))));
        }
        let mut devices: Vec<ListedDevice> =
            rows.into_iter().map(|row| ListedDevice { device: read(row), sources: Vec::new() }).collect();
        let at: HashMap<DeviceId, usize> = devices.iter().enumerate().map(|(at, one)| (one.device.id, at)).collect();
        for row in joined {
            let (Some(at), Some(record)) = (at.get(&DeviceId(row.device_id)), said.remove(&row.record_id)) else {
                continue;
            };
            let evidence = serde_json::from_str(&row.evidence).map_err(Error::internal)?;
            devices[*at].sources.push(DeviceSource { record, evidence, confidence: row.confidence });
        }
        Ok(devices)
    }
}
