//! Types that cannot be invalid, rules, roles and permissions, ids. No I/O.
//!
//! Everything that decides without asking the outside world lives here, so that it is tested
//! without a database. The clock and chance are traits ([`Clock`], [`Chance`]).
//!
//! **A new rule**: a function or a type here, with its tests beside it. **A new id**: one line in
//! `id.rs`. **A new permission**: one line in `permission.rs` and one in the matrix it prints.

mod account;
mod alias;
mod approval;
mod bulk;
mod change;
mod client;
mod clock;
mod connection;
mod context;
mod custom_role;
mod customer;
pub mod device;
mod drift;
mod entity;
mod error;
mod event;
mod file;
mod id;
mod invitation;
mod letter;
mod list;
mod matching;
mod permission;
mod portal;
pub mod psa;
mod quiet;
mod record;
mod run;
mod scope;
mod sso;
mod tenant;
mod tenant_connect;
mod text;
mod webhook;

pub use account::{Account, AccountKind};
pub use alias::{AliasKind, ClientAlias};
pub use approval::{APPROVAL_LASTS, Approval, ApprovalState, MOST_APPROVAL_CHANGES, clients_touched};
pub use bulk::{
    BulkAction, BulkItemState, BulkOperation, BulkState, BulkThresholds, MOST_CLIENT_TAGS, MOST_IN_BULK, client_tags,
};
pub use change::{Change, ChangeSet, Outcome};
pub use client::{Client, ClientDraft, ClientPatch, ClientStatus, ClientTotals};
pub use clock::{Chance, Clock, SystemClock, Timestamp, micros};
pub use connection::{Connection, ConnectionShare, ConnectionState};
pub use context::{Actor, Approved, Context};
pub use custom_role::{CustomRole, MOST_CUSTOM_ROLES, approval_problems, role_problems};
pub use customer::{
    ClientContact, ClientNote, Library, LibraryDocument, LibraryVersion, SavedFilter, slug_of, valid_slug,
};
pub use drift::{DriftDecision, DriftKind, DriftVerdict};
pub use entity::{Entity, MappingState, UnverifiedMapping};
pub use error::{Error, Problem, Result};
pub use file::{File, FileReach, FileVersion, Publication, file_name};
pub use id::ApprovalId;
pub use id::BulkOperationId;
pub use id::DeviceLockId;
pub use id::TenantConnectId;
pub use id::{AccessTokenId, CustomRoleId, JournalCheckpointId, ServiceAccountId, ServiceAccountSecretId};
pub use id::{
    AgreementId, AgreementInstanceId, ApiKeyId, ClientId, ConnectionId, ConnectionShareId, DeviceId, DeviceRulingId,
    DriftId, EntityId, EntryId, JobId, MailId, OrganisationId, PasskeyId, PendingSessionId, PortalDeviceId,
    PortalSessionId, PortalUserId, PsaConflictId, RecordId, RunId, SecondFactorId, ServiceRequestId,
    ServiceRequestStepId, ServiceRequestTypeId, SessionId, StaffId, StaffInvitationId, UnverifiedMappingId,
    VendorWriteId,
};
pub use id::{ClientAliasId, ClientContactId, ClientNoteId, LibraryDocumentId, SavedFilterId, TenantSettingId};
pub use id::{ContentId, FileId};
pub use id::{DeskNoticeId, TicketAttachmentId};
pub use id::{OnboardingId, OnboardingStepId, OnboardingTemplateId};
pub use id::{PortalTicketId, PortalTicketMessageId, TicketSendingId};
pub use id::{SsoLinkId, SsoProviderId};
pub use invitation::InvitationState;
pub use letter::{Letter, LetterLink, MailState};
pub use list::{Archived, IntegrationFilter, Listed, PageRequest, Range, SortOrder};
pub use matching::Threshold;
pub use permission::{Grant, KeyScope, Permission, Permissions, Role, matrix};
pub use portal::{
    Agreement, AgreementAct, AgreementInstance, AgreementState, FieldAnswer, FieldKind, FormField, ServiceRequest,
    ServiceRequestAct, ServiceRequestState, ServiceRequestStep, ServiceRequestType, Signature, TicketField, TicketForm,
    TicketOption, WrongState, check_answers, check_form,
};
pub use portal::{
    Branding, BrandingSource, Colour, EffectiveBranding, LEAST_CONTRAST_OF_PARTS, LEAST_CONTRAST_OF_TEXT, Logo,
    PORTAL_ACTIONS, Palette, PortalAct, PortalAuthMode, PortalConfig, PortalPermission, PortalRole, PortalSettings,
    PortalState, Reach, Section, Shown, palette_problems, portal_matrix,
};
pub use portal::{DeskNoticeKind, DeskNoticeSwitches, TicketAttachment, bytes_in_words, valid_origin};
pub use portal::{
    GivenCredential, Onboarding, OnboardingAct, OnboardingContent, OnboardingState, OnboardingStep, OnboardingStepKind,
    OnboardingStepState, OnboardingTemplate, OnboardingTemplateAct, OnboardingTemplateState, PlannedStep,
    STALLED_AFTER_DAYS, check_credentials, current_step, step_after,
};
pub use portal::{
    PortalTicket, PortalTicketAct, PortalTicketMessage, PortalTicketState, TicketLink, TicketMessageKind,
    TicketSending, TicketSendingAct, TicketSendingKind, TicketSendingState, ticket_mark,
};

pub use psa::{
    PsaConflict, PsaConflictKind, PsaConflictState, PsaDirection, PsaField, PsaOwner, PsaOwners, PsaSettings,
};
pub use quiet::QuietHours;
pub use record::{Freshness, Record};
pub use run::{Counts, Run, RunState, Trigger};
pub use scope::ClientScope;
pub use sso::{ENTRA_AUTHORITY, SsoAudience, SsoKind, SsoLink, SsoProvider, domain_of, shows_mfa, tenant_of};
pub use tenant::{CRITICAL_SCORE, Health, Seats, TENANT, TenantFacts, TenantSetting, WARNING_SCORE};
pub use tenant_connect::{TENANT_CONNECT_LASTS, TenantConnect, TenantConnectAct, TenantConnectState};
pub use text::{name_key, valid_email, valid_name};

pub use event::{EVENT_KINDS, EventDraft, EventStanding, EventType, events_of};
pub use id::{NotificationId, WebhookDeliveryId, WebhookSubscriptionId};
pub use portal::{NotificationKind, NotificationSwitches};
pub use webhook::{
    DELIVERY_TRIES, DeliveryState, FAILING_FOR, OLD_SECRET_LASTS, WebhookAttempt, WebhookDelivery, WebhookSubscription,
    wait_after,
};
