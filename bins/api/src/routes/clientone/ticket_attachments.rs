//! Files of tickets, as people of clients attach, list and download them.

use access::Visit;
use chrono::{DateTime, Utc};
use domain::{Context, Error, PortalPermission, PortalTicketId, TicketAttachment, TicketAttachmentId, file_name};
use persistence::Tx;
use poem::{Body, Request};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Binary,
};
use uuid::Uuid;

use super::{PortalChapter, base, service_requests::parts};
use crate::{
    app::{App, AppData},
    changes::Written,
    contents::{Arrived, Download},
    page::Answer,
    portal_auth::PortalCaller,
    problem::Failure,
    routes::{
        portal_ticket_shapes::{Names, TicketDelivery},
        ticket_attachments::{Settled, fresh, leave, limits, settle},
    },
    write::{Asked, Begun},
};

/// A file of a ticket.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyTicketFile {
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
    /// Who attached it
    pub author: Option<String>,
    /// Whether someone of your company did
    pub of_company: bool,
    /// How it reaches the system in which your provider works; absent where there is none
    pub delivery: Option<TicketDelivery>,
    /// Attached
    pub created_at: DateTime<Utc>,
    /// Since when your provider has removed its content
    pub removed_at: Option<DateTime<Utc>>,
}

/// The files of a ticket.
#[derive(Debug, Clone, Object)]
pub struct CompanyTicketFiles {
    /// In order
    pub items: Vec<CompanyTicketFile>,
}

/// Files of tickets.
pub struct CompanyTicketAttachments;

#[OpenApi(prefix_path = "/api/clientone/tickets", tag = "PortalChapter::Tickets")]
impl CompanyTicketAttachments {
    /// The files of a ticket
    #[oai(path = "/:portal_ticket_id/attachments", method = "get", operation_id = "ticket_attachment_list")]
    async fn ticket_attachment_list(
        &self,
        caller: PortalCaller,
        portal_ticket_id: Path<Uuid>,
    ) -> Result<Answer<CompanyTicketFiles>, Failure> {
        let (tx, visit) = caller.visit()?;
        let (user, settings) = (&visit.user, &visit.config.settings);
        let id = PortalTicketId(portal_ticket_id.0);
        let files = clientone::ticket_attachments_seen_by(&tx, user, settings, id).await?;
        Ok(Answer::new(CompanyTicketFiles { items: views(&tx, files).await? }))
    }

    /// Attach a file to a ticket that is open: its bytes are the body
    ///
    /// What kind of file it is, is found by its content, and the name must agree. A ticket has at most 25 files. A
    /// preview (`dry_run=true`) takes the body too, and keeps nothing of it.
    #[oai(path = "/:portal_ticket_id/attachments", method = "post", operation_id = "ticket_attachment_upload")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn ticket_attachment_upload(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
        portal_ticket_id: Path<Uuid>,
        body: Binary<Body>,
        /// Name of the file, its extension included
        name: Query<String>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<CompanyTicketFile>>, Failure> {
        let (context, visit) = parts(caller)?;
        let settings = &visit.config.settings;
        app.permit_portal(&context, PortalPermission::TicketsView, settings, "ticket_attachment_upload").await?;
        let name = file_name("name", &name.0).map_err(|problem| Error::Invalid(vec![problem]))?;
        let id = PortalTicketId(portal_ticket_id.0);
        let tx = app.store.read(context.clone()).await?;
        clientone::ticket_attachment_place(&tx, &visit.user, settings, id).await?;
        drop(tx);
        let arrived = app.content_arrive(&context, request, body.0, app.file_limits.file).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let base = base(&app, request).ok();
        let done = attach(&app, &context, &visit, (id, name), &arrived, asked, base).await;
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
        caller: PortalCaller,
        portal_ticket_id: Path<Uuid>,
        ticket_attachment_id: Path<Uuid>,
    ) -> Result<Download, Failure> {
        let (context, visit) = parts(caller)?;
        let tx = app.store.read(context).await?;
        let ids = (PortalTicketId(portal_ticket_id.0), TicketAttachmentId(ticket_attachment_id.0));
        let (user, settings) = (&visit.user, &visit.config.settings);
        let file = clientone::ticket_attachment_seen_by(&tx, user, settings, ids).await?;
        leave(&app, tx, file).await
    }
}

async fn attach(
    app: &App,
    context: &Context,
    visit: &Visit,
    (id, name): (PortalTicketId, String),
    arrived: &Arrived,
    asked: Asked,
    base: Option<String>,
) -> Result<Settled<CompanyTicketFile>, Failure> {
    let new = fresh(name, arrived)?;
    let taken = !asked.is_dry_run();
    let request = (id, &new.name, &new.sha256);
    let (permission, settings) = (PortalPermission::TicketsView, &visit.config.settings);
    let action = "ticket_attachment_upload";
    let write = match app.begin_portal(context, permission, settings, action, asked, &request).await? {
        Begun::Done(answer) => return Ok(Settled { answer, taken: false }),
        Begun::New(write) => write,
    };
    let (user, base) = (&visit.user, base.as_deref());
    let file = clientone::ticket_attachment_upload(&write.tx, user, settings, id, new, limits(app), base).await?;
    let view = views(&write.tx, vec![file]).await?.pop();
    let answer = write.finish(view, Vec::new()).await?;
    app.wake.notify_one();
    Ok(Settled { answer, taken })
}

async fn views(tx: &Tx, files: Vec<TicketAttachment>) -> domain::Result<Vec<CompanyTicketFile>> {
    let names = Names::of(tx, [], files.iter().filter_map(|file| file.portal_user_id)).await?;
    let tickets: Vec<PortalTicketId> = files.first().map(|file| file.ticket_id).into_iter().collect();
    let sendings = tx.ticket_sendings(&tickets).await?;
    let view = |file: TicketAttachment| {
        let sending = sendings.iter().find(|sending| sending.message_id == Some(file.message_id));
        CompanyTicketFile {
            id: file.id.0,
            message_number: file.message_number,
            media_type: file.media_type,
            bytes: file.bytes,
            sha256: file.sha256,
            author: match (file.portal_user_id, file.staff_id) {
                (Some(user), _) => Some(names.people.user(user)).filter(|name| !name.is_empty()),
                (None, Some(staff)) => names.staff(staff),
                (None, None) => None,
            },
            of_company: file.portal_user_id.is_some(),
            delivery: sending.map(|sending| TicketDelivery::of(sending, None)),
            created_at: file.created_at,
            removed_at: file.removed_at,
            name: file.name,
        }
    };
    Ok(files.into_iter().map(view).collect())
}
