//! Tickets made and changed, and notes on them.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{SecondsFormat, TimeDelta};
use integration::{Error, Kind, Method, Result, TicketChoices, TicketDraft, TicketFile, TicketNote, WriteTickets};
use serde_json::{Map, Value, json};

use crate::{
    Autotask,
    api::{NAME, number},
    picklists::{self, Fields},
    tickets::SHAPE,
    wire,
};

/// The state of a new ticket: one of the two that every account has.
const NEW: i64 = 1;

/// When a new ticket is due where the account wants to know: the draft does not say.
const DUE_AFTER: TimeDelta = TimeDelta::days(1);

/// Longest title of a note that is taken from its first line.
const TITLE: usize = 100;

/// Bytes of a file: a little less than the six to seven million at which Autotask begins to refuse.
const FILE: u64 = 6_000_000;

#[async_trait]
impl WriteTickets for Autotask {
    /// States and priorities are the same for every queue.
    async fn choices(&self, _queue: Option<&str>) -> Result<TicketChoices> {
        let fields = self.api.fields(SHAPE.entity).await?;
        let choices = |name| picklists::choices(&fields, name);
        Ok(TicketChoices { statuses: choices("status"), priorities: choices("priority"), queues: choices("queueID") })
    }

    /// State, priority and queue must be said: the account's defaults, where the draft does not.
    async fn create(&self, entity_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        if draft.title.as_deref().is_none_or(|title| title.trim().is_empty()) {
            return Err(Error::new(Kind::Refused, "a ticket needs a title"));
        }
        let mut body = ticket_fields(draft)?;
        body.insert("companyID".to_owned(), number(entity_id)?.into());
        let fields = self.api.fields(SHAPE.entity).await?;
        for name in ["status", "priority", "queueID"] {
            if !body.contains_key(name) {
                let usual = usual(&fields, name)?;
                body.extend(usual.map(|value| (name.to_owned(), value.into())));
            }
        }
        if fields.get("duedatetime").is_some_and(|field| field.is_required == Some(true)) {
            let due = self.api.http.now() + DUE_AFTER;
            body.insert("dueDateTime".to_owned(), due.to_rfc3339_opts(SecondsFormat::Secs, true).into());
        }
        let id = self.api.write(Method::Post, &["Tickets"], Some(&Value::Object(body))).await?;
        self.api.written(SHAPE, &id).await
    }

    async fn update(&self, ticket_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        let mut body = ticket_fields(draft)?;
        if !body.is_empty() {
            body.insert("id".to_owned(), number(ticket_id)?.into());
            self.api.write(Method::Patch, &["Tickets"], Some(&Value::Object(body))).await?;
        }
        self.api.written(SHAPE, ticket_id).await
    }

    async fn add_note(&self, ticket_id: &str, note: &TicketNote) -> Result<()> {
        let fields = self.api.fields("TicketNotes").await?;
        let first_line = note.text.trim().lines().next().unwrap_or_default();
        let body = json!({
            "title": first_line.chars().take(TITLE).collect::<String>(),
            "description": note.text,
            "noteType": usual(&fields, "noteType")?.unwrap_or(1),
            "publish": publish(&fields, note.public)?,
        });
        let path = ["Tickets", &number(ticket_id)?.to_string(), "Notes"];
        self.api.write(Method::Post, &path, Some(&body)).await.map(drop)
    }

    fn takes_files(&self) -> Option<u64> {
        Some(FILE)
    }

    async fn attach(&self, ticket_id: &str, file: &TicketFile) -> Result<()> {
        let fields = self.api.fields("TicketAttachments").await?;
        let body = json!({
            "attachmentType": "FILE_ATTACHMENT",
            "title": file.title,
            "fullPath": file.name,
            "contentType": file.media_type,
            "publish": publish(&fields, file.public)?,
            "data": STANDARD.encode(&file.content),
        });
        let path = ["Tickets", &number(ticket_id)?.to_string(), "Attachments"];
        self.api.write(Method::Post, &path, Some(&body)).await.map(drop)
    }

    async fn attached(&self, ticket_id: &str) -> Result<Option<Vec<String>>> {
        let path = ["Tickets", &number(ticket_id)?.to_string(), "Attachments"];
        let listed: wire::Attachments = self.api.read(&path, None).await?.json(NAME)?;
        Ok(Some(listed.items.into_iter().filter_map(|one| one.title).collect()))
    }

    async fn fetch(&self, ticket_id: &str) -> Result<Bytes> {
        self.api.one(SHAPE, &[("id", number(ticket_id)?.into())]).await
    }
}

/// What the draft names, by Autotask's names.
fn ticket_fields(draft: &TicketDraft) -> Result<Map<String, Value>> {
    let mut fields = Map::new();
    for (name, text) in [("title", &draft.title), ("description", &draft.description)] {
        fields.extend(text.as_deref().map(|text| (name.to_owned(), text.trim().into())));
    }
    let numbers = [
        ("status", &draft.status_id),
        ("priority", &draft.priority_id),
        ("queueID", &draft.queue_id),
        ("contactID", &draft.contact_id),
    ];
    for (name, id) in numbers {
        if let Some(id) = id {
            fields.insert(name.to_owned(), number(id)?.into());
        }
    }
    Ok(fields)
}

/// What a field is set to when nothing was chosen: the account's default; else a new ticket is new, and
/// for a priority or a type of note the first in the account's order. A queue is not guessed.
fn usual(fields: &Fields, name: &str) -> Result<Option<i64>> {
    let in_use = picklists::in_use(fields, name);
    match (picklists::default(fields, name), name) {
        (Some(pick), _) => number(&pick.value.0).map(Some),
        (None, "status") => Ok(Some(NEW)),
        (None, "queueID") => Ok(None),
        (None, _) => in_use.first().map(|pick| number(&pick.value.0)).transpose(),
    }
}

/// Who sees a note. The account's own words tell which value keeps it from the client: never a guess.
fn publish(fields: &Fields, public: bool) -> Result<i64> {
    let (word, what) = if public { ("all ", "everybody") } else { ("internal", "the MSP's people only") };
    let called = |label: &Option<String>| label.as_deref().is_some_and(|label| label.to_lowercase().contains(word));
    let in_use = picklists::in_use(fields, "publish");
    let found = in_use.iter().find(|pick| called(&pick.label)).map(|pick| number(&pick.value.0)).transpose()?;
    // The one value that is the same in every account.
    let everybody = in_use.iter().any(|pick| pick.value.0 == "1").then_some(1).filter(|_| public);
    everybody
        .or(found)
        .ok_or_else(|| Error::new(Kind::Refused, format!("{NAME} offers no way to publish a note for {what}")))
}
