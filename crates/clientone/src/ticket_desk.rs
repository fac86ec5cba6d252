//! Tickets as staff work on them.

use domain::{
    ClientId, Error, Listed, PageRequest, Permission, PortalState, PortalTicket, PortalTicketAct, PortalTicketId,
    PortalUserId, Result, ServiceRequestAct, ServiceRequestId, StaffId, TicketMessageKind, TicketSendingAct,
    TicketSendingKind, TicketSendingState,
};
use persistence::{PortalTicketFilter, SendingChange, Tx};

use crate::{
    service_requests::{RequestNotes, step_noted},
    texts::valid_text,
    ticket_news::{News, tell_requester},
    tickets::{Desk, NewTicket, TicketWhole, Whose, make, reply, say, send, turn},
};

/// Most characters of a message.
const TEXT: usize = 20_000;
/// Most characters of a subject that is made of a request.
const SUBJECT: usize = 255;

/// Tickets of the scope's clients, the newest first.
pub async fn portal_ticket_list(
    tx: &Tx,
    filter: &PortalTicketFilter,
    page: &PageRequest,
) -> Result<Listed<PortalTicket>> {
    tx.context().require(Permission::ServiceView)?;
    tx.portal_ticket_list(filter, page).await
}

/// A ticket with all that is known of it.
pub async fn portal_ticket_get(tx: &Tx, id: PortalTicketId) -> Result<TicketWhole> {
    tx.context().require(Permission::ServiceView)?;
    let ticket = tx.portal_ticket(id).await?;
    TicketWhole::of(tx, ticket).await
}

/// Makes a ticket for a client, and for someone of it where one is named. The form need not be filled in. The caller
/// commits.
pub async fn portal_ticket_make(
    tx: &Tx,
    client: ClientId,
    requester: Option<PortalUserId>,
    new: NewTicket,
    desk: Option<Desk>,
) -> Result<PortalTicket> {
    tx.context().require(Permission::TicketsWork)?;
    let client = tx.client(client).await?;
    if let Some(requester) = requester {
        let user = tx.portal_user(requester).await?;
        if user.client_id != client.id {
            return Err(Error::NotFound { what: "portal user" });
        }
        // An invitation can be revoked, and its account goes with it.
        if user.state == PortalState::Invited {
            let message = "This person has not accepted the invitation yet: leave them out.";
            return Err(Error::conflict("not_accepted", message));
        }
    }
    let whose = Whose { client: client.id, requester, made_by: tx.context().actor.staff(), request: None };
    make(tx, whose, new, desk, false).await
}

/// Says something to whoever asked. The caller commits.
pub async fn portal_ticket_say(tx: &Tx, id: PortalTicketId, text: &str, base: Option<&str>) -> Result<PortalTicket> {
    tx.context().require(Permission::TicketsWork)?;
    let before = tx.portal_ticket(id).await?;
    let text = valid_text("/text", text, TEXT).map_err(|problem| Error::Invalid(vec![problem]))?;
    let after = reply(tx, before, PortalTicketAct::Reply, text.clone()).await?;
    tell_requester(tx, &after, News::Reply(text), base).await?;
    Ok(after)
}

/// Says something among staff, in whatever state the ticket is. The caller commits.
pub async fn portal_ticket_note(tx: &Tx, id: PortalTicketId, text: &str) -> Result<PortalTicket> {
    tx.context().require(Permission::TicketsWork)?;
    let ticket = tx.portal_ticket(id).await?;
    let text = valid_text("/text", text, TEXT).map_err(|problem| Error::Invalid(vec![problem]))?;
    let message = say(tx, &ticket, TicketMessageKind::Note, None, Some(text)).await?;
    send(tx, &ticket, TicketSendingKind::Note, Some(&message)).await?;
    Ok(ticket)
}

/// Takes a ticket on its way, and tells whoever asked. The caller commits.
pub async fn portal_ticket_act(
    tx: &Tx,
    id: PortalTicketId,
    act: PortalTicketAct,
    base: Option<&str>,
) -> Result<PortalTicket> {
    tx.context().require(Permission::TicketsWork)?;
    let before = tx.portal_ticket(id).await?;
    turn(tx, before, act, base).await
}

