//! Files of tickets: attached by people of clients and by staff, each as a message of the ticket.
//!
//! A content is written to the store before an operation here begins, and announced in a transaction of its own; the
//! operation takes it over. What it refuses stays announced, and whoever wrote it discards it.

use chrono::TimeDelta;
use domain::{
    ContentId, Error, Permission, PortalSettings, PortalTicket, PortalTicketAct, PortalTicketId, Result,
    TicketAttachment, TicketAttachmentId, TicketMessageKind, TicketSendingKind, bytes_in_words, file_name,
};
use persistence::{PortalUserRow, Tx};

use crate::{
    ticket_news::{News, tell_requester},
    tickets::{say, seen, send},
};

/// Most files that a ticket has at a time.
const FILES: usize = 25;
/// Most files that a portal user attaches in an hour.
const AN_HOUR: u64 = 60;
/// What someone waits who attached too many, in seconds.
const WAIT: u64 = 600;

/// How much may be kept, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachmentLimits {
    /// Of all files of one client, those of the library included.
    pub client: u64,
    /// Of all files.
    pub organisation: u64,
}

/// A file whose content is in the store.
#[derive(Clone, Debug)]
pub struct NewAttachment {
    /// Its name.
    pub name: String,
    /// Media type, found by its content.
    pub media_type: &'static str,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
    /// Where the content is.
    pub content: ContentId,
}

/// Whether a portal user may attach a file to a ticket now: asked before its content is taken.
pub async fn ticket_attachment_place(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: PortalTicketId,
) -> Result<()> {
    let ticket = seen(tx, user, settings, id).await?;
    ticket.state.after(PortalTicketAct::Answer)?;
    if tx.ticket_attachment_rate(user.id, tx.now() - TimeDelta::hours(1)).await? >= AN_HOUR {
        return Err(Error::TooMany { retry_after: WAIT });
    }
    room(tx, id).await
}

/// The same for staff, whom the context lets in.
pub async fn ticket_attachment_desk_place(tx: &Tx, id: PortalTicketId, internal: bool) -> Result<()> {
    tx.context().require(Permission::TicketsWork)?;
    let ticket = tx.portal_ticket(id).await?;
    if !internal {
        ticket.state.after(PortalTicketAct::Reply)?;
    }
    room(tx, id).await
}

async fn room(tx: &Tx, id: PortalTicketId) -> Result<()> {
    let kept = tx.ticket_attachments(id).await?.iter().filter(|file| file.removed_at.is_none()).count();
    if kept >= FILES {
        let message = format!("A ticket has at most {FILES} files: put several into one ZIP, or open another ticket.");
        return Err(Error::conflict("too_many_files", message));
    }
    Ok(())
}

/// Attaches a file of a portal user to a ticket that they see. The caller commits.
pub async fn ticket_attachment_upload(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: PortalTicketId,
    new: NewAttachment,
    limits: AttachmentLimits,
    base: Option<&str>,
) -> Result<TicketAttachment> {
    // Uploads of an organisation wait for each other here, so that two do not share the last place.
    tx.team_lock().await?;
    ticket_attachment_place(tx, user, settings, id).await?;
    let ticket = seen(tx, user, settings, id).await?;
    attach(tx, ticket, new, limits, Some(PortalTicketAct::Answer), base).await
}

/// Attaches a file of staff: for both sides, or among staff only. The caller commits.
pub async fn ticket_attachment_add(
    tx: &Tx,
    id: PortalTicketId,
    new: NewAttachment,
    internal: bool,
    limits: AttachmentLimits,
    base: Option<&str>,
) -> Result<TicketAttachment> {
    tx.team_lock().await?;
    ticket_attachment_desk_place(tx, id, internal).await?;
    let ticket = tx.portal_ticket(id).await?;
    attach(tx, ticket, new, limits, (!internal).then_some(PortalTicketAct::Reply), base).await
}

