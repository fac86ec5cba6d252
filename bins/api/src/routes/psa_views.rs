//! What two-way sync with PSAs looks like in the document.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use sync::PsaPatch;
use uuid::Uuid;

/// Declares an enum of the document that is one of the domain's.
macro_rules! mirrors {
    ($(#[doc = $doc:literal])+ $name:ident of $domain:ident { $($(#[doc = $says:literal])+ $variant:ident),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        #[oai(rename_all = "snake_case")]
        pub enum $name { $($(#[doc = $says])+ $variant),+ }

        impl From<domain::$domain> for $name {
            fn from(one: domain::$domain) -> Self {
                match one { $(domain::$domain::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for domain::$domain {
            fn from(one: $name) -> Self {
                match one { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}

mirrors! {
    /// Which way edits of clients and companies go
    PsaDirection of PsaDirection {
        /// Not at all
        Off,
        /// From the PSA to here; nothing is ever sent
        FromPsa,
        /// Both ways
        Both,
    }
}

mirrors! {
    /// Whose edits of a field are carried to the other side by themselves; the other side's wait for a person
    PsaOwner of PsaOwner {
        /// The PSA's
        Psa,
        /// Ours
        Panelone,
        /// Both sides'
        Either,
    }
}

mirrors! {
    /// A field that a client and its company both have
    PsaField of PsaField {
        /// Name
        Name,
        /// Postal address, without the country
        Address,
        /// Telephone
        Phone,
        /// E-mail of the main contact, where the PSA says who that is
        ContactEmail,
        /// Whether it is in use
        Status,
    }
}

mirrors! {
    /// Why something waits for a person
    PsaConflictKind of PsaConflictKind {
        /// Both sides changed the field since they last agreed, and not to the same
        BothChanged,
        /// The sides never agreed on this field, and differ
        NeverAgreed,
        /// The side that does not own the field changed it
        NotOwned,
        /// One side emptied the field
        Emptied,
        /// The PSA refused our value, or a client cannot have the PSA's: see `message`
        Refused,
        /// A new company looks like a client there is
        LikeClient,
        /// A new client looks like a company there is
        LikeCompany,
    }
}

mirrors! {
    /// How far a conflict is
    PsaConflictState of PsaConflictState {
        /// Waits for a person
        Open,
        /// Decided: the next pass sends it, or makes what is to be made
        Sending,
        /// Decided: it stays as it is
        Left,
    }
}

/// The owner of each field.
#[derive(Debug, Clone, Object)]
pub struct PsaOwners {
    /// Of the name
    pub name: PsaOwner,
    /// Of the postal address
    pub address: PsaOwner,
    /// Of the telephone
    pub phone: PsaOwner,
    /// Of the main contact's e-mail
    pub contact_email: PsaOwner,
    /// Of whether it is in use
    pub status: PsaOwner,
}

/// How a connection to a PSA is kept in step with the clients.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PsaSettings {
    /// Connection
    pub connection_id: Uuid,
    pub direction: PsaDirection,
    /// Who owns each field
    pub owners: PsaOwners,
    /// Whether companies that are new at the PSA become clients by themselves
    pub create_clients: bool,
    /// Since when; companies that were there before are for the import
    pub clients_since: Option<DateTime<Utc>>,
    /// Only companies in use become clients
    pub only_active: bool,
    /// Only companies in one of these states or of these types become clients; empty is all
    pub only_states: Vec<String>,
    /// States or types of companies that the PSA was seen to use, in its words
    pub known_states: Vec<String>,
    /// Whether new clients become companies at the PSA by themselves
    pub create_companies: bool,
    /// Since when
    pub companies_since: Option<DateTime<Utc>>,
    /// When the last pass ended
    pub passed_at: Option<DateTime<Utc>>,
    /// Why a pass is not through; it goes on by itself
    pub problem: Option<String>,
    /// Conflicts that wait for a person
    pub open_conflicts: i64,
}

impl From<sync::PsaView> for PsaSettings {
    fn from(view: sync::PsaView) -> Self {
        let domain::PsaSettings { owners, .. } = view.settings;
        Self {
            connection_id: view.settings.connection_id.0,
            direction: view.settings.direction.into(),
            owners: PsaOwners {
                name: owners.name.into(),
                address: owners.address.into(),
                phone: owners.phone.into(),
                contact_email: owners.contact_email.into(),
                status: owners.status.into(),
            },
            create_clients: view.settings.clients_since.is_some(),
            clients_since: view.settings.clients_since,
            only_active: view.settings.only_active,
            only_states: view.settings.only_states,
            known_states: view.states,
            create_companies: view.settings.companies_since.is_some(),
            companies_since: view.settings.companies_since,
            passed_at: view.pass.passed_at,
            problem: view.pass.error,
            open_conflicts: view.open,
        }
    }
}

/// Other owners of some fields.
#[derive(Debug, Clone, Default, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct PsaOwnersUpdate {
    /// Of the name
    pub name: Option<PsaOwner>,
    /// Of the postal address
    pub address: Option<PsaOwner>,
    /// Of the telephone
    pub phone: Option<PsaOwner>,
    /// Of the main contact's e-mail
    pub contact_email: Option<PsaOwner>,
    /// Of whether it is in use
    pub status: Option<PsaOwner>,
}

/// What of the settings is to change; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct PsaSettingsUpdate {
    pub direction: Option<PsaDirection>,
    /// Owners of fields
    pub owners: Option<PsaOwnersUpdate>,
    /// Whether companies that are new from now on become clients by themselves
    pub create_clients: Option<bool>,
    /// Only companies in use
    pub only_active: Option<bool>,
    /// Only companies in one of these states or of these types; empty is all
    pub only_states: Option<Vec<String>>,
    /// Whether clients that are new from now on become companies by themselves; needs the direction `both`
    pub create_companies: Option<bool>,
}

impl PsaSettingsUpdate {
    /// The same for the operation.
    pub fn patch(self) -> PsaPatch {
        let owners = self.owners.unwrap_or_default();
        let fields = [
            (PsaField::Name, owners.name),
            (PsaField::Address, owners.address),
            (PsaField::Phone, owners.phone),
            (PsaField::ContactEmail, owners.contact_email),
            (PsaField::Status, owners.status),
        ];
        let named = fields.into_iter().filter_map(|(field, owner)| Some((field.into(), owner?.into())));
        PsaPatch {
            direction: self.direction.map(Into::into),
            owners: named.collect::<HashMap<_, _>>(),
            create_clients: self.create_clients,
            only_active: self.only_active,
            only_states: self.only_states,
            create_companies: self.create_companies,
        }
    }
}

/// Something that waits for a person.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PsaConflict {
    /// Id
    pub id: Uuid,
    /// At which PSA
    pub connection_id: Uuid,
    /// The company there, as an entity
    pub entity_id: Option<Uuid>,
    /// The client; of a new company the one that it looks like
    pub client_id: Option<Uuid>,
    /// Absent where it is about the company as a whole
    pub field: Option<PsaField>,
    pub kind: PsaConflictKind,
    pub state: PsaConflictState,
    /// Our value when it was found
    pub ours: Option<String>,
    /// Our value now: where it is another than `ours`, look again before deciding for the PSA's; `theirs` and `value` are
    /// refused until the next pass has found it
    pub current: Option<String>,
    /// When ours was last changed
    pub ours_at: Option<DateTime<Utc>>,
    /// Who changed it: staff or api_key with the staff user's id, worker, or operator
    pub ours_by: Option<String>,
    /// The PSA's value
    pub theirs: Option<String>,
    /// When a sync noticed it
    pub theirs_at: Option<DateTime<Utc>>,
    /// What the PSA said, or what a likeness rests on
    pub message: Option<String>,
    /// Since when it waits
    pub created_at: DateTime<Utc>,
}

impl PsaConflict {
    /// The view of items, with what their clients have now.
    pub async fn of(tx: &persistence::Tx, items: Vec<domain::PsaConflict>) -> domain::Result<Vec<Self>> {
        let mut current = sync::psa_conflict_current(tx, &items).await?;
        Ok(items.into_iter().map(|one| (current.remove(&one.id), one)).map(Self::from).collect())
    }
}

impl From<(Option<String>, domain::PsaConflict)> for PsaConflict {
    fn from((current, one): (Option<String>, domain::PsaConflict)) -> Self {
        Self {
            id: one.id.0,
            connection_id: one.connection_id.0,
            entity_id: one.entity_id.map(|id| id.0),
            client_id: one.client_id.map(|id| id.0),
            field: one.field.map(Into::into),
            kind: one.kind.into(),
            state: one.state.into(),
            ours: one.ours,
            current,
            ours_at: one.ours_at,
            ours_by: one.ours_by,
            theirs: one.theirs,
            theirs_at: one.theirs_at,
            message: one.message,
            created_at: one.created_at,
        }
    }
}

/// What is decided about a conflict
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum PsaTake {
    /// Our value: the next pass sends it; of a company that was refused, try again
    Ours,
    /// The PSA's value: the client takes it at once
    Theirs,
    /// The value of the side that owns the field
    Owner,
    /// The value that is typed, on both sides
    Value,
    /// They stay as they are, and may differ
    Leave,
    /// A company that looks like a client, or the other way round, is it: they are mapped
    Link,
    /// It is not: a new one is made
    Create,
}

/// A decision about one conflict.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct PsaResolution {
    /// Conflict
    pub conflict_id: Uuid,
    pub take: PsaTake,
    /// With `value`: the value
    pub value: Option<String>,
}

/// Decisions, all of them or none.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PsaResolve {
    /// At most 1,000
    pub resolutions: Vec<PsaResolution>,
}

/// Conflicts that are not settled by what was decided.
#[derive(Debug, Clone, Object)]
pub struct PsaConflicts {
    /// In the order of the decisions
    pub items: Vec<PsaConflict>,
}
