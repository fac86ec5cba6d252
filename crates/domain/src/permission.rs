//! Roles and what they may do: pure data. The matrix is checked in as `permissions.txt`.

use std::{collections::BTreeSet, fmt::Write as _};

use serde::{Deserialize, Serialize};

use crate::PortalRole;

/// A staff user's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the matrix says what each may do")]
pub enum Role {
    Owner,
    Admin,
    Engineer,
    Viewer,
    Finance,
    MspAdmin,
}

impl Role {
    /// All roles, the mightiest first.
    pub const ALL: [Self; 6] = [Self::Owner, Self::Admin, Self::Engineer, Self::Viewer, Self::Finance, Self::MspAdmin];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Engineer => "engineer",
            Self::Viewer => "viewer",
            Self::Finance => "finance",
            Self::MspAdmin => "msp_admin",
        }
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// How far a permission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// Not at all.
    No,
    /// Wholly, once somebody else who has it has approved what is asked for.
    Approval,
    /// Only for vendors on the shelf "Billing".
    Billing,
    /// Wholly.
    Yes,
}

impl Grant {
    /// Whether whoever has `other` has this too.
    pub fn within(self, other: Self) -> bool {
        // With approval it is about every vendor: that is not within the billing vendors.
        self <= other && (self, other) != (Self::Approval, Self::Billing)
    }
}

macro_rules! permissions {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $level:ident: [$owner:ident $admin:ident $engineer:ident $viewer:ident $finance:ident]);+ $(;)?) => {
        /// Something a caller may be allowed to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $( $(#[doc = $doc])+ $name ),+ }

        impl Permission {
            /// All permissions, in the order of the matrix.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name in messages and in the matrix.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The least scope of an API key that carries it.
            pub fn key_scope(self) -> KeyScope {
                match self { $(Self::$name => KeyScope::$level),+ }
            }

            /// The permission of this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|permission| permission.as_str() == name)
            }

            /// How far a role has it.
            pub fn granted_to(self, role: Role) -> Grant {
                let row = match self { $(Self::$name => [Grant::$owner, Grant::$admin, Grant::$engineer, Grant::$viewer, Grant::$finance]),+ };
                // The columns end before the role that is given by a list of its own.
                row.get(role as usize).copied().unwrap_or_else(|| self.granted_to_msp_admin())
            }
        }
    };
}

