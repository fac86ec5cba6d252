//! The operations, one file for each resource.

pub mod clients;
pub mod connections;
pub mod fleet;
pub mod imports;
pub mod integrations;
pub mod journal;
pub mod keys;
pub mod mappings;
pub mod microsoft365;
pub mod runs;
pub mod session;
pub mod staff;
pub mod subscriptions;

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
    /// What was changed, by whom
    Journal,
}
