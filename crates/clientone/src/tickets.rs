//! Tickets as people of clients make and follow them; and what every ticket has in common, whoever works on it.
//!
//! A ticket is ours. Where the MSP has a PSA that knows the client, what is said and done is noted for it in the same
//! transaction (`domain::TicketSending`), and the sync engine carries it there.

use chrono::TimeDelta;
use domain::{
    ClientId, ConnectionId, DeskNoticeKind, EntityId, Error, Listed, PageRequest, PortalPermission, PortalSettings,
    PortalTicket, PortalTicketAct, PortalTicketId, PortalTicketMessage, PortalTicketState, Reach, Result,
    ServiceRequestId, StaffId, TicketLink, TicketMessageKind, TicketSending, TicketSendingKind, TicketSendingState,
    check_answers, valid_name,
};
use persistence::{PortalTicketFilter, PortalUserRow, ReadBy, Tx};

use crate::{
    desk_notices::tell_staff,
    texts::valid_text,
    ticket_news::{News, tell_requester},
};

/// Most characters of a description or a message.
const TEXT: usize = 20_000;
/// Most messages of one ticket.
const MESSAGES: i32 = 1_000;
/// Most tickets that a portal user makes in an hour.
const TICKETS_AN_HOUR: u64 = 20;
/// Most messages that a portal user writes in an hour.
const MESSAGES_AN_HOUR: u64 = 120;
/// What someone waits who made too many, in seconds.
const WAIT: u64 = 600;

/// A ticket as it was typed.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// One line.
    pub subject: String,
    /// What is the matter.
    pub description: String,
    /// Answers to the MSP's form, by the key of their field.
    pub answers: Vec<(String, String)>,
}

/// The desk of a PSA at which tickets of a client are worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Desk {
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// Under which entity.
    pub entity_id: EntityId,
}

/// A ticket with all that is known of it.
#[derive(Clone, Debug)]
pub struct TicketWhole {
    /// The ticket.
    pub ticket: PortalTicket,
    /// What was said and done, in order.
    pub messages: Vec<PortalTicketMessage>,
    /// Where it is at a PSA.
    pub link: Option<TicketLink>,
    /// What is to reach the PSA, or has, in order.
    pub sendings: Vec<TicketSending>,
    /// Who has read how far.
    pub readings: Vec<ReadBy>,
}

impl TicketWhole {
    pub(crate) async fn of(tx: &Tx, ticket: PortalTicket) -> Result<Self> {
        let messages = tx.portal_ticket_messages(ticket.id).await?;
        let link = tx.ticket_links(&[ticket.id]).await?.pop();
        let sendings = tx.ticket_sendings(&[ticket.id]).await?;
        let readings = tx.portal_ticket_readings(ticket.id).await?;
        Ok(Self { ticket, messages, link, sendings, readings })
    }
}

/// The tickets that a portal user sees: their own, a Manager everyone's of the client.
pub async fn portal_tickets_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    (state, open): (Option<PortalTicketState>, Option<bool>),
    page: &PageRequest,
) -> Result<Listed<PortalTicket>> {
    let filter = PortalTicketFilter { state, open, ..sight(tx, user, settings)? };
    tx.portal_ticket_list(&filter, page).await
}

/// How many tickets that a portal user sees are open.
pub async fn portal_tickets_open(tx: &Tx, user: &PortalUserRow, settings: &PortalSettings) -> Result<u64> {
    let filter = PortalTicketFilter { open: Some(true), ..sight(tx, user, settings)? };
    tx.portal_ticket_count(&filter).await
}

fn sight(tx: &Tx, user: &PortalUserRow, settings: &PortalSettings) -> Result<PortalTicketFilter> {
    let reach = tx.context().require_portal(PortalPermission::TicketsView, settings)?;
    let requester = (reach != Reach::All).then_some(user.id);
    Ok(PortalTicketFilter { client: Some(user.client_id), requester, ..PortalTicketFilter::default() })
}

/// A ticket that a portal user sees, without what staff say among themselves.
pub async fn portal_ticket_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: PortalTicketId,
) -> Result<TicketWhole> {
    let ticket = seen(tx, user, settings, id).await?;
    let mut whole = TicketWhole::of(tx, ticket).await?;
    whole.messages.retain(|message| message.kind.is_public());
    let shown = |id| whole.messages.iter().any(|message| Some(message.id) == id);
    whole.sendings.retain(|sending| sending.message_id.is_none() || shown(sending.message_id));
    whole.readings.retain(|reading| reading.portal_user == Some(user.id));
    Ok(whole)
}

