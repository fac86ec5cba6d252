//! The names of devices: chosen when observations are joined, because lists are sorted and searched by them. All other
//! fields are chosen when they are read, from the same observations and by the same rule, so that they are never old.

use std::collections::{BTreeSet, HashMap};

use domain::{
    ClientId, ConnectionId, DeviceId, RecordId, Result,
    device::{Candidate, DeviceField, DeviceLock, DeviceOrder, Trade, choose, holding},
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    NewJob, Tx,
    entity::{client, connection},
    error::OrDomain,
};

/// Kind of the jobs that name devices anew, after the organisation's order of integrations changed.
pub const DEVICE_NAMES_JOB: &str = "device_names";

/// Clients whose devices are named anew at once: their observations are held in memory together, and their rows locked.
const AT_ONCE: u64 = 20;

/// What one observation calls its machine.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    /// The observation.
    pub record_id: RecordId,
    /// Who says it.
    pub connection_id: ConnectionId,
    /// The name.
    pub name: String,
}

/// What names are chosen by.
pub(crate) struct Naming {
    pub order: DeviceOrder,
    pub locks: Vec<DeviceLock>,
    integrations: HashMap<ConnectionId, String>,
}

impl Naming {
    /// The name of a device.
    pub fn name(&self, device: DeviceId, called: Vec<Called>) -> String {
        let candidate = |one: Called| Candidate {
            record_id: one.record_id,
            connection_id: one.connection_id,
            integration: self.integrations.get(&one.connection_id).cloned().unwrap_or_default(),
            trade: Trade::Other,
            value: one.name,
            heard_at: None,
            blank_since: None,
        };
        let candidates: Vec<Candidate> = called.into_iter().map(candidate).collect();
        let lock = holding(&self.locks, device, DeviceField::Name).map(|lock| &lock.to);
        choose(DeviceField::Name, &candidates, lock, &self.order).map(|chosen| chosen.value).unwrap_or_default()
    }
}

impl Tx {
    /// What the names of these clients' devices are chosen by.
    pub(crate) async fn naming(&self, clients: &BTreeSet<ClientId>) -> Result<Naming> {
        let order = self.device_precedence().await?.order;
        let mut integrations = HashMap::new();
        if order.of(DeviceField::Name).is_some_and(|order| !order.is_empty()) {
            let rows: Vec<(Uuid, String)> = self
                .find::<connection::Entity>()
                .select_only()
                .columns([connection::Column::Id, connection::Column::Integration])
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            integrations.extend(rows.into_iter().map(|(id, integration)| (ConnectionId(id), integration)));
        }
        Ok(Naming { order, locks: self.device_locks_of(clients).await?, integrations })
    }

    /// Enqueues the naming anew of all devices. Under an id of its own: one that runs may have passed some clients.
    pub(crate) async fn device_names_enqueue(&self) -> Result<()> {
        let job = NewJob {
            kind: DEVICE_NAMES_JOB.to_owned(),
            payload: "{}".to_owned(),
            unique_key: format!("{DEVICE_NAMES_JOB} {}", self.new_id::<Uuid>()),
            priority: 0,
            run_at: self.now(),
            max_attempts: 12,
        };
        self.job_enqueue(&job).await.map(drop)
    }

    /// Names the devices of some clients anew, those after this one. Returns the last of them; `None` when there are no
    /// more. Rows whose name stays are not written.
    pub async fn devices_name_anew(&self, after: Option<ClientId>) -> Result<Option<ClientId>> {
        let mut select = self
            .find::<client::Entity>()
            .select_only()
            .column(client::Column::Id)
            .filter(client::Column::DeviceCount.gt(0))
            .filter(client::Column::DeletedAt.is_null());
        if let Some(after) = after {
            select = select.filter(client::Column::Id.gt(after.0));
        }
        let ids: Vec<Uuid> =
            select.order_by_asc(client::Column::Id).limit(AT_ONCE).into_tuple().all(self.db()).await.or_domain()?;
        let clients: Vec<ClientId> = ids.into_iter().map(ClientId).collect();
        self.devices_refresh(&clients).await?;
        Ok(clients.last().copied())
    }
}
