//! Tickets of ClientOne as staff see them, and what they say of them.

use chrono::{DateTime, Utc};
use clientone::{Desk, TicketWhole};
use domain::{
    ClientId, Context, Error, PortalTicket as Row, PortalTicketAct, PortalTicketMessage as Message, Result,
    ServiceRequestId,
};
use persistence::{ReadBy, Tx};
use poem_openapi::{Enum, Object};
use uuid::Uuid;

use super::{
    clientone_admin::service_requests::RequestAnswer,
    portal_ticket_shapes::{
        Deliveries, Names, PortalTicketDeed, PortalTicketMessageKind, PortalTicketStanding, TicketDelivery, delivery_of,
    },
};
use crate::app::App;

/// A ticket of a client.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientTicket {
    /// Id
    pub id: Uuid,
    /// Its number
    pub number: i32,
    /// Client
    pub client_id: Uuid,
    /// Its name
    pub client: String,
    /// One line
    pub subject: String,
    /// What is the matter, as plain text
    pub description: String,
    /// What was answered in the form
    pub answers: Vec<RequestAnswer>,
    /// The priority that was chosen in the form
    pub priority: Option<String>,
    pub state: PortalTicketStanding,
    /// The portal user for whom it is; absent where it is for the client as such
    pub portal_user_id: Option<Uuid>,
    /// Their name
    pub requester: Option<String>,
    /// The staff user who made it; absent where the requester did
    pub made_by: Option<Uuid>,
    /// The staff user who works on it
    pub assignee_id: Option<Uuid>,
    /// Their name
    pub assignee: Option<String>,
    /// The service request that it was made of
    pub service_request_id: Option<Uuid>,
    /// How it reaches the PSA; absent where no PSA knows the client
    pub delivery: Option<TicketDelivery>,
    /// Why it waits, or was refused
    pub delivery_problem: Option<String>,
    /// Through which connection
    pub connection_id: Option<Uuid>,
    /// The ticket as it was synced from there
    pub ticket_id: Option<Uuid>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// Something that was said or done with a ticket.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientTicketMessage {
    /// The first of a ticket is 1
    pub number: i32,
    /// When
    pub at: DateTime<Utc>,
    pub kind: PortalTicketMessageKind,
    /// The portal user who did it
    pub portal_user_id: Option<Uuid>,
    /// Or the staff user; absent with the former where it came from the PSA
    pub staff_id: Option<Uuid>,
    /// Their name, or the one that the PSA gives
    pub author: Option<String>,
    /// What was done
    pub act: Option<PortalTicketDeed>,
    /// The state after it
    pub state: PortalTicketStanding,
    /// What was said, as plain text; of an assignment the name
    pub text: Option<String>,
    /// How it reaches the PSA
    pub delivery: Option<TicketDelivery>,
    /// Why it waits, or was refused
    pub delivery_problem: Option<String>,
}

/// How far someone has read.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct TicketReading {
    /// The portal user
    pub portal_user_id: Option<Uuid>,
    /// Or the staff user
    pub staff_id: Option<Uuid>,
    /// Their name
    pub name: Option<String>,
    /// Number of the last message that was there; 0 before any
    pub number: i32,
    /// When
    pub read_at: DateTime<Utc>,
}

/// A ticket, what was said and done, and who has read how far.
#[derive(Debug, Clone, Object)]
pub struct ClientTicketWhole {
    pub ticket: ClientTicket,
    /// In order
    pub messages: Vec<ClientTicketMessage>,
    /// Who has read how far
    pub read_by: Vec<TicketReading>,
}

/// An answer to a field of the ticket form.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct TicketFieldAnswer {
    /// The key of the field
    pub key: String,
    /// The answer: of a choice the option, of a date 2026-11-22, of a number -12.5
    pub value: String,
}

/// A ticket to be made for a client.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ClientTicketMake {
    /// For which client
    pub client_id: Uuid,
    /// For whom of it; for the client as such when left out
    pub portal_user_id: Option<Uuid>,
    /// One line, at most 255 characters
    pub subject: String,
    /// What is the matter, at most 20,000 characters
    pub description: String,
    /// Answers to fields of the ticket form; none is needed
    pub answers: Option<Vec<TicketFieldAnswer>>,
}

/// Something to be said.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ClientTicketSay {
    /// At most 20,000 characters
    pub text: String,
}

/// What staff do with a ticket
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ClientTicketAct {
    /// Begin to work on it: from open or waiting
    Start,
    /// Wait for an answer of whoever asked: from open or in_progress
    Wait,
    /// Be done with it
    Close,
    /// Take it up again: from closed
    Reopen,
}

