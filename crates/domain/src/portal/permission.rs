//! What each portal role may do: pure data. The matrix is checked in as `portal_permissions.txt`.
//!
//! A part of ClientOne is there for someone when the client's setting has its section on **and** the role has the
//! permission. A section that is off does not exist (404); a right that the role lacks is refused by name (403).

use std::fmt::Write as _;

use super::{PortalRole, PortalSettings, Section};
use crate::{Error, Result};

/// How far a portal permission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Not at all.
    No,
    /// What is one's own.
    Own,
    /// All of the client.
    All,
}

macro_rules! portal_permissions {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $section:expr, [$user:ident $manager:ident]);+ $(;)?) => {
        /// Something a portal user may be allowed to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum PortalPermission { $( $(#[doc = $doc])+ $name ),+ }

        impl PortalPermission {
            /// All of them, in the order of the matrix.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name in messages and in the matrix.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The section it belongs to; none for what is always there.
            pub fn section(self) -> Option<Section> {
                match self { $(Self::$name => $section),+ }
            }

            /// How far a role has it.
            pub fn granted_to(self, role: PortalRole) -> Reach {
                let row = match self { $(Self::$name => [Reach::$user, Reach::$manager]),+ };
                row[role as usize]
            }
        }
    };
}

portal_permissions! {
    /// One's own name, phone, password and sessions.
    ProfileEdit = "profile_edit", None, [Own Own];
    /// The users of the client: see, invite, deactivate.
    UsersManage = "users_manage", None, [No All];
    /// See devices.
    DevicesView = "devices_view", Some(Section::Devices), [Own All];
    /// See tickets.
    TicketsView = "tickets_view", Some(Section::Tickets), [Own All];
    /// See service requests, and make them.
    ServiceRequestsView = "service_requests_view", Some(Section::ServiceRequests), [Own All];
    /// See published documents.
    DocumentsView = "documents_view", Some(Section::Documents), [All All];
    /// See agreements.
    AgreementsView = "agreements_view", Some(Section::Agreements), [All All];
    /// Sign agreements, or decline: a User those that are open to Users.
    AgreementsSign = "agreements_sign", Some(Section::Agreements), [Own All];
    /// See how onboarding goes: a Manager also what was answered.
    OnboardingView = "onboarding_view", Some(Section::Onboarding), [Own All];
    /// Do the steps of onboarding.
    OnboardingComplete = "onboarding_complete", Some(Section::Onboarding), [No All];
    /// See how backups stand.
    BackupsView = "backups_view", Some(Section::Backups), [All All];
    /// See which of the provider's connections are shared with the client, and how they are.
    ConnectionsView = "connections_view", None, [No All];
    /// See what was done in ClientOne.
    ActivityView = "activity_view", Some(Section::Activity), [Own All];
}

impl PortalPermission {
    /// How far someone of this role has it where these settings hold.
    pub fn reach(self, role: PortalRole, settings: &PortalSettings) -> Result<Reach> {
        if self.section().is_some_and(|section| !settings.sections.contains(&section)) {
            return Err(Error::NotFound { what: "section" });
        }
        match self.granted_to(role) {
            Reach::No => Err(Error::PortalForbidden { permission: self }),
            reach => Ok(reach),
        }
    }
}

impl PortalSettings {
    /// The sections that someone of this role has, in the order of the menu.
    pub fn sections_of(&self, role: PortalRole) -> Vec<Section> {
        let has = |section: &Section| {
            let mut all = PortalPermission::ALL.iter().filter(|one| one.section() == Some(*section));
            all.any(|permission| permission.reach(role, self).is_ok())
        };
        Section::ALL.into_iter().filter(has).collect()
    }
}

