//! The queue: jobs are rows, enqueued in the transaction that causes them, claimed with a lease,
//! finished only by the holder of the lease.

use domain::{ConnectionId, Error, JobId, OrganisationId, Result, Timestamp};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use uuid::Uuid;

use crate::{Tx, entity::job, error::OrDomain};

/// A job to be done.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Kind ("sync").
    pub kind: String,
    /// What the handler needs, as JSON; ids only, everything else is read fresh.
    pub payload: String,
    /// Only one job of this key waits or runs at a time.
    pub unique_key: String,
    /// Higher goes first.
    pub priority: i32,
    /// Not before.
    pub run_at: Timestamp,
    /// Times it may be tried.
    pub max_attempts: i32,
}

/// A job that this worker holds.
#[derive(Clone, Debug)]
pub struct ClaimedJob {
    /// Organisation.
    pub organisation: OrganisationId,
    /// Id.
    pub id: JobId,
    /// Kind.
    pub kind: String,
    /// Payload.
    pub payload: String,
    /// The connection that it is for.
    pub connection: Option<ConnectionId>,
    /// Which try this is, from 1.
    pub attempt: i32,
    /// Times it may be tried.
    pub max_attempts: i32,
    /// The fencing token: whoever does not hold it may neither write nor finish.
    pub lease: Uuid,
}

/// A job as operators see it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the queue")]
pub struct JobRow {
    pub organisation: OrganisationId,
    pub id: JobId,
    pub kind: String,
    pub payload: String,
    pub unique_key: String,
    pub connection: Option<ConnectionId>,
    pub state: String,
    pub run_at: Timestamp,
    pub attempts: i32,
    pub max_attempts: i32,
    pub lease_until: Option<Timestamp>,
    pub worker: Option<Uuid>,
    pub waits_until: Option<Timestamp>,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

impl JobRow {
    pub(crate) fn from_row(row: job::Model) -> Self {
        Self {
            organisation: row.organisation_id.into(),
            id: row.id.into(),
            kind: row.kind,
            payload: row.payload,
            unique_key: row.unique_key,
            connection: row.connection_id.map(ConnectionId),
            state: row.state,
            run_at: row.run_at,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            lease_until: row.lease_until,
            worker: row.worker_id,
            waits_until: row.waits_until,
            last_error: row.last_error,
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

/// How a job ended.
#[derive(Clone, Debug)]
pub enum JobOutcome {
    /// Done.
    Done,
    /// To be tried again at this time, for this reason.
    Retry(Timestamp, String),
    /// Given up, for this reason.
    Failed(String),
}

impl Tx {
    /// Enqueues a job with the transaction. Returns false when one of its key waits or runs already.
    pub async fn job_enqueue(&self, new: &NewJob) -> Result<bool> {
        let row = job::Model {
            organisation_id: self.organisation().0,
            id: self.new_id::<JobId>().0,
            kind: new.kind.clone(),
            payload: new.payload.clone(),
            unique_key: new.unique_key.clone(),
            state: "queued".to_owned(),
            priority: new.priority,
            run_at: new.run_at,
            attempts: 0,
            max_attempts: new.max_attempts,
            lease_token: None,
            lease_until: None,
            last_error: None,
            created_at: self.now(),
            finished_at: None,
            connection_id: connection_of(&new.payload),
            worker_id: None,
            waits_until: None,
        };
        self.insert_if_absent::<job::Entity>(row).await
    }

    /// The job of this key that waits or runs.
    pub async fn job_pending(&self, unique_key: &str) -> Result<Option<JobRow>> {
        let row = self
            .find::<job::Entity>()
            .filter(job::Column::UniqueKey.eq(unique_key))
            .filter(job::Column::State.is_in(["queued", "running"]))
            .one(self.db())
            .await
            .or_domain()?;
        Ok(row.map(JobRow::from_row))
    }

    /// Brings a waiting job forward to now.
    pub async fn job_hurry(&self, unique_key: &str) -> Result<()> {
        let row = job::ActiveModel { run_at: ActiveValue::Set(self.now()), ..ActiveModelTrait::default() };
        let waiting = Condition::all()
            .add(job::Column::UniqueKey.eq(unique_key))
            .add(job::Column::State.eq("queued"))
            .add(job::Column::RunAt.gt(self.now()));
        self.update_row_where::<job::Entity>(row, waiting).await.map(drop)
    }

    /// Fails unless the lease still holds. In a transaction that writes, nobody can take the job
    /// until it ends: this is what keeps a frozen worker from writing after another took over.
    pub async fn job_fence(&self, job: &ClaimedJob) -> Result<()> {
        let update = self.update_many::<job::Entity>().col_expr(job::Column::State, Expr::val("running"));
        fenced(update.filter(held(job)).exec(self.db()).await.or_domain()?.rows_affected)
    }

    /// Like [`Self::job_fence`], and notes that the job got further: tries before this one no longer
    /// count, so that a long job survives any number of crashes as long as it moves.
    pub async fn job_further(&self, job: &ClaimedJob) -> Result<()> {
        let update = self.update_many::<job::Entity>().col_expr(job::Column::Attempts, Expr::val(1));
        fenced(update.filter(held(job)).exec(self.db()).await.or_domain()?.rows_affected)
    }

    /// Jobs that were given up, the newest first; at most 100.
    pub async fn jobs_failed(&self) -> Result<Vec<JobRow>> {
        let rows = self
            .find::<job::Entity>()
            .filter(job::Column::State.eq("failed"))
            .order_by_desc(job::Column::Id)
            .limit(100)
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(JobRow::from_row).collect())
    }
}

fn held(job: &ClaimedJob) -> Condition {
    Condition::all()
        .add(job::Column::Id.eq(job.id.0))
        .add(job::Column::LeaseToken.eq(job.lease))
        .add(job::Column::State.eq("running"))
}

fn fenced(rows: u64) -> Result<()> {
    match rows {
        0 => Err(Error::conflict("lease_lost", "Another worker has taken this job over.")),
        _ => Ok(()),
    }
}

/// The connection that a job's payload names.
fn connection_of(payload: &str) -> Option<Uuid> {
    #[derive(serde::Deserialize)]
    struct Named {
        connection_id: Option<Uuid>,
    }
    serde_json::from_str::<Named>(payload).ok()?.connection_id
}

/// Claimable: due and waiting, or running with a lease that ran out.
pub(crate) fn claimable(now: Timestamp) -> Condition {
    Condition::any()
        .add(job::Column::State.eq("queued").and(job::Column::RunAt.lte(now)))
        .add(job::Column::State.eq("running").and(job::Column::LeaseUntil.lte(now)))
}
