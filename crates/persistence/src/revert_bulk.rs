//! Undoing a change set of several entries; and what bulk operations and joins by hand change beside clients: the set-up
//! of ClientOne, and what people decided about machines.

use std::collections::BTreeSet;

use domain::{BulkOperationId, Change, ClientId, ContentId, EntityId, Error, Problem, Result, device::DeviceRuling};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use serde_json::Value;

use crate::{
    JournalEntry, Tx,
    entity::{device_ruling, portal_config},
    error::OrDomain,
    journalled::{Journalled, stripped},
    revert::conflict,
};

impl Tx {
    /// All entries that are reverted with this one, the first first.
    pub(crate) async fn journal_together(&self, entry: JournalEntry) -> Result<Vec<JournalEntry>> {
        let Some(set) = entry.change_set else { return Ok(vec![entry]) };
        self.require_over(set).await?;
        self.journal_entries_of(set).await
    }

    /// Refuses while the operation whose change set it is still goes on: it would change more behind the revert.
    async fn require_over(&self, set: BulkOperationId) -> Result<()> {
        match self.bulk_operation(set).await {
            Ok(operation) if !operation.state.is_over() => Err(Error::conflict(
                "still_running",
                "The bulk operation of this entry is still at work: cancel it first, or wait until it is over.",
            )),
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Puts the set-up of ClientOne for a client back. Where that disables it, its people are signed out.
    pub(crate) async fn revert_portal(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let client = ClientId(change.id);
        let select = self.find::<portal_config::Entity>().filter(portal_config::Column::ClientId.eq(client.0));
        let current = select.lock_exclusive().one(self.db()).await.or_domain()?;
        let view = current.as_ref().map(portal_config::Entity::view).transpose()?;
        if view.as_ref().map(stripped) != change.after.as_ref().map(stripped) && !despite {
            return conflict(change, "changed_since", "was changed since");
        }
        let enabled = change.before.as_ref().is_some_and(|before| before["enabled"] == true);
        if enabled {
            match self.client(client).await {
                Ok(_) => {}
                Err(Error::NotFound { .. }) => {
                    return conflict(
                        change,
                        "client_deleted",
                        "belonged to a client that is deleted: restore that first",
                    );
                }
                Err(other) => return Err(other),
            }
        }
        let present: Value = match &current {
            Some(row) => serde_json::from_str(&row.branding).map_err(Error::internal)?,
            None => Value::Null,
        };
        // The journal knows a logo by its hash only, and one that was replaced is released: the present one stays.
        let branding = |before: &Value| {
            let mut branding = before["branding"].clone();
            if let Some(fields) = branding.as_object_mut() {
                match present.get("logo").filter(|logo| !logo.is_null()) {
                    Some(logo) => drop(fields.insert("logo".to_owned(), logo.clone())),
                    None => drop(fields.remove("logo")),
                }
            }
            branding.to_string()
        };
        match (current, &change.before) {
            (Some(current), None) => {
                let logo: Option<ContentId> = present["logo"]["content_id"].as_str().and_then(|id| id.parse().ok());
                self.contents_release(&Vec::from_iter(logo)).await?;
                self.delete_row::<portal_config::Entity>(&current).await?;
            }
            (Some(current), Some(before)) => {
                let after = portal_config::Model {
                    enabled,
                    settings: before["settings"].to_string(),
                    branding: branding(before),
                    updated_at: self.now(),
                    version: current.version + 1,
                    ..current.clone()
                };
                self.update_row::<portal_config::Entity>(&current, after).await?;
            }
            (None, Some(before)) => {
                let row = portal_config::Model {
                    organisation_id: self.organisation().0,
                    client_id: client.0,
                    enabled,
                    settings: before["settings"].to_string(),
                    branding: branding(before),
                    updated_at: self.now(),
                    version: 1,
                };
                self.insert_row::<portal_config::Entity>(row).await?;
            }
            (None, None) => {}
        }
        if !enabled {
            self.portal_sessions_delete_of(client).await?;
        }
        Ok(None)
    }

    /// Puts back what a person decided about two observations; the devices of their clients are joined anew at the end
    /// of the revert.
    pub(crate) async fn revert_ruling(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let select = self.find::<device_ruling::Entity>().filter(device_ruling::Column::Id.eq(change.id));
        let current = select.lock_exclusive().one(self.db()).await.or_domain()?;
        let view = current.as_ref().map(device_ruling::Entity::view).transpose()?;
        if view != change.after && !despite {
            return conflict(change, "changed_since", "was changed since");
        }
        let before: Option<DeviceRuling> = parsed(&change.before)?;
        match (current, before) {
            (Some(current), None) => self.delete_row::<device_ruling::Entity>(&current).await?,
            (Some(current), Some(before)) => {
                let current: Option<DeviceRuling> = parsed(&Some(device_ruling::Entity::view(&current)?))?;
                if let Some(current) = current {
                    self.device_ruling_update(&current, &before).await?;
                }
            }
            (None, Some(before)) => {
                // The pair may have been decided about anew.
                let again = self.device_rulings_between(&[before.record_a, before.record_b]).await?;
                match again.first() {
                    Some(_) if !despite => return conflict(change, "changed_since", "was decided anew since"),
                    Some(now) => self.device_ruling_update(now, &DeviceRuling { id: now.id, ..before }).await?,
                    None => self.device_ruling_insert(&before).await?,
                }
            }
            (None, None) => {}
        }
        Ok(None)
    }

    /// Joins the devices anew of the clients that the observations of these rulings are of now.
    pub(crate) async fn devices_ruled(&self, changes: &[&Change]) -> Result<()> {
        let mut records = BTreeSet::new();
        let mut clients = BTreeSet::new();
        for change in changes {
            for view in [&change.before, &change.after].into_iter().flatten() {
                let ruling: DeviceRuling = serde_json::from_value(view.clone()).map_err(Error::internal)?;
                records.extend([ruling.record_a, ruling.record_b]);
                clients.insert(ruling.client_id);
            }
        }
        let under: Vec<EntityId> = self.entities_of_records(&Vec::from_iter(records)).await?;
        clients.extend(self.entities_by_id(&under).await?.into_iter().filter_map(|entity| entity.client_id));
        self.clients_by_id(&Vec::from_iter(clients.iter().copied())).await?;
        for client in clients {
            self.devices_rejoin(client).await?;
        }
        Ok(())
    }
}

fn parsed(view: &Option<Value>) -> Result<Option<DeviceRuling>> {
    view.clone().map(serde_json::from_value).transpose().map_err(Error::internal)
}
