//! Files of tickets, as staff attach, list, download and remove them.

use chrono::{DateTime, Utc};
use clientone::{AttachmentLimits, NewAttachment};
use domain::{Context, Error, Permission, PortalTicketId, TicketAttachment, TicketAttachmentId, file_name};
use persistence::Tx;
use poem::{Body, Request};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Binary,
};
use uuid::Uuid;

use super::{
    Chapter,
    clientone::base,
    portal_ticket_shapes::{Names, TicketDelivery},
};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    contents::{Arrived, Download, fitting},
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// A file of a ticket.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientTicketFile {
    /// Id
    pub id: Uuid,
    /// The message of the ticket with which it came
    pub message_number: i32,
    /// Name
    pub name: String,
    /// Media type, found by the content
    pub media_type: String,
    /// Bytes
    pub bytes: i64,
    /// SHA-256 of the content, hex
    pub sha256: String,
    /// Whether it is among staff: shown in no portal
    pub internal: bool,
    /// The portal user who attached it
    pub portal_user_id: Option<Uuid>,
    /// Or the staff user
    pub staff_id: Option<Uuid>,
    /// Their name
    pub author: Option<String>,
    /// How it reaches the PSA; absent where no PSA has the ticket
    pub delivery: Option<TicketDelivery>,
    /// Why it waits, was refused, or stayed here
    pub delivery_problem: Option<String>,
    /// Attached
    pub created_at: DateTime<Utc>,
    /// Since when its content is gone
    pub removed_at: Option<DateTime<Utc>>,
}

/// The files of a ticket.
#[derive(Debug, Clone, Object)]
pub struct ClientTicketFiles {
    /// In order
    pub items: Vec<ClientTicketFile>,
}

/// Files of tickets.
pub struct TicketAttachments;

#[OpenApi(prefix_path = "/api/portal-tickets", tag = "Chapter::ClientOne")]
impl TicketAttachments {
    /// The files of a ticket
    #[oai(path = "/:portal_ticket_id/attachments", method = "get", operation_id = "ticket_attachment_list")]
    async fn ticket_attachment_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_ticket_id: Path<Uuid>,
    ) -> Result<Answer<ClientTicketFiles>, Failure> {
        let tx = app.read(caller, Permission::ServiceView).await?;
        let files = clientone::ticket_attachment_list(&tx, PortalTicketId(portal_ticket_id.0)).await?;
        Ok(Answer::new(ClientTicketFiles { items: views(&tx, files).await? }))
    }

    /// Attach a file to a ticket: its bytes are the body
    ///
    /// What kind of file it is, is found by its content, and the name must agree. Where a PSA has the ticket, the file
    /// goes there if the PSA takes files; if not, it stays here, and a note there says so. A preview (`dry_run=true`)
    /// takes the body too, and keeps nothing of it.
    #[oai(path = "/:portal_ticket_id/attachments", method = "post", operation_id = "ticket_attachment_upload")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn ticket_attachment_upload(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        portal_ticket_id: Path<Uuid>,
        body: Binary<Body>,
        /// Name of the file, its extension included
        name: Query<String>,
        /// Whether it is among staff: shown in no portal
        internal: Query<Option<bool>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientTicketFile>>, Failure> {
        let context = caller.context()?;
        app.permit(&context, Permission::TicketsWork, "ticket_attachment_upload").await?;
        let name = file_name("name", &name.0).map_err(|problem| Error::Invalid(vec![problem]))?;
        let (id, internal) = (PortalTicketId(portal_ticket_id.0), internal.0.unwrap_or(false));
        let tx = app.store.read(context.clone()).await?;
        clientone::ticket_attachment_desk_place(&tx, id, internal).await?;
        drop(tx);
        let arrived = app.content_arrive(&context, request, body.0, app.file_limits.file).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let base = base(&app, request).ok();
        let done = attach(&app, &context, (id, name, internal), &arrived, asked, base).await;
        settle(&app, &context, &arrived, done).await
    }

    /// Download a file of a ticket
    #[oai(
        path = "/:portal_ticket_id/attachments/:ticket_attachment_id/content",
        method = "get",
        operation_id = "ticket_attachment_content_get"
    )]
    async fn ticket_attachment_content_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_ticket_id: Path<Uuid>,
        ticket_attachment_id: Path<Uuid>,
    ) -> Result<Download, Failure> {
        let tx = app.read(caller, Permission::ServiceView).await?;
        let (ticket, file) = (PortalTicketId(portal_ticket_id.0), TicketAttachmentId(ticket_attachment_id.0));
        let file = clientone::ticket_attachment_get(&tx, ticket, file).await?;
        leave(&app, tx, file).await
    }

    /// Remove the content of a file; that it was there stays known, and what a PSA has already it keeps
    #[oai(
        path = "/:portal_ticket_id/attachments/:ticket_attachment_id",
        method = "delete",
        operation_id = "ticket_attachment_remove"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn ticket_attachment_remove(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_ticket_id: Path<Uuid>,
        ticket_attachment_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientTicketFile>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let ids = (PortalTicketId(portal_ticket_id.0), TicketAttachmentId(ticket_attachment_id.0));
        let action = "ticket_attachment_remove";
        let write = match app.begin(&context, Permission::TicketsWork, action, asked, &ids).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let file = clientone::ticket_attachment_remove(&write.tx, ids.0, ids.1).await?;
        let view = views(&write.tx, vec![file]).await?.pop();
        Ok(Answer::new(write.finish(view, Vec::new()).await?))
    }
}