permissions! {
    /// See the client list and a client's overview.
    ClientsView = "clients_view", Read: [Yes Yes Yes Yes Yes];
    /// See devices and locations.
    DevicesView = "devices_view", Read: [Yes Yes Yes Yes No];
    /// See directory users, their sign-in methods, and Microsoft 365.
    DirectoryView = "directory_view", Read: [Yes Yes Yes Yes No];
    /// See threats and alerts.
    ThreatsView = "threats_view", Read: [Yes Yes Yes Yes No];
    /// See contacts, tickets, jobs and documents.
    ServiceView = "service_view", Read: [Yes Yes Yes Yes No];
    /// See invoices and balances.
    InvoicesView = "invoices_view", Read: [Yes Yes No No Yes];
    /// See subscriptions and prices.
    SubscriptionsView = "subscriptions_view", Read: [Yes Yes Yes Yes Yes];
    /// Create, edit and toggle clients.
    ClientsEdit = "clients_edit", Write: [Yes Yes Yes No No];
    /// Import clients from a connection.
    ClientsImport = "clients_import", Write: [Yes Yes No No No];
    /// Delete clients.
    ClientsDelete = "clients_delete", Admin: [Yes Yes No No No];
    /// Map and unmap entities.
    MappingsSave = "mappings_save", Write: [Yes Yes Yes No Billing];
    /// See connections, entities and runs.
    ConnectionsView = "connections_view", Read: [Yes Yes Yes Yes Billing];
    /// Connect, edit, reconnect, disconnect.
    ConnectionsManage = "connections_manage", Admin: [Yes Yes No No Billing];
    /// Start a sync.
    SyncStart = "sync_start", Write: [Yes Yes Yes No Billing];
    /// Release or drop a held run.
    SyncRelease = "sync_release", Admin: [Yes Yes No No No];
    /// Change a subscription's quantity at the vendor.
    SubscriptionsEdit = "subscriptions_edit", Write: [Yes Yes No No Yes];
    /// Act on threats at their vendor.
    ThreatsAct = "threats_act", Write: [Yes Yes Yes No No];
    /// Make tickets, change them and add notes.
    TicketsWork = "tickets_work", Write: [Yes Yes Yes No No];
    /// Make, change and remove contacts at vendors.
    ContactsEdit = "contacts_edit", Write: [Yes Yes Yes No No];
    /// Archive documents and set custom fields at vendors.
    DocumentsEdit = "documents_edit", Write: [Yes Yes Yes No No];
    /// Make links to agent installers.
    InstallersMake = "installers_make", Write: [Yes Yes Yes No No];
    /// Keep filters of lists, each for oneself.
    FiltersKeep = "filters_keep", Write: [Yes Yes Yes Yes Yes];
    /// Read the journal.
    JournalView = "journal_view", Read: [Yes Yes No No No];
    /// Revert an entry of the journal.
    JournalRevert = "journal_revert", Admin: [Yes Yes No No No];
    /// See and change the team.
    TeamManage = "team_manage", Admin: [Yes Yes No No No];
    /// Make owners, and change those there are.
    OwnersManage = "owners_manage", Admin: [Yes No No No No];
    /// Make and revoke one's own API keys.
    KeysManage = "keys_manage", Admin: [Yes Yes Yes Yes Yes];
    /// ClientOne Admin: enable ClientOne for clients, set it up, and look after its users.
    ClientoneManage = "clientone_manage", Admin: [Yes Yes No No No];
    /// Act for a customer: what is done then is limited to it, and the journal says for whom it was done.
    CustomersActFor = "customers_act_for", Read: [Yes Yes No No No];
    /// Share connections with clients, and take that back.
    ConnectionsShare = "connections_share", Admin: [Yes Yes No No Billing];
    /// Sign a checkpoint of the journal.
    JournalCheckpoint = "journal_checkpoint", Write: [Yes Yes No No No];
    /// See and set how far the matching is trusted.
    MatchingManage = "matching_manage", Admin: [Yes Yes No No No];
    /// See and set which addresses are told of events.
    WebhooksManage = "webhooks_manage", Admin: [Yes Yes No No No];
    /// See and set up the identity providers through which people sign in.
    SsoManage = "sso_manage", Admin: [Yes Yes No No No];
}

/// What an MSP-Admin may do: the Customers page whole (make customers, share connections with them, look after their
/// users), and who did what to them. Nothing of the MSP's own house: no team, no imports, no deleting.
const MSP_ADMIN: &[Permission] = &[
    Permission::ClientsView,
    Permission::DirectoryView,
    Permission::SubscriptionsView,
    Permission::ClientsEdit,
    Permission::CustomersActFor,
    Permission::ConnectionsView,
    Permission::ConnectionsShare,
    Permission::FiltersKeep,
    Permission::JournalView,
    Permission::KeysManage,
    Permission::ClientoneManage,
];

impl Permission {
    fn bit(self) -> u64 {
        1 << (self as u32)
    }

    fn granted_to_msp_admin(self) -> Grant {
        if MSP_ADMIN.contains(&self) { Grant::Yes } else { Grant::No }
    }

    /// Whether no role but the owner's has it: such a right is given by making someone an owner, and not otherwise.
    pub fn is_owners_alone(self) -> bool {
        Role::ALL.into_iter().all(|role| (role == Role::Owner) == (self.granted_to(role) != Grant::No))
    }

    /// Whether a role can give it with approval: it is for writing, and what it is for can be previewed and be done for
    /// somebody later. Keys and links are shown once to whoever asks; a sync is started or not.
    pub fn may_need_approval(self) -> bool {
        let at_once = matches!(self, Self::KeysManage | Self::SyncStart | Self::SyncRelease | Self::InstallersMake);
        self.key_scope() != KeyScope::Read && !self.is_owners_alone() && !at_once
    }