async fn attach(
    tx: &Tx,
    before: PortalTicket,
    new: NewAttachment,
    limits: AttachmentLimits,
    act: Option<PortalTicketAct>,
    base: Option<&str>,
) -> Result<TicketAttachment> {
    let NewAttachment { name, media_type, bytes, sha256, content } = new;
    let name = file_name("name", &name).map_err(|problem| Error::Invalid(vec![problem]))?;
    let public = act.is_some();
    let twin = |file: &TicketAttachment| {
        file.removed_at.is_none() && file.public == public && file.name == name && file.sha256 == sha256
    };
    if tx.ticket_attachments(before.id).await?.iter().any(twin) {
        return Err(Error::conflict("already_attached", format!("“{name}” is attached to this ticket already.")));
    }
    within_limits(tx, &before, bytes, limits).await?;
    let bytes = i64::try_from(bytes).map_err(Error::internal)?;
    let ticket = match act {
        Some(act) => {
            let state = before.state.after(act)?;
            tx.portal_ticket_save(&before, PortalTicket { state, ..before.clone() }).await?
        }
        None => before,
    };
    let kind = if public { TicketMessageKind::Attachment } else { TicketMessageKind::InternalAttachment };
    let message = say(tx, &ticket, kind, act, Some(name.clone())).await?;
    let file = TicketAttachment {
        id: tx.new_id(),
        ticket_id: ticket.id,
        client_id: ticket.client_id,
        message_id: message.id,
        message_number: message.number,
        name,
        media_type: media_type.to_owned(),
        bytes,
        sha256,
        content_id: content,
        public,
        portal_user_id: message.portal_user_id,
        staff_id: message.staff_id,
        created_at: tx.now(),
        removed_at: None,
        version: 1,
    };
    tx.ticket_attachment_insert(&file).await?;
    send(tx, &ticket, TicketSendingKind::Attachment, Some(&message)).await?;
    if public {
        let text = format!("The file “{}” ({}) was attached.", file.name, bytes_in_words(file.bytes));
        tell_requester(tx, &ticket, News::Reply(text), base).await?;
    }
    Ok(file)
}

/// Refuses what would be more than may be kept.
async fn within_limits(tx: &Tx, ticket: &PortalTicket, bytes: u64, limits: AttachmentLimits) -> Result<()> {
    let over = |kept: i64, most: u64| u64::try_from(kept).unwrap_or_default().saturating_add(bytes) > most;
    let client = Some(ticket.client_id);
    let own = tx.file_bytes(client).await?.saturating_add(tx.ticket_attachment_bytes(client).await?);
    let all = tx.file_bytes(None).await?.saturating_add(tx.ticket_attachment_bytes(None).await?);
    if over(own, limits.client) || over(all, limits.organisation) {
        let message = "There is no room for more files: the provider must remove some, or ask the operator for more.";
        return Err(Error::conflict("storage_full", message));
    }
    Ok(())
}

/// The files of a ticket that a portal user sees, in order; of a removed one only that it was there.
pub async fn ticket_attachments_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: PortalTicketId,
) -> Result<Vec<TicketAttachment>> {
    let ticket = seen(tx, user, settings, id).await?;
    let mut files = tx.ticket_attachments(ticket.id).await?;
    files.retain(|file| file.public);
    Ok(files)
}

/// A file that a portal user may download.
pub async fn ticket_attachment_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    (id, file): (PortalTicketId, TicketAttachmentId),
) -> Result<TicketAttachment> {
    let ticket = seen(tx, user, settings, id).await?;
    let file = tx.ticket_attachment(ticket.id, file).await?;
    if file.public { there(file) } else { Err(Error::NotFound { what: "file of the ticket" }) }
}

/// The files of a ticket in order, for staff.
pub async fn ticket_attachment_list(tx: &Tx, id: PortalTicketId) -> Result<Vec<TicketAttachment>> {
    tx.context().require(Permission::ServiceView)?;
    let ticket = tx.portal_ticket(id).await?;
    tx.ticket_attachments(ticket.id).await
}

/// A file that staff may download.
pub async fn ticket_attachment_get(tx: &Tx, id: PortalTicketId, file: TicketAttachmentId) -> Result<TicketAttachment> {
    tx.context().require(Permission::ServiceView)?;
    let ticket = tx.portal_ticket(id).await?;
    there(tx.ticket_attachment(ticket.id, file).await?)
}

/// Removes a file's content; that it was there stays known. What is at a PSA already stays there. The caller commits.
pub async fn ticket_attachment_remove(
    tx: &Tx,
    id: PortalTicketId,
    file: TicketAttachmentId,
) -> Result<TicketAttachment> {
    tx.context().require(Permission::TicketsWork)?;
    let ticket = tx.portal_ticket(id).await?;
    let file = there(tx.ticket_attachment(ticket.id, file).await?)?;
    tx.ticket_attachment_remove(&file).await
}

/// A file whose content is still there.
fn there(file: TicketAttachment) -> Result<TicketAttachment> {
    match file.removed_at {
        None => Ok(file),
        Some(_) => Err(Error::conflict("removed", "The file was removed by the provider.")),
    }
}
