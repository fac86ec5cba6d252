//! A client's tickets: the list, and working on them at the vendor.

use domain::{EntityId, Permission, RecordId};
use integration::TicketDraft;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    acting::{CHOICE, Fields, LINE, TEXT, act, permitted},
    fleet::RecordPage,
    records::Ticket,
    stored::{Ask, listed},
};
use crate::{app::AppData, auth::Caller, changes::Written, page::Answer, problem::Failure, write::Asked};

/// A ticket to be made.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct TicketCreate {
    /// For which of the client's entities: it says at which vendor
    pub entity_id: Uuid,
    /// One line, 1 to 255 characters
    pub title: String,
    /// First description, at most 20,000 characters
    pub description: Option<String>,
    /// State: an id of the vendor's choices; its default when left out
    pub status_id: Option<String>,
    /// Priority: an id of the vendor's choices; its default when left out
    pub priority_id: Option<String>,
    /// Board, queue or team: an id of the vendor's choices
    pub queue_id: Option<String>,
    /// Who asks: one of the client's contacts at the same entity
    pub contact_id: Option<Uuid>,
}

/// What to change about a ticket; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct TicketUpdate {
    /// New title
    pub title: Option<String>,
    /// New description; not every vendor takes one
    pub description: Option<String>,
    /// New state: an id of the vendor's choices
    pub status_id: Option<String>,
    /// New priority: an id of the vendor's choices
    pub priority_id: Option<String>,
    /// New board, queue or team: an id of the vendor's choices
    pub queue_id: Option<String>,
    /// Who asks: one of the client's contacts at the same entity
    pub contact_id: Option<Uuid>,
}

/// A note to be added.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct TicketNoteAdd {
    /// The text, 1 to 20,000 characters
    pub text: String,
    /// Whether the client may see it; not when left out
    pub public: Option<bool>,
}

/// Tickets of a client.
pub struct Tickets;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl Tickets {
    /// A client's tickets
    #[oai(path = "/:client_id/tickets", method = "get", operation_id = "client_ticket_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_ticket_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        client_id: Path<Uuid>,
        /// Part of the title
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<RecordPage<Ticket>>, Failure> {
        let ask = Ask { search: search.0, limit: limit.0, cursor: cursor.0 };
        listed(&app, caller, uri, client_id.0, ("ticket", Permission::ServiceView), ask).await
    }

    /// Make a ticket at the vendor
    ///
    /// It is sent once. When the vendor's answer does not come, the outcome is unknown: sync the connection
    /// before you try again.
    #[oai(path = "/:client_id/tickets", method = "post", operation_id = "ticket_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn ticket_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        body: Json<TicketCreate>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Ticket>>, Failure> {
        let context = permitted(&app, caller, Permission::TicketsWork, "ticket_create").await?;
        let (request, body) = (format!("{:?}", body.0), body.0);
        let mut fields = Fields::default();
        let draft = TicketDraft {
            title: fields.line("/title", Some(body.title), LINE),
            description: fields.text("/description", body.description, TEXT),
            status_id: fields.line("/status_id", body.status_id, CHOICE),
            priority_id: fields.line("/priority_id", body.priority_id, CHOICE),
            queue_id: fields.line("/queue_id", body.queue_id, CHOICE),
            contact_id: None,
        };
        fields.check()?;
        let contact = body.contact_id.map(RecordId);
        let made = sync::TicketCreate { entity: EntityId(body.entity_id), contact, draft };
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        act(&app, &context, client_id.0, made, asked, &request).await
    }

    /// Change a ticket at the vendor
    ///
    /// It is refused where what is to be changed was changed at the vendor since the last sync.
    #[oai(path = "/:client_id/tickets/:ticket_id", method = "patch", operation_id = "ticket_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn ticket_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        ticket_id: Path<Uuid>,
        body: Json<TicketUpdate>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Ticket>>, Failure> {
        let context = permitted(&app, caller, Permission::TicketsWork, "ticket_update").await?;
        let (request, body) = (format!("{:?}", body.0), body.0);
        let mut fields = Fields::default();
        let draft = TicketDraft {
            title: fields.line("/title", body.title, LINE),
            description: fields.text("/description", body.description, TEXT),
            status_id: fields.line("/status_id", body.status_id, CHOICE),
            priority_id: fields.line("/priority_id", body.priority_id, CHOICE),
            queue_id: fields.line("/queue_id", body.queue_id, CHOICE),
            contact_id: None,
        };
        fields.check()?;
        let contact = body.contact_id.map(RecordId);
        let change = sync::TicketUpdate { id: RecordId(ticket_id.0), contact, draft };
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        act(&app, &context, client_id.0, change, asked, &request).await
    }

    /// Add a note to a ticket at the vendor
    ///
    /// It is sent once. When the vendor's answer does not come, the outcome is unknown: sync the connection
    /// before you try again.
    #[oai(path = "/:client_id/tickets/:ticket_id/notes", method = "post", operation_id = "ticket_note_add")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn ticket_note_add(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        ticket_id: Path<Uuid>,
        body: Json<TicketNoteAdd>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Ticket>>, Failure> {
        let context = permitted(&app, caller, Permission::TicketsWork, "ticket_note_add").await?;
        let (request, body) = (format!("{:?}", body.0), body.0);
        let mut fields = Fields::default();
        let text = fields.text("/text", Some(body.text), TEXT).unwrap_or_default();
        fields.check()?;
        let note = integration::TicketNote { text, public: body.public.unwrap_or(false) };
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        act(&app, &context, client_id.0, sync::TicketNoteAdd { id: RecordId(ticket_id.0), note }, asked, &request).await
    }
}