pub(crate) async fn seen(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: PortalTicketId,
) -> Result<PortalTicket> {
    let filter = sight(tx, user, settings)?;
    let row = tx.portal_ticket(id).await?;
    let theirs = filter.requester.is_none_or(|own| row.requester == Some(own));
    if row.client_id != user.client_id || !theirs {
        return Err(Error::NotFound { what: "ticket" });
    }
    Ok(row)
}

/// Makes a ticket of a portal user; with a desk it is to reach the PSA. The caller commits.
pub async fn portal_ticket_create(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    new: NewTicket,
    desk: Option<Desk>,
) -> Result<PortalTicket> {
    tx.context().require_portal(PortalPermission::TicketsView, settings)?;
    let (made, _) = tx.portal_ticket_rate(user.id, tx.now() - TimeDelta::hours(1)).await?;
    if made >= TICKETS_AN_HOUR {
        return Err(Error::TooMany { retry_after: WAIT });
    }
    let whose = Whose { client: user.client_id, requester: Some(user.id), made_by: None, request: None };
    let ticket = make(tx, whose, new, desk, true).await?;
    let title = format!("{} made the ticket #{}: {}", user.name, ticket.number, ticket.subject);
    tell_staff(tx, DeskNoticeKind::TicketMade, ticket.client_id, ticket.id.0, title).await?;
    Ok(ticket)
}

/// For whom a ticket is, and of what it comes.
pub(crate) struct Whose {
    pub client: ClientId,
    pub requester: Option<domain::PortalUserId>,
    pub made_by: Option<StaffId>,
    pub request: Option<ServiceRequestId>,
}

