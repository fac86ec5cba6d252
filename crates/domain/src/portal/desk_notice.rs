//! What staff are told of that people of clients did, or left undone, in ClientOne. Rules only.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::machine::named;
use crate::{Grant, Permission, Permissions};

named! {
    /// What staff are told of.
    DeskNoticeKind {
        /// Someone asked for a service.
        ServiceRequestMade = "service_request_made",
        /// Someone made a ticket.
        TicketMade = "ticket_made",
        /// An agreement was declined.
        AgreementDeclined = "agreement_declined",
        /// At an onboarding nothing was done for too long.
        OnboardingStalled = "onboarding_stalled",
    }
}

impl DeskNoticeKind {
    /// The right to do something about it: whoever has it is told.
    pub fn permission(self) -> Permission {
        match self {
            Self::TicketMade => Permission::TicketsWork,
            Self::ServiceRequestMade | Self::AgreementDeclined | Self::OnboardingStalled => Permission::ClientoneManage,
        }
    }

    /// The kinds that someone with these rights is told of.
    pub fn seen_with(rights: &Permissions) -> BTreeSet<Self> {
        Self::ALL.iter().copied().filter(|kind| rights.grant(kind.permission()) == Grant::Yes).collect()
    }
}

/// What a staff user switched off. Nothing is until they say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskNoticeSwitches {
    /// Kinds that do not show in their list.
    pub hidden: BTreeSet<DeskNoticeKind>,
    /// Kinds of which no letter tells them.
    pub unmailed: BTreeSet<DeskNoticeKind>,
}

impl DeskNoticeSwitches {
    /// The kinds that show in the list of someone with these rights.
    pub fn listed(&self, rights: &Permissions) -> BTreeSet<DeskNoticeKind> {
        DeskNoticeKind::seen_with(rights).difference(&self.hidden).copied().collect()
    }

    /// The kinds of which letters tell someone with these rights.
    pub fn mailed(&self, rights: &Permissions) -> BTreeSet<DeskNoticeKind> {
        DeskNoticeKind::seen_with(rights).difference(&self.unmailed).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Role;

    #[test]
    fn whoever_can_do_something_is_told() {
        let seen = |role| DeskNoticeKind::seen_with(&Permissions::of(role)).len();
        assert_eq!((seen(Role::Owner), seen(Role::Admin)), (4, 4));
        assert_eq!((seen(Role::Engineer), seen(Role::Viewer), seen(Role::Finance)), (1, 0, 0));
    }

    proptest! {
        #[test]
        fn a_switch_takes_away_its_own_kind_there_and_nothing_else(off in 0..DeskNoticeKind::ALL.len(), list in any::<bool>()) {
            let rights = Permissions::of(Role::Owner);
            let (mut switches, kind) = (DeskNoticeSwitches::default(), DeskNoticeKind::ALL[off]);
            if list { switches.hidden.insert(kind) } else { switches.unmailed.insert(kind) };
            prop_assert_eq!(switches.listed(&rights).contains(&kind), !list);
            prop_assert_eq!(switches.mailed(&rights).contains(&kind), list);
            let others = DeskNoticeKind::ALL.iter().filter(|one| **one != kind);
            prop_assert!(others.clone().all(|one| switches.listed(&rights).contains(one)));
            prop_assert!(others.clone().all(|one| switches.mailed(&rights).contains(one)));
        }
    }
}
