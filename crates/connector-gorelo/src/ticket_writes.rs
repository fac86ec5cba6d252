//! Tickets made, changed and commented on. Gorelo answers with an id only, so each is read afterwards.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Choice, Error, Method, Result, TicketChoices, TicketDraft, TicketNote, WriteTickets};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Gorelo,
    api::{NAME, unreadable},
    company_writes::{number, refused},
    loose::Text,
};

/// Gorelo's priorities: they are the same in every account.
const PRIORITIES: [(&str, &str); 5] = [("1", "Urgent"), ("2", "High"), ("3", "Normal"), ("4", "Low"), ("0", "None")];
/// The source of tickets that come by the API.
const BY_API: u8 = 6;
const PUBLIC: u8 = 1;
const PRIVATE: u8 = 2;

/// A state, a type or a group.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Named {
    id: Text,
    name: Text,
}

#[async_trait]
impl WriteTickets for Gorelo {
    async fn choices(&self, _queue: Option<&str>) -> Result<TicketChoices> {
        let listed =
            |all: Vec<Named>| all.into_iter().filter_map(|one| Some(Choice { id: one.id.0?, label: one.name.0? }));
        Ok(TicketChoices {
            statuses: listed(self.api.lookup(&["tickets", "statuses"]).await?).collect(),
            priorities: PRIORITIES.map(|(id, label)| Choice { id: id.to_owned(), label: label.to_owned() }).to_vec(),
            queues: listed(self.api.lookup(&["organization", "groups"]).await?).collect(),
        })
    }

    async fn create(&self, entity_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        if draft.title.is_none() {
            return Err(refused("a new ticket needs a title"));
        }
        let mut ticket = fields(draft)?;
        ticket.insert("ClientId".to_owned(), json!(number(entity_id)?));
        ticket.insert("SourceId".to_owned(), json!(BY_API));
        if let Some(text) = &draft.description {
            ticket.insert("Description".to_owned(), json!(text));
        }
        if draft.status_id.is_none() {
            ticket.insert("StatusId".to_owned(), json!(self.first(&["tickets", "statuses"], &["new", "open"]).await?));
        }
        let group = match &draft.queue_id {
            Some(group) => number(group)?,
            None => self.first(&["organization", "groups"], &[]).await?,
        };
        ticket.insert("GroupId".to_owned(), json!(group));
        ticket.insert("TypeId".to_owned(), json!(self.first(&["tickets", "types"], &["incident"]).await?));
        let made = self.api.write(Method::Post, &["tickets"], Value::Object(ticket)).await?;
        let made: Named = serde_json::from_slice(&made).map_err(unreadable)?;
        let id = made.id.0.ok_or_else(|| Error::unreadable(NAME, "a new ticket without an id"))?;
        self.fetch(&id).await
    }

    async fn update(&self, ticket_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        let mut ticket = fields(draft)?;
        if let Some(group) = &draft.queue_id {
            ticket.insert("GroupIds".to_owned(), json!([number(group)?]));
        }
        // Gorelo refuses a change of nothing.
        if !ticket.is_empty() {
            self.api.write(Method::Patch, &["tickets", ticket_id], Value::Object(ticket)).await?;
        }
        self.fetch(ticket_id).await
    }

    async fn add_note(&self, ticket_id: &str, note: &TicketNote) -> Result<()> {
        let kind = if note.public { PUBLIC } else { PRIVATE };
        let comment = json!({ "ConversationTypeId": kind, "Body": html(&note.text) });
        self.api.write(Method::Post, &["tickets", ticket_id, "comments"], comment).await.map(drop)
    }

    async fn fetch(&self, ticket_id: &str) -> Result<Bytes> {
        self.api.get(&["tickets", ticket_id]).await
    }
}

impl Gorelo {
    /// The one of a list that a new ticket gets where the draft names none: by these words, else the first.
    async fn first(&self, path: &[&str], words: &[&str]) -> Result<i64> {
        let all: Vec<Named> = self.api.lookup(path).await?;
        let named =
            |one: &&Named| one.name.0.as_ref().is_some_and(|name| words.contains(&name.to_lowercase().as_str()));
        let first = all.iter().find(named).or(all.first()).and_then(|one| one.id.0.as_deref());
        number(first.ok_or_else(|| refused("Gorelo has no state, type or group for a new ticket: make one there"))?)
    }
}

fn fields(draft: &TicketDraft) -> Result<Map<String, Value>> {
    let mut ticket = Map::new();
    if let Some(title) = &draft.title {
        ticket.insert("Title".to_owned(), json!(title));
    }
    let ids = [("StatusId", &draft.status_id), ("PriorityId", &draft.priority_id), ("ContactId", &draft.contact_id)];
    for (name, id) in ids {
        if let Some(id) = id {
            ticket.insert(name.to_owned(), json!(number(id)?));
        }
    }
    Ok(ticket)
}

/// A comment's body is HTML: what people wrote must not be taken for it.
fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.lines().collect::<Vec<_>>().join("<br>")
}
