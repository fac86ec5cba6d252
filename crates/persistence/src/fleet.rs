//! The fleet as operators see it: which workers live, what waits and for how long, what runs where, what was given up.
#![allow(clippy::disallowed_methods, reason = "these queries are across organisations by design")]

use domain::{JobId, OrganisationId, Result, Timestamp};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use crate::{
    Across, ClaimedJob, JobRow,
    across::held,
    entity::{job, webhook_delivery, worker},
    error::OrDomain,
    webhook_deliveries,
};

/// Most jobs of one state that are listed.
const MOST: u64 = 200;

/// A worker that was seen lately.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerRow {
    /// Id, made when it started.
    pub id: Uuid,
    /// Machine and process.
    pub name: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last said that it lives.
    pub seen_at: Timestamp,
    /// Jobs that it may run at a time.
    pub slots: i32,
    /// Jobs that it ran then.
    pub running: i32,
}

/// How many jobs of a kind are in a state.
#[derive(Clone, Debug, PartialEq)]
pub struct Depth {
    /// Kind of job.
    pub kind: String,
    /// "queued", "running" or "failed".
    pub state: String,
    /// How many.
    pub jobs: i64,
    /// Since when the oldest of them could have run; later than now where none is due yet.
    pub oldest: Timestamp,
}

impl Across {
    /// Notes that a worker lives.
    pub async fn worker_beat(&self, row: &WorkerRow) -> Result<()> {
        use worker::Column as C;
        let model = worker::Model {
            id: row.id,
            name: row.name.clone(),
            started_at: row.started_at,
            seen_at: row.seen_at,
            slots: row.slots,
            running: row.running,
        };
        let conflict = OnConflict::column(C::Id).update_columns([C::SeenAt, C::Slots, C::Running]).to_owned();
        worker::Entity::insert(model.into_active_model())
            .on_conflict(conflict)
            .exec_without_returning(self.db())
            .await
            .or_domain()
            .map(drop)
    }

    /// Forgets a worker that ends.
    pub async fn worker_gone(&self, id: Uuid) -> Result<()> {
        worker::Entity::delete_by_id(id).exec(self.db()).await.or_domain().map(drop)
    }

    /// Forgets workers that were not seen since this instant.
    pub async fn workers_forget(&self, before: Timestamp) -> Result<u64> {
        let delete = worker::Entity::delete_many().filter(worker::Column::SeenAt.lt(before));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }

    /// Workers that were seen since this instant, by name.
    pub async fn workers(&self, since: Timestamp) -> Result<Vec<WorkerRow>> {
        let rows = worker::Entity::find()
            .filter(worker::Column::SeenAt.gte(since))
            .order_by_asc(worker::Column::Name)
            .all(self.db())
            .await
            .or_domain()?;
        let read = |row: worker::Model| WorkerRow {
            id: row.id,
            name: row.name,
            started_at: row.started_at,
            seen_at: row.seen_at,
            slots: row.slots,
            running: row.running,
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// How many jobs wait, run and were given up, by kind.
    pub async fn queue_depth(&self) -> Result<Vec<Depth>> {
        let rows: Vec<(String, String, i64, Timestamp)> = job::Entity::find()
            .select_only()
            .column(job::Column::Kind)
            .column(job::Column::State)
            .column_as(job::Column::Id.count(), "jobs")
            .column_as(job::Column::RunAt.min(), "oldest")
            .filter(job::Column::State.ne("done"))
            .group_by(job::Column::Kind)
            .group_by(job::Column::State)
            .order_by_asc(job::Column::Kind)
            .order_by_asc(job::Column::State)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(|(kind, state, jobs, oldest)| Depth { kind, state, jobs, oldest }).collect())
    }

    /// Organisations with deliveries of events that are due.
    pub async fn organisations_with_webhooks_due(&self, now: Timestamp) -> Result<Vec<OrganisationId>> {
        let rows: Vec<Uuid> = webhook_delivery::Entity::find()
            .select_only()
            .column(webhook_delivery::Column::OrganisationId)
            .filter(webhook_deliveries::queued())
            .filter(webhook_delivery::Column::NextAt.lte(now))
            .distinct()
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(OrganisationId).collect())
    }

    /// Jobs that wait, run or were given up, by state and time; at most 200 of each state.
    pub async fn jobs(&self) -> Result<Vec<JobRow>> {
        let mut found = Vec::new();
        for state in ["failed", "queued", "running"] {
            let rows = job::Entity::find()
                .filter(job::Column::State.eq(state))
                .order_by_asc(job::Column::RunAt)
                .limit(MOST)
                .all(self.db())
                .await
                .or_domain()?;
            found.extend(rows.into_iter().map(JobRow::from_row));
        }
        Ok(found)
    }

    /// The organisation of a job.
    pub async fn job_organisation(&self, id: JobId) -> Result<Option<OrganisationId>> {
        let row = job::Entity::find().filter(job::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        Ok(row.map(|row| row.organisation_id.into()))
    }

    /// Notes until when a job waits for its vendor; none: it waits no more.
    pub async fn job_waits(&self, claimed: &ClaimedJob, until: Option<Timestamp>) -> Result<()> {
        let update = job::Entity::update_many().col_expr(job::Column::WaitsUntil, Expr::val(until));
        update.filter(held(claimed)).exec(self.db()).await.or_domain().map(drop)
    }

    /// How many jobs wait or run.
    pub async fn jobs_pending(&self) -> Result<u64> {
        job::Entity::find().filter(job::Column::State.is_in(["queued", "running"])).count(self.db()).await.or_domain()
    }

    /// Deletes jobs that ended well before the first instant, and those given up before the second; returns how many.
    pub async fn jobs_forget(&self, done: Timestamp, failed: Timestamp) -> Result<u64> {
        let mut forgotten = 0;
        for (state, before) in [("done", done), ("failed", failed)] {
            let delete = job::Entity::delete_many()
                .filter(job::Column::State.eq(state))
                .filter(job::Column::FinishedAt.lt(before));
            forgotten += delete.exec(self.db()).await.or_domain()?.rows_affected;
        }
        Ok(forgotten)
    }
}
