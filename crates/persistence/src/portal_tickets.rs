//! Tickets as ClientOne keeps them, what was said, and who has read how far.

use std::collections::BTreeSet;

use domain::{
    ClientId, Error, Listed, PageRequest, PortalTicket, PortalTicketAct, PortalTicketId, PortalTicketMessage,
    PortalTicketState, PortalUserId, Result, StaffId, TicketMessageKind, Timestamp, name_key,
};
use sea_orm::{
    ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr, sea_query::ExprTrait,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    client_list::literal,
    entity::{portal_ticket as table, portal_ticket_message as message, portal_ticket_reading as reading},
    error::{OrDomain, known},
    journalled::{Journalled, versioned},
};

/// Most messages of a ticket that are read.
const MESSAGES: u64 = 1_000;

/// Which tickets are wanted.
#[derive(Clone, Debug, Default)]
pub struct PortalTicketFilter {
    /// Only of this client.
    pub client: Option<ClientId>,
    /// Only of this portal user.
    pub requester: Option<PortalUserId>,
    /// Only in this state.
    pub state: Option<PortalTicketState>,
    /// Only those that are open, or are not.
    pub open: Option<bool>,
    /// Only those of this staff user.
    pub assignee: Option<StaffId>,
    /// Only those of nobody, or of somebody.
    pub assigned: Option<bool>,
    /// Part of the subject, or the number.
    pub search: Option<String>,
}

/// How far someone has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadBy {
    /// The portal user.
    pub portal_user: Option<PortalUserId>,
    /// Or the staff user.
    pub staff: Option<StaffId>,
    /// Number of the last message that was there.
    pub number: i32,
    /// When.
    pub at: Timestamp,
}

versioned!(table, "portal_ticket", "ticket", read, |row| Some(row.client_id));

impl Journalled for message::Entity {
    const KIND: &'static str = "portal_ticket_message";
    const WHAT: &'static str = "message of a ticket";

