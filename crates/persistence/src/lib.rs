//! The only SQL. SeaORM entities are private; what is public is [`Store`] and [`Tx`].
//!
//! * [`Store::begin`] and [`Store::read`] open a transaction for a [`domain::Context`]; every query of
//!   it is limited to the context's organisation and clients (`scoped.rs`; the compiler forbids
//!   other ways). On PostgreSQL row-level security is the second lock.
//! * A business row is written only through `Tx::insert_row` and its siblings (`journalled.rs`),
//!   which note what changed; [`Tx::commit`] writes the change set and its journal entry with it.
//! * [`Tx::preview`] answers the same change set and rolls back.
//! * What vendors said (`records.rs`, `entities.rs`) is written in bulk and journalled as one run.
//! * [`Across`] is the product's own business across organisations: sign-in by address, the queue.
//!
//! **A new table**: a statement in `migrations`, a `table!` in `entity/`, a file here with its `impl
//! Tx`. **A new business row**: also `Journalled` for it, and a branch in `revert.rs` if an entry with
//! it can be reverted.

mod access;
mod access_tokens;
mod across;
mod agreements;
mod aliases;
mod approvals;
mod bulk;
mod bulk_reads;
mod checkpoints;
mod client_contacts;
mod client_export;
mod client_list;
mod client_notes;
mod client_redirects;
mod clients;
mod connection_quiet;
mod connections;
mod consents;
mod contents;
mod custom_roles;
mod dead_letters;
mod deliveries;
mod device_list;
mod device_rulings;
mod device_stale;
mod devices;
mod digest;
mod domains;
mod drift;
mod entities;
mod entity;
mod error;
mod events;
mod files;
mod fleet;
mod idempotency;
mod invitations;
mod jobs;
mod journal;
mod journal_search;
mod journalled;
mod keys;
mod library;
mod listings;
mod mail;
mod mapping_batch;
mod matching_settings;
mod name_index;
mod notifications;
mod onboarding;
mod onboarding_steps;
mod onboarding_templates;
mod packing;
mod pending_sessions;
mod portal_activity;
mod portal_configs;
mod portal_devices;
mod portal_people;
mod portal_ticket_sendings;
mod portal_tickets;
mod portal_users;
mod psa;
mod psa_conflicts;
mod records;
mod replays;
mod revert;
mod revert_bulk;
mod revert_kept;
mod revert_own;
mod runs;
mod saved_filters;
mod scoped;
mod second_factors;
mod security_settings;
mod service_accounts;
mod service_requests;
mod service_types;
mod shares;
mod snapshots;
mod spill;
mod sso_attempts;
mod sso_links;
mod sso_providers;
mod store;
mod tenant_connects;
mod tenants;
mod ticket_forms;
mod tx;
mod unverified;
mod vendor_writes;
mod verify;
mod webhook_deliveries;
mod webhook_subscriptions;

pub use access::{ApiKeyRow, HeldRole, SessionRow, StaffRow};
pub use access_tokens::AccessTokenRow;
pub use across::{Across, ThrottleRow};
pub use agreements::{AgreementFilter, AgreementInstanceFilter};
pub use bulk::{BulkFilter, BulkItem, BulkSettingsRow};
pub use bulk_reads::{MappedEntity, PortalStanding};
pub use checkpoints::{CHECKPOINT_FORMAT, Checkpoint};
pub use client_export::{ExportedClient, Named};
pub use client_list::{ClientFilter, ClientSort, KnownBy, ListedClient};
pub use consents::ConsentRow;
pub use contents::{ContentPurpose, ContentRow};
pub use dead_letters::JobFilter;
pub use device_list::{DeviceSource, ListedDevice};
pub use domains::DomainTold;
pub use drift::{DriftEntity, DriftRow};
pub use entities::{EntityFilter, EntityWrite, MappingWrite, StoredEntity};
pub use files::FileFilter;
pub use fleet::{Depth, WorkerRow};
pub use idempotency::Claim;
pub use invitations::{InvitationRow, PasswordResetRow};
pub use jobs::{ClaimedJob, JobOutcome, JobRow, NewJob};
pub use journal::JournalEntry;
pub use journal_search::{JournalFilter, JournalPage};
pub use keys::KeyRing;
pub use library::LibraryFilter;
pub use listings::Listing;
pub use mail::{MAIL_JOB, MailRow, MailToSend, NewMail};
pub use matching_settings::MatchingSettingsRow;
pub use notifications::{NotificationRow, NotificationSettings, PortalNotice};
pub use onboarding::OnboardingFilter;
pub use onboarding_templates::OnboardingTemplateFilter;
pub use pending_sessions::PendingSessionRow;
pub use portal_activity::{ActivityFilter, PortalActivity};
pub use portal_configs::{ListedPortal, PortalFilter};
pub use portal_people::PortalNames;
pub use portal_ticket_sendings::{SendingChange, TICKET_JOB};
pub use portal_tickets::{PortalTicketFilter, ReadBy};
pub use portal_users::{PortalSessionRow, PortalUserFilter, PortalUserRow};
pub use psa::{Agreed, PSA_JOB, PassNote};
pub use psa_conflicts::ConflictFilter;
pub use records::{Known, RecordWrite, StoredRecord};
pub use replays::Kept;
pub use runs::{RunProgress, RunStart};
pub use second_factors::SecondFactorRow;
pub use security_settings::SecuritySettingsRow;
pub use service_accounts::{ServiceAccountRow, ServiceAccountSecretRow};
pub use service_requests::ServiceRequestFilter;
pub use snapshots::StoredSnapshot;
pub use sso_attempts::{SsoAttemptRow, SsoPurpose, SsoSecrets};
pub use store::{OsChance, Store, StoreOptions};
pub use tenant_connects::TenantConnectFilter;
pub use tenants::{CustomerEntity, Licensed, tags_kept};
pub use tx::{Apply, Tx};
pub use vendor_writes::{VendorWrite, VendorWriteState};
pub use verify::{Fault, Verification};
pub use webhook_deliveries::{DeliveryToSend, DueDeliveries, Tried};
