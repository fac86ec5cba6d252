//! Tickets.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration::{Item, Page, Position, Pull, Result, Ticket};
use serde_json::Value;

use crate::{
    Syncro,
    loose::{as_flag, as_id, as_text},
    wire,
};

/// The vendor's own states that still want work. Others may have been added by the account.
const OPEN: [&str; 6] =
    ["New", "In Progress", "Waiting for Parts", "Waiting on Customer", "Scheduled", "Customer Reply"];

#[async_trait]
impl Pull<Ticket> for Syncro {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.list("tickets", "tickets", &[], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Ticket>, String> {
        let ticket: wire::Ticket = wire::read("a ticket", raw)?;
        let customer = ticket.customer_id.ok_or("a ticket of Syncro names no customer")?;
        let record = Ticket {
            title: ticket.subject.unwrap_or_else(|| format!("Ticket {}", ticket.id)),
            description: initial(&ticket.comments),
            open: Some(is_open(ticket.status.as_deref(), ticket.resolved_at)),
            // The vendor names states and priorities by their words.
            status_id: ticket.status.clone(),
            status: ticket.status,
            priority_id: ticket.priority.clone(),
            priority: ticket.priority,
            queue: None,
            category: ticket.problem_type,
            contact_id: ticket.contact_id.or_else(|| as_id(&ticket.contact["id"])),
            contact_name: ticket.contact_fullname.or_else(|| as_text(&ticket.contact["name"])),
            contact_email: as_text(&ticket.contact["email"]),
            assignee: as_text(&ticket.user["full_name"]),
            created_at: ticket.created_at,
            updated_at: ticket.updated_at,
            due_at: ticket.due_date,
            closed_at: ticket.resolved_at,
            url: Some(self.api.page_of("tickets", &ticket.id)),
            number: ticket.number,
        };
        Ok(Item { id: ticket.id, entity: Some(customer), record })
    }
}

/// The vendor's own words decide; of a state that the account added, the time of resolution does.
fn is_open(status: Option<&str>, resolved_at: Option<DateTime<Utc>>) -> bool {
    match status {
        Some("Resolved") => false,
        Some(status) if OPEN.contains(&status) => true,
        _ => resolved_at.is_none(),
    }
}

/// The first comment is the description, if the customer may see it.
fn initial(comments: &Value) -> Option<String> {
    let comments = comments.as_array()?;
    let first = comments.iter().filter(|one| one["id"].is_u64()).min_by_key(|one| one["id"].as_u64())?;
    if as_flag(&first["hidden"]) == Some(true) { None } else { as_text(&first["body"]) }
}
