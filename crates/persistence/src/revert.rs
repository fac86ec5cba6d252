//! Undoing an entry: the inverse of its change set, as a new change set.

use std::collections::BTreeSet;

use domain::{Change, Client, ClientId, EntityId, EntryId, Error, MappingState, Problem, Result};
use serde_json::Value;
use uuid::Uuid;

use crate::{Tx, entities::MappingWrite, journalled::stripped};

/// What of a revert a person must decide.
fn conflict(change: &Change, why: &str) -> Problem {
    Problem::new(change.id.to_string(), "changed_since", format!("the {} {why}", change.kind))
}

impl Tx {
    /// Writes the inverse of an entry's changes, the last first. Rows that were changed since are
    /// refused, all of them named, unless `despite` holds their ids.
    pub async fn journal_revert(&self, id: EntryId, despite: &BTreeSet<Uuid>) -> Result<()> {
        let entry = self.journal_entry(id).await?;
        if entry.changes.is_empty() {
            return Err(Error::conflict("nothing_to_revert", "This entry changed nothing."));
        }
        let foreign: Vec<&str> = entry
            .changes
            .iter()
            .map(|c| c.kind.as_str())
            .filter(|kind| !matches!(*kind, "client" | "mapping"))
            .collect();
        if let Some(kind) = foreign.first() {
            return Err(Error::conflict(
                "not_revertible",
                format!(
                    "This entry changed a {kind}. Entries that changed clients and mappings can be reverted, others are undone by hand."
                ),
            ));
        }
        let mut conflicts = Vec::new();
        for change in entry.changes.iter().rev() {
            let done = match change.kind.as_str() {
                "client" => self.revert_client(change, despite.contains(&change.id)).await?,
                _ => self.revert_mapping(change, despite.contains(&change.id)).await?,
            };
            conflicts.extend(done);
        }
        if !conflicts.is_empty() {
            return Err(Error::Invalid(conflicts));
        }
        self.note_revert(id.0);
        Ok(())
    }

    async fn revert_client(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let current = self.client_even_deleted(ClientId(change.id)).await?;
        let now = serde_json::to_value(&current).map_err(Error::internal)?;
        let expected = change.after.as_ref().map(stripped);
        if expected != Some(stripped(&now)) && !despite {
            return Ok(Some(conflict(change, &format!("“{}” was changed since", current.name))));
        }
        let target = match &change.before {
            // It was made by the entry: what was hung on it since would be lost.
            None => {
                let mapped = self.entities_of_client(current.id).await?;
                if !mapped.is_empty() {
                    return Ok(Some(conflict(change, &format!("“{}” has entities mapped to it since", current.name))));
                }
                Client { deleted_at: Some(self.now()), ..current.clone() }
            }
            Some(before) => {
                let old: Client = serde_json::from_value(before.clone()).map_err(Error::internal)?;
                Client { version: current.version, ..old }
            }
        };
        self.client_update(&current, target).await?;
        Ok(None)
    }

    async fn revert_mapping(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let current = self.entity(EntityId(change.id)).await?;
        let place =
            |view: &Value| (view["client_id"].as_str().map(str::to_owned), view["state"].as_str().map(str::to_owned));
        let now = (current.client_id.map(|c| c.to_string()), Some(current.mapping_state.as_str().to_owned()));
        if change.after.as_ref().map(place) != Some(now) && !despite {
            return Ok(Some(conflict(change, &format!("of “{}” was changed since", current.name))));
        }
        let before = change.before.as_ref().ok_or_else(|| Error::internal("a mapping without a before"))?;
        let client: Option<ClientId> = serde_json::from_value(before["client_id"].clone()).map_err(Error::internal)?;
        if let Some(client) = client {
            let owner = self.client_even_deleted(client).await?;
            if owner.deleted_at.is_some() {
                return Ok(Some(conflict(
                    change,
                    &format!("of “{}” belonged to a client that is deleted", current.name),
                )));
            }
        }
        let state = before["state"].as_str().and_then(MappingState::parse).unwrap_or_default();
        let reason = before["reason"].as_str().map(str::to_owned);
        self.mapping_write(current.id, &MappingWrite { client, state, reason }).await?;
        Ok(None)
    }
}
