//! Tickets made and changed, and notes on them.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Choice, Error, KeptNote, Kind, Result, TicketChoices, TicketDraft, TicketNote, WriteTickets};
use serde_json::{Map, Value, json};

use crate::{
    ConnectwiseManage,
    api::{NAME, number},
    tickets::FIELDS,
    wire,
};

#[async_trait]
impl WriteTickets for ConnectwiseManage {
    /// States belong to a board: without one there are none to choose from.
    async fn choices(&self, queue: Option<&str>) -> Result<TicketChoices> {
        let statuses = match queue {
            Some(board) => self.statuses(board).await?,
            None => Vec::new(),
        };
        let fields = "id,name,inactiveFlag,projectFlag";
        let mut boards: Vec<wire::Choice> = self.api.all(&["service", "boards"], fields, None).await?;
        boards.retain(|board| board.in_use() && board.project_flag != Some(true));
        let priorities: Vec<wire::Choice> = self.api.all(&["service", "priorities"], "id,name", None).await?;
        Ok(TicketChoices { statuses: offered(statuses), priorities: offered(priorities), queues: offered(boards) })
    }

    async fn create(&self, entity_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        if draft.title.as_deref().is_none_or(|title| title.trim().is_empty()) {
            return Err(Error::new(Kind::Refused, "a ticket needs a title"));
        }
        let mut body: Map<String, Value> =
            ticket_fields(draft)?.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        body.insert("company".to_owned(), json!({ "id": number(entity_id)? }));
        body.extend(draft.queue_id.as_deref().map(reference).transpose()?.map(|board| ("board".to_owned(), board)));
        body.extend(draft.description.clone().map(|text| ("initialDescription".to_owned(), text.into())));
        self.api.post(&["service", "tickets"], &Value::Object(body), FIELDS).await
    }

    async fn update(&self, ticket_id: &str, draft: &TicketDraft) -> Result<Bytes> {
        let mut changes = ticket_fields(draft)?;
        if let Some(board) = &draft.queue_id {
            let raw = WriteTickets::fetch(self, ticket_id).await?;
            let ticket: wire::Ticket = wire::read("ticket", &raw).map_err(|why| Error::unreadable(NAME, why))?;
            // A board goes with a state of its own, which would be lost by saying the same board again.
            if ticket.board.and_then(wire::Reference::id).as_deref() != Some(board.trim()) {
                if draft.status_id.is_none() {
                    changes.push(("status", self.first_status(board).await?));
                }
                changes.insert(0, ("board", reference(board)?));
            }
        }
        if changes.is_empty() {
            return WriteTickets::fetch(self, ticket_id).await;
        }
        self.api.patch(&["service", "tickets", &number(ticket_id)?.to_string()], &changes, FIELDS).await
    }

    /// The client sees the discussion, and never the internal analysis.
    async fn add_note(&self, ticket_id: &str, note: &TicketNote) -> Result<()> {
        let body = json!({
            "text": note.text,
            "detailDescriptionFlag": note.public,
            "internalAnalysisFlag": !note.public,
            "resolutionFlag": false,
        });
        let id = number(ticket_id)?.to_string();
        self.api.post(&["service", "tickets", &id, "notes"], &body, "id").await.map(drop)
    }

    async fn notes(&self, ticket_id: &str) -> Result<Option<Vec<KeptNote>>> {
        let id = number(ticket_id)?.to_string();
        let fields =
            "id,text,detailDescriptionFlag,internalAnalysisFlag,resolutionFlag,member,contact,dateCreated,createdBy";
        let notes: Vec<wire::Note> = self.api.all(&["service", "tickets", &id, "notes"], fields, None).await?;
        let mut notes: Vec<KeptNote> = notes.into_iter().filter_map(kept).collect();
        notes.sort_by_key(|note| (note.at, note.id.parse::<u64>().unwrap_or(u64::MAX)));
        Ok(Some(notes))
    }

    async fn fetch(&self, ticket_id: &str) -> Result<Bytes> {
        self.api.one(&["service", "tickets", &number(ticket_id)?.to_string()], FIELDS).await
    }
}

impl ConnectwiseManage {
    async fn statuses(&self, board: &str) -> Result<Vec<wire::Choice>> {
        let path = ["service", "boards", &number(board)?.to_string(), "statuses"];
        let mut found: Vec<wire::Choice> = self.api.all(&path, "id,name,defaultFlag,inactive", None).await?;
        found.retain(wire::Choice::in_use);
        Ok(found)
    }

    /// The state in which tickets come to a board.
    async fn first_status(&self, board: &str) -> Result<Value> {
        let found = self.statuses(board).await?;
        let default = found.iter().find(|status| status.default_flag == Some(true)).or(found.first());
        match default.and_then(|status| status.id.as_ref()) {
            Some(id) => reference(&id.0),
            None => Err(Error::new(Kind::Refused, format!("this board of {NAME} has no state for tickets"))),
        }
    }
}

/// What the draft names and both a new ticket and a change have.
fn ticket_fields(draft: &TicketDraft) -> Result<Vec<(&'static str, Value)>> {
    let mut fields: Vec<(&'static str, Value)> = Vec::new();
    fields.extend(draft.title.as_deref().map(|title| ("summary", title.trim().into())));
    let references = [("status", &draft.status_id), ("priority", &draft.priority_id), ("contact", &draft.contact_id)];
    for (name, id) in references {
        if let Some(id) = id {
            fields.push((name, reference(id)?));
        }
    }
    Ok(fields)
}

/// A note that says something. The client sees the discussion, and a resolution that is not internal.
fn kept(note: wire::Note) -> Option<KeptNote> {
    let internal = note.internal_analysis_flag == Some(true);
    let public = note.detail_description_flag == Some(true) || (note.resolution_flag == Some(true) && !internal);
    let author = [note.member, note.contact].into_iter().flatten().find_map(|one| wire::said(one.name));
    Some(KeptNote {
        id: note.id?.0,
        text: wire::said(note.text)?,
        public,
        author: author.or(wire::said(note.created_by)),
        at: wire::instant(note.date_created.as_deref()),
    })
}

/// An id as a request names it.
fn reference(id: &str) -> Result<Value> {
    Ok(json!({ "id": number(id)? }))
}

fn offered(choices: Vec<wire::Choice>) -> Vec<Choice> {
    choices.into_iter().filter_map(wire::Choice::offered).collect()
}
