//! Tickets of all clients. The first description is a conversation of its own in SuperOps, so a ticket
//! comes without one.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Result, Ticket};
use serde::Deserialize;

use crate::{
    Superops,
    loose::{self, Maybe, Text, Tie, Time},
    paging::{List, names_client},
};

/// What is asked of a ticket, wherever one is answered.
pub(crate) const FIELDS: &str = "ticketId displayId subject requestType client requester techGroup technician status \
                                 priority createdTime updatedTime resolutionDueTime resolutionTime";

const LIST: List = List {
    name: "getTicketList",
    input: "ListInfoInput!",
    items: "tickets",
    fields: FIELDS,
    // The order that moves least while tickets are worked on.
    sort: Some("createdTime"),
    owned: names_client,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row {
    ticket_id: Text,
    display_id: Text,
    subject: Text,
    request_type: Text,
    client: Maybe<Tie>,
    requester: Maybe<Tie>,
    tech_group: Maybe<Tie>,
    technician: Maybe<Tie>,
    status: Text,
    priority: Text,
    created_time: Time,
    updated_time: Time,
    resolution_due_time: Time,
    resolution_time: Time,
}

#[async_trait]
impl Pull<Ticket> for Superops {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Ticket>, String> {
        let row: Row = loose::read("a ticket", raw)?;
        let id = row.ticket_id.own_id("a ticket")?;
        let requester = row.requester.0.unwrap_or_default();
        let open = row.status.0.as_deref().and_then(open);
        let title = row.subject.0.or_else(|| row.display_id.0.clone());
        let record = Ticket {
            title: title.unwrap_or_else(|| format!("Ticket {id}")),
            number: row.display_id.0,
            // Writes name states and priorities by their words.
            status_id: row.status.0.clone(),
            status: row.status.0,
            open,
            priority_id: row.priority.0.clone(),
            priority: row.priority.0,
            queue: row.tech_group.name(),
            category: row.request_type.0,
            contact_id: requester.id.0,
            contact_name: requester.name.0,
            contact_email: requester.email.0,
            assignee: row.technician.name(),
            created_at: row.created_time.0,
            updated_at: row.updated_time.0,
            due_at: row.resolution_due_time.0,
            // A ticket opened again may keep the old time.
            closed_at: row.resolution_time.0.filter(|_| open == Some(false)),
            ..Ticket::default()
        };
        Ok(Item { id, entity: row.client.id(), record })
    }
}

/// States are the MSP's own words; of those we do not know we say nothing.
fn open(status: &str) -> Option<bool> {
    match status.to_lowercase().as_str() {
        "resolved" | "closed" | "cancelled" | "canceled" => Some(false),
        "new"
        | "open"
        | "reopened"
        | "assigned"
        | "in progress"
        | "on hold"
        | "pending"
        | "waiting on customer"
        | "waiting on third party"
        | "customer replied" => Some(true),
        _ => None,
    }
}