/// The one way in which tickets are made. Only who fills in the form is asked what it asks.
pub(crate) async fn make(
    tx: &Tx,
    whose: Whose,
    new: NewTicket,
    desk: Option<Desk>,
    whole_form: bool,
) -> Result<PortalTicket> {
    let mut fields = tx.ticket_form().await?.0.asked();
    if !whole_form {
        fields.iter_mut().for_each(|field| field.required = false);
    }
    let mut problems = Vec::new();
    let subject = valid_name("/subject", &new.subject).map_err(|problem| problems.push(problem));
    let description = valid_text("/description", &new.description, TEXT).map_err(|problem| problems.push(problem));
    let answers = check_answers(&fields, &new.answers).map_err(|found| problems.extend(found));
    let (Ok(subject), Ok(description), Ok(answers)) = (subject, description, answers) else {
        return Err(Error::Invalid(problems));
    };
    let row = PortalTicket {
        id: tx.new_id(),
        client_id: whose.client,
        number: tx.portal_ticket_next_number().await?,
        subject,
        description,
        answers,
        requester: whose.requester,
        made_by: whose.made_by,
        state: PortalTicketState::Open,
        assignee: None,
        service_request_id: whose.request,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.portal_ticket_insert(&row).await?;
    if let Some(Desk { connection_id, entity_id }) = desk {
        let link = TicketLink {
            ticket_id: row.id,
            client_id: row.client_id,
            connection_id,
            entity_id,
            record_id: None,
            number: None,
            status: None,
            open: None,
            notes_read_at: None,
        };
        tx.ticket_link_insert(&link).await?;
        send(tx, &row, TicketSendingKind::Create, None).await?;
    }
    Ok(row)
}

/// Says something to staff. The caller commits.
pub async fn portal_ticket_reply(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: PortalTicketId,
    text: &str,
    base: Option<&str>,
) -> Result<PortalTicket> {
    let before = seen(tx, user, settings, id).await?;
    let (_, said) = tx.portal_ticket_rate(user.id, tx.now() - TimeDelta::hours(1)).await?;
    if said >= MESSAGES_AN_HOUR {
        return Err(Error::TooMany { retry_after: WAIT });
    }
    let text = valid_text("/text", text, TEXT).map_err(|problem| Error::Invalid(vec![problem]))?;
    let after = reply(tx, before, PortalTicketAct::Answer, text.clone()).await?;
    tell_requester(tx, &after, News::Reply(text), base).await?;
    Ok(after)
}

/// Says that a ticket is done with, or is not after all. The caller commits.
pub async fn portal_ticket_turn(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: PortalTicketId,
    act: PortalTicketAct,
    base: Option<&str>,
) -> Result<PortalTicket> {
    let before = seen(tx, user, settings, id).await?;
    let (_, said) = tx.portal_ticket_rate(user.id, tx.now() - TimeDelta::hours(1)).await?;
    if said >= MESSAGES_AN_HOUR {
        return Err(Error::TooMany { retry_after: WAIT });
    }
    turn(tx, before, act, base).await
}

/// Notes that a portal user has read a ticket up to here. The caller commits.
pub async fn portal_ticket_read(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: PortalTicketId,
) -> Result<PortalTicket> {
    let ticket = seen(tx, user, settings, id).await?;
    // What they may not see is not counted: the number of the last message that they may.
    let messages = tx.portal_ticket_messages(id).await?;
    let last = messages.iter().filter(|message| message.kind.is_public()).map(|message| message.number).max();
    tx.portal_ticket_read_note(&ticket, last.unwrap_or(0)).await?;
    Ok(ticket)
}

/// Something said to the other side, whoever says it.
pub(crate) async fn reply(tx: &Tx, before: PortalTicket, act: PortalTicketAct, text: String) -> Result<PortalTicket> {
    let state = before.state.after(act)?;
    let after = tx.portal_ticket_save(&before, PortalTicket { state, ..before.clone() }).await?;
    let message = say(tx, &after, TicketMessageKind::Reply, Some(act), Some(text)).await?;
    if tx.ticket_links(&[after.id]).await?.pop().is_some() {
        send(tx, &after, TicketSendingKind::Note, Some(&message)).await?;
    }
    Ok(after)
}

/// The one way from state to state by what people do.
pub(crate) async fn turn(
    tx: &Tx,
    before: PortalTicket,
    act: PortalTicketAct,
    base: Option<&str>,
) -> Result<PortalTicket> {
    let state = before.state.after(act)?;
    if state == before.state {
        return Ok(before);
    }
    let after = tx.portal_ticket_save(&before, PortalTicket { state, ..before.clone() }).await?;
    let message = say(tx, &after, TicketMessageKind::Act, Some(act), None).await?;
    let kind = match act {
        PortalTicketAct::Close => Some(TicketSendingKind::Close),
        PortalTicketAct::Reopen => Some(TicketSendingKind::Reopen),
        // The PSA has states of its own for the work.
        _ => None,
    };
    if let Some(kind) = kind
        && tx.ticket_links(&[after.id]).await?.pop().is_some()
    {
        send(tx, &after, kind, Some(&message)).await?;
    }
    tell_requester(tx, &after, News::State(state.words().to_owned()), base).await?;
    Ok(after)
}

/// Notes what was said or done, under the next number.
pub(crate) async fn say(
    tx: &Tx,
    ticket: &PortalTicket,
    kind: TicketMessageKind,
    act: Option<PortalTicketAct>,
    text: Option<String>,
) -> Result<PortalTicketMessage> {
    let number = tx.portal_ticket_message_count(ticket.id).await? + 1;
    if number > MESSAGES {
        let message = "So much was said about this ticket that no more can be noted: open another.";
        return Err(Error::conflict("too_many_messages", message));
    }
    let actor = tx.context().actor;
    let message = PortalTicketMessage {
        id: tx.new_id(),
        ticket_id: ticket.id,
        client_id: ticket.client_id,
        number,
        at: tx.now(),
        kind,
        portal_user_id: actor.portal_user(),
        staff_id: actor.staff(),
        author: None,
        act,
        state: ticket.state,
        text,
        vendor_note_id: None,
    };
    tx.portal_ticket_message_insert(&message).await?;
    Ok(message)
}

/// Notes something that is to reach the ticket's PSA.
pub(crate) async fn send(
    tx: &Tx,
    ticket: &PortalTicket,
    kind: TicketSendingKind,
    message: Option<&PortalTicketMessage>,
) -> Result<()> {
    let Some(link) = tx.ticket_links(&[ticket.id]).await?.pop() else { return Ok(()) };
    let sending = TicketSending {
        id: tx.new_id(),
        ticket_id: ticket.id,
        client_id: ticket.client_id,
        connection_id: link.connection_id,
        kind,
        message_id: message.map(|message| message.id),
        state: TicketSendingState::Queued,
        queued_at: tx.now(),
        tried_at: None,
        sent_at: None,
        problem: None,
    };
    tx.ticket_sending_insert(&sending).await
}