/// Gives a ticket to a staff user, or to nobody. The caller commits.
pub async fn portal_ticket_assign(tx: &Tx, id: PortalTicketId, assignee: Option<StaffId>) -> Result<PortalTicket> {
    tx.context().require(Permission::TicketsWork)?;
    let before = tx.portal_ticket(id).await?;
    let name = match assignee {
        Some(assignee) => {
            let row = tx.staff(assignee).await?;
            if row.removed_at.is_some() || row.suspended_at.is_some() {
                return Err(Error::conflict("not_active", "This staff user cannot sign in: choose another."));
            }
            let allowed = row.allow_clients.as_ref().is_none_or(|clients| clients.contains(&before.client_id));
            if !allowed || row.deny_clients.contains(&before.client_id) {
                let message = "This staff user does not see the client: choose another, or let them see it first.";
                return Err(Error::conflict("out_of_scope", message));
            }
            Some(row.name)
        }
        None => None,
    };
    if before.assignee == assignee {
        return Ok(before);
    }
    let after = tx.portal_ticket_save(&before, PortalTicket { assignee, ..before.clone() }).await?;
    say(tx, &after, TicketMessageKind::Assignment, None, name).await?;
    Ok(after)
}

/// Notes that the caller has read a ticket up to here. The caller commits.
pub async fn portal_ticket_mark_read(tx: &Tx, id: PortalTicketId) -> Result<PortalTicket> {
    tx.context().require(Permission::ServiceView)?;
    let ticket = tx.portal_ticket(id).await?;
    let last = tx.portal_ticket_message_count(id).await?;
    tx.portal_ticket_read_note(&ticket, last).await?;
    Ok(ticket)
}

/// Tries once more what the PSA refused; refused where nothing was. The caller commits.
pub async fn portal_ticket_send_again(tx: &Tx, id: PortalTicketId) -> Result<PortalTicket> {
    tx.context().require(Permission::TicketsWork)?;
    let ticket = tx.portal_ticket(id).await?;
    let sendings = tx.ticket_sendings(&[id]).await?;
    let refused: Vec<_> = sendings.iter().filter(|one| one.state == TicketSendingState::Refused).collect();
    let Some(first) = refused.first() else {
        return Err(Error::conflict("nothing_refused", "The PSA has refused nothing of this ticket."));
    };
    for sending in &refused {
        tx.ticket_sending_act(sending, TicketSendingAct::Again, SendingChange::default()).await?;
    }
    tx.ticket_job_enqueue(first.connection_id, Some(first.id)).await?;
    Ok(ticket)
}

/// Turns a service request into a ticket of its requester, once: both name the other from then on, and the requester
/// reads so at the request. The caller commits.
pub async fn service_request_convert(
    tx: &Tx,
    id: ServiceRequestId,
    subject: Option<String>,
    desk: Option<Desk>,
) -> Result<PortalTicket> {
    tx.context().require(Permission::ClientoneManage)?;
    let request = tx.service_request(id).await?;
    if let Some(ticket) = request.ticket_id {
        let number = tx.portal_ticket(ticket).await?.number;
        return Err(Error::conflict("converted", format!("This request is the ticket #{number} already.")));
    }
    // What has ended is turned into nothing any more.
    request.state.after(ServiceRequestAct::Note)?;
    let subject = subject.unwrap_or_else(|| request.type_name.clone());
    let asked: String = request.answers.iter().map(|one| format!("\n{}: {}", one.label, one.value)).collect();
    let new = NewTicket {
        subject: subject.chars().take(SUBJECT).collect(),
        description: format!("{}\n{asked}", request.description),
        answers: Vec::new(),
    };
    let whose = Whose {
        client: request.client_id,
        requester: Some(request.requester),
        made_by: tx.context().actor.staff(),
        request: Some(request.id),
    };
    let ticket = make(tx, whose, new, desk, false).await?;
    let with = domain::ServiceRequest { ticket_id: Some(ticket.id), ..request.clone() };
    let with = tx.service_request_save(&request, with).await?;
    let note = Some(format!("This request is the ticket #{} from now on.", ticket.number));
    step_noted(tx, &with, Some(ServiceRequestAct::Note), RequestNotes { note, internal_note: None }).await?;
    Ok(ticket)
}