    /// Whether it touches every client at once, so that a limited client scope rules it out: who does
    /// not see all clients cannot judge what a connection's removal or an import does to them.
    pub fn is_organisation_wide(self) -> bool {
        matches!(
            self,
            Self::ConnectionsManage
                | Self::ClientsImport
                | Self::TeamManage
                | Self::SyncRelease
                | Self::MatchingManage
                | Self::WebhooksManage
                | Self::ConnectionsShare
                | Self::SsoManage
        )
    }
}

/// What an API key may carry of its owner's rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Reading only.
    Read,
    /// Reading and everyday writing.
    Write,
    /// Everything, deleting and connecting included.
    Admin,
}

impl KeyScope {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The scope of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|scope| scope.as_str() == name)
    }
}

/// The rights of one caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    role: Role,
    ceiling: KeyScope,
    internal: bool,
    portal: Option<PortalRole>,
    /// A bit for each permission that is not left out.
    only: u64,
    /// Whether `only` is a role of the organisation's own, which gives what it names and nothing beside it.
    custom: bool,
    /// A bit for each permission that is had with approval only.
    approval: u64,
    /// Whether that approval was given, or only what would be asked for is looked at.
    raised: bool,
}

impl Permissions {
    /// All rights of a role.
    pub fn of(role: Role) -> Self {
        Self {
            role,
            ceiling: KeyScope::Admin,
            internal: false,
            portal: None,
            only: u64::MAX,
            custom: false,
            approval: 0,
            raised: false,
        }
    }

    /// The rights of a role of the organisation's own: what it names, without what only owners have.
    pub fn of_custom<'a>(permissions: impl IntoIterator<Item = &'a Permission>) -> Self {
        let given = permissions.into_iter().filter(|permission| !permission.is_owners_alone());
        // Nobody has more than an owner: of these rights it leaves what the role names.
        Self { custom: true, ..Self::of(Role::Owner).limited_to(given) }
    }

    /// The same, with these too, but only with somebody's approval. What is had outright stays so.
    pub fn with_approval<'a>(self, permissions: impl IntoIterator<Item = &'a Permission>) -> Self {
        let possible = permissions.into_iter().filter(|permission| permission.may_need_approval());
        let asked = possible.fold(0, |bits, permission| bits | permission.bit());
        Self { only: self.only | asked, approval: self.approval | (asked & !self.only), ..self }
    }

    /// The same where the approval that they need is given, or nothing is written.
    pub fn raised(self) -> Self {
        Self { raised: true, ..self }
    }

    /// Whether anything is had with approval only.
    pub fn may_ask(&self) -> bool {
        self.approval & self.only != 0
    }

    /// The permissions that are had with approval only.
    pub fn had_with_approval(&self) -> BTreeSet<Permission> {
        let lowered = Self { raised: false, ..*self };
        Permission::ALL.iter().copied().filter(|permission| lowered.grant(*permission) == Grant::Approval).collect()
    }

    /// The rights of a role as far as an API key carries them.
    pub fn through_key(role: Role, scope: KeyScope) -> Self {
        Self::of(role).through(scope)
    }

    /// The same as far as something of this scope carries them.
    pub fn through(self, scope: KeyScope) -> Self {
        Self { ceiling: self.ceiling.min(scope), ..self }
    }

    /// The rights of the worker and of an operator at the command line.
    pub fn everything() -> Self {
        Self {
            role: Role::Owner,
            ceiling: KeyScope::Admin,
            internal: true,
            portal: None,
            only: u64::MAX,
            custom: false,
            approval: 0,
            raised: false,
        }
    }

    /// The same without every permission that is not among these.
    pub fn limited_to<'a>(self, permissions: impl IntoIterator<Item = &'a Permission>) -> Self {
        let only = permissions.into_iter().fold(0, |bits, permission| bits | permission.bit());
        Self { only: self.only & only, ..self }
    }

    /// The rights of a portal user: none of a staff user's.
    pub fn of_portal(role: PortalRole) -> Self {
        Self {
            role: Role::Viewer,
            ceiling: KeyScope::Read,
            internal: false,
            portal: Some(role),
            only: u64::MAX,
            custom: false,
            approval: 0,
            raised: false,
        }
    }

    /// The built-in staff role behind them; `None` for the worker, operators, portal users, and whoever has a role of
    /// the organisation's own.
    pub fn role(&self) -> Option<Role> {
        (!self.internal && !self.custom && self.portal.is_none()).then_some(self.role)
    }

    /// The first permission of which these go further than those, the mightiest looked at first.
    pub fn beyond(&self, those: &Self) -> Option<Permission> {
        // What somebody approved once is not theirs to give on.
        let those = Self { raised: false, ..*those };
        // The right over owners, near the end, stands for all that only they have.
        let beyond = |permission: &Permission| !self.grant(*permission).within(those.grant(*permission));
        Permission::ALL.iter().rev().copied().find(beyond)
    }

    /// The permissions that are had without asking anybody, if some for billing vendors only.
    pub fn had(&self) -> BTreeSet<Permission> {
        Permission::ALL.iter().copied().filter(|permission| self.allows(*permission)).collect()
    }

    /// The portal role behind them; `None` for everyone else.
    pub fn portal_role(&self) -> Option<PortalRole> {
        self.portal
    }

    /// How far a permission goes.
    pub fn grant(&self, permission: Permission) -> Grant {
        let left_out = self.portal.is_some() || self.only & permission.bit() == 0;
        if left_out || permission.key_scope() > self.ceiling {
            Grant::No
        } else if self.approval & permission.bit() != 0 && !self.raised {
            Grant::Approval
        } else {
            permission.granted_to(self.role)
        }
    }

    /// Whether a permission is had without asking anybody, if only for billing vendors.
    pub fn allows(&self, permission: Permission) -> bool {
        !matches!(self.grant(permission), Grant::No | Grant::Approval)
    }
}

