//! ClientOne Admin: what owners and admins decide about the portal of their clients.

pub mod activity;
pub mod agreement_copies;
pub mod agreement_pdfs;
pub mod agreements;
pub mod branding;
pub mod email_changes;
pub mod invitations;
pub mod logos;
pub mod onboarding;
pub mod onboarding_shapes;
pub mod onboarding_templates;
pub mod origin;
pub mod second_factors;
pub mod service_requests;
pub mod service_types;
pub mod settings;
pub mod ticket_fields;
pub mod users;

use domain::{PortalAuthMode, Section};
use poem_openapi::Enum;

/// A part of ClientOne
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum PortalSection {
    /// Devices
    Devices,
    /// Tickets
    Tickets,
    /// Service requests
    ServiceRequests,
    /// Documents
    Documents,
    /// Agreements
    Agreements,
    /// Onboarding
    Onboarding,
    /// How backups stand
    Backups,
    /// What was done
    Activity,
}

impl From<Section> for PortalSection {
    fn from(section: Section) -> Self {
        match section {
            Section::Devices => Self::Devices,
            Section::Tickets => Self::Tickets,
            Section::ServiceRequests => Self::ServiceRequests,
            Section::Documents => Self::Documents,
            Section::Agreements => Self::Agreements,
            Section::Onboarding => Self::Onboarding,
            Section::Backups => Self::Backups,
            Section::Activity => Self::Activity,
        }
    }
}

impl From<PortalSection> for Section {
    fn from(section: PortalSection) -> Self {
        match section {
            PortalSection::Devices => Self::Devices,
            PortalSection::Tickets => Self::Tickets,
            PortalSection::ServiceRequests => Self::ServiceRequests,
            PortalSection::Documents => Self::Documents,
            PortalSection::Agreements => Self::Agreements,
            PortalSection::Onboarding => Self::Onboarding,
            PortalSection::Backups => Self::Backups,
            PortalSection::Activity => Self::Activity,
        }
    }
}

/// How people of a client sign in
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum PortalSignIn {
    /// With a password
    Password,
    /// With a password or through the client's identity provider
    PasswordSso,
    /// Through the client's identity provider only
    SsoOnly,
}

impl From<PortalAuthMode> for PortalSignIn {
    fn from(mode: PortalAuthMode) -> Self {
        match mode {
            PortalAuthMode::Password => Self::Password,
            PortalAuthMode::PasswordSso => Self::PasswordSso,
            PortalAuthMode::SsoOnly => Self::SsoOnly,
        }
    }
}

impl From<PortalSignIn> for PortalAuthMode {
    fn from(mode: PortalSignIn) -> Self {
        match mode {
            PortalSignIn::Password => Self::Password,
            PortalSignIn::PasswordSso => Self::PasswordSso,
            PortalSignIn::SsoOnly => Self::SsoOnly,
        }
    }
}
