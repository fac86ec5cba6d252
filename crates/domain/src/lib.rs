//! Types that cannot be invalid, rules, roles and permissions, ids. No I/O.
//!
//! Everything that decides without asking the outside world lives here, so that it is tested
//! without a database. The clock and chance are traits ([`Clock`], [`Chance`]).
//!
//! **A new rule**: a function or a type here, with its tests beside it. **A new id**: one line in
//! `id.rs`. **A new permission**: one line in `permission.rs` and one in the matrix it prints.

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
mod letter;
mod list;
mod permission;
mod portal;
mod record;
mod run;
mod scope;
mod text;

pub use change::{Change, ChangeSet, Outcome};
pub use client::{Client, ClientDraft, ClientPatch, ClientStatus, ClientTotals};
pub use clock::{Chance, Clock, SystemClock, Timestamp, micros};
pub use connection::{Connection, ConnectionShare, ConnectionState};
pub use context::{Actor, Context};
pub use drift::{DriftDecision, DriftKind, DriftVerdict};
pub use entity::{Entity, MappingState, UnverifiedMapping};
pub use error::{Error, Problem, Result};
pub use id::{
    AgreementId, AgreementInstanceId, ApiKeyId, ClientId, ConnectionId, ConnectionShareId, DeviceId, DeviceRulingId,
    DriftId, EntityId, EntryId, JobId, MailId, OrganisationId, PortalDeviceId, PortalSessionId, PortalUserId, RecordId,
    RunId, ServiceRequestId, ServiceRequestStepId, ServiceRequestTypeId, SessionId, StaffId, UnverifiedMappingId,
    VendorWriteId,
};
pub use letter::{Letter, LetterLink, MailState};
pub use list::{Archived, IntegrationFilter, Listed, PageRequest, Range, SortOrder};
pub use permission::{Grant, KeyScope, Permission, Permissions, Role, matrix};
pub use portal::{
    Agreement, AgreementAct, AgreementInstance, AgreementState, FieldAnswer, FieldKind, FormField, ServiceRequest,
    ServiceRequestAct, ServiceRequestState, ServiceRequestStep, ServiceRequestType, Signature, TicketField, TicketForm,
    TicketOption, WrongState, check_answers, check_form,
};
pub use portal::{
    Branding, BrandingSource, Colour, EffectiveBranding, LEAST_CONTRAST_OF_PARTS, LEAST_CONTRAST_OF_TEXT,
    PORTAL_ACTIONS, Palette, PortalAct, PortalAuthMode, PortalConfig, PortalPermission, PortalRole, PortalSettings,
    PortalState, Reach, Section, Shown, palette_problems, portal_matrix,
};
pub use record::{Freshness, Record};
pub use run::{Counts, Run, RunState, Trigger};
pub use scope::ClientScope;
pub use text::{name_key, valid_email, valid_name};
