//! What clients are known by at vendors, as people taught it.

use serde::{Deserialize, Serialize};

use crate::{ClientAliasId, ClientId, EntityId, StaffId, Timestamp};

/// What a client is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasKind {
    /// A name.
    Name,
    /// A DNS domain.
    Domain,
}

impl AliasKind {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Domain => "domain",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Name, Self::Domain].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A name or a domain that belongs to a client, because a person mapped an entity that has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientAlias {
    /// Id.
    pub id: ClientAliasId,
    /// Whose it is.
    pub client_id: ClientId,
    /// What it is.
    pub kind: AliasKind,
    /// As the vendor has it.
    pub alias: String,
    /// What makes it the same as another of the client: a client has each key of a kind once.
    pub key: String,
    /// The entity whose mapping taught it; it may be gone with its connection.
    pub entity_id: EntityId,
    /// That entity's name then.
    pub entity_name: String,
    /// That entity's integration.
    pub integration: String,
    /// When it was learned.
    pub learned_at: Timestamp,
    /// From whom.
    pub learned_by: Option<StaffId>,
}
