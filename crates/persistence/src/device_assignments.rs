//! Assignments follow their machine: where two clients became one, or two again, a machine that both knew is one device,
//! or two, and whoever was assigned theirs still is.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{ClientId, Result};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, Condition, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{Tx, entity::portal_device as table, error::OrDomain};

/// Where what a device had is now: devices by their clients. Of several of one client the first.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The devices that there are now, with their clients.
    pub living: HashMap<Uuid, ClientId>,
    /// By device of before.
    pub went: HashMap<Uuid, BTreeMap<ClientId, Uuid>>,
}

impl Places {
    /// Notes that an observation of one device belongs to another now.
    pub fn note(&mut self, before: Uuid, now: Uuid, client: ClientId) {
        if before != now {
            self.went.entry(before).or_default().entry(client).or_insert(now);
        }
    }
}

impl Tx {
    /// Lets assignments whose device is gone, or another client's, go on to the device that has what it had. Not
    /// journalled: it follows from the devices, which are not either.
    pub(crate) async fn assignments_follow(&self, places: &Places) -> Result<()> {
        let old: Vec<Uuid> = places.went.keys().copied().collect();
        for chunk in old.chunks(500) {
            let select = self.find::<table::Entity>().filter(table::Column::DeviceId.is_in(chunk.iter().copied()));
            for row in select.order_by_asc(table::Column::Id).all(self.db()).await.or_domain()? {
                let client = ClientId(row.client_id);
                if places.living.get(&row.device_id) == Some(&client) {
                    continue;
                }
                let Some(now) = places.went.get(&row.device_id).and_then(|by| by.get(&client)) else { continue };
                let held = self.find::<table::Entity>().filter(table::Column::PortalUserId.eq(row.portal_user_id));
                let held: HashSet<Uuid> =
                    held.all(self.db()).await.or_domain()?.into_iter().map(|row| row.device_id).collect();
                if held.contains(now) {
                    continue;
                }
                let after = table::ActiveModel { device_id: ActiveValue::Set(*now), ..ActiveModelTrait::default() };
                let own = Condition::all().add(table::Column::Id.eq(row.id));
                self.update_row_where::<table::Entity>(after, own).await?;
            }
        }
        Ok(())
    }
}
