//! Tickets, as people of clients make and follow them.

use access::Visit;
use chrono::{DateTime, Utc};
use clientone::{Desk, NewTicket, TicketWhole};
use domain::{Context, PortalPermission, PortalTicket as Row, PortalTicketAct, PortalTicketId};
use persistence::Tx;
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    PortalChapter, base,
    service_requests::{GivenAnswer, parts},
};
use crate::{
    app::AppData,
    changes::Written,
    page::{Answer, Page, page_request},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::{
        clientone_admin::service_requests::RequestAnswer,
        portal_ticket_shapes::{
            Deliveries, Names, PortalTicketDeed, PortalTicketMessageKind, PortalTicketStanding, TicketDelivery,
            delivery_of,
        },
    },
    write::{Asked, Begun},
};

/// A ticket of one's company.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyTicket {
    /// Id
    pub id: Uuid,
    /// Its number
    pub number: i32,
    /// One line
    pub subject: String,
    /// What is the matter, as plain text
    pub description: String,
    /// What was answered in the form
    pub answers: Vec<RequestAnswer>,
    pub state: PortalTicketStanding,
    /// For whom it is; absent where the provider made it for the company
    pub portal_user_id: Option<Uuid>,
    /// Their name
    pub requester: Option<String>,
    /// Whether it is yours
    pub own: bool,
    /// Whether it can be replied to and closed
    pub can_reply: bool,
    /// Whether it can be taken up again
    pub can_reopen: bool,
    /// How it reaches the system in which your provider works; absent where there is none
    pub delivery: Option<TicketDelivery>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Changed
    pub updated_at: DateTime<Utc>,
}

/// Something that was said or done.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyTicketMessage {
    /// Which of this ticket's messages; numbers may be missing
    pub number: i32,
    /// When
    pub at: DateTime<Utc>,
    pub kind: PortalTicketMessageKind,
    /// Who
    pub author: Option<String>,
    /// Whether someone of your company did
    pub of_company: bool,
    /// What was done
    pub act: Option<PortalTicketDeed>,
    /// The state after it
    pub state: PortalTicketStanding,
    /// What was said, as plain text
    pub text: Option<String>,
    /// How it reaches the system in which your provider works
    pub delivery: Option<TicketDelivery>,
}

/// A ticket, and what was said and done.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyTicketWhole {
    pub ticket: CompanyTicket,
    /// In order
    pub messages: Vec<CompanyTicketMessage>,
    /// The number of the last message that you have read
    pub read_number: Option<i32>,
}

/// A ticket to be made.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PortalTicketCreate {
    /// One line, at most 255 characters
    pub subject: String,
    /// What is the matter, at most 20,000 characters
    pub description: String,
    /// Answers to the fields of the ticket form
    pub answers: Vec<GivenAnswer>,
}

/// Something to be said.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PortalTicketReply {
    /// At most 20,000 characters
    pub text: String,
}

/// Tickets.
pub struct CompanyTickets;

#[OpenApi(prefix_path = "/api/clientone/tickets", tag = "PortalChapter::Tickets")]
impl CompanyTickets {
    /// My tickets, a Manager's list those of the whole company; the newest first
    #[oai(path = "/", method = "get", operation_id = "portal_ticket_list")]
    async fn portal_ticket_list(
        &self,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        state: Query<Option<PortalTicketStanding>>,
        /// Only those that are open, or are not
        open: Query<Option<bool>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<CompanyTicket>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let (user, settings, wanted) = (&visit.user, &visit.config.settings, (state.0.map(Into::into), open.0));
        let listed = clientone::portal_tickets_seen_by(&tx, user, settings, wanted, &page).await?;
        let ids: Vec<PortalTicketId> = listed.items.iter().map(|row| row.id).collect();
        let deliveries = Deliveries::of(&tx, &ids).await?;
        let names = Names::of(&tx, [], listed.items.iter().filter_map(|row| row.requester)).await?;
        Ok(Answer::page(listed.map(|row| view(row, &names, &deliveries, &visit)), uri))
    }

