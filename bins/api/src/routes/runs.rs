//! Runs: what was synced, when, with which counts; and letting a held one go.

use chrono::{DateTime, Utc};
use domain::{ConnectionId, Permission, RunId};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// How a run is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum RunState {
    /// Under way, or interrupted and to be gone on with
    Running,
    /// Ended well: what is stored is what the vendor has
    Complete,
    /// Ended well in part; nothing was removed where it failed
    Partial,
    /// Waits for a person: the listing was not plausible
    Held,
    /// Ended with an error; nothing was removed
    Failed,
    /// Held, and dropped by a person
    Dropped,
}

impl From<domain::RunState> for RunState {
    fn from(state: domain::RunState) -> Self {
        match state {
            domain::RunState::Running => Self::Running,
            domain::RunState::Complete => Self::Complete,
            domain::RunState::Partial => Self::Partial,
            domain::RunState::Held => Self::Held,
            domain::RunState::Failed => Self::Failed,
            domain::RunState::Dropped => Self::Dropped,
        }
    }
}

impl From<RunState> for domain::RunState {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Running => Self::Running,
            RunState::Complete => Self::Complete,
            RunState::Partial => Self::Partial,
            RunState::Held => Self::Held,
            RunState::Failed => Self::Failed,
            RunState::Dropped => Self::Dropped,
        }
    }
}

/// What a run found: listed is the sum of added, changed, unchanged, rejected and repeated.
#[derive(Debug, Clone, Object)]
pub struct RunCounts {
    /// Records the vendor listed
    pub listed: i64,
    /// New
    pub added: i64,
    /// Changed
    pub changed: i64,
    /// As before: nothing was written
    pub unchanged: i64,
    /// Could not be read
    pub rejected: i64,
    /// Listed more than once
    pub repeated: i64,
    /// No longer listed
    pub removed: i64,
}

/// A record that a held run would remove.
#[derive(Debug, Clone, Object)]
pub struct RunRemoval {
    /// Record, or entity
    pub id: Uuid,
    /// What it is called
    pub name: String,
}

/// What a held run would remove if it were released.
#[derive(Debug, Clone, Object)]
pub struct RunMissing {
    /// How many records
    pub number: i64,
    /// The first hundred of them by name: those that are still listed, under clients that you may see
    pub records: Vec<RunRemoval>,
}

/// One execution of a sync: a connection and a kind of record.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Run {
    /// Id
    pub id: Uuid,
    /// Connection
    pub connection_id: Uuid,
    /// Kind of record; `replay` for one that read again what was kept
    pub kind: String,
    /// What started it: schedule, manual, connected, webhook
    pub trigger: String,
    pub state: RunState,
    pub counts: RunCounts,
    /// Pages stored
    pub pages: i32,
    /// Records the vendor says there are
    pub expected: Option<i64>,
    /// Stable word for what went wrong
    pub code: Option<String>,
    /// What went wrong and what to do
    pub message: Option<String>,
    /// Of a held run: what it would remove. Told by `run_get` only
    pub would_remove: Option<RunMissing>,
    /// Started
    pub started_at: DateTime<Utc>,
    /// Ended
    pub finished_at: Option<DateTime<Utc>>,
}

/// Runs.
pub struct Runs;

#[OpenApi(prefix_path = "/api/runs", tag = "Chapter::Runs")]
impl Runs {
    /// Runs, the newest first
    #[oai(path = "/", method = "get", operation_id = "run_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn run_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only of this connection
        connection_id: Query<Option<Uuid>>,
        state: Query<Option<RunState>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<Run>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let connection = connection_id.0.map(ConnectionId);
        let tx = app.read(caller, Permission::ConnectionsView).await?;
        app.permit_connections(&tx, connection).await?;
        let listed = tx.run_list(connection, state.0.map(Into::into), &page).await?;
        Ok(Answer::page(listed.map(view), uri))
    }

    /// One run
    #[oai(path = "/:run_id", method = "get", operation_id = "run_get")]
    async fn run_get(&self, app: AppData<'_>, caller: Caller, run_id: Path<Uuid>) -> Result<Answer<Run>, Failure> {
        let context = caller.context()?;
        let tx = app.read_as(&context, Permission::ConnectionsView).await?;
        let run = tx.run(RunId(run_id.0)).await?;
        let connection = tx.connection(run.connection_id).await?;
        app.permit_vendor(&context, Permission::ConnectionsView, &connection.integration)?;
        let missing = sync::run_missing(&tx, &run).await?.map(|missing| RunMissing {
            number: missing.number,
            records: missing.named.into_iter().map(|(id, name)| RunRemoval { id, name }).collect(),
        });
        Ok(Answer::new(Run { would_remove: missing, ..view(run) }))
    }

    /// Let a held run go: the next listing is applied although it is not plausible
    #[oai(path = "/:run_id/release", method = "post", operation_id = "run_release")]
    async fn run_release(
        &self,
        app: AppData<'_>,
        caller: Caller,
        run_id: Path<Uuid>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Run>>, Failure> {
        self.decide(app, caller, run_id.0, key.0, true).await
    }

    /// Drop a held run: nothing of it is applied
    #[oai(path = "/:run_id/drop", method = "post", operation_id = "run_drop")]
    async fn run_drop(
        &self,
        app: AppData<'_>,
        caller: Caller,
        run_id: Path<Uuid>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Run>>, Failure> {
        self.decide(app, caller, run_id.0, key.0, false).await
    }
}

impl Runs {
    async fn decide(
        &self,
        app: AppData<'_>,
        caller: Caller,
        run: Uuid,
        key: Option<String>,
        release: bool,
    ) -> Result<Answer<Written<Run>>, Failure> {
        let action = if release { "run_release" } else { "run_drop" };
        let context = caller.context()?;
        let asked = Asked { key, ..Asked::default() };
        let begun = app.begin(&context, Permission::SyncRelease, action, asked, &run).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let decided = if release {
            sync::run_release(&write.tx, RunId(run)).await?
        } else {
            sync::run_drop(&write.tx, RunId(run)).await?
        };
        let answer = write.finish(Some(view(decided)), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::new(answer))
    }
}

/// The view of a run.
pub(super) fn view(run: domain::Run) -> Run {
    Run {
        id: run.id.0,
        connection_id: run.connection_id.0,
        kind: run.kind,
        trigger: run.trigger.as_str().to_owned(),
        state: run.state.into(),
        counts: RunCounts {
            listed: run.counts.listed,
            added: run.counts.added,
            changed: run.counts.changed,
            unchanged: run.counts.unchanged,
            rejected: run.counts.rejected,
            repeated: run.counts.repeated,
            removed: run.counts.removed,
        },
        pages: run.pages,
        expected: run.expected,
        code: run.code,
        message: run.message,
        would_remove: None,
        started_at: run.started_at,
        finished_at: run.finished_at,
    }
}
