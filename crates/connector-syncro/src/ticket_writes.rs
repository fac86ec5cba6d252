//! Tickets made and changed, and notes on them, which the vendor calls comments.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{
    Choice, Error, Kind, Method, Pull, Result, Retry, Ticket, TicketChoices, TicketDraft, TicketNote, Vendor,
    WriteTickets,
};
use serde_json::{Map, Value, json};

use crate::{Syncro, api::number, customers::put, loose::as_text, wire};

/// The subject under which the vendor itself keeps a ticket's description.
const INITIAL: &str = "Initial Issue";

#[async_trait]
impl WriteTickets for Syncro {
    async fn choices(&self, _queue: Option<&str>) -> Result<TicketChoices> {
        let tickets: Value = self.api.call(self.api.get(&["tickets", "settings"])).await?.json(Self::NAME)?;
        let settings: Value = self.api.call(self.api.get(&["settings"])).await?.json(Self::NAME)?;
        Ok(TicketChoices {
            statuses: choices(&tickets["ticket_status_list"])?,
            priorities: choices(&settings["ticket"]["priorities"])?,
            queues: Vec::new(),
        })
    }

    async fn create(&self, entity_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        if draft.title.as_deref().is_none_or(|title| title.trim().is_empty()) {
            return Err(Error::new(Kind::Refused, "a new ticket of Syncro needs a subject"));
        }
        let mut ticket = said(draft)?;
        ticket.insert("customer_id".to_owned(), number(entity_id)?.into());
        if let Some(contact) = &draft.contact_id {
            self.contact(entity_id, contact).await?;
            ticket.insert("contact_id".to_owned(), number(contact)?.into());
        }
        if let Some(text) = draft.description.as_deref().filter(|text| !text.trim().is_empty()) {
            let comment = json!({ "subject": INITIAL, "body": text, "hidden": false, "do_not_email": true });
            ticket.insert("comments_attributes".to_owned(), json!([comment]));
        }
        self.ticket_answered(self.api.write(Method::Post, &["tickets"], ticket.into(), "ticket").await?)
    }

    async fn update(&self, ticket_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        let id = number(ticket_id)?.to_string();
        let mut change = said(draft)?;
        if let Some(contact) = &draft.contact_id {
            let raw = WriteTickets::fetch(self, ticket_id).await?;
            let now: wire::Ticket = wire::read("a ticket", &raw).map_err(|why| Error::unreadable(Self::NAME, why))?;
            self.contact(now.customer_id.as_deref().unwrap_or_default(), contact).await?;
            change.insert("contact_id".to_owned(), number(contact)?.into());
        }
        if change.is_empty() {
            return WriteTickets::fetch(self, ticket_id).await;
        }
        self.ticket_answered(self.api.write(Method::Put, &["tickets", &id], change.into(), "ticket").await?)
    }

    async fn add_note(&self, ticket_id: &str, note: &TicketNote) -> Result<()> {
        let id = number(ticket_id)?.to_string();
        // The vendor wants a subject with each comment.
        let subject = if note.public { "Update" } else { "Private note" };
        let comment = json!({ "subject": subject, "body": note.text, "hidden": !note.public, "do_not_email": true });
        let answer = self.api.write(Method::Post, &["tickets", &id, "comment"], comment, "comment").await?;
        let read = wire::read::<wire::Numbered>("a comment", &answer);
        read.map(drop).map_err(|why| Error::unreadable(Self::NAME, why).retry(Retry::No))
    }

    async fn fetch(&self, ticket_id: &str) -> Result<Bytes> {
        self.api.one("tickets", "ticket", ticket_id).await
    }
}

impl Syncro {
    fn ticket_answered(&self, raw: Bytes) -> Result<Bytes> {
        let read = Pull::<Ticket>::read(self, &raw);
        read.map_err(|why| Error::unreadable(Self::NAME, why).retry(Retry::No)).map(|_| raw)
    }
}

/// What a draft says, in the vendor's words, without who asks. A description is a comment, and no part of a change.
fn said(draft: &TicketDraft) -> Result<Map<String, Value>> {
    if draft.queue_id.is_some() {
        return Err(Error::new(Kind::Refused, "Syncro has no queues"));
    }
    let mut ticket = Map::new();
    put(&mut ticket, "subject", &draft.title);
    put(&mut ticket, "status", &draft.status_id);
    put(&mut ticket, "priority", &draft.priority_id);
    Ok(ticket)
}

/// A list of words, of which the vendor leaves one blank.
fn choices(words: &Value) -> Result<Vec<Choice>> {
    let words = words.as_array().ok_or_else(|| Error::unreadable(Syncro::NAME, "settings without a list of words"))?;
    Ok(words.iter().filter_map(as_text).map(|word| Choice { id: word.clone(), label: word }).collect())
}