    /// Make a ticket
    ///
    /// Where the provider works in a system of its own, the ticket goes there by itself; while that cannot be reached,
    /// it is queued, and says since when.
    #[oai(path = "/", method = "post", operation_id = "portal_ticket_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_create(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        body: Json<PortalTicketCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<CompanyTicket>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let desk = app.engine.ticket_desk(&tx, visit.user.client_id).await?;
        let desk = desk.map(|(connection_id, entity_id)| Desk { connection_id, entity_id });
        let context = tx.context().clone();
        tx.rollback().await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, settings) = (PortalPermission::TicketsView, &visit.config.settings);
        let action = "portal_ticket_create";
        let write = match app.begin_portal(&context, permission, settings, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let PortalTicketCreate { subject, description, answers } = body.0;
        let answers = answers.into_iter().map(|answer| (answer.key, answer.value)).collect();
        let new = NewTicket { subject, description, answers };
        let row = clientone::portal_ticket_create(&write.tx, &visit.user, settings, new, desk).await?;
        let view = named(&write.tx, row, &visit).await?;
        let answer = write.finish(Some(view), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::new(answer))
    }

    /// One ticket, with what was said and done
    #[oai(path = "/:portal_ticket_id", method = "get", operation_id = "portal_ticket_get")]
    async fn portal_ticket_get(
        &self,
        caller: PortalCaller,
        portal_ticket_id: Path<Uuid>,
    ) -> Result<Answer<CompanyTicketWhole>, Failure> {
        let (tx, visit) = caller.visit()?;
        let id = PortalTicketId(portal_ticket_id.0);
        let whole = clientone::portal_ticket_seen_by(&tx, &visit.user, &visit.config.settings, id).await?;
        Ok(Answer::new(all_of(&tx, whole, &visit).await?))
    }

    /// Say something about a ticket that is open
    #[oai(path = "/:portal_ticket_id/replies", method = "post", operation_id = "portal_ticket_reply")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_reply(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
        portal_ticket_id: Path<Uuid>,
        body: Json<PortalTicketReply>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<CompanyTicket>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, settings) = (PortalPermission::TicketsView, &visit.config.settings);
        let (id, action) = (PortalTicketId(portal_ticket_id.0), "portal_ticket_reply");
        let write = match app.begin_portal(&context, permission, settings, action, asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let (base, text) = (base(&app, request).ok(), &body.0.text);
        let row = clientone::portal_ticket_reply(&write.tx, &visit.user, settings, id, text, base.as_deref()).await?;
        let view = named(&write.tx, row, &visit).await?;
        let answer = write.finish(Some(view), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::new(answer))
    }

    /// Say that a ticket is done with
    #[oai(path = "/:portal_ticket_id/close", method = "post", operation_id = "portal_ticket_close")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_close(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
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
    ) -> Result<Answer<Written<CompanyTicket>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, base) = (PortalTicketId(portal_ticket_id.0), base(&app, request).ok());
        turn(&app, parts(caller)?, (id, PortalTicketAct::Close, "portal_ticket_close"), asked, base).await
    }

    /// Take up again a ticket that was closed
    #[oai(path = "/:portal_ticket_id/reopen", method = "post", operation_id = "portal_ticket_reopen")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_reopen(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
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
    ) -> Result<Answer<Written<CompanyTicket>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, base) = (PortalTicketId(portal_ticket_id.0), base(&app, request).ok());
        turn(&app, parts(caller)?, (id, PortalTicketAct::Reopen, "portal_ticket_reopen"), asked, base).await
    }

    /// Note that I have read a ticket up to here
    #[oai(path = "/:portal_ticket_id/read", method = "post", operation_id = "portal_ticket_read")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_ticket_read(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
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
    ) -> Result<Answer<Written<CompanyTicket>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, settings) = (PortalPermission::TicketsView, &visit.config.settings);
        let (id, action) = (PortalTicketId(portal_ticket_id.0), "portal_ticket_read");
        let write = match app.begin_portal(&context, permission, settings, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = clientone::portal_ticket_read(&write.tx, &visit.user, settings, id).await?;
        let view = named(&write.tx, row, &visit).await?;
        Ok(Answer::new(write.finish(Some(view), Vec::new()).await?))
    }
}

async fn turn(
    app: &AppData<'_>,
    (context, visit): (Context, Visit),
    (id, act, action): (PortalTicketId, PortalTicketAct, &'static str),
    asked: Asked,
    base: Option<String>,
) -> Result<Answer<Written<CompanyTicket>>, Failure> {
    let (permission, settings) = (PortalPermission::TicketsView, &visit.config.settings);
    let write = match app.begin_portal(&context, permission, settings, action, asked, &id).await? {
        Begun::Done(answer) => return Ok(Answer::new(answer)),
        Begun::New(write) => write,
    };
    let row = clientone::portal_ticket_turn(&write.tx, &visit.user, settings, id, act, base.as_deref()).await?;
    let view = named(&write.tx, row, &visit).await?;
    let answer = write.finish(Some(view), Vec::new()).await?;
    app.wake.notify_one();
    Ok(Answer::new(answer))
}

async fn named(tx: &Tx, row: Row, visit: &Visit) -> domain::Result<CompanyTicket> {
    let deliveries = Deliveries::of(tx, &[row.id]).await?;
    let names = Names::of(tx, [], row.requester).await?;
    Ok(view(row, &names, &deliveries, visit))
}

async fn all_of(tx: &Tx, whole: TicketWhole, visit: &Visit) -> domain::Result<CompanyTicketWhole> {
    let TicketWhole { ticket, messages, sendings, readings, .. } = whole;
    let deliveries = Deliveries::of(tx, &[ticket.id]).await?;
    let users = messages.iter().filter_map(|message| message.portal_user_id).chain(ticket.requester);
    let names = Names::of(tx, [], users).await?;
    let message = |message: domain::PortalTicketMessage| CompanyTicketMessage {
        number: message.number,
        at: message.at,
        kind: message.kind.into(),
        author: names.author(&message),
        of_company: message.portal_user_id.is_some(),
        act: message.act.map(Into::into),
        state: message.state.into(),
        delivery: delivery_of(&message, &sendings),
        text: message.text,
    };
    Ok(CompanyTicketWhole {
        messages: messages.into_iter().map(message).collect(),
        read_number: readings.first().map(|reading| reading.number),
        ticket: view(ticket, &names, &deliveries, visit),
    })
}

fn view(row: Row, names: &Names, deliveries: &Deliveries, visit: &Visit) -> CompanyTicket {
    CompanyTicket {
        id: row.id.0,
        number: row.number,
        delivery: deliveries.delivery(row.id),
        can_reply: row.state.after(PortalTicketAct::Answer).is_ok(),
        can_reopen: row.state.after(PortalTicketAct::Reopen).is_ok(),
        own: row.requester == Some(visit.user.id),
        requester: row.requester.map(|id| names.people.user(id)),
        portal_user_id: row.requester.map(|id| id.0),
        subject: row.subject,
        description: row.description,
        answers: row.answers.into_iter().map(Into::into).collect(),
        state: row.state.into(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