/// Answers the content of a file that the caller was found to be allowed to read.
pub(super) async fn leave(app: &App, tx: Tx, file: TicketAttachment) -> Result<Download, Failure> {
    let content = tx.content(file.content_id).await?;
    // The store may take its time: nothing waits for it.
    tx.rollback().await?;
    app.content_leave(&content, &file.name, &file.sha256).await
}

/// What became of a content: whether a row took it over.
pub(super) struct Settled<T: poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON + Send + Sync> {
    /// What is answered.
    pub answer: Written<T>,
    /// Whether the content is a row's now.
    pub taken: bool,
}

/// Takes back a content that no row took over: the write was refused, previewed, or done before.
pub(super) async fn settle<T>(
    app: &App,
    context: &Context,
    arrived: &Arrived,
    done: Result<Settled<T>, Failure>,
) -> Result<Answer<Written<T>>, Failure>
where
    T: poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON + Send + Sync,
{
    if !done.as_ref().is_ok_and(|settled| settled.taken) {
        app.content_discard(context, arrived).await;
    }
    done.map(|settled| Answer::new(settled.answer))
}

/// The file that arrived, as it is to be attached.
pub(super) fn fresh(name: String, arrived: &Arrived) -> domain::Result<NewAttachment> {
    let kept = &arrived.kept;
    let media_type = fitting(&name, kept)?;
    Ok(NewAttachment { name, media_type, bytes: kept.bytes, sha256: kept.sha256.clone(), content: arrived.id })
}

/// How much may be kept.
pub(super) fn limits(app: &App) -> AttachmentLimits {
    AttachmentLimits { client: app.file_limits.client, organisation: app.file_limits.organisation }
}

async fn attach(
    app: &App,
    context: &Context,
    (id, name, internal): (PortalTicketId, String, bool),
    arrived: &Arrived,
    asked: Asked,
    base: Option<String>,
) -> Result<Settled<ClientTicketFile>, Failure> {
    let new = fresh(name, arrived)?;
    let taken = !asked.is_dry_run();
    let request = (id, &new.name, &new.sha256, internal);
    let action = "ticket_attachment_upload";
    let write = match app.begin(context, Permission::TicketsWork, action, asked, &request).await? {
        Begun::Done(answer) => return Ok(Settled { answer, taken: false }),
        Begun::New(write) => write,
    };
    let file = clientone::ticket_attachment_add(&write.tx, id, new, internal, limits(app), base.as_deref()).await?;
    let view = views(&write.tx, vec![file]).await?.pop();
    let answer = write.finish(view, Vec::new()).await?;
    app.wake.notify_one();
    Ok(Settled { answer, taken })
}

async fn views(tx: &Tx, files: Vec<TicketAttachment>) -> domain::Result<Vec<ClientTicketFile>> {
    let names = Names::of(tx, [], files.iter().filter_map(|file| file.portal_user_id)).await?;
    let tickets: Vec<PortalTicketId> = files.first().map(|file| file.ticket_id).into_iter().collect();
    let sendings = tx.ticket_sendings(&tickets).await?;
    let view = |file: TicketAttachment| {
        let sending = sendings.iter().find(|sending| sending.message_id == Some(file.message_id));
        ClientTicketFile {
            id: file.id.0,
            message_number: file.message_number,
            media_type: file.media_type,
            bytes: file.bytes,
            sha256: file.sha256,
            internal: !file.public,
            author: match (file.portal_user_id, file.staff_id) {
                (Some(user), _) => Some(names.people.user(user)).filter(|name| !name.is_empty()),
                (None, Some(staff)) => names.staff(staff),
                (None, None) => None,
            },
            portal_user_id: file.portal_user_id.map(|id| id.0),
            staff_id: file.staff_id.map(|id| id.0),
            delivery: sending.map(|sending| TicketDelivery::of(sending, None)),
            delivery_problem: sending.and_then(|sending| sending.problem.clone()),
            created_at: file.created_at,
            removed_at: file.removed_at,
            name: file.name,
        }
    };
    Ok(files.into_iter().map(view).collect())
}
