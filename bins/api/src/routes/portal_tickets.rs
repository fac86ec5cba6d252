//! Tickets of ClientOne, as staff work on them.

use clientone::NewTicket;
use domain::{ClientId, Permission, PortalTicketId, PortalUserId, ServiceRequestId, StaffId};
use persistence::PortalTicketFilter;
use poem::Request;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    clientone::base,
    portal_ticket_shapes::{Deliveries, Names, PortalTicketStanding},
    portal_ticket_views::{
        ClientTicket, ClientTicketAssign, ClientTicketDo, ClientTicketMake, ClientTicketSay, ClientTicketWhole,
        ServiceRequestConvert, all_of, client_of, desk, named, view,
    },
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// Tickets of ClientOne.
pub struct ClientTickets;

#[OpenApi(prefix_path = "/api", tag = "Chapter::ClientOne")]
impl ClientTickets {
    /// Tickets across clients or of one, the newest first
    #[oai(path = "/portal-tickets", method = "get", operation_id = "portal_ticket_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only of this client
        client_id: Query<Option<Uuid>>,
        /// Only of this portal user
        portal_user_id: Query<Option<Uuid>>,
        state: Query<Option<PortalTicketStanding>>,
        /// Only those that are open, or are not
        open: Query<Option<bool>>,
        /// Only those of this staff user
        assignee_id: Query<Option<Uuid>>,
        /// Only those of somebody, or of nobody
        assigned: Query<Option<bool>>,
        /// Part of the subject, or the number
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<ClientTicket>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ServiceView).await?;
        let filter = PortalTicketFilter {
            client: client_id.0.map(ClientId),
            requester: portal_user_id.0.map(PortalUserId),
            state: state.0.map(Into::into),
            open: open.0,
            assignee: assignee_id.0.map(StaffId),
            assigned: assigned.0,
            search: search.0,
        };
        let listed = clientone::portal_ticket_list(&tx, &filter, &page).await?;
        let ids: Vec<PortalTicketId> = listed.items.iter().map(|row| row.id).collect();
        let deliveries = Deliveries::of(&tx, &ids).await?;
        let clients = listed.items.iter().map(|row| row.client_id);
        let names = Names::of(&tx, clients, listed.items.iter().filter_map(|row| row.requester)).await?;
        Ok(Answer::page(listed.map(|row| view(row, &names, &deliveries)), uri))
    }

    /// One ticket, with what was said and done and who has read how far
    #[oai(path = "/portal-tickets/:portal_ticket_id", method = "get", operation_id = "portal_ticket_get")]
    async fn portal_ticket_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_ticket_id: Path<Uuid>,
    ) -> Result<Answer<ClientTicketWhole>, Failure> {
        let tx = app.read(caller, Permission::ServiceView).await?;
        let whole = clientone::portal_ticket_get(&tx, PortalTicketId(portal_ticket_id.0)).await?;
        let version = whole.ticket.version;
        Ok(Answer::versioned(all_of(&tx, whole).await?, version))
    }

    /// Make a ticket for a client; where a PSA knows the client, it goes there by itself
    #[oai(path = "/portal-tickets", method = "post", operation_id = "portal_ticket_make")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_make(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<ClientTicketMake>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientTicket>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let desk = desk(&app, &context, ClientId(body.0.client_id)).await?;
        let write = match app.begin(&context, Permission::TicketsWork, "portal_ticket_make", asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let ClientTicketMake { client_id, portal_user_id, subject, description, answers } = body.0;
        let answers = answers.unwrap_or_default().into_iter().map(|answer| (answer.key, answer.value)).collect();
        let new = NewTicket { subject, description, answers };
        let (client, requester) = (ClientId(client_id), portal_user_id.map(PortalUserId));
        let row = clientone::portal_ticket_make(&write.tx, client, requester, new, desk).await?;
        let version = row.version;
        let view = named(&write.tx, row).await?;
        let answer = write.finish(Some(view), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }

    /// Say something to whoever asked, who gets it by mail
    #[oai(path = "/portal-tickets/:portal_ticket_id/replies", method = "post", operation_id = "portal_ticket_say")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_say(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        portal_ticket_id: Path<Uuid>,
        body: Json<ClientTicketSay>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientTicket>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let id = PortalTicketId(portal_ticket_id.0);
        let write =
            match app.begin(&context, Permission::TicketsWork, "portal_ticket_say", asked, &(id, &body.0)).await? {
                Begun::Done(answer) => return Ok(Answer::new(answer)),
                Begun::New(write) => write,
            };
        // Without a public origin the letter goes without a link.
        let base = base(&app, request).ok();
        let row = clientone::portal_ticket_say(&write.tx, id, &body.0.text, base.as_deref()).await?;
        let version = row.version;
        let view = named(&write.tx, row).await?;
        let answer = write.finish(Some(view), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }

    /// Say something among staff: shown in no portal
    #[oai(path = "/portal-tickets/:portal_ticket_id/notes", method = "post", operation_id = "portal_ticket_note")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_note(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_ticket_id: Path<Uuid>,
        body: Json<ClientTicketSay>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientTicket>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let id = PortalTicketId(portal_ticket_id.0);
        let write =
            match app.begin(&context, Permission::TicketsWork, "portal_ticket_note", asked, &(id, &body.0)).await? {
                Begun::Done(answer) => return Ok(Answer::new(answer)),
                Begun::New(write) => write,
            };
        let row = clientone::portal_ticket_note(&write.tx, id, &body.0.text).await?;
        let version = row.version;
        let view = named(&write.tx, row).await?;
        let answer = write.finish(Some(view), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }

    /// Take a ticket on its way, close it, or take it up again: whoever asked is told by mail
    #[oai(path = "/portal-tickets/:portal_ticket_id/acts", method = "post", operation_id = "portal_ticket_act")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_act(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        portal_ticket_id: Path<Uuid>,
        body: Json<ClientTicketDo>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientTicket>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let id = PortalTicketId(portal_ticket_id.0);
        let write =
            match app.begin(&context, Permission::TicketsWork, "portal_ticket_act", asked, &(id, &body.0)).await? {
                Begun::Done(answer) => return Ok(Answer::new(answer)),
                Begun::New(write) => write,
            };
        // Without a public origin the letter goes without a link.
        let base = base(&app, request).ok();
        let row = clientone::portal_ticket_act(&write.tx, id, body.0.act.into(), base.as_deref()).await?;
        let version = row.version;
        let view = named(&write.tx, row).await?;
        let answer = write.finish(Some(view), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }

    /// Give a ticket to someone of the team, or to nobody
    #[oai(path = "/portal-tickets/:portal_ticket_id/assignee", method = "post", operation_id = "portal_ticket_assign")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_assign(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_ticket_id: Path<Uuid>,
        body: Json<ClientTicketAssign>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientTicket>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let id = PortalTicketId(portal_ticket_id.0);
        let write =
            match app.begin(&context, Permission::TicketsWork, "portal_ticket_assign", asked, &(id, &body.0)).await? {
                Begun::Done(answer) => return Ok(Answer::new(answer)),
                Begun::New(write) => write,
            };
        let assignee = body.0.staff_id.map(StaffId);
        let row = clientone::portal_ticket_assign(&write.tx, id, assignee).await?;
        let version = row.version;
        let view = named(&write.tx, row).await?;
        let answer = write.finish(Some(view), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }

    /// Note that I have read a ticket up to here
    #[oai(path = "/portal-tickets/:portal_ticket_id/read", method = "post", operation_id = "portal_ticket_mark_read")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_mark_read(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_ticket_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientTicket>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let id = PortalTicketId(portal_ticket_id.0);
        let write = match app.begin(&context, Permission::ServiceView, "portal_ticket_mark_read", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = clientone::portal_ticket_mark_read(&write.tx, id).await?;
        let version = row.version;
        let view = named(&write.tx, row).await?;
        let answer = write.finish(Some(view), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }

    /// Try once more what the PSA refused
    #[oai(
        path = "/portal-tickets/:portal_ticket_id/send-again",
        method = "post",
        operation_id = "portal_ticket_send_again"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_send_again(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_ticket_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientTicket>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let id = PortalTicketId(portal_ticket_id.0);
        let write = match app.begin(&context, Permission::TicketsWork, "portal_ticket_send_again", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = clientone::portal_ticket_send_again(&write.tx, id).await?;
        let version = row.version;
        let view = named(&write.tx, row).await?;
        let answer = write.finish(Some(view), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }

    /// Turn a service request into a ticket, once: each names the other from then on
    #[oai(
        path = "/clientone-admin/service-requests/:service_request_id/ticket",
        method = "post",
        operation_id = "service_request_convert"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn service_request_convert(
        &self,
        app: AppData<'_>,
        caller: Caller,
        service_request_id: Path<Uuid>,
        body: Json<ServiceRequestConvert>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientTicket>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, permission) = (ServiceRequestId(service_request_id.0), Permission::ClientoneManage);
        let desk = match client_of(&app, &context, id).await? {
            Some(client) => desk(&app, &context, client).await?,
            None => None,
        };
        let write = match app.begin(&context, permission, "service_request_convert", asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = clientone::service_request_convert(&write.tx, id, body.0.subject, desk).await?;
        let version = row.version;
        let view = named(&write.tx, row).await?;
        let answer = write.finish(Some(view), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }
}
