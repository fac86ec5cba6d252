//! Tickets made, changed and noted on.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{EntityId, Permission, RecordId, Result};
use integration::{Connector, RecordKind, TicketDraft, TicketFile, TicketNote};
use serde_json::{Map, Value, json};

use super::{Act, Noted, Place, Sent, Target, fields_moved, fields_noted, given, lost, made_noted};

const KIND: &str = "ticket";

/// Makes a ticket for an entity.
#[derive(Clone, Debug)]
pub struct TicketCreate {
    /// For whom.
    pub entity: EntityId,
    /// Who asks: a stored contact.
    pub contact: Option<RecordId>,
    /// What it is to be; [`TicketDraft::contact_id`] is filled in from `contact`.
    pub draft: TicketDraft,
}

/// Changes a ticket.
#[derive(Clone, Debug)]
pub struct TicketUpdate {
    /// Which.
    pub id: RecordId,
    /// Another contact who asks: a stored one.
    pub contact: Option<RecordId>,
    /// What is to change; [`TicketDraft::contact_id`] is filled in from `contact`.
    pub draft: TicketDraft,
}

/// Adds a note to a ticket.
#[derive(Clone, Debug)]
pub struct TicketNoteAdd {
    /// To which.
    pub id: RecordId,
    /// The note.
    pub note: TicketNote,
}

/// Attaches a file to a ticket.
#[derive(Clone, Debug)]
pub struct TicketFileAttach {
    /// To which.
    pub id: RecordId,
    /// The file.
    pub file: TicketFile,
}

fn check(place: &Place, connector: &dyn Connector) -> Result<()> {
    place.able(connector.ticket_writes(), "change tickets").map(drop)
}

/// The draft with the vendor's id of the contact.
fn asked_by(draft: &TicketDraft, place: &Place) -> TicketDraft {
    TicketDraft { contact_id: place.beside_id(), ..draft.clone() }
}

/// The ticket as the vendor has it now.
async fn fetched(place: &Place, connector: &dyn Connector) -> Option<integration::Result<Bytes>> {
    Some(connector.ticket_writes()?.fetch(place.vendor_id()).await)
}

#[async_trait]
impl Act for TicketCreate {
    fn action(&self) -> &'static str {
        "ticket_create"
    }
    fn announced(&self) -> &'static str {
        "ticket_create_send"
    }
    fn permission(&self) -> Permission {
        Permission::TicketsWork
    }
    fn target(&self) -> Target {
        Target::Under(self.entity)
    }
    fn beside(&self) -> Option<(RecordKind, RecordId)> {
        self.contact.map(|id| (RecordKind::Contact, id))
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Ticket
    }
    fn wanted(&self) -> String {
        json!({ "draft": given(&self.draft), "contact": self.contact }).to_string()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        check(place, connector)
    }
    fn noted(&self, place: &Place, _: Option<&Value>) -> Noted {
        made_noted(KIND, place, given(&asked_by(&self.draft, place)))
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let writes = connector.ticket_writes().ok_or_else(lost)?;
        writes.create(&place.entity.vendor_id, &asked_by(&self.draft, place)).await.map(Sent::Record)
    }
}

#[async_trait]
impl Act for TicketUpdate {
    fn action(&self) -> &'static str {
        "ticket_update"
    }
    fn announced(&self) -> &'static str {
        "ticket_update_send"
    }
    fn permission(&self) -> Permission {
        Permission::TicketsWork
    }
    fn target(&self) -> Target {
        Target::Record(RecordKind::Ticket, self.id)
    }
    fn beside(&self) -> Option<(RecordKind, RecordId)> {
        self.contact.map(|id| (RecordKind::Contact, id))
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Ticket
    }
    fn wanted(&self) -> String {
        json!({ "draft": given(&self.draft), "contact": self.contact }).to_string()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        check(place, connector)
    }
    fn noted(&self, place: &Place, fresh: Option<&Value>) -> Noted {
        fields_noted(KIND, place, &given(&asked_by(&self.draft, place)), fresh)
    }
    async fn fetch(&self, place: &Place, connector: &dyn Connector) -> Option<integration::Result<Bytes>> {
        fetched(place, connector).await
    }
    fn moved(&self, place: &Place, fresh: &str) -> Result<bool> {
        fields_moved(place, &given(&asked_by(&self.draft, place)), fresh)
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let writes = connector.ticket_writes().ok_or_else(lost)?;
        writes.update(place.vendor_id(), &asked_by(&self.draft, place)).await.map(Sent::Record)
    }
}

#[async_trait]
impl Act for TicketNoteAdd {
    fn action(&self) -> &'static str {
        "ticket_note_add"
    }
    fn announced(&self) -> &'static str {
        "ticket_note_send"
    }
    fn permission(&self) -> Permission {
        Permission::TicketsWork
    }
    fn target(&self) -> Target {
        Target::Record(RecordKind::Ticket, self.id)
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Ticket
    }
    fn wanted(&self) -> String {
        json!(self.note).to_string()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        check(place, connector)
    }
    fn noted(&self, place: &Place, _: Option<&Value>) -> Noted {
        fields_noted(KIND, place, &Map::from_iter([("note".to_owned(), json!(self.note))]), None)
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let writes = connector.ticket_writes().ok_or_else(lost)?;
        writes.add_note(place.vendor_id(), &self.note).await?;
        // The note is there whatever this says; the next sync brings the ticket otherwise.
        Ok(writes.fetch(place.vendor_id()).await.map_or(Sent::Done, Sent::Record))
    }
}

impl TicketFileAttach {
    /// What of the file stands in notes: never what is in it.
    fn shown(&self) -> Value {
        let TicketFile { title, media_type, public, content, .. } = &self.file;
        json!({ "file": title, "media_type": media_type, "bytes": content.len(), "public": public })
    }
}

#[async_trait]
impl Act for TicketFileAttach {
    fn action(&self) -> &'static str {
        "ticket_file_attach"
    }
    fn announced(&self) -> &'static str {
        "ticket_file_send"
    }
    fn permission(&self) -> Permission {
        Permission::TicketsWork
    }
    fn target(&self) -> Target {
        Target::Record(RecordKind::Ticket, self.id)
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Ticket
    }
    fn wanted(&self) -> String {
        self.shown().to_string()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        check(place, connector)
    }
    fn noted(&self, place: &Place, _: Option<&Value>) -> Noted {
        fields_noted(KIND, place, &Map::from_iter([("attachment".to_owned(), self.shown())]), None)
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let writes = connector.ticket_writes().ok_or_else(lost)?;
        writes.attach(place.vendor_id(), &self.file).await?;
        // The file is there whatever this says; the next sync brings the ticket otherwise.
        Ok(writes.fetch(place.vendor_id()).await.map_or(Sent::Done, Sent::Record))
    }
}
