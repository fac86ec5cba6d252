//! Undoing an entry: the inverse of its change set, as a new change set.

use std::collections::{BTreeSet, HashSet};

use chrono::TimeDelta;
use domain::{
    Change, Client, ClientId, ClientScope, EntityId, EntryId, Error, MappingState, Permission, Problem, Result,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx, entities::MappingWrite, journal::clients_of, journalled::stripped, revert_moves::is_move, revert_own::OWN,
};

/// How long a deleted client can be brought back.
pub(crate) const RESTORABLE: TimeDelta = TimeDelta::days(30);
/// Kinds of rows that are put back.
const REVERTIBLE: [&str; 11] = [
    "client",
    "mapping",
    "client_alias",
    "unverified_mapping",
    "connection_share",
    "drift_decision",
    "psa_conflict",
    "portal_config",
    "device_ruling",
    "device_lock",
    "device_precedence",
];

/// What of a revert a person must decide. `why` follows the kind of the row.
pub(crate) fn conflict(change: &Change, code: &'static str, why: &str) -> Result<Option<Problem>> {
    Ok(Some(Problem::new(change.id.to_string(), code, format!("the {} {why}", change.kind))))
}

/// Whether a caller of this scope sees all of a change: every client that it touches, on both sides.
fn within_scope(scope: &ClientScope, change: &Change) -> bool {
    let mut clients = clients_of(change).peekable();
    clients.peek().is_some() && clients.all(|client| scope.allows(client))
}

/// Reverting takes the right to do the same by hand.
fn right(change: &Change) -> Permission {
    let differs = |field: &str| {
        let of = |view: &Option<Value>| view.as_ref().map(|view| view[field].clone()).unwrap_or_default();
        of(&change.before) != of(&change.after)
    };
    if is_move(change) {
        return Permission::ClientsDelete;
    }
    match change.kind.as_str() {
        "client" if change.before.is_none() || differs("deleted_at") => Permission::ClientsDelete,
        "client_redirect" => Permission::ClientsDelete,
        "client" | "client_note" | "psa_conflict" => Permission::ClientsEdit,
        "connection_share" => Permission::ConnectionsShare,
        "portal_config" => Permission::ClientoneManage,
        "client_contact" => Permission::ContactsEdit,
        "tenant_connect" => Permission::ConnectionsManage,
        "tenant_setting" if differs("disconnected_at") || differs("admitted_by") => Permission::ConnectionsManage,
        "tenant_setting" => Permission::ClientsEdit,
        "mapping" | "client_alias" | "unverified_mapping" | "drift_decision" | "device_ruling" | "device_lock" => {
            Permission::MappingsSave
        }
        "device_precedence" => Permission::MatchingManage,
        _ => Permission::DocumentsEdit,
    }
}

impl Tx {
    /// Writes the inverse of an entry's changes, the last first. Rows that were changed since are
    /// refused, all of them named, unless `despite` holds their ids. All of it or nothing: an entry
    /// that also touched clients outside the caller's scope is refused. Of a change set that several entries are,
    /// all are reverted.
    pub async fn journal_revert(&self, id: EntryId, despite: &BTreeSet<Uuid>) -> Result<()> {
        let entry = self.journal_entry(id).await?;
        if entry.changes.is_empty() {
            return Err(Error::conflict("nothing_to_revert", "This entry changed nothing."));
        }
        let entries = self.journal_together(self.journal_entry_whole(id).await?).await?;
        let changes: Vec<Change> = entries.into_iter().flat_map(|entry| entry.changes).collect();
        let scope = &self.context().scope;
        if !scope.is_all() && changes.iter().any(|change| !within_scope(scope, change)) {
            return Err(Error::conflict(
                "scope_limited",
                "This entry also changed what is outside your access: ask an admin to revert it.",
            ));
        }
        let undone = |change: &&Change| {
            let kind = change.kind.as_str();
            REVERTIBLE.contains(&kind) || OWN.contains(&kind) || is_move(change)
        };
        if let Some(Change { kind, .. }) = changes.iter().find(|change| !undone(change)) {
            return Err(Error::conflict(
                "not_revertible",
                format!(
                    "This entry changed a {kind}. Entries that changed clients, mappings, aliases, typed ids, shares, contacts, notes, documents, ClientOne's set-up and decisions about devices, drift and PSA conflicts can be reverted, others are undone by hand."
                ),
            ));
        }
        for change in &changes {
            self.context().require(right(change))?;
        }
        self.lock_touched(&changes).await?;
        let outer = self.remap_hold();
        let touched: HashSet<Uuid> = changes.iter().map(|change| change.id).collect();
        let mut conflicts = Vec::new();
        for change in changes.iter().rev() {
            let done = match change.kind.as_str() {
                _ if is_move(change) => self.revert_move(change, despite.contains(&change.id), &touched).await?,
                "client" => self.revert_client(change, despite.contains(&change.id)).await?,
                "psa_conflict" => self.revert_psa_conflict(change, despite.contains(&change.id)).await?,
                "drift_decision" => self.revert_decision(change, despite.contains(&change.id)).await?,
                "portal_config" => self.revert_portal(change, despite.contains(&change.id)).await?,
                "device_ruling" => self.revert_ruling(change, despite.contains(&change.id)).await?,
                "device_lock" => self.revert_device_lock(change, despite.contains(&change.id)).await?,
                "device_precedence" => self.revert_device_precedence(change, despite.contains(&change.id)).await?,
                "client_alias" => self.revert_alias(change).await?,
                "unverified_mapping" => self.revert_typed(change, despite.contains(&change.id)).await?,
                "connection_share" => self.revert_share(change, despite.contains(&change.id)).await?,
                kind if OWN.contains(&kind) => self.revert_own(change, despite.contains(&change.id)).await?,
                _ => self.revert_mapping(change, despite.contains(&change.id)).await?,
            };
            conflicts.extend(done);
        }
        if !conflicts.is_empty() {
            return Err(Error::Invalid(conflicts));
        }
        if outer {
            self.remap_settle().await?;
        }
        let ruled: Vec<&Change> = changes.iter().filter(|change| change.kind == "device_ruling").collect();
        self.devices_ruled(&ruled).await?;
        let locked: Vec<&Change> = changes.iter().filter(|change| change.kind == "device_lock").collect();
        self.devices_locked(&locked).await?;
        self.note_revert(id.0);
        Ok(())
    }

