//! The operations, one file for each resource.

pub mod acting;
pub mod admin_consent;
pub mod aliases;
pub mod approvals;
pub mod backups;
pub mod bulk;
pub mod bulk_progress;
pub mod bulk_settings;
pub mod bulk_shapes;
pub mod client_deleted;
pub mod client_export;
pub mod client_filter;
pub mod client_life;
pub mod client_notes;
pub mod clientone;
pub mod clientone_admin;
pub mod clients;
pub mod connection_life;
pub mod connections;
pub mod consent;
pub mod contacts;
pub mod csv_imports;
pub mod custom_roles;
pub mod customer_contacts;
pub mod customer_export;
pub mod customer_tenants;
pub mod customers;
pub mod desk_notices;
pub mod device_fields;
pub mod device_precedence;
pub mod devices;
pub mod documents;
pub mod drift;
pub mod file_life;
pub mod file_shapes;
pub mod files;
pub mod fleet;
pub mod hosted;
pub mod imports;
pub mod integrations;
pub mod invitations;
pub mod journal;
pub mod journal_checkpoints;
pub mod journal_export;
pub mod keys;
pub mod library;
pub mod library_shapes;
pub mod live;
pub mod mappings;
pub mod matching_settings;
pub mod microsoft365;
mod mirrored;
pub mod oauth;
pub mod passkey_sign_in;
pub mod passkeys;
pub mod places;
pub mod portal_ticket_shapes;
pub mod portal_ticket_views;
pub mod portal_tickets;
pub mod progress;
pub mod psa;
pub mod psa_views;
pub mod queue;
pub mod quiet_hours;
pub mod reconciliation;
pub mod records;
pub mod replays;
pub mod runs;
pub mod saved_filters;
pub mod second_factor;
pub mod security;
pub mod service_account_shapes;
pub mod service_accounts;
pub mod session;
pub mod sharing;
pub mod sso;
pub mod sso_providers;
pub mod sso_shapes;
pub mod staff;
pub mod staff_life;
pub mod stored;
pub mod subscriptions;
mod table_file;
pub mod tenant_connects;
pub mod tenant_export;
pub mod tenant_life;
pub mod tenants;
pub mod threats;
pub mod ticket_attachments;
pub mod tickets;
pub mod typed;
pub mod webhook_deliveries;
pub mod webhook_subscriptions;
pub mod webhooks;
pub mod workbench;

use poem_openapi::Tags;

/// Chapters of the document.
#[derive(Tags)]
pub enum Chapter {
    /// Signing in and out
    Session,
    /// The team
    Staff,
    /// Keys for machines
    ApiKeys,
    /// The catalogue of vendors
    Integrations,
    /// Accounts at vendors
    Connections,
    /// What was synced, when and how
    Runs,
    /// What vendors call a customer, and which client it is
    Mappings,
    /// Making clients of vendors' entities
    Imports,
    /// The businesses the MSP manages
    Clients,
    /// The commercial face of clients
    Customers,
    /// Microsoft 365 environments
    Tenants,
    /// What the MSP writes
    Library,
    /// What was changed, by whom
    Journal,
    /// The portal of the clients, as owners and admins set it up
    ClientOne,
    /// Telling other programs of events
    Webhooks,
}
