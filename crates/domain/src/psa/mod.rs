//! Two-way sync with a PSA: which fields of a client and its company there are kept alike, who owns each, and what a
//! person has to decide.

mod address;
mod merge;

use serde::{Deserialize, Serialize};

pub use self::{
    address::PostalParts,
    merge::{Agreement, Decision, Rules, Sides, decide, same},
};
use crate::{ClientId, ConnectionId, EntityId, PsaConflictId, Timestamp};

/// A field that a client and its company at a PSA both have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PsaField {
    /// Name.
    Name,
    /// Postal address, without the country.
    Address,
    /// Telephone.
    Phone,
    /// E-mail of the main contact.
    ContactEmail,
    /// Whether it is in use.
    Status,
}

impl PsaField {
    /// All fields, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Name, Self::Address, Self::Phone, Self::ContactEmail, Self::Status];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Phone => "phone",
            Self::ContactEmail => "contact_email",
            Self::Status => "status",
        }
    }

    /// The field of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

/// Whose edits of a field are carried to the other side by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PsaOwner {
    /// The PSA's; an edit here waits for a person.
    Psa,
    /// Ours; an edit at the PSA waits for a person.
    Panelone,
    /// Both.
    Either,
}

impl PsaOwner {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Psa => "psa",
            Self::Panelone => "panelone",
            Self::Either => "either",
        }
    }

    /// The owner of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Psa, Self::Panelone, Self::Either].into_iter().find(|owner| owner.as_str() == name)
    }
}

/// Which way edits go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PsaDirection {
    /// Not at all.
    Off,
    /// From the PSA to us: nothing is ever sent.
    FromPsa,
    /// Both ways.
    Both,
}

impl PsaDirection {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::FromPsa => "from_psa",
            Self::Both => "both",
        }
    }

    /// The direction of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Off, Self::FromPsa, Self::Both].into_iter().find(|direction| direction.as_str() == name)
    }
}

/// The owner of each field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PsaOwners {
    /// Of the name.
    pub name: PsaOwner,
    /// Of the postal address.
    pub address: PsaOwner,
    /// Of the telephone.
    pub phone: PsaOwner,
    /// Of the main contact's e-mail.
    pub contact_email: PsaOwner,
    /// Of whether it is in use.
    pub status: PsaOwner,
}

impl Default for PsaOwners {
    /// The PSA owns all of them, names, addresses and contacts: invoices are made of them.
    fn default() -> Self {
        Self {
            name: PsaOwner::Psa,
            address: PsaOwner::Psa,
            phone: PsaOwner::Psa,
            contact_email: PsaOwner::Psa,
            status: PsaOwner::Psa,
        }
    }
}

impl PsaOwners {
    /// The owner of one field.
    pub fn of(&self, field: PsaField) -> PsaOwner {
        match field {
            PsaField::Name => self.name,
            PsaField::Address => self.address,
            PsaField::Phone => self.phone,
            PsaField::ContactEmail => self.contact_email,
            PsaField::Status => self.status,
        }
    }
}

/// How a connection to a PSA is kept in step with our clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PsaSettings {
    /// Which connection.
    pub connection_id: ConnectionId,
    /// Which way edits go; off unless a person says otherwise.
    pub direction: PsaDirection,
    /// Who owns each field.
    pub owners: PsaOwners,
    /// Since when new companies become clients by themselves; `None` is not at all. Companies that were there before
    /// are for the import.
    pub clients_since: Option<Timestamp>,
    /// Only companies that are in use become clients.
    pub only_active: bool,
    /// Only companies in one of these states or of these types, in the PSA's words; empty is all.
    pub only_states: Vec<String>,
    /// Since when new clients become companies by themselves; `None` is not at all.
    pub companies_since: Option<Timestamp>,
    /// Goes up by one with each change.
    pub version: i32,
}

impl PsaSettings {
    /// The settings of a connection for which nobody has said anything.
    pub fn none(connection_id: ConnectionId) -> Self {
        Self {
            connection_id,
            direction: PsaDirection::Off,
            owners: PsaOwners::default(),
            clients_since: None,
            only_active: true,
            only_states: Vec::new(),
            companies_since: None,
            version: 0,
        }
    }

    /// Whether a company of this state may become a client by itself.
    pub fn admits(&self, active: Option<bool>, state: Option<&str>) -> bool {
        let named = |wanted: &String| state.is_some_and(|state| state.trim().eq_ignore_ascii_case(wanted.trim()));
        (!self.only_active || active != Some(false))
            && (self.only_states.is_empty() || self.only_states.iter().any(named))
    }
}

/// Why something waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PsaConflictKind {
    /// Both sides changed the field since they last agreed.
    BothChanged,
    /// The sides were never alike, and differ.
    NeverAgreed,
    /// The field was changed on the side that does not own it.
    NotOwned,
    /// One side emptied the field: a blank never overwrites a known value by itself.
    Emptied,
    /// The PSA refused our value, or it cannot be sent.
    Refused,
    /// A new company looks like a client there is.
    LikeClient,
    /// A new client looks like a company there is.
    LikeCompany,
}

impl PsaConflictKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::BothChanged,
        Self::NeverAgreed,
        Self::NotOwned,
        Self::Emptied,
        Self::Refused,
        Self::LikeClient,
        Self::LikeCompany,
    ];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BothChanged => "both_changed",
            Self::NeverAgreed => "never_agreed",
            Self::NotOwned => "not_owned",
            Self::Emptied => "emptied",
            Self::Refused => "refused",
            Self::LikeClient => "like_client",
            Self::LikeCompany => "like_company",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How far a conflict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PsaConflictState {
    /// Waits for a person.
    Open,
    /// A person decided for our value: the next pass sends it.
    Sending,
    /// A person decided that it stays as it is.
    Left,
}

impl PsaConflictState {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sending => "sending",
            Self::Left => "left",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Open, Self::Sending, Self::Left].into_iter().find(|state| state.as_str() == name)
    }
}

/// One thing that a person has to decide about a client and its company at a PSA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PsaConflict {
    /// Id: the same for the same connection, company, client and field.
    pub id: PsaConflictId,
    /// At which PSA.
    pub connection_id: ConnectionId,
    /// Which company; none where it could not be made.
    pub entity_id: Option<EntityId>,
    /// Which client; of a new company the one that it looks like.
    pub client_id: Option<ClientId>,
    /// Which field; none where it is about the company as a whole.
    pub field: Option<PsaField>,
    /// Why it waits.
    pub kind: PsaConflictKind,
    /// How far it is.
    pub state: PsaConflictState,
    /// Our value.
    pub ours: Option<String>,
    /// The PSA's value.
    pub theirs: Option<String>,
    /// When ours was last changed.
    pub ours_at: Option<Timestamp>,
    /// Who changed it: "staff <id>", "api_key <id>", "worker" or "operator".
    pub ours_by: Option<String>,
    /// When a sync noticed theirs.
    pub theirs_at: Option<Timestamp>,
    /// What the PSA said, or what the likeness rests on.
    pub message: Option<String>,
    /// Since when it waits.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_psa_owns_every_field_until_somebody_says_otherwise() {
        let owners = PsaSettings::none(ConnectionId(uuid::Uuid::nil())).owners;
        assert_eq!(PsaField::ALL.map(|field| owners.of(field)), [PsaOwner::Psa; 5]);
    }
}
