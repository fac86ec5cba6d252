//! Tickets.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Result, Ticket};

use crate::{
    Autotask,
    queries::{Shape, of_clients},
    wire::{self, instant, said},
};

pub(crate) const SHAPE: Shape = Shape {
    entity: "Tickets",
    fields: &[
        "id",
        "companyID",
        "ticketNumber",
        "title",
        "description",
        "status",
        "priority",
        "queueID",
        "ticketType",
        "contactID",
        "createDate",
        "lastActivityDate",
        "dueDateTime",
        "completedDate",
    ],
    picked: &["status", "priority", "queueID", "ticketType"],
};

/// The one state that is done in every account; the others are the MSP's own.
const COMPLETE: &str = "5";

#[async_trait]
impl Pull<Ticket> for Autotask {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(SHAPE, of_clients(), at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Ticket>, String> {
        let ticket: wire::Ticket = wire::read("ticket", raw)?;
        let mut labels = ticket.labels.unwrap_or_default();
        let mut label = |name: &str| said(labels.remove(name));
        let completed = instant(ticket.completed_date.as_deref());
        let status = ticket.status.map(|status| status.0);
        let record = Ticket {
            title: said(ticket.title).unwrap_or_else(|| format!("Ticket {}", ticket.id.0)),
            number: said(ticket.ticket_number),
            description: said(ticket.description),
            status: label("status"),
            open: status.as_deref().map(|status| status != COMPLETE && completed.is_none()),
            status_id: status,
            priority: label("priority"),
            priority_id: ticket.priority.map(|priority| priority.0),
            queue: label("queueID"),
            category: label("ticketType"),
            contact_id: ticket.contact.map(|id| id.0),
            contact_name: None,
            contact_email: None,
            assignee: None,
            created_at: instant(ticket.create_date.as_deref()),
            updated_at: instant(ticket.last_activity_date.as_deref()),
            due_at: instant(ticket.due_date_time.as_deref()),
            closed_at: completed,
            url: None,
        };
        Ok(Item { id: ticket.id.0, entity: wire::owner("ticket", ticket.company)?, record })
    }
}
