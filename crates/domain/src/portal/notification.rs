//! What portal users are told of, where, and what of it they can switch off. Rules only.

use serde::{Deserialize, Serialize};

use super::{PortalPermission, PortalRole, PortalSettings, machine::named};

named! {
    /// What a portal user is told of.
    NotificationKind {
        /// A ticket has another state.
        TicketStatus = "ticket_status",
        /// Somebody replied to a ticket.
        TicketReply = "ticket_reply",
        /// A service request has another state, or staff wrote to its requester.
        ServiceRequestStatus = "service_request_status",
        /// An agreement waits to be signed.
        AgreementWaiting = "agreement_waiting",
        /// A step of the onboarding waits.
        OnboardingWaiting = "onboarding_waiting",
        /// A document was published.
        DocumentPublished = "document_published",
        /// An invoice is overdue.
        InvoiceOverdue = "invoice_overdue",
    }
}

/// The four switches of a portal user. All are on until they say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationSwitches {
    /// Notifications in ClientOne itself.
    pub in_app: bool,
    /// Letters about a ticket's state.
    pub ticket_status: bool,
    /// Letters about replies to a ticket.
    pub ticket_reply: bool,
    /// Letters about invoices that are overdue.
    pub invoice_overdue: bool,
}

impl Default for NotificationSwitches {
    fn default() -> Self {
        Self { in_app: true, ticket_status: true, ticket_reply: true, invoice_overdue: true }
    }
}

impl NotificationKind {
    /// The right that lets someone see what it is about; none for what has no section of its own yet.
    pub fn permission(self) -> Option<PortalPermission> {
        match self {
            Self::TicketStatus | Self::TicketReply => Some(PortalPermission::TicketsView),
            Self::ServiceRequestStatus => Some(PortalPermission::ServiceRequestsView),
            Self::AgreementWaiting => Some(PortalPermission::AgreementsView),
            Self::OnboardingWaiting => Some(PortalPermission::OnboardingView),
            Self::DocumentPublished => Some(PortalPermission::DocumentsView),
            Self::InvoiceOverdue => None,
        }
    }

    /// Whether someone of this role may be told of it where these settings hold.
    pub fn reaches(self, role: PortalRole, settings: &PortalSettings) -> bool {
        self.permission().is_none_or(|permission| permission.reach(role, settings).is_ok())
    }

    /// The kinds that someone of this role may be told of.
    pub fn seen_by(role: PortalRole, settings: &PortalSettings) -> Vec<Self> {
        Self::ALL.iter().copied().filter(|kind| kind.reaches(role, settings)).collect()
    }

    /// Whether it waits for the reader: that cannot be switched off.
    pub fn waits(self) -> bool {
        matches!(self, Self::AgreementWaiting | Self::OnboardingWaiting)
    }

    /// Whether it shows in ClientOne for someone with these switches.
    pub fn in_app(self, switches: &NotificationSwitches) -> bool {
        switches.in_app || self.waits()
    }

    /// Whether a letter goes with it for someone with these switches.
    pub fn by_letter(self, switches: &NotificationSwitches) -> bool {
        match self {
            Self::TicketStatus => switches.ticket_status,
            Self::TicketReply => switches.ticket_reply,
            Self::InvoiceOverdue => switches.invoice_overdue,
            Self::ServiceRequestStatus | Self::AgreementWaiting | Self::OnboardingWaiting => true,
            Self::DocumentPublished => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_waits_for_someone_reaches_them_whatever_they_switch_off(
            in_app in any::<bool>(), ticket_status in any::<bool>(), ticket_reply in any::<bool>(),
            invoice_overdue in any::<bool>(), at in 0..NotificationKind::ALL.len(),
        ) {
            let switches = NotificationSwitches { in_app, ticket_status, ticket_reply, invoice_overdue };
            let kind = NotificationKind::ALL[at];
            if kind.waits() {
                prop_assert!(kind.in_app(&switches) && kind.by_letter(&switches));
            } else {
                prop_assert_eq!(kind.in_app(&switches), in_app);
            }
            // A switch that is off sends nothing, and no switch reaches beyond its own kind.
            let everything = kind.by_letter(&NotificationSwitches::default());
            prop_assert!(!kind.by_letter(&switches) || everything);
            let own = match kind {
                NotificationKind::TicketStatus => ticket_status,
                NotificationKind::TicketReply => ticket_reply,
                NotificationKind::InvoiceOverdue => invoice_overdue,
                _ => everything,
            };
            prop_assert_eq!(kind.by_letter(&switches), own);
        }
    }

    #[test]
    fn nobody_is_told_of_a_section_that_is_off() {
        let none = PortalSettings { sections: Default::default(), ..PortalSettings::default() };
        for role in PortalRole::ALL {
            assert_eq!(NotificationKind::seen_by(role, &none), [NotificationKind::InvoiceOverdue]);
        }
    }
}
