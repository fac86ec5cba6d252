//! Drift: what vendors did to entities after a person had decided about them.

use serde::{Deserialize, Serialize};

use crate::{ClientId, DriftId, EntityId, StaffId, Timestamp};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// A mapped entity has another name than the one a person knew.
    Renamed,
    /// A mapped entity is no longer listed.
    Vanished,
    /// A new entity looks like a mapped one that vanished.
    Recreated,
    /// An entity came after the connection's first whole listing, and nobody has decided about it.
    NewUnmapped,
    /// A domain that an entity of one client told is now told by an entity of another.
    DomainMoved,
}

impl DriftKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Renamed, Self::Vanished, Self::Recreated, Self::NewUnmapped, Self::DomainMoved];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Renamed => "renamed",
            Self::Vanished => "vanished",
            Self::Recreated => "recreated",
            Self::NewUnmapped => "new_unmapped",
            Self::DomainMoved => "domain_moved",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What a person decided about an item without changing anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftVerdict {
    /// It is as it should be.
    Acknowledged,
    /// It is not to be shown until its cause changes.
    Dismissed,
}

impl DriftVerdict {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Dismissed => "dismissed",
        }
    }

    /// The verdict of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Acknowledged, Self::Dismissed].into_iter().find(|verdict| verdict.as_str() == name)
    }
}

/// A decision about an item, as it is stored: it hides the item as long as its cause is the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftDecision {
    /// The item.
    pub id: DriftId,
    /// The entity that it is about.
    pub entity_id: EntityId,
    /// The client that it concerns.
    pub client_id: Option<ClientId>,
    /// What happened.
    pub kind: DriftKind,
    /// What was decided.
    pub decision: DriftVerdict,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub decided_at: Timestamp,
    /// By whom, if by a person.
    pub decided_by: Option<StaffId>,
}
