//! One thing a vendor told us under an entity.

use crate::{ConnectionId, EntityId, RecordId, Timestamp};

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Id.
    pub id: RecordId,
    /// Which connection said it.
    pub connection_id: ConnectionId,
    /// Under which entity.
    pub entity_id: EntityId,
    /// Kind ("device").
    pub kind: String,
    /// The vendor's id.
    pub vendor_id: String,
    /// What a person calls it.
    pub title: String,
    /// The record as JSON: the struct of the kind in the `integration` crate.
    pub body: String,
    /// First seen.
    pub first_seen_at: Timestamp,
    /// Last changed.
    pub changed_at: Timestamp,
    /// When the vendor stopped listing it.
    pub removed_at: Option<Timestamp>,
}

/// How old what a vendor said is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// When all of it was last true at the vendor; `None` if it was never listed to the end.
    pub synced_at: Option<Timestamp>,
    /// Older than twice the cadence, or its connection is not working.
    pub stale: bool,
}
