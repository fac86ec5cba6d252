//! Devices that are assigned to portal users. An assignment shows nothing while its device is gone or belongs to another
//! client, and stays until the devices are assigned anew.

use std::collections::BTreeSet;

use domain::{ClientId, DeviceId, Listed, PageRequest, PortalDeviceId, PortalUserId, Result};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait, Select};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    ListedDevice, PortalUserRow, Tx,
    entity::{device, portal_device as table},
    error::OrDomain,
    journalled::Journalled,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "portal_device";
    const WHAT: &'static str = "assigned device";

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
        Ok(json!({
            "id": row.id, "client_id": row.client_id, "portal_user_id": row.portal_user_id,
            "device_id": row.device_id,
        }))
    }
}

impl Tx {
    /// The devices assigned to a portal user that are of its client.
    pub async fn portal_devices(&self, user: &PortalUserRow) -> Result<BTreeSet<DeviceId>> {
        let ids: Vec<Uuid> = self
            .assigned_to(user.client_id, user.id)
            .select_only()
            .column(device::Column::Id)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(ids.into_iter().map(DeviceId).collect())
    }

    /// Those of these devices that are the client's.
    pub async fn client_devices_among(
        &self,
        client: ClientId,
        devices: &BTreeSet<DeviceId>,
    ) -> Result<BTreeSet<DeviceId>> {
        let (mut found, all) = (BTreeSet::new(), Vec::from_iter(devices.iter().map(|device| device.0)));
        for chunk in all.chunks(500) {
            let select = self.devices_of(client, None).filter(device::Column::Id.is_in(chunk.iter().copied()));
            let ids: Vec<Uuid> =
                select.select_only().column(device::Column::Id).into_tuple().all(self.db()).await.or_domain()?;
            found.extend(ids.into_iter().map(DeviceId));
        }
        Ok(found)
    }

    /// Assigns these devices to a portal user, and no others. Whether they are of its client is for the caller to know.
    pub async fn portal_devices_set(&self, user: &PortalUserRow, devices: &BTreeSet<DeviceId>) -> Result<()> {
        let own = table::Column::PortalUserId.eq(user.id.0);
        let rows = self.find::<table::Entity>().filter(own).all(self.db()).await.or_domain()?;
        let mut known: BTreeSet<DeviceId> = BTreeSet::new();
        for row in rows {
            if devices.contains(&DeviceId(row.device_id)) {
                known.insert(DeviceId(row.device_id));
            } else {
                self.delete_row::<table::Entity>(&row).await?;
            }
        }
        let made = devices.difference(&known).map(|device| table::Model {
            organisation_id: self.organisation().0,
            id: self.new_id::<PortalDeviceId>().0,
            portal_user_id: user.id.0,
            client_id: user.client_id.0,
            device_id: device.0,
            created_at: self.now(),
        });
        self.insert_rows::<table::Entity>(made.collect()).await
    }

    /// How many devices are assigned to a portal user, those that are gone included.
    pub async fn portal_devices_assigned(&self, user: PortalUserId) -> Result<u64> {
        let own = table::Column::PortalUserId.eq(user.0);
        self.find::<table::Entity>().filter(own).count(self.db()).await.or_domain()
    }

    /// How many devices a client has; with `assigned_to`, of those assigned to this user.
    pub async fn client_device_count(&self, client: ClientId, assigned_to: Option<PortalUserId>) -> Result<u64> {
        self.devices_of(client, assigned_to).count(self.db()).await.or_domain()
    }

    /// A page of a client's devices by name; with `assigned_to`, of those assigned to this user.
    pub async fn client_devices_for(
        &self,
        client: ClientId,
        assigned_to: Option<PortalUserId>,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Listed<ListedDevice>> {
        self.device_page(self.devices_of(client, assigned_to), search, page).await
    }

    /// One of a client's devices; with `assigned_to`, if it is assigned to this user.
    pub async fn client_device_for(
        &self,
        client: ClientId,
        assigned_to: Option<PortalUserId>,
        id: DeviceId,
    ) -> Result<ListedDevice> {
        self.one_device(self.devices_of(client, assigned_to).filter(device::Column::Id.eq(id.0))).await
    }

    fn devices_of(&self, client: ClientId, assigned_to: Option<PortalUserId>) -> Select<device::Entity> {
        match assigned_to {
            Some(user) => self.assigned_to(client, user),
            None => self.find::<device::Entity>().filter(device::Column::ClientId.eq(client.0)),
        }
    }

    fn assigned_to(&self, client: ClientId, user: PortalUserId) -> Select<device::Entity> {
        let assigned = self
            .find::<table::Entity>()
            .select_only()
            .column(table::Column::DeviceId)
            .filter(table::Column::PortalUserId.eq(user.0));
        self.find::<device::Entity>()
            .filter(device::Column::ClientId.eq(client.0))
            .filter(device::Column::Id.in_subquery(assigned.into_query()))
    }
}
