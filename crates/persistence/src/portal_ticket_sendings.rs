//! Where tickets are at PSAs, and what is to reach them. The queue of a PSA: what causes it is journalled, and so is
//! each write at the vendor; how it gets there is not.

use std::collections::BTreeSet;

use domain::{
    ClientId, ConnectionId, Error, PortalTicketId, RecordId, Result, TicketLink, TicketSending, TicketSendingAct,
    TicketSendingId, TicketSendingKind, TicketSendingState,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::{
    NewJob, Tx,
    entity::{job, ticket_link as link, ticket_sending as table},
    error::{OrDomain, known},
};

/// Kind of the jobs that carry tickets to a PSA and back.
pub const TICKET_JOB: &str = "portal_tickets";
/// How often such a job is begun before it is given up as one that kills its worker.
const ATTEMPTS: i32 = 12;

/// What is noted with a change of a sending.
#[derive(Clone, Debug, Default)]
pub struct SendingChange {
    /// Why it waits, or was refused.
    pub problem: Option<String>,
}

fn read(row: table::Model) -> Result<TicketSending> {
    Ok(TicketSending {
        id: row.id.into(),
        ticket_id: row.ticket_id.into(),
        client_id: ClientId(row.client_id),
        connection_id: row.connection_id.into(),
        kind: known(TicketSendingKind::parse(&row.kind), "ticket_sending.kind")?,
        message_id: row.message_id.map(Into::into),
        state: known(TicketSendingState::parse(&row.state), "ticket_sending.state")?,
        queued_at: row.queued_at,
        tried_at: row.tried_at,
        sent_at: row.sent_at,
        problem: row.problem,
    })
}

fn read_link(row: link::Model) -> TicketLink {
    TicketLink {
        ticket_id: row.ticket_id.into(),
        client_id: ClientId(row.client_id),
        connection_id: row.connection_id.into(),
        entity_id: row.entity_id.into(),
        record_id: row.record_id.map(Into::into),
        number: row.number,
        status: row.status,
        open: row.open,
        notes_read_at: row.notes_read_at,
    }
}

/// What still wants something done: in order of its making.
const WAITING: [TicketSendingState; 3] =
    [TicketSendingState::Queued, TicketSendingState::Sending, TicketSendingState::Unknown];

impl Tx {
    /// Notes something that is to reach a PSA, and puts the job that carries it on the queue. Commits with its cause.
    pub async fn ticket_sending_insert(&self, row: &TicketSending) -> Result<()> {
        let model = table::Model {
            organisation_id: self.organisation().0,
            id: row.id.0,
            ticket_id: row.ticket_id.0,
            client_id: row.client_id.0,
            connection_id: row.connection_id.0,
            kind: row.kind.as_str().to_owned(),
            message_id: row.message_id.map(|id| id.0),
            state: row.state.as_str().to_owned(),
            queued_at: row.queued_at,
            tried_at: row.tried_at,
            sent_at: row.sent_at,
            problem: row.problem.clone(),
        };
        self.insert_many::<table::Entity>(vec![model], &[], &[]).await?;
        self.ticket_job_enqueue(row.connection_id, Some(row.id)).await
    }

    /// Puts the job that carries tickets of a connection on the queue. One that waits is brought forward. One that runs
    /// may have looked already: what was noted just now (`about`) then gets a job of its own, which sends nothing that
    /// another has taken in hand.
    pub async fn ticket_job_enqueue(&self, connection: ConnectionId, about: Option<TicketSendingId>) -> Result<()> {
        let key = format!("portal_tickets:{connection}");
        let job_of = |unique_key: String| NewJob {
            kind: TICKET_JOB.to_owned(),
            payload: serde_json::json!({ "connection_id": connection }).to_string(),
            unique_key,
            priority: 8,
            run_at: self.now(),
            max_attempts: ATTEMPTS,
        };
        // Asked first: on PostgreSQL the insert would wait for what a running job has in hand.
        if self.job_pending(&key).await?.is_none() {
            return self.job_enqueue(&job_of(key)).await.map(drop);
        }
        // A row that is written here is claimed by nobody before this commits.
        let now = job::ActiveModel { run_at: ActiveValue::Set(self.now()), ..ActiveModelTrait::default() };
        let waiting =
            Condition::all().add(job::Column::UniqueKey.eq(key.as_str())).add(job::Column::State.eq("queued"));
        match (self.update_row_where::<job::Entity>(now, waiting).await?, about) {
            (0, Some(about)) => self.job_enqueue(&job_of(format!("{key}:{about}"))).await.map(drop),
            _ => Ok(()),
        }
    }

    /// What is to reach PSAs, or has, of these tickets; in order.
    pub async fn ticket_sendings(&self, tickets: &[PortalTicketId]) -> Result<Vec<TicketSending>> {
        let mut found = Vec::new();
        for chunk in tickets.chunks(500) {
            let of_these = table::Column::TicketId.is_in(chunk.iter().map(|id| id.0));
            let select = self.find::<table::Entity>().filter(of_these).order_by_asc(table::Column::Id);
            for row in select.all(self.db()).await.or_domain()? {
                found.push(read(row)?);
            }
        }
        Ok(found)
    }

    /// How these tickets themselves reach PSAs.
    pub async fn ticket_creations(&self, tickets: &[PortalTicketId]) -> Result<Vec<TicketSending>> {
        let mut found = Vec::new();
        for chunk in tickets.chunks(500) {
            let select = self
                .find::<table::Entity>()
                .filter(table::Column::TicketId.is_in(chunk.iter().map(|id| id.0)))
                .filter(table::Column::Kind.eq(TicketSendingKind::Create.as_str()));
            for row in select.all(self.db()).await.or_domain()? {
                found.push(read(row)?);
            }
        }
        Ok(found)
    }

    /// What waits for a PSA or its answer, in order; at most so many.
    pub async fn ticket_sendings_waiting(&self, connection: ConnectionId, most: u64) -> Result<Vec<TicketSending>> {
        let select = self
            .find::<table::Entity>()
            .filter(table::Column::ConnectionId.eq(connection.0))
            .filter(table::Column::State.is_in(WAITING.map(TicketSendingState::as_str)))
            .order_by_asc(table::Column::Id)
            .limit(most);
        select.all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// Something that is to reach a PSA.
    pub async fn ticket_sending(&self, id: TicketSendingId) -> Result<TicketSending> {
        let select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        let row = select.one(self.db()).await.or_domain()?;
        row.map(read).transpose()?.ok_or(Error::NotFound { what: "message to the PSA" })
    }

    /// Does something with a sending that was read before; false where another was quicker.
    pub async fn ticket_sending_act(
        &self,
        before: &TicketSending,
        act: TicketSendingAct,
        change: SendingChange,
    ) -> Result<bool> {
        let after = before.state.after(act)?;
        let taken = act == TicketSendingAct::Take;
        let again = act == TicketSendingAct::Again;
        let arrived = act == TicketSendingAct::Arrive;
        let row = table::ActiveModel {
            state: ActiveValue::Set(after.as_str().to_owned()),
            problem: ActiveValue::Set(change.problem),
            tried_at: if taken { ActiveValue::Set(Some(self.now())) } else { ActiveValue::NotSet },
            queued_at: if again { ActiveValue::Set(self.now()) } else { ActiveValue::NotSet },
            sent_at: if arrived { ActiveValue::Set(Some(self.now())) } else { ActiveValue::NotSet },
            ..ActiveModelTrait::default()
        };
        let unchanged =
            Condition::all().add(table::Column::Id.eq(before.id.0)).add(table::Column::State.eq(before.state.as_str()));
        Ok(self.update_row_where::<table::Entity>(row, unchanged).await? > 0)
    }

    /// Says why something waits.
    pub async fn ticket_sending_say(&self, id: TicketSendingId, problem: &str) -> Result<()> {
        let row =
            table::ActiveModel { problem: ActiveValue::Set(Some(problem.to_owned())), ..ActiveModelTrait::default() };
        let one = Condition::all()
            .add(table::Column::Id.eq(id.0))
            .add(table::Column::State.eq(TicketSendingState::Queued.as_str()));
        self.update_row_where::<table::Entity>(row, one).await.map(drop)
    }

    /// Notes at which PSA a ticket is to be.
    pub async fn ticket_link_insert(&self, row: &TicketLink) -> Result<()> {
        self.insert_many::<link::Entity>(vec![self.link_row(row)], &[], &[]).await
    }

    /// Changes what is known of a ticket at its PSA.
    pub async fn ticket_link_save(&self, row: &TicketLink) -> Result<()> {
        use link::Column as C;
        let replace = [C::RecordId, C::Number, C::Status, C::Open, C::NotesReadAt];
        let key = [C::OrganisationId, C::TicketId];
        self.insert_many::<link::Entity>(vec![self.link_row(row)], &key, &replace).await
    }

    fn link_row(&self, row: &TicketLink) -> link::Model {
        link::Model {
            organisation_id: self.organisation().0,
            ticket_id: row.ticket_id.0,
            client_id: row.client_id.0,
            connection_id: row.connection_id.0,
            entity_id: row.entity_id.0,
            record_id: row.record_id.map(|id| id.0),
            number: row.number.clone(),
            status: row.status.clone(),
            open: row.open,
            notes_read_at: row.notes_read_at,
        }
    }

    /// Where these tickets are at PSAs.
    pub async fn ticket_links(&self, tickets: &[PortalTicketId]) -> Result<Vec<TicketLink>> {
        let mut found = Vec::new();
        for chunk in tickets.chunks(500) {
            let of_these = link::Column::TicketId.is_in(chunk.iter().map(|id| id.0));
            let select = self.find::<link::Entity>().filter(of_these).order_by_asc(link::Column::TicketId);
            found.extend(select.all(self.db()).await.or_domain()?.into_iter().map(read_link));
        }
        Ok(found)
    }

    /// A page of the tickets that a PSA has, in order of their ids.
    pub async fn ticket_links_of(
        &self,
        connection: ConnectionId,
        after: Option<PortalTicketId>,
        limit: u64,
    ) -> Result<Vec<TicketLink>> {
        let mut select = self
            .find::<link::Entity>()
            .filter(link::Column::ConnectionId.eq(connection.0))
            .filter(link::Column::RecordId.is_not_null());
        if let Some(after) = after {
            select = select.filter(link::Column::TicketId.gt(after.0));
        }
        let rows = select.order_by_asc(link::Column::TicketId).limit(limit).all(self.db()).await.or_domain()?;
        Ok(rows.into_iter().map(read_link).collect())
    }

    /// Whether any ticket is, or is to be, at this PSA.
    pub async fn ticket_links_any(&self, connection: ConnectionId) -> Result<bool> {
        let select = self.find::<link::Entity>().filter(link::Column::ConnectionId.eq(connection.0));
        Ok(select.limit(1).count(self.db()).await.or_domain()? > 0)
    }

    /// The stored records that are tickets of ClientOne too.
    pub async fn ticket_records_of(&self, client: ClientId) -> Result<BTreeSet<RecordId>> {
        let found: Vec<Option<uuid::Uuid>> = self
            .find::<link::Entity>()
            .select_only()
            .column(link::Column::RecordId)
            .filter(link::Column::ClientId.eq(client.0))
            .filter(link::Column::RecordId.is_not_null())
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(found.into_iter().flatten().map(RecordId).collect())
    }
}