    async fn lock_touched(&self, changes: &[Change]) -> Result<()> {
        let mappings = changes.iter().filter(|change| change.kind == "mapping");
        let entities: Vec<EntityId> = mappings.map(|change| EntityId(change.id)).collect();
        let clients: BTreeSet<ClientId> = changes.iter().flat_map(clients_of).collect();
        self.entities_by_id(&entities).await?;
        self.clients_by_id(&Vec::from_iter(clients)).await.map(drop)
    }

    async fn revert_client(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let current = self.client_even_deleted(ClientId(change.id)).await?;
        let now = serde_json::to_value(&current).map_err(Error::internal)?;
        let expected = change.after.as_ref().map(stripped);
        if expected != Some(stripped(&now)) && !despite {
            return conflict(change, "changed_since", &format!("“{}” was changed since", current.name));
        }
        let restores = change.after.as_ref().is_some_and(|after| !after["deleted_at"].is_null());
        if restores && current.deleted_at.is_some_and(|at| self.now() - at > RESTORABLE) {
            let why = format!("“{}” was deleted more than 30 days ago: make it anew", current.name);
            return conflict(change, "too_old", &why);
        }
        let target = match &change.before {
            // It was made by the entry.
            None => Client { deleted_at: current.deleted_at.or(Some(self.now())), ..current.clone() },
            Some(before) => {
                let old: Client = serde_json::from_value(before.clone()).map_err(Error::internal)?;
                Client { version: current.version, ..old }
            }
        };
        if target.deleted_at.is_some() {
            // Entities that were mapped to it since lose their client.
            let mapped = self.entities_of_client(current.id).await?;
            if !mapped.is_empty() && !despite {
                let why = format!("“{}” has entities mapped to it since", current.name);
                return conflict(change, "changed_since", &why);
            }
            for entity in mapped {
                let unmapped = MappingWrite { client: None, state: MappingState::Unmapped, reason: None };
                self.mapping_write(entity.id, &unmapped).await?;
            }
            self.aliases_drop(current.id).await?;
        }
        self.client_update(&current, target).await?;
        Ok(None)
    }

    pub(crate) async fn revert_mapping(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let current = match self.entity(EntityId(change.id)).await {
            Ok(current) => current,
            // Named by the caller, it is left out of the revert: there is nothing to write to.
            Err(Error::NotFound { .. }) if despite => return Ok(None),
            Err(Error::NotFound { .. }) => {
                let name = change.after.as_ref().and_then(|view| view["name"].as_str()).unwrap_or_default();
                return conflict(change, "gone", &format!("of “{name}” is gone, or outside your access"));
            }
            Err(other) => return Err(other),
        };
        let decided =
            |view: &Value| ["client_id", "state", "reason"].map(|field| view[field].as_str().map(str::to_owned));
        let now = [
            current.client_id.map(|client| client.to_string()),
            Some(current.mapping_state.as_str().to_owned()),
            current.mapping_reason.clone(),
        ];
        if change.after.as_ref().map(decided) != Some(now) && !despite {
            return conflict(change, "changed_since", &format!("of “{}” was changed since", current.name));
        }
        let before = change.before.as_ref().ok_or_else(|| Error::internal("a mapping without a before"))?;
        let client: Option<ClientId> = serde_json::from_value(before["client_id"].clone()).map_err(Error::internal)?;
        if let Some(client) = client {
            let owner = self.client_even_deleted(client).await?;
            if owner.deleted_at.is_some() {
                let why = format!("of “{}” belonged to a client that is deleted: restore that first", current.name);
                return conflict(change, "client_deleted", &why);
            }
        }
        let state = before["state"].as_str().and_then(MappingState::parse).unwrap_or_default();
        let reason = before["reason"].as_str().map(str::to_owned);
        self.mapping_write(current.id, &MappingWrite { client, state, reason }).await?;
        // As it was known then: what drifted before the entry has drifted again.
        if let Some(known) = before.get("known_name") {
            self.mapping_know(current.id, known.as_str().map(str::to_owned)).await?;
        }
        Ok(None)
    }
}
