//! A business the MSP manages. "Client" is its operations face, "customer" its commercial face:
//! one record.

use serde::{Deserialize, Serialize};

use crate::{ClientId, Timestamp};

/// Whether the MSP works for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientStatus {
    /// In work.
    #[default]
    Active,
    /// Kept, synced, but filtered out of daily views.
    Inactive,
}

impl ClientStatus {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// The status of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Inactive].into_iter().find(|status| status.as_str() == name)
    }
}

/// A client as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Id.
    pub id: ClientId,
    /// Name.
    pub name: String,
    /// Status.
    pub status: ClientStatus,
    /// Notes of the staff.
    pub notes: Option<String>,
    /// Address of the main contact.
    pub contact_email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was archived: kept whole and synced, but left out of lists unless they are asked for it.
    // Entries of the journal from before there were archives lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Timestamp>,
    /// When it was deleted; restored within 30 days by reverting the deletion.
    pub deleted_at: Option<Timestamp>,
    /// Words that people sort their clients by: lower case, sorted, each once.
    // Entries of the journal from before there were tags lack it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Goes up by one with each change.
    pub version: i32,
    /// Devices attributed to it by mapped entities. Derived, hence not part of the journal.
    #[serde(skip)]
    pub device_count: i32,
    /// Directory users attributed to it. Derived.
    #[serde(skip)]
    pub user_count: i32,
}

/// What it takes to make a client.
#[derive(Clone, Debug, Default)]
pub struct ClientDraft {
    /// Name, not yet checked.
    pub name: String,
    /// Status; active unless said otherwise.
    pub status: ClientStatus,
    /// Notes.
    pub notes: Option<String>,
    /// Address of the main contact, not yet checked.
    pub contact_email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Postal address.
    pub address: Option<String>,
}

/// What to change about a client. `None` leaves a field as it is, `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct ClientPatch {
    /// New name.
    pub name: Option<String>,
    /// New status.
    pub status: Option<ClientStatus>,
    /// New notes.
    pub notes: Option<Option<String>>,
    /// New address of the main contact.
    pub contact_email: Option<Option<String>>,
    /// New telephone.
    pub phone: Option<Option<String>>,
    /// New postal address.
    pub address: Option<Option<String>>,
}

/// How many clients there are in the caller's scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientTotals {
    /// Active ones.
    pub active: i64,
    /// Inactive ones.
    pub inactive: i64,
}

impl ClientTotals {
    /// All of them.
    pub fn total(self) -> i64 {
        self.active + self.inactive
    }
}