    fn id(row: &message::Model) -> Uuid {
        row.id
    }
    fn id_column() -> message::Column {
        message::Column::Id
    }
    fn version_column() -> Option<message::Column> {
        None
    }
    fn version(_: &message::Model) -> i32 {
        1
    }
    fn client_of(row: &message::Model) -> Option<ClientId> {
        Some(ClientId(row.client_id))
    }
    fn view(row: &message::Model) -> Result<Value> {
        serde_json::to_value(read_message(row.clone())?).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> Result<PortalTicket> {
    Ok(PortalTicket {
        id: row.id.into(),
        client_id: ClientId(row.client_id),
        number: row.number,
        subject: row.subject,
        description: row.description,
        answers: serde_json::from_str(&row.answers).map_err(Error::internal)?,
        requester: row.requester_id.map(Into::into),
        made_by: row.made_by.map(Into::into),
        state: known(PortalTicketState::parse(&row.state), "portal_ticket.state")?,
        assignee: row.assignee_id.map(Into::into),
        service_request_id: row.service_request_id.map(Into::into),
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(tx: &Tx, row: &PortalTicket) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        client_id: row.client_id.0,
        number: row.number,
        subject: row.subject.clone(),
        subject_key: name_key(&row.subject),
        description: row.description.clone(),
        answers: serde_json::to_string(&row.answers).map_err(Error::internal)?,
        requester_id: row.requester.map(|id| id.0),
        made_by: row.made_by.map(|id| id.0),
        state: row.state.as_str().to_owned(),
        assignee_id: row.assignee.map(|id| id.0),
        service_request_id: row.service_request_id.map(|id| id.0),
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn read_message(row: message::Model) -> Result<PortalTicketMessage> {
    let act = row.act.map(|act| known(PortalTicketAct::parse(&act), "portal_ticket_message.act")).transpose()?;
    Ok(PortalTicketMessage {
        id: row.id.into(),
        ticket_id: row.ticket_id.into(),
        client_id: ClientId(row.client_id),
        number: row.number,
        at: row.at,
        kind: known(TicketMessageKind::parse(&row.kind), "portal_ticket_message.kind")?,
        portal_user_id: row.portal_user_id.map(Into::into),
        staff_id: row.staff_id.map(Into::into),
        author: row.author,
        act,
        state: known(PortalTicketState::parse(&row.state), "portal_ticket_message.state")?,
        text: row.text,
        vendor_note_id: row.vendor_note_id,
    })
}

impl Tx {
    /// A ticket. In a transaction that writes, its row is locked.
    pub async fn portal_ticket(&self, id: PortalTicketId) -> Result<PortalTicket> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?;
        row.map(read).transpose()?.ok_or(Error::NotFound { what: "ticket" })
    }

    /// A page of tickets, the newest first.
    pub async fn portal_ticket_list(
        &self,
        filter: &PortalTicketFilter,
        page: &PageRequest,
    ) -> Result<Listed<PortalTicket>> {
        use table::Column as C;
        let mut select = self.portal_tickets_where(filter);
        let total = select.clone().count(self.db()).await.or_domain()?;
        // Ids sort by time of making.
        if let Some((_, id)) = &page.after {
            select = select.filter(C::Id.lt(*id));
        }
        let mut rows = select.order_by_desc(C::Id).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (String::new(), last.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    fn portal_tickets_where(&self, filter: &PortalTicketFilter) -> sea_orm::Select<table::Entity> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>();
        if let Some(client) = filter.client {
            select = select.filter(C::ClientId.eq(client.0));
        }
        if let Some(requester) = filter.requester {
            select = select.filter(C::RequesterId.eq(requester.0));
        }
        if let Some(state) = filter.state {
            select = select.filter(C::State.eq(state.as_str()));
        }
        if let Some(open) = filter.open {
            let states = PortalTicketState::ALL.iter().filter(|state| state.is_open() == open);
            select = select.filter(C::State.is_in(states.map(|state| state.as_str())));
        }
        if let Some(assignee) = filter.assignee {
            select = select.filter(C::AssigneeId.eq(assignee.0));
        }
        if let Some(assigned) = filter.assigned {
            select = select.filter(if assigned { C::AssigneeId.is_not_null() } else { C::AssigneeId.is_null() });
        }
        if let Some(search) = filter.search.as_deref().map(name_key).filter(|text| !text.is_empty()) {
            let number = search.trim_start_matches('#').parse::<i32>().ok();
            let mut found = sea_orm::Condition::any().add(Expr::col(C::SubjectKey).like(literal(&search)));
            if let Some(number) = number {
                found = found.add(C::Number.eq(number));
            }
            select = select.filter(found);
        }
        select
    }

    /// How many tickets these are.
    pub async fn portal_ticket_count(&self, filter: &PortalTicketFilter) -> Result<u64> {
        self.portal_tickets_where(filter).count(self.db()).await.or_domain()
    }

    /// The number of the next ticket. Locks the organisation, so that two never have one number; whoever has no sight of
    /// a client counts its tickets all the same.
    pub async fn portal_ticket_next_number(&self) -> Result<i32> {
        self.team_lock().await?;
        let last: Option<Option<i32>> = self
            .unscoped_find::<table::Entity>()
            .select_only()
            .column_as(table::Column::Number.max(), "number")
            .into_tuple()
            .one(self.db())
            .await
            .or_domain()?;
        Ok(last.flatten().unwrap_or(0) + 1)
    }

    /// Makes a ticket. Its client's row is locked: one that is being merged into another gets none that would stay
    /// behind.
    pub async fn portal_ticket_insert(&self, row: &PortalTicket) -> Result<()> {
        self.client(row.client_id).await?;
        self.insert_row::<table::Entity>(write(self, row)?).await
    }

    /// Changes a ticket that was read before.
    pub async fn portal_ticket_save(&self, before: &PortalTicket, after: PortalTicket) -> Result<PortalTicket> {
        let after = PortalTicket { version: before.version + 1, updated_at: self.now(), ..after };
        let written = self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await?;
        Ok(if written { after } else { before.clone() })
    }

    /// What was said and done, in order.
    pub async fn portal_ticket_messages(&self, ticket: PortalTicketId) -> Result<Vec<PortalTicketMessage>> {
        let select = self
            .find::<message::Entity>()
            .filter(message::Column::TicketId.eq(ticket.0))
            .order_by_asc(message::Column::Number)
            .limit(MESSAGES);
        select.all(self.db()).await.or_domain()?.into_iter().map(read_message).collect()
    }

    /// How many messages a ticket has.
    pub async fn portal_ticket_message_count(&self, ticket: PortalTicketId) -> Result<i32> {
        let select = self.find::<message::Entity>().filter(message::Column::TicketId.eq(ticket.0));
        let count = select.count(self.db()).await.or_domain()?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// The vendor's ids of the messages that came from a PSA.
    pub async fn portal_ticket_notes_known(&self, ticket: PortalTicketId) -> Result<BTreeSet<String>> {
        let found: Vec<Option<String>> = self
            .find::<message::Entity>()
            .select_only()
            .column(message::Column::VendorNoteId)
            .filter(message::Column::TicketId.eq(ticket.0))
            .filter(message::Column::VendorNoteId.is_not_null())
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Notes what was said or done.
    pub async fn portal_ticket_message_insert(&self, row: &PortalTicketMessage) -> Result<()> {
        let row = message::Model {
            organisation_id: self.organisation().0,
            id: row.id.0,
            ticket_id: row.ticket_id.0,
            client_id: row.client_id.0,
            number: row.number,
            at: row.at,
            kind: row.kind.as_str().to_owned(),
            portal_user_id: row.portal_user_id.map(|id| id.0),
            staff_id: row.staff_id.map(|id| id.0),
            author: row.author.clone(),
            act: row.act.map(|act| act.as_str().to_owned()),
            state: row.state.as_str().to_owned(),
            text: row.text.clone(),
            vendor_note_id: row.vendor_note_id.clone(),
        };
        self.insert_row::<message::Entity>(row).await
    }

    /// How many tickets and how many messages a portal user has made since then.
    pub async fn portal_ticket_rate(&self, user: PortalUserId, since: Timestamp) -> Result<(u64, u64)> {
        let tickets = self
            .find::<table::Entity>()
            .filter(table::Column::RequesterId.eq(user.0))
            .filter(table::Column::MadeBy.is_null())
            .filter(table::Column::CreatedAt.gte(since));
        let said = self
            .find::<message::Entity>()
            .filter(message::Column::PortalUserId.eq(user.0))
            .filter(message::Column::At.gte(since));
        Ok((tickets.count(self.db()).await.or_domain()?, said.count(self.db()).await.or_domain()?))
    }

    /// Notes that someone has read a ticket up to this message. Not journalled: nothing changes by it.
    pub async fn portal_ticket_read_note(&self, ticket: &PortalTicket, number: i32) -> Result<()> {
        use reading::Column as C;
        let actor = self.context().actor;
        let (kind, id) = match (actor.portal_user(), actor.staff()) {
            (Some(user), _) => ("portal_user", user.0),
            (None, Some(staff)) => ("staff", staff.0),
            (None, None) => return Ok(()),
        };
        let row = reading::Model {
            organisation_id: self.organisation().0,
            ticket_id: ticket.id.0,
            reader_kind: kind.to_owned(),
            reader_id: id,
            client_id: ticket.client_id.0,
            number,
            read_at: self.now(),
        };
        let key = [C::OrganisationId, C::TicketId, C::ReaderKind, C::ReaderId];
        self.insert_many::<reading::Entity>(vec![row], &key, &[C::Number, C::ReadAt]).await
    }

    /// Who has read how far.
    pub async fn portal_ticket_readings(&self, ticket: PortalTicketId) -> Result<Vec<ReadBy>> {
        let select = self
            .find::<reading::Entity>()
            .filter(reading::Column::TicketId.eq(ticket.0))
            .order_by_asc(reading::Column::ReadAt)
            .order_by_asc(reading::Column::ReaderId);
        let rows = select.all(self.db()).await.or_domain()?;
        let read = |row: reading::Model| {
            let portal = row.reader_kind == "portal_user";
            ReadBy {
                portal_user: portal.then(|| row.reader_id.into()),
                staff: (!portal).then(|| row.reader_id.into()),
                number: row.number,
                at: row.read_at,
            }
        };
        Ok(rows.into_iter().map(read).collect())
    }
}
