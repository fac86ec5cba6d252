//! A ticket of a client, as ClientOne keeps it: what was asked, what was said, and where it stands at a PSA.

use serde::{Deserialize, Serialize};

use super::{FieldAnswer, PortalTicketAct, PortalTicketState, TicketSendingState, machine::named};
use crate::{
    ClientId, ConnectionId, EntityId, PortalTicketId, PortalTicketMessageId, PortalUserId, RecordId, ServiceRequestId,
    StaffId, TicketSendingId, Timestamp,
};

/// A ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortalTicket {
    /// Id.
    pub id: PortalTicketId,
    /// The client.
    pub client_id: ClientId,
    /// Its number at this MSP, from 1.
    pub number: i32,
    /// One line.
    pub subject: String,
    /// What is the matter, as plain text.
    pub description: String,
    /// What was answered in the MSP's form, with the fields as they were then.
    pub answers: Vec<FieldAnswer>,
    /// The portal user for whom it is; none where staff made it for the client.
    pub requester: Option<PortalUserId>,
    /// The staff user who made it; none where the requester did.
    pub made_by: Option<StaffId>,
    /// Where it stands.
    pub state: PortalTicketState,
    /// The staff user who works on it.
    pub assignee: Option<StaffId>,
    /// The service request that it was made of.
    pub service_request_id: Option<ServiceRequestId>,
    /// Made.
    pub created_at: Timestamp,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

impl PortalTicket {
    /// What was answered in a field of the form.
    pub fn answer(&self, key: &str) -> Option<&str> {
        self.answers.iter().find(|answer| answer.key == key).map(|answer| answer.value.as_str())
    }
}

named! {
    /// What a message of a ticket is.
    TicketMessageKind {
        /// Said to the other side.
        Reply = "reply",
        /// Said among staff: shown in no portal.
        Note = "note",
        /// The state changed.
        Act = "act",
        /// Someone of staff took it, or was given it: shown in no portal.
        Assignment = "assignment",
        /// A file was attached, for both sides; the text is its name.
        Attachment = "attachment",
        /// A file was attached for staff: shown in no portal.
        InternalAttachment = "internal_attachment",
    }
}

impl TicketMessageKind {
    /// Whether people of the client see it.
    pub fn is_public(self) -> bool {
        matches!(self, Self::Reply | Self::Act | Self::Attachment)
    }
}

/// Something that was said or done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortalTicketMessage {
    /// Id.
    pub id: PortalTicketMessageId,
    /// The ticket.
    pub ticket_id: PortalTicketId,
    /// Its client.
    pub client_id: ClientId,
    /// The first of a ticket is 1.
    pub number: i32,
    /// When.
    pub at: Timestamp,
    /// What it is.
    pub kind: TicketMessageKind,
    /// The portal user who did it.
    pub portal_user_id: Option<PortalUserId>,
    /// Or the staff user.
    pub staff_id: Option<StaffId>,
    /// Or whoever the PSA names.
    pub author: Option<String>,
    /// What was done; none where something was only noted.
    pub act: Option<PortalTicketAct>,
    /// The state after it.
    pub state: PortalTicketState,
    /// What was said, as plain text.
    pub text: Option<String>,
    /// The PSA's id of it, where it came from there.
    pub vendor_note_id: Option<String>,
}

/// Where a ticket is at a PSA. Kept by the passes over the PSA, and not journalled: what follows from it is.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketLink {
    /// The ticket.
    pub ticket_id: PortalTicketId,
    /// Its client.
    pub client_id: ClientId,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// Under which entity.
    pub entity_id: EntityId,
    /// The stored record; none until the PSA has it.
    pub record_id: Option<RecordId>,
    /// Its number there.
    pub number: Option<String>,
    /// Its state there, in the PSA's words.
    pub status: Option<String>,
    /// Whether it was open there when it was last looked at.
    pub open: Option<bool>,
    /// When its notes were last read.
    pub notes_read_at: Option<Timestamp>,
}

named! {
    /// What is to reach a PSA.
    TicketSendingKind {
        /// The ticket itself.
        Create = "create",
        /// A message of it.
        Note = "note",
        /// That it is closed.
        Close = "close",
        /// That it is taken up again.
        Reopen = "reopen",
        /// A file of it, with the message with which it came.
        Attachment = "attachment",
    }
}

/// Something that is to reach a PSA: noted with what causes it, sent by a job, never twice on a guess.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketSending {
    /// Id: they are sent in order of these.
    pub id: TicketSendingId,
    /// The ticket.
    pub ticket_id: PortalTicketId,
    /// Its client.
    pub client_id: ClientId,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// What.
    pub kind: TicketSendingKind,
    /// The message that is to be sent; none for the ticket itself.
    pub message_id: Option<PortalTicketMessageId>,
    /// How it is.
    pub state: TicketSendingState,
    /// Since when it waits.
    pub queued_at: Timestamp,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
    /// When the PSA took it.
    pub sent_at: Option<Timestamp>,
    /// Why it waits, or was refused.
    pub problem: Option<String>,
}

/// What stands in everything that we send to a PSA, so that it is known again whatever the PSA answers, and never taken
/// for somebody else's: of the ticket itself, or of one of its messages.
pub fn ticket_mark(number: i32, message: Option<i32>) -> String {
    match message {
        None => format!("[ClientOne #{number}]"),
        Some(message) => format!("[ClientOne #{number}-{message}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_is_part_of_another() {
        let marks: Vec<String> = [1, 11, 111]
            .into_iter()
            .flat_map(|number| [None, Some(1), Some(11)].map(|message| ticket_mark(number, message)))
            .collect();
        for (at, mark) in marks.iter().enumerate() {
            assert!(marks.iter().enumerate().all(|(other, one)| at == other || !one.contains(mark.as_str())), "{mark}");
        }
    }

    #[test]
    fn what_staff_say_among_themselves_is_not_public() {
        let public: Vec<_> = TicketMessageKind::ALL.iter().filter(|kind| kind.is_public()).collect();
        assert_eq!(public, [&TicketMessageKind::Reply, &TicketMessageKind::Act, &TicketMessageKind::Attachment]);
    }
}
