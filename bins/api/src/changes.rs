//! What a write changed, or would change.

use poem_openapi::{
    Object,
    types::{Any, ParseFromJSON, ToJSON},
};
use serde_json::Value;
use uuid::Uuid;

/// One row changed.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Change {
    /// Kind of row
    pub kind: String,
    /// Id of the row
    pub id: Uuid,
    /// Client it belongs to
    pub client_id: Option<Uuid>,
    /// Before; absent when it was made
    pub before: Option<Any<Value>>,
    /// After; absent when it was removed
    pub after: Option<Any<Value>>,
}

/// Everything one write changed.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ChangeSet {
    /// Whether this is a preview: nothing was written
    pub dry_run: bool,
    /// Journal entry that holds it; absent for a preview and when nothing changed
    pub entry_id: Option<Uuid>,
    /// Send it as `expect` to apply just this
    pub digest: String,
    /// How many rows changed
    pub total: u64,
    /// The changes in order; at most 1,000 are shown
    pub changes: Vec<Change>,
}

impl Change {
    /// The view of a change.
    pub fn of(change: domain::Change) -> Self {
        Self {
            kind: change.kind,
            id: change.id,
            client_id: change.client_id.map(|client| client.0),
            before: change.before.map(Any),
            after: change.after.map(Any),
        }
    }
}

impl ChangeSet {
    /// Most changes that one answer shows.
    const SHOWN: usize = 1_000;

    /// What a client's own people are shown of a change set: how much changes, and no rows, which hold what their views
    /// leave out.
    pub fn counted(self) -> Self {
        Self { changes: Vec::new(), ..self }
    }

    /// The view of a change set.
    pub fn of(set: domain::ChangeSet, dry_run: bool) -> Self {
        Self {
            dry_run,
            entry_id: set.entry.map(|entry| entry.0),
            digest: set.digest,
            total: set.changes.len() as u64 + set.unlisted,
            changes: set.changes.into_iter().take(Self::SHOWN).map(Change::of).collect(),
        }
    }
}

/// Answer to a write: the row as it is now, and what changed.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Written<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// The row as it is now, or would be
    pub item: Option<T>,
    /// What a person should know although it is done
    pub warnings: Vec<String>,
    /// What changed
    pub change_set: ChangeSet,
}
