//! Types that cannot be invalid, rules, roles and permissions, ids. No I/O.
//!
//! Everything that decides without asking the outside world lives here, so that it is tested
//! without a database. The clock and chance are traits ([`Clock`], [`Chance`]).
//!
//! **A new rule**: a function or a type here, with its tests beside it. **A new id**: one line in
//! `id.rs`. **A new permission**: one line in `permission.rs` and one in the matrix it prints.

mod account;
mod change;
mod client;
mod clock;
mod connection;
mod context;
pub mod device;
mod drift;
mod entity;
mod error;
mod id;
mod list;
mod permission;
mod record;
mod run;
mod scope;
mod text;

pub use account::{Account, AccountKind};
pub use change::{Change, ChangeSet, Outcome};
pub use client::{Client, ClientDraft, ClientPatch, ClientStatus, ClientTotals};
pub use clock::{Chance, Clock, SystemClock, Timestamp, micros};
pub use connection::{Connection, ConnectionShare, ConnectionState};
pub use context::{Actor, Context};
pub use drift::{DriftDecision, DriftKind, DriftVerdict};
pub use entity::{Entity, MappingState, UnverifiedMapping};
pub use error::{Error, Problem, Result};
pub use id::{
    ApiKeyId, ClientId, ConnectionId, ConnectionShareId, DeviceId, DeviceRulingId, DriftId, EntityId, EntryId, JobId,
    OrganisationId, PendingSessionId, RecordId, RunId, SecondFactorId, SessionId, StaffId, UnverifiedMappingId,
    VendorWriteId,
};
pub use list::{Archived, IntegrationFilter, Listed, PageRequest, Range, SortOrder};
pub use permission::{Grant, KeyScope, Permission, Permissions, Role, matrix};
pub use record::{Freshness, Record};
pub use run::{Counts, Run, RunState, Trigger};
pub use scope::ClientScope;
pub use text::{name_key, valid_email, valid_name};
