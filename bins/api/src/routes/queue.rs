//! The organisation's own jobs: what waits, runs or was given up, and trying again what was.

use chrono::{DateTime, Utc};
use domain::{ConnectionId, JobId, Permission};
use persistence::{JobFilter, JobRow};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// How a job is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum QueuedJobState {
    /// Waits for its time, or for a worker
    Queued,
    /// A worker is at it
    Running,
    /// Ended well
    Done,
    /// Was given up: try it again, or drop it
    Failed,
}

impl QueuedJobState {
    fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "done" => Self::Done,
            _ => Self::Failed,
        }
    }
}

/// A job of the queue: a sync, or another piece of work that is done beside the requests.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct QueuedJob {
    /// Id
    pub id: Uuid,
    /// Kind: sync, replay, hear, snapshots
    pub kind: String,
    /// Connection that it is for
    pub connection_id: Option<Uuid>,
    pub state: QueuedJobState,
    /// When it is due, or was
    pub run_at: DateTime<Utc>,
    /// Times it was tried since it last got further
    pub attempts: i32,
    /// Times it may be tried
    pub max_attempts: i32,
    /// Until when its worker has it
    pub lease_until: Option<DateTime<Utc>>,
    /// Until when it waits for its vendor
    pub waits_until: Option<DateTime<Utc>>,
    /// Why it was given up, or is tried again
    pub last_error: Option<String>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Ended
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<JobRow> for QueuedJob {
    fn from(row: JobRow) -> Self {
        Self {
            id: row.id.0,
            kind: row.kind,
            connection_id: row.connection.map(|id| id.0),
            state: QueuedJobState::of(&row.state),
            run_at: row.run_at,
            attempts: row.attempts,
            max_attempts: row.max_attempts,
            lease_until: row.lease_until,
            waits_until: row.waits_until,
            last_error: row.last_error,
            created_at: row.created_at,
            finished_at: row.finished_at,
        }
    }
}

/// The queue.
pub struct Queue;

#[OpenApi(prefix_path = "/api/jobs", tag = "Chapter::Runs")]
impl Queue {
    /// Jobs of the organisation, the newest first
    ///
    /// Those that were given up are kept for 90 days, those that ended well for 7.
    #[oai(path = "/", method = "get", operation_id = "job_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn job_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        state: Query<Option<QueuedJobState>>,
        /// Only of this connection
        connection_id: Query<Option<Uuid>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<QueuedJob>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let connection = connection_id.0.map(ConnectionId);
        let tx = app.read(caller, Permission::ConnectionsView).await?;
        app.permit_connections(&tx, connection).await?;
        let filter = JobFilter { state: state.0.map(|state| state.word().to_owned()), connection };
        Ok(Answer::page(tx.job_list(&filter, &page).await?.map(Into::into), uri))
    }

    /// Try a job that was given up again, with all its tries
    ///
    /// Refused while a newer job for the same waits or runs, and while its connection cannot be synced.
    #[oai(path = "/:job_id/retry", method = "post", operation_id = "job_retry")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn job_retry(
        &self,
        app: AppData<'_>,
        caller: Caller,
        job_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<QueuedJob>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        decide(&app, caller, job_id.0, "job_retry", asked).await
    }

    /// Drop a job that was given up; what it was stays in the journal
    #[oai(path = "/:job_id/drop", method = "post", operation_id = "job_drop")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn job_drop(
        &self,
        app: AppData<'_>,
        caller: Caller,
        job_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<QueuedJob>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        decide(&app, caller, job_id.0, "job_drop", asked).await
    }
}

async fn decide(
    app: &App,
    caller: Caller,
    id: Uuid,
    action: &'static str,
    asked: Asked,
) -> Result<Answer<Written<QueuedJob>>, Failure> {
    let context = caller.context()?;
    let dry_run = asked.is_dry_run();
    let write = match app.begin(&context, Permission::SyncStart, action, asked, &id).await? {
        Begun::Done(answer) => return Ok(Answer::new(answer)),
        Begun::New(write) => write,
    };
    let done = match action {
        "job_retry" => sync::job_retry(&write.tx, app.entries, JobId(id)).await,
        _ => sync::job_drop(&write.tx, app.entries, JobId(id)).await,
    };
    let (write, row) = app.passed(write, done).await?;
    let answer = write.finish(Some(row.into()), Vec::new()).await?;
    if !dry_run {
        app.wake.notify_one();
    }
    Ok(Answer::new(answer))
}
