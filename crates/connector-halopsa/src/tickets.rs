//! Tickets.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Result, Ticket};

use crate::{Halopsa, wire};

#[async_trait]
impl Pull<Ticket> for Halopsa {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        // Without these the short records hold the numbers only.
        let names = [("includestatus", "true"), ("includetickettype", "true"), ("includeagent", "true")];
        self.api.list("Tickets", "tickets", &names, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Ticket>, String> {
        let ticket: wire::Ticket = wire::read("a ticket", raw)?;
        let client = ticket.client_id.ok_or("a ticket of HaloPSA names no client")?;
        let record = Ticket {
            title: ticket.summary.unwrap_or_else(|| format!("Ticket {}", ticket.id)),
            description: ticket.details,
            status: ticket.status_name,
            status_id: ticket.status_id,
            // Which state closes a ticket is the custom of each account: the vendor's own mark decides.
            open: match (ticket.hasbeenclosed, ticket.dateclosed) {
                (Some(closed), _) => Some(!closed),
                (None, Some(_)) => Some(false),
                (None, None) => None,
            },
            priority: ticket.priority_name,
            priority_id: ticket.priority_id,
            queue: ticket.team,
            category: ticket.tickettype_name,
            contact_id: ticket.user_id,
            contact_name: ticket.user_name,
            contact_email: ticket.user_email,
            assignee: ticket.agent_name,
            created_at: ticket.dateoccurred,
            updated_at: ticket.last_update,
            due_at: ticket.fixbydate,
            closed_at: ticket.dateclosed,
            url: Some(self.api.ticket_page(&ticket.id)),
            number: Some(ticket.id.clone()),
        };
        Ok(Item { id: ticket.id, entity: Some(client), record })
    }
}