/// Actions of portal users, with the permission that lets someone see in ClientOne that they were done. An action that
/// is not named here shows in no portal.
pub const PORTAL_ACTIONS: &[(&str, PortalPermission)] = &[
    ("portal_session_create", PortalPermission::ProfileEdit),
    ("portal_session_delete", PortalPermission::ProfileEdit),
    ("portal_sessions_delete", PortalPermission::ProfileEdit),
    ("portal_invitation_accept", PortalPermission::ProfileEdit),
    ("portal_password_change", PortalPermission::ProfileEdit),
    ("portal_password_reset", PortalPermission::ProfileEdit),
    ("portal_email_confirm", PortalPermission::ProfileEdit),
    ("profile_update", PortalPermission::ProfileEdit),
    ("notification_settings_update", PortalPermission::ProfileEdit),
    ("colleague_invite", PortalPermission::UsersManage),
    ("colleague_invitation_revoke", PortalPermission::UsersManage),
    ("colleague_deactivate", PortalPermission::UsersManage),
    ("colleague_reactivate", PortalPermission::UsersManage),
    ("service_request_create", PortalPermission::ServiceRequestsView),
    ("service_request_cancel", PortalPermission::ServiceRequestsView),
    ("portal_ticket_create", PortalPermission::TicketsView),
    ("portal_ticket_reply", PortalPermission::TicketsView),
    ("ticket_attachment_upload", PortalPermission::TicketsView),
    ("portal_ticket_close", PortalPermission::TicketsView),
    ("portal_ticket_reopen", PortalPermission::TicketsView),
    ("agreement_view", PortalPermission::AgreementsView),
    ("agreement_sign", PortalPermission::AgreementsView),
    ("agreement_decline", PortalPermission::AgreementsView),
    ("onboarding_step_complete", PortalPermission::OnboardingView),
    ("company_document_read", PortalPermission::DocumentsView),
    ("portal_sso_accept", PortalPermission::ProfileEdit),
    ("portal_sso_account_create", PortalPermission::ProfileEdit),
    ("portal_sso_link_create", PortalPermission::ProfileEdit),
    ("portal_sso_link_delete", PortalPermission::ProfileEdit),
];

/// The whole matrix as text, for review.
pub fn portal_matrix() -> String {
    let mut text = format!("{:<22} {:<17} {:<5} {}", "permission", "section", "user", "manager");
    for permission in PortalPermission::ALL {
        let section = permission.section().map_or("-", Section::as_str);
        let [user, manager] = PortalRole::ALL.map(|role| match permission.granted_to(role) {
            Reach::No => "no",
            Reach::Own => "own",
            Reach::All => "all",
        });
        let _ = write!(text, "\n{:<22} {section:<17} {user:<5} {manager}", permission.as_str());
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_matrix_is_the_reviewed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/portal_permissions.txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, portal_matrix()).expect("writes");
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), portal_matrix(), "run with UPDATE=1 and review");
    }

    #[test]
    fn a_manager_has_whatever_a_user_has() {
        for permission in PortalPermission::ALL {
            assert!(permission.granted_to(PortalRole::Manager) >= permission.granted_to(PortalRole::User));
        }
    }

    proptest! {
        /// A section that is off does not exist for anyone, and one that is on is listed for whoever has a right in it.
        #[test]
        fn what_is_off_is_not_there(on in proptest::collection::vec(any::<bool>(), Section::ALL.len())) {
            let sections: BTreeSet<Section> =
                Section::ALL.into_iter().zip(on).filter(|(_, on)| *on).map(|(section, _)| section).collect();
            let settings = PortalSettings { sections: sections.clone(), ..PortalSettings::default() };
            for role in PortalRole::ALL {
                let listed: BTreeSet<Section> = settings.sections_of(role).into_iter().collect();
                prop_assert!(listed.is_subset(&sections));
                for permission in PortalPermission::ALL {
                    let reach = permission.reach(role, &settings);
                    let off = permission.section().is_some_and(|section| !sections.contains(&section));
                    prop_assert_eq!(matches!(reach, Err(Error::NotFound { .. })), off);
                    if let (Ok(_), Some(section)) = (&reach, permission.section()) {
                        prop_assert!(listed.contains(&section));
                    }
                }
            }
        }
    }
}
