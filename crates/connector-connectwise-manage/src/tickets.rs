//! Service tickets.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Result, Ticket};

use crate::{
    ConnectwiseManage,
    wire::{self, instant, said},
};

/// What is asked of a ticket. Its first description is never told: ConnectWise keeps it as a note.
pub(crate) const FIELDS: &str = "id,summary,recordType,board,status,company,contact,contactName,contactEmailAddress,\
     type,owner,priority,requiredDate,closedDate,closedFlag,_info";

/// Tickets of projects are listed too unless this is said; they have states of their own.
const OF_SERVICE: &str = "recordType=\"ServiceTicket\"";

#[async_trait]
impl Pull<Ticket> for ConnectwiseManage {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page_of_companies(&["service", "tickets"], FIELDS, Some(OF_SERVICE), at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Ticket>, String> {
        let ticket: wire::Ticket = wire::read("ticket", raw)?;
        let id = wire::required("ticket", ticket.id)?;
        let status = ticket.status.unwrap_or_default();
        let priority = ticket.priority.unwrap_or_default();
        let contact = ticket.contact.unwrap_or_default();
        let marks = ticket.marks.unwrap_or_default();
        let record = Ticket {
            number: Some(id.clone()),
            title: said(ticket.summary).unwrap_or_else(|| format!("Ticket {id}")),
            description: None,
            status: said(status.name),
            status_id: status.id.map(|id| id.0),
            open: ticket.closed_flag.map(|closed| !closed),
            priority: said(priority.name),
            priority_id: priority.id.map(|id| id.0),
            queue: said(ticket.board.and_then(|board| board.name)),
            category: said(ticket.r#type.and_then(|kind| kind.name)),
            contact_id: contact.id.map(|id| id.0),
            contact_name: said(ticket.contact_name).or_else(|| said(contact.name)),
            contact_email: said(ticket.contact_email_address),
            assignee: ticket.owner.and_then(|owner| said(owner.name).or_else(|| said(owner.identifier))),
            created_at: instant(marks.date_entered.as_deref()),
            updated_at: instant(marks.last_updated.as_deref()),
            due_at: instant(ticket.required_date.as_deref()),
            closed_at: instant(ticket.closed_date.as_deref()),
            url: None,
        };
        Ok(Item { id, entity: wire::owner("ticket", ticket.company)?, record })
    }
}
