//! What is new about a ticket: what comes from its PSA, and who is told of it.

use domain::{
    Error, NotificationKind, PortalTicket, PortalTicketAct, PortalTicketId, PortalTicketMessage, Result,
    TicketMessageKind, Timestamp,
};
use persistence::{PortalNotice, Tx};

/// Most characters of a message that comes from a PSA.
const TEXT: usize = 20_000;

/// What someone is told of.
pub(crate) enum News {
    /// Something was said to them.
    Reply(String),
    /// It stands differently, in these words.
    State(String),
}

/// Tells whoever asked, unless they did it themself. **The one place from which tickets tell portal users of anything.**
pub(crate) async fn tell_requester(tx: &Tx, ticket: &PortalTicket, news: News, base: Option<&str>) -> Result<()> {
    let Some(requester) = ticket.requester.filter(|id| tx.context().actor.portal_user() != Some(*id)) else {
        return Ok(());
    };
    let requester = match tx.portal_user(requester).await {
        Ok(requester) => requester,
        Err(Error::NotFound { .. }) => return Ok(()),
        Err(other) => return Err(other),
    };
    let PortalTicket { number, subject, .. } = ticket;
    let (kind, title, paragraphs) = match news {
        News::Reply(text) => (
            NotificationKind::TicketReply,
            format!("New answer to your ticket #{number}: {subject}"),
            vec![format!("There is a new answer to your ticket #{number}, “{subject}”:"), text],
        ),
        News::State(words) => (
            NotificationKind::TicketStatus,
            format!("Your ticket #{number} is {words}: {subject}"),
            vec![format!("Your ticket #{number}, “{subject}”, is now {words}.")],
        ),
    };
    let notice = PortalNotice {
        kind,
        subject_id: ticket.id.0,
        key: format!("portal_ticket:{}:{}", ticket.id, tx.portal_ticket_message_count(ticket.id).await?),
        title,
        paragraphs,
        link: ("See your ticket", format!("tickets/{}", ticket.id)),
        base,
    };
    tx.portal_notify(ticket.client_id, &[requester], &notice).await
}

/// What a PSA tells of a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PsaNews {
    /// Its state in the PSA's words, where that changed.
    pub status: Option<String>,
    /// Whether it is open there, where that changed.
    pub open: Option<bool>,
    /// Notes that were made there, in order.
    pub notes: Vec<PsaNote>,
}

/// A note that was made at a PSA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PsaNote {
    /// The vendor's id of it.
    pub id: String,
    /// What it says, as plain text.
    pub text: String,
    /// Whether people of the client may see it.
    pub public: bool,
    /// Who wrote it, where the PSA says so.
    pub author: Option<String>,
    /// When, where the PSA says so.
    pub at: Option<Timestamp>,
}

/// Takes what a PSA tells of a ticket: its notes, then its state. Nothing of it is sent back. The caller commits.
pub async fn portal_ticket_take(tx: &Tx, id: PortalTicketId, news: PsaNews) -> Result<PortalTicket> {
    let mut ticket = tx.portal_ticket(id).await?;
    let known = tx.portal_ticket_notes_known(id).await?;
    for note in news.notes.into_iter().filter(|note| !known.contains(&note.id)) {
        let text = plain(&note.text);
        if text.is_empty() {
            continue;
        }
        let kind = if note.public { TicketMessageKind::Reply } else { TicketMessageKind::Note };
        let message = PortalTicketMessage {
            vendor_note_id: Some(note.id),
            author: note.author.as_deref().map(plain).filter(|name| !name.is_empty()),
            at: note.at.unwrap_or(tx.now()).min(tx.now()),
            ..blank(tx, &ticket, kind, Some(text.clone())).await?
        };
        tx.portal_ticket_message_insert(&message).await?;
        if note.public {
            tell_requester(tx, &ticket, News::Reply(text), None).await?;
        }
    }
    let act = match news.open {
        Some(false) if ticket.state.is_open() => Some(PortalTicketAct::Close),
        Some(true) if !ticket.state.is_open() => Some(PortalTicketAct::Reopen),
        _ => None,
    };
    if let Some(act) = act {
        let state = ticket.state.after(act)?;
        ticket = tx.portal_ticket_save(&ticket, PortalTicket { state, ..ticket.clone() }).await?;
    }
    let status = news.status.as_deref().map(plain).filter(|status| !status.is_empty());
    if act.is_some() || status.is_some() {
        let words = match (&status, act) {
            (Some(status), None) => format!("“{status}”"),
            _ => ticket.state.words().to_owned(),
        };
        let message = PortalTicketMessage { act, ..blank(tx, &ticket, TicketMessageKind::Act, status).await? };
        tx.portal_ticket_message_insert(&message).await?;
        tell_requester(tx, &ticket, News::State(words), None).await?;
    }
    Ok(ticket)
}

async fn blank(
    tx: &Tx,
    ticket: &PortalTicket,
    kind: TicketMessageKind,
    text: Option<String>,
) -> Result<PortalTicketMessage> {
    Ok(PortalTicketMessage {
        id: tx.new_id(),
        ticket_id: ticket.id,
        client_id: ticket.client_id,
        number: tx.portal_ticket_message_count(ticket.id).await? + 1,
        at: tx.now(),
        kind,
        portal_user_id: None,
        staff_id: None,
        author: None,
        act: None,
        state: ticket.state,
        text,
        vendor_note_id: None,
    })
}

/// A vendor's text as ours are: bounded, trimmed, without control characters.
fn plain(text: &str) -> String {
    let kept: String =
        text.replace("\r\n", "\n").chars().filter(|c| !c.is_control() || *c == '\n' || *c == '\t').collect();
    kept.trim().chars().take(TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_vendor_writes_is_made_plain() {
        assert_eq!(plain(" one\r\ntwo\u{7} \n"), "one\ntwo");
        assert_eq!(plain(&"ä".repeat(TEXT + 5)).chars().count(), TEXT);
    }
}
