//! What a vendor calls a customer, and its mapping to a client.

use serde::{Deserialize, Serialize};

use crate::{ClientId, ConnectionId, EntityId, StaffId, Timestamp, UnverifiedMappingId};

/// How an entity relates to our clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingState {
    /// Nobody has decided yet.
    #[default]
    Unmapped,
    /// Belongs to a client.
    Mapped,
    /// Deliberately belongs to none.
    Excluded,
}

impl MappingState {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unmapped => "unmapped",
            Self::Mapped => "mapped",
            Self::Excluded => "excluded",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Unmapped, Self::Mapped, Self::Excluded].into_iter().find(|state| state.as_str() == name)
    }
}

/// An entity. Its identity is (connection, kind, vendor id); the name is only the last one seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Id.
    pub id: EntityId,
    /// Which connection told us.
    pub connection_id: ConnectionId,
    /// The connection's integration.
    pub integration: String,
    /// What it is across vendors ("microsoft_tenant").
    pub kind: String,
    /// The vendor's id.
    pub vendor_id: String,
    /// Name as last seen.
    pub name: String,
    /// The vendor's record as JSON: `integration::Entity`.
    pub body: String,
    /// First seen.
    pub first_seen_at: Timestamp,
    /// When the vendor stopped listing it.
    pub removed_at: Option<Timestamp>,
    /// Client it belongs to.
    pub client_id: Option<ClientId>,
    /// Whether it belongs to one.
    pub mapping_state: MappingState,
    /// Why it was mapped or excluded, in people's words.
    pub mapping_reason: Option<String>,
    /// When that was decided.
    pub mapped_at: Option<Timestamp>,
    /// By whom, if by a person.
    pub mapped_by: Option<StaffId>,
    /// Goes up with each change of the mapping.
    pub version: i32,
    /// Devices under it.
    pub device_count: i32,
    /// Directory users under it.
    pub user_count: i32,
}

/// An id that a person typed for a client before the vendor listed it. The first sync that meets it turns it into
/// a mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnverifiedMapping {
    /// Id.
    pub id: UnverifiedMappingId,
    /// Which client.
    pub client_id: ClientId,
    /// Which vendor; it need not be connected.
    pub integration: String,
    /// The vendor's id, as typed.
    pub vendor_id: String,
    /// Why a sync that met it did not map it.
    pub problem: Option<String>,
    /// When it was typed.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<StaffId>,
}