/// The whole matrix as text, for review.
pub fn matrix() -> String {
    let mut text = format!("{:<20} {:<6}", "permission", "key");
    for role in Role::ALL {
        let _ = write!(text, " {:<9}", role.as_str());
    }
    for permission in Permission::ALL {
        let _ = write!(text, "\n{:<20} {:<6}", permission.as_str(), permission.key_scope().as_str());
        for role in Role::ALL {
            let word = match permission.granted_to(role) {
                Grant::Yes => "yes",
                Grant::Approval => "approval",
                Grant::Billing => "billing",
                Grant::No => "no",
            };
            let _ = write!(text, " {word:<9}");
        }
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_is_the_reviewed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/permissions.txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, matrix()).expect("writes");
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), matrix(), "run with UPDATE=1 and review");
    }

    #[test]
    fn a_portal_user_has_no_right_of_a_staff_user() {
        for role in PortalRole::ALL {
            let rights = Permissions::of_portal(role);
            assert!(Permission::ALL.iter().all(|permission| rights.grant(*permission) == Grant::No));
            assert_eq!((rights.role(), rights.portal_role()), (None, Some(role)));
        }
    }

    #[test]
    fn a_key_never_carries_more_than_its_owner() {
        for role in Role::ALL {
            for scope in [KeyScope::Read, KeyScope::Write, KeyScope::Admin] {
                for permission in Permission::ALL {
                    let owner = Permissions::of(role).grant(*permission);
                    assert!(Permissions::through_key(role, scope).grant(*permission) <= owner);
                }
            }
        }
    }

    #[test]
    fn a_limited_key_carries_what_it_names_and_no_more() {
        assert!(Permission::ALL.len() <= 64, "each has a bit");
        for (at, named) in Permission::ALL.iter().enumerate() {
            assert_eq!(Permission::parse(named.as_str()), Some(*named));
            for role in Role::ALL {
                let whole = Permissions::through_key(role, KeyScope::Write);
                let limited = whole.limited_to([named]);
                for (other, permission) in Permission::ALL.iter().enumerate() {
                    let expected = if at == other { whole.grant(*permission) } else { Grant::No };
                    assert_eq!(limited.grant(*permission), expected, "{role:?} {named:?} {permission:?}");
                }
                assert!(!limited.limited_to([]).allows(*named));
            }
        }
    }
}
