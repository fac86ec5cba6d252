//! Tickets made, changed and noted on. States and priorities are named by their words.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Choice, Result, TicketChoices, TicketDraft, TicketNote, WriteTickets};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{Superops, api::Operation, company_writes::refused, loose::Text, tickets::FIELDS};

const CREATE: Operation = Operation { name: "createTicket", input: "CreateTicketInput!", select: FIELDS };
const UPDATE: Operation = Operation { name: "updateTicket", input: "UpdateTicketInput!", select: FIELDS };
const NOTE: Operation = Operation { name: "createTicketNote", input: "CreateTicketNoteInput!", select: "noteId" };
const FETCH: Operation = Operation { name: "getTicket", input: "TicketIdentifierInput!", select: FIELDS };
const STATUSES: Operation = Operation { name: "getStatusList", input: "", select: "id name" };
const PRIORITIES: Operation = Operation { name: "getPriorityList", input: "", select: "id name" };
const GROUPS: Operation = Operation { name: "getTechnicianGroupList", input: "", select: "groupId name" };

/// A state or priority, or with its id a group of technicians.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(rename = "groupId")]
    id: Text,
    name: String,
}

#[async_trait]
impl WriteTickets for Superops {
    async fn choices(&self, _queue: Option<&str>) -> Result<TicketChoices> {
        let word = |named: Named| Choice { id: named.name.clone(), label: named.name };
        let group = |group: Named| Some(Choice { id: group.id.0?, label: group.name });
        Ok(TicketChoices {
            statuses: self.api.lookup(&STATUSES).await?.into_iter().map(word).collect(),
            priorities: self.api.lookup(&PRIORITIES).await?.into_iter().map(word).collect(),
            queues: self.api.lookup(&GROUPS).await?.into_iter().filter_map(group).collect(),
        })
    }

    async fn create(&self, entity_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        if draft.title.is_none() {
            return Err(refused("a new ticket needs a title"));
        }
        let mut ticket = fields(draft);
        if let Some(text) = &draft.description {
            ticket.insert("description".to_owned(), json!(text));
        }
        if draft.status_id.is_none() {
            ticket.insert("status".to_owned(), json!(self.first_status().await?));
        }
        ticket.insert("client".to_owned(), json!({ "accountId": entity_id }));
        ticket.insert("source".to_owned(), json!("INTEGRATION"));
        self.api.mutate(&CREATE, Value::Object(ticket)).await
    }

    async fn update(&self, ticket_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        let mut ticket = fields(draft);
        ticket.insert("ticketId".to_owned(), json!(ticket_id));
        self.api.mutate(&UPDATE, Value::Object(ticket)).await
    }

    async fn add_note(&self, ticket_id: &str, note: &TicketNote) -> Result<()> {
        let privacy = if note.public { "PUBLIC" } else { "PRIVATE" };
        let input = json!({ "ticket": { "ticketId": ticket_id }, "content": note.text, "privacyType": privacy });
        self.api.mutate(&NOTE, input).await.map(drop)
    }

    async fn fetch(&self, ticket_id: &str) -> Result<Bytes> {
        self.api.fetch(&FETCH, json!({ "ticketId": ticket_id })).await
    }
}

impl Superops {
    /// The state that a new ticket begins in: SuperOps wants one named.
    async fn first_status(&self) -> Result<String> {
        let mut statuses: Vec<Named> = self.api.lookup(&STATUSES).await?;
        let begins = |named: &Named| ["new", "open"].iter().position(|word| named.name.eq_ignore_ascii_case(word));
        statuses.sort_by_key(|named| begins(named).unwrap_or(usize::MAX));
        let first = statuses.into_iter().next();
        first.map(|named| named.name).ok_or_else(|| refused("SuperOps names no state that a ticket could have"))
    }
}

fn fields(draft: &TicketDraft) -> Map<String, Value> {
    let pairs = [
        ("subject", draft.title.as_ref().map(|text| json!(text))),
        ("status", draft.status_id.as_ref().map(|word| json!(word))),
        ("priority", draft.priority_id.as_ref().map(|word| json!(word))),
        ("techGroup", draft.queue_id.as_ref().map(|id| json!({ "groupId": id }))),
        ("requester", draft.contact_id.as_ref().map(|id| json!({ "userId": id }))),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
