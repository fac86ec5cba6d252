//! One execution of a sync: (connection, kind of record).

use serde::{Deserialize, Serialize};

use crate::{ConnectionId, RunId, Timestamp};

/// How a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Under way, or interrupted and to be gone on with.
    Running,
    /// Ended well: what is stored is what the vendor has.
    Complete,
    /// Ended well for some entities, with errors for others. Nothing was removed where it failed.
    Partial,
    /// Waits for a person: the listing was not plausible.
    Held,
    /// Ended with an error. What was read is stored; nothing was removed.
    Failed,
    /// Held, and dropped by a person.
    Dropped,
}

impl RunState {
    /// All states.
    pub const ALL: [Self; 6] = [Self::Running, Self::Complete, Self::Partial, Self::Held, Self::Failed, Self::Dropped];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// What started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The cadence.
    Schedule,
    /// A person.
    Manual,
    /// A new or renewed connection.
    Connected,
    /// A webhook of the vendor.
    Webhook,
}

impl Trigger {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Manual => "manual",
            Self::Connected => "connected",
            Self::Webhook => "webhook",
        }
    }

    /// The trigger of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Schedule, Self::Manual, Self::Connected, Self::Webhook]
            .into_iter()
            .find(|trigger| trigger.as_str() == name)
    }
}

/// What a run found. `listed = added + changed + unchanged + rejected + repeated`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records the vendor listed.
    pub listed: i64,
    /// New, or back after having been removed.
    pub added: i64,
    /// Changed.
    pub changed: i64,
    /// As before: nothing was written.
    pub unchanged: i64,
    /// Could not be read, or named an entity that is not known.
    pub rejected: i64,
    /// Listed more than once in this run.
    pub repeated: i64,
    /// No longer listed.
    pub removed: i64,
}

impl Counts {
    /// Whether they add up.
    pub fn adds_up(&self) -> bool {
        self.listed == self.added + self.changed + self.unchanged + self.rejected + self.repeated
    }
}

/// A run as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Id.
    pub id: RunId,
    /// Which connection.
    pub connection_id: ConnectionId,
    /// Kind of record ("device").
    pub kind: String,
    /// What started it.
    pub trigger: Trigger,
    /// How it is.
    pub state: RunState,
    /// Counts so far.
    pub counts: Counts,
    /// Pages stored.
    pub pages: i32,
    /// Records the vendor says the listing has.
    pub expected: Option<i64>,
    /// Where to go on, for the engine: JSON.
    pub checkpoint: Option<String>,
    /// Why it failed, was partial or is held.
    pub message: Option<String>,
    /// Stable word for that ("vendor_throttled").
    pub code: Option<String>,
    /// Started.
    pub started_at: Timestamp,
    /// Ended.
    pub finished_at: Option<Timestamp>,
}
