//! Undoing what people fixed of devices, and whom they believe about them.

use std::collections::BTreeSet;

use domain::{Change, ClientId, Error, Problem, Result, device::DeviceLock};
use serde_json::Value;

use crate::{Tx, device_precedence::order_of_view, revert::conflict};

/// A lock as a change has it.
fn lock(view: &Option<Value>) -> Result<Option<DeviceLock>> {
    view.clone().map(serde_json::from_value).transpose().map_err(Error::internal)
}

impl Tx {
    /// Puts a lock back as it was; the devices of its client are joined anew at the end of the revert, and it finds its
    /// own there.
    pub(crate) async fn revert_device_lock(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let current = self.device_lock_by_id(change.id).await?;
        let (before, after) = (lock(&change.before)?, lock(&change.after)?);
        // Where its device went since is nobody's decision.
        let decided = |lock: &DeviceLock| (lock.field, lock.to.clone(), lock.reason.clone());
        if current.as_ref().map(decided) != after.as_ref().map(decided) && !despite {
            return conflict(change, "changed_since", "was changed since");
        }
        let Some(before) = before else {
            if let Some(current) = &current {
                self.device_lock_delete(current).await?;
            }
            return Ok(None);
        };
        if let Some(current) = current {
            let target = DeviceLock {
                client_id: current.client_id,
                device_id: current.device_id,
                records: current.records.clone(),
                ..before
            };
            self.device_lock_update(&current, &target).await?;
            return Ok(None);
        }
        match self.client(before.client_id).await {
            Ok(_) => {}
            Err(Error::NotFound { .. }) => {
                return conflict(change, "client_deleted", "belonged to a client that is deleted: restore that first");
            }
            Err(other) => return Err(other),
        }
        let mut anew = self.device_locks(&[before.device_id]).await?;
        anew.retain(|other| other.field == before.field);
        if !anew.is_empty() && !despite {
            return conflict(change, "changed_since", "was decided anew since");
        }
        for other in &anew {
            self.device_lock_delete(other).await?;
        }
        self.device_lock_insert(&before).await?;
        Ok(None)
    }

    /// Joins the devices anew of the clients whose locks a revert put back.
    pub(crate) async fn devices_locked(&self, changes: &[&Change]) -> Result<()> {
        let mut clients: BTreeSet<ClientId> = BTreeSet::new();
        for change in changes {
            if let Some(current) = self.device_lock_by_id(change.id).await? {
                clients.insert(current.client_id);
            }
            for lock in [lock(&change.before)?, lock(&change.after)?].into_iter().flatten() {
                clients.insert(lock.client_id);
            }
        }
        self.clients_by_id(&Vec::from_iter(clients.iter().copied())).await?;
        for client in clients {
            self.devices_rejoin(client).await?;
        }
        Ok(())
    }

    /// Puts an organisation's order of integrations back.
    pub(crate) async fn revert_device_precedence(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let current = self.device_precedence().await?;
        let order = |view: &Option<Value>| view.as_ref().map_or_else(|| Ok(Default::default()), order_of_view);
        if current.order != order(&change.after)? && !despite {
            return conflict(change, "changed_since", "was changed since");
        }
        self.device_precedence_save(current, order(&change.before)?).await?;
        Ok(None)
    }
}