impl From<ClientTicketAct> for PortalTicketAct {
    fn from(act: ClientTicketAct) -> Self {
        match act {
            ClientTicketAct::Start => Self::Start,
            ClientTicketAct::Wait => Self::Wait,
            ClientTicketAct::Close => Self::Close,
            ClientTicketAct::Reopen => Self::Reopen,
        }
    }
}

/// What to do with a ticket.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ClientTicketDo {
    pub act: ClientTicketAct,
}

/// Who works on a ticket.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ClientTicketAssign {
    /// The staff user; nobody when left out
    pub staff_id: Option<Uuid>,
}

/// How a service request becomes a ticket.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ServiceRequestConvert {
    /// The ticket's subject; the name of what was asked for when left out
    pub subject: Option<String>,
}

/// A ticket with all names in it.
pub(super) async fn named(tx: &Tx, row: Row) -> Result<ClientTicket> {
    let deliveries = Deliveries::of(tx, &[row.id]).await?;
    let names = Names::of(tx, [row.client_id], row.requester).await?;
    Ok(view(row, &names, &deliveries))
}

/// A ticket with what was said and done.
pub(super) async fn all_of(tx: &Tx, whole: TicketWhole) -> Result<ClientTicketWhole> {
    let TicketWhole { ticket, messages, sendings, readings, .. } = whole;
    let deliveries = Deliveries::of(tx, &[ticket.id]).await?;
    let users = messages.iter().filter_map(|message| message.portal_user_id);
    let users = users.chain(readings.iter().filter_map(|one| one.portal_user)).chain(ticket.requester);
    let names = Names::of(tx, [ticket.client_id], users).await?;
    let message = |message: Message| ClientTicketMessage {
        number: message.number,
        at: message.at,
        kind: message.kind.into(),
        portal_user_id: message.portal_user_id.map(|id| id.0),
        staff_id: message.staff_id.map(|id| id.0),
        author: names.author(&message),
        act: message.act.map(Into::into),
        state: message.state.into(),
        delivery: delivery_of(&message, &sendings),
        delivery_problem: sendings
            .iter()
            .find(|sending| sending.message_id == Some(message.id))
            .and_then(|sending| sending.problem.clone()),
        text: message.text,
    };
    let reading = |one: ReadBy| TicketReading {
        portal_user_id: one.portal_user.map(|id| id.0),
        staff_id: one.staff.map(|id| id.0),
        name: match (one.portal_user, one.staff) {
            (Some(user), _) => Some(names.people.user(user)),
            (None, Some(staff)) => names.staff(staff),
            (None, None) => None,
        },
        number: one.number,
        read_at: one.at,
    };
    Ok(ClientTicketWhole {
        messages: messages.into_iter().map(message).collect(),
        read_by: readings.into_iter().map(reading).collect(),
        ticket: view(ticket, &names, &deliveries),
    })
}

/// A ticket of a page.
pub(super) fn view(row: Row, names: &Names, deliveries: &Deliveries) -> ClientTicket {
    let link = deliveries.link(row.id);
    ClientTicket {
        id: row.id.0,
        number: row.number,
        client_id: row.client_id.0,
        client: names.people.client(row.client_id),
        priority: row.answer("priority").map(str::to_owned),
        requester: row.requester.map(|id| names.people.user(id)),
        portal_user_id: row.requester.map(|id| id.0),
        made_by: row.made_by.map(|id| id.0),
        assignee: row.assignee.and_then(|id| names.staff(id)),
        assignee_id: row.assignee.map(|id| id.0),
        service_request_id: row.service_request_id.map(|id| id.0),
        delivery: deliveries.delivery(row.id),
        delivery_problem: deliveries.problem(row.id),
        connection_id: link.map(|link| link.connection_id.0),
        ticket_id: link.and_then(|link| link.record_id).map(|id| id.0),
        subject: row.subject,
        description: row.description,
        answers: row.answers.into_iter().map(Into::into).collect(),
        state: row.state.into(),
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

/// The PSA at which tickets of a client are worked on. Looked for before the write begins: nothing of it is locked.
pub(super) async fn desk(app: &App, context: &Context, client: ClientId) -> Result<Option<Desk>> {
    let tx = app.store.read(context.clone()).await?;
    let found = app.engine.ticket_desk(&tx, client).await?;
    tx.rollback().await?;
    Ok(found.map(|(connection_id, entity_id)| Desk { connection_id, entity_id }))
}

/// Whose a request is; nobody's where it is not there for the caller, which the write says.
pub(super) async fn client_of(app: &App, context: &Context, id: ServiceRequestId) -> Result<Option<ClientId>> {
    let tx = app.store.read(context.clone()).await?;
    let found = tx.service_request(id).await;
    tx.rollback().await?;
    match found {
        Ok(request) => Ok(Some(request.client_id)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}
