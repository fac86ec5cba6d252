//! What is on for a client's people.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Branding;
use crate::{ClientId, Timestamp};

/// A part of ClientOne that can be on or off for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Section {
    Devices,
    Tickets,
    ServiceRequests,
    Documents,
    Agreements,
    Onboarding,
    Backups,
    Activity,
}

impl Section {
    /// All sections, in the order of the menu.
    pub const ALL: [Self; 8] = [
        Self::Devices,
        Self::Tickets,
        Self::ServiceRequests,
        Self::Documents,
        Self::Agreements,
        Self::Onboarding,
        Self::Backups,
        Self::Activity,
    ];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Tickets => "tickets",
            Self::ServiceRequests => "service_requests",
            Self::Documents => "documents",
            Self::Agreements => "agreements",
            Self::Onboarding => "onboarding",
            Self::Backups => "backups",
            Self::Activity => "activity",
        }
    }
}

/// How people of a client sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortalAuthMode {
    /// With a password.
    #[default]
    Password,
    /// With a password or through the client's identity provider.
    PasswordSso,
    /// Through the client's identity provider only.
    SsoOnly,
}

impl PortalAuthMode {
    /// Whether a password opens anything.
    pub fn takes_password(self) -> bool {
        self != Self::SsoOnly
    }

    /// Whether an identity provider opens anything.
    pub fn takes_sso(self) -> bool {
        self != Self::Password
    }
}

/// What is on for a client. A setting that a stored row does not name has its usual value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PortalSettings {
    /// Sections that are on.
    pub sections: BTreeSet<Section>,
    /// Whether a User without an assigned device sees every device of the client, and not none.
    pub all_devices_when_unassigned: bool,
    /// How people sign in.
    pub auth_mode: PortalAuthMode,
    /// Whether everyone needs a second factor of ours, or of an identity provider that is trusted for it.
    pub require_mfa: bool,
}

impl Default for PortalSettings {
    /// What needs nothing prepared by the MSP; of the devices only assigned ones.
    fn default() -> Self {
        Self {
            sections: [Section::Devices, Section::Tickets, Section::Backups, Section::Activity].into(),
            all_devices_when_unassigned: false,
            auth_mode: PortalAuthMode::Password,
            require_mfa: false,
        }
    }
}

/// How ClientOne is set up for a client.
#[derive(Clone, Debug, PartialEq)]
pub struct PortalConfig {
    /// The client.
    pub client_id: ClientId,
    /// Whether its people may sign in.
    pub enabled: bool,
    /// What is on.
    pub settings: PortalSettings,
    /// How it looks, where the client differs from the others.
    pub branding: Branding,
    /// Last changed; none while nothing was ever set.
    pub updated_at: Option<Timestamp>,
    /// Goes up by one with each change; 0 while nothing was ever set.
    pub version: i32,
}

impl PortalConfig {
    /// The set-up of a client for which nothing was ever set.
    pub fn unset(client_id: ClientId) -> Self {
        Self {
            client_id,
            enabled: false,
            settings: PortalSettings::default(),
            branding: Branding::default(),
            updated_at: None,
            version: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_row_is_read_with_the_usual_values() {
        let read: PortalSettings = serde_json::from_str("{}").expect("reads");
        assert_eq!(read, PortalSettings::default());
        let read: PortalSettings = serde_json::from_str(r#"{"sections":["tickets"]}"#).expect("reads");
        assert_eq!((read.sections.len(), read.auth_mode), (1, PortalAuthMode::Password));
    }

    #[test]
    fn only_sso_only_refuses_passwords() {
        assert!(PortalAuthMode::Password.takes_password() && PortalAuthMode::PasswordSso.takes_password());
        assert!(!PortalAuthMode::SsoOnly.takes_password());
    }
}
