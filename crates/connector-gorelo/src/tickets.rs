//! Tickets of all clients. The listing has no description; a single ticket has.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Result, Ticket};
use serde::Deserialize;

use crate::{
    Gorelo,
    loose::{self, Code, Text, Time},
    paging::List,
};

/// Last changed last: a ticket that changes during the walk comes again, and none is passed over.
const LIST: List =
    List { path: &["tickets"], query: &[("SortBy", "updatedOn"), ("SortOrder", "asc")], owned: loose::names_client };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Row {
    id: Text,
    title: Text,
    description: Text,
    number: Text,
    display_number: Text,
    client_id: Text,
    contact_id: Text,
    status: Code,
    priority: Code,
    #[serde(rename = "Type")]
    class: Code,
    merged_into_ticket_id: Text,
    created_on: Time,
    updated_on: Time,
    closed_on: Time,
}

#[async_trait]
impl Pull<Ticket> for Gorelo {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Ticket>, String> {
        let row: Row = loose::read("a ticket", raw)?;
        let open = open(&row);
        let id = row.id.own_id("a ticket")?;
        let number = row.display_number.0.or(row.number.0);
        let title = row.title.0.or_else(|| number.clone());
        let record = Ticket {
            title: title.unwrap_or_else(|| format!("Ticket {id}")),
            number,
            description: row.description.0,
            status: row.status.name,
            status_id: row.status.id,
            open,
            priority: row.priority.name,
            priority_id: row.priority.id,
            category: row.class.name,
            contact_id: row.contact_id.other_id(),
            created_at: row.created_on.0,
            updated_at: row.updated_on.0,
            // A ticket opened again may keep the old time.
            closed_at: row.closed_on.0.filter(|_| open == Some(false)),
            ..Ticket::default()
        };
        Ok(Item { id, entity: row.client_id.other_id(), record })
    }
}

/// States are the MSP's own words. One that we do not know is open at least as long as the ticket was
/// never closed.
fn open(row: &Row) -> Option<bool> {
    match row.status.word().as_str() {
        _ if row.merged_into_ticket_id.other_id().is_some() => Some(false),
        "closed" | "resolved" | "completed" | "cancelled" | "canceled" => Some(false),
        "new" | "open" | "reopened" | "in progress" | "waiting" | "on hold" | "scheduled" => Some(true),
        _ => row.closed_on.0.is_none().then_some(true),
    }
}
