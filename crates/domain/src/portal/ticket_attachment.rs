//! A file that was attached to a ticket of ClientOne.

use serde::{Deserialize, Serialize};

use crate::{
    ClientId, ContentId, PortalTicketId, PortalTicketMessageId, PortalUserId, StaffId, TicketAttachmentId, Timestamp,
};

/// A file of a ticket. It came with a message of the ticket, which says who attached it and how it reaches a PSA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketAttachment {
    /// Id.
    pub id: TicketAttachmentId,
    /// The ticket.
    pub ticket_id: PortalTicketId,
    /// Its client.
    pub client_id: ClientId,
    /// The message with which it came.
    pub message_id: PortalTicketMessageId,
    /// The number of that message.
    pub message_number: i32,
    /// Name under which it is downloaded.
    pub name: String,
    /// Media type, found by its content.
    pub media_type: String,
    /// Bytes.
    pub bytes: i64,
    /// SHA-256 of the content, hex.
    pub sha256: String,
    /// Where the content is. The journal knows it by its hash: a preview has another than what it previews.
    #[serde(skip, default = "nowhere")]
    pub content_id: ContentId,
    /// Whether people of the client see it.
    pub public: bool,
    /// The portal user who attached it.
    pub portal_user_id: Option<PortalUserId>,
    /// Or the staff user.
    pub staff_id: Option<StaffId>,
    /// When.
    pub created_at: Timestamp,
    /// When staff removed it: its name stays, its content does not.
    pub removed_at: Option<Timestamp>,
    /// Goes up by one with each change.
    pub version: i32,
}

fn nowhere() -> ContentId {
    ContentId(uuid::Uuid::nil())
}

/// A number of bytes as people read it.
pub fn bytes_in_words(bytes: i64) -> String {
    const KIB: i64 = 1024;
    match bytes {
        ..KIB => format!("{bytes} bytes"),
        KIB..0x10_0000 => format!("{} KiB", (bytes + KIB / 2) / KIB),
        _ => format!("{}.{} MiB", bytes / (KIB * KIB), bytes % (KIB * KIB) * 10 / (KIB * KIB)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_by_people() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (1536, "2 KiB"),
            (1_048_576, "1.0 MiB"),
            (2_621_440, "2.5 MiB"),
        ] {
            assert_eq!(bytes_in_words(bytes), words);
        }
    }
}
