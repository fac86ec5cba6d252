//! What one transaction changed, before and after.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{ClientId, EntryId};

/// One row changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Kind of row ("client", "mapping").
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// Client it belongs to.
    pub client_id: Option<ClientId>,
    /// Before; absent when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// After; absent when it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Done,
    /// Refused for want of a right.
    Denied,
    /// Tried, and failed.
    Failed,
}

impl Outcome {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    /// The outcome of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Done, Self::Denied, Self::Failed].into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// Everything one transaction changed, or would change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangeSet {
    /// The journal entry that holds it; `None` for a preview and when nothing changed.
    pub entry: Option<EntryId>,
    /// SHA-256 over the changes, hex. Ids and times made by the transaction itself do not count, so
    /// that a preview and its apply agree.
    pub digest: String,
    /// The changes, in the order they were made.
    pub changes: Vec<Change>,
    /// How many more there are: of a very large set only the first are listed here.
    pub unlisted: u64,
}
