//! Tickets of ClientOne as both documents show them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{
    PortalTicketAct, PortalTicketId, PortalTicketMessage, PortalTicketState, PortalUserId, Result, StaffId, TicketLink,
    TicketMessageKind, TicketSending, TicketSendingKind, TicketSendingState,
};
use persistence::{PortalNames, Tx};
use poem_openapi::Object;

use super::mirrored::mirrored;

mirrored! {
    /// Where a ticket stands
    PortalTicketStanding = PortalTicketState {
        /// Nobody has begun to work on it
        Open,
        /// Someone works on it
        InProgress,
        /// It waits for an answer of whoever asked
        Waiting,
        /// It is done with
        Closed,
    }
}

mirrored! {
    /// What was done with a ticket
    PortalTicketDeed = PortalTicketAct {
        /// Begun to work on it
        Start,
        /// Waiting for an answer of whoever asked
        Wait,
        /// Said something to whoever asked
        Reply,
        /// Said something to the provider
        Answer,
        /// Closed it
        Close,
        /// Took it up again
        Reopen,
    }
}

mirrored! {
    /// What a message of a ticket is
    PortalTicketMessageKind = TicketMessageKind {
        /// Said to the other side
        Reply,
        /// Said among staff
        Note,
        /// The state changed
        Act,
        /// Given to someone of staff, or to nobody
        Assignment,
        /// A file was attached
        Attachment,
        /// A file was attached among staff
        InternalAttachment,
    }
}

mirrored! {
    /// How something is that is to reach the system in which the provider works
    PortalTicketDelivery = TicketSendingState {
        /// It waits for its turn, or until that system can be reached
        Queued,
        /// It is on its way
        Sending,
        /// It is there
        Sent,
        /// No answer came: whether it is there is not known yet
        Unknown,
        /// It was not taken: the provider has to look
        Refused,
    }
}

/// How something reaches the system in which the provider works.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct TicketDelivery {
    pub state: PortalTicketDelivery,
    /// Since when: queued, or there
    pub since: DateTime<Utc>,
    /// Number of the ticket there
    pub number: Option<String>,
    /// Its state there, in that system's words
    pub status: Option<String>,
}

impl TicketDelivery {
    /// Of a ticket itself, by what was to be sent of it.
    pub(super) fn of(sending: &TicketSending, link: Option<&TicketLink>) -> Self {
        let since = match sending.state {
            TicketSendingState::Sent => sending.sent_at.unwrap_or(sending.queued_at),
            _ => sending.queued_at,
        };
        Self {
            state: sending.state.into(),
            since,
            number: link.and_then(|link| link.number.clone()),
            status: link.and_then(|link| link.status.clone()),
        }
    }
}

/// Where tickets of a page are at PSAs, and how they get there.
pub(super) struct Deliveries {
    links: HashMap<PortalTicketId, TicketLink>,
    creations: HashMap<PortalTicketId, TicketSending>,
}

impl Deliveries {
    /// Of these tickets.
    pub async fn of(tx: &Tx, tickets: &[PortalTicketId]) -> Result<Self> {
        let links = tx.ticket_links(tickets).await?.into_iter().map(|link| (link.ticket_id, link)).collect();
        let creations = tx.ticket_creations(tickets).await?;
        Ok(Self { links, creations: creations.into_iter().map(|one| (one.ticket_id, one)).collect() })
    }

    /// Of one of them; none where no PSA is to have it.
    pub fn delivery(&self, ticket: PortalTicketId) -> Option<TicketDelivery> {
        self.creations.get(&ticket).map(|sending| TicketDelivery::of(sending, self.links.get(&ticket)))
    }

    /// The link of one of them.
    pub fn link(&self, ticket: PortalTicketId) -> Option<&TicketLink> {
        self.links.get(&ticket)
    }

    /// Why one of them waits, or was refused.
    pub fn problem(&self, ticket: PortalTicketId) -> Option<String> {
        self.creations.get(&ticket).and_then(|sending| sending.problem.clone())
    }
}

/// How a message of a ticket reaches the PSA.
pub(super) fn delivery_of(message: &PortalTicketMessage, sendings: &[TicketSending]) -> Option<TicketDelivery> {
    let sending = sendings.iter().find(|sending| sending.message_id == Some(message.id))?;
    debug_assert!(sending.kind != TicketSendingKind::Create, "a ticket is no message");
    Some(TicketDelivery::of(sending, None))
}

/// What people of both sides are called.
pub(super) struct Names {
    staff: HashMap<StaffId, String>,
    pub people: PortalNames,
}

impl Names {
    /// Of the team, and of these clients and portal users.
    pub async fn of(
        tx: &Tx,
        clients: impl IntoIterator<Item = domain::ClientId>,
        users: impl IntoIterator<Item = PortalUserId>,
    ) -> Result<Self> {
        let staff = tx.staff_list().await?.into_iter().map(|row| (row.id, row.name)).collect();
        Ok(Self { staff, people: tx.portal_names(clients, users).await? })
    }

    /// A staff user's name.
    pub fn staff(&self, id: StaffId) -> Option<String> {
        self.staff.get(&id).cloned()
    }

    /// Who said or did something.
    pub fn author(&self, message: &PortalTicketMessage) -> Option<String> {
        let named = match (message.portal_user_id, message.staff_id) {
            (Some(user), _) => Some(self.people.user(user)),
            (None, Some(staff)) => self.staff(staff),
            (None, None) => message.author.clone(),
        };
        named.filter(|name| !name.is_empty())
    }
}
