//! How far the sync of a connection is: once, or as it moves.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{ConnectionId, Context, Permission};
use futures_util::stream::BoxStream;
use poem::web::sse::Event;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::EventStream,
    types::ToJSON,
};
use uuid::Uuid;

use super::{Chapter, runs::RunState};
use crate::{
    app::{App, AppData},
    auth::Caller,
    page::Answer,
    problem::Failure,
    watch::{KEEP_ALIVE, lasting, watched},
};

/// What becomes of a sync
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SyncStanding {
    /// None waits or runs
    Idle,
    /// It is due, and waits for a worker
    Queued,
    /// A worker is at it
    Running,
    /// It waits: for its vendor, or to be tried again
    Waiting,
}

/// Who says how many records are expected
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ExpectedFrom {
    /// The vendor, in this run
    Vendor,
    /// So many were listed when all were listed last
    LastListing,
}

/// How far one kind of record is.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct KindProgress {
    /// Kind of record
    pub kind: String,
    /// Its run; absent: not begun
    pub run_id: Option<Uuid>,
    /// How the run is; absent: not begun
    pub state: Option<RunState>,
    /// Records listed so far
    pub records: i64,
    /// Records expected; absent: unknown
    pub expected: Option<i64>,
    pub expected_from: Option<ExpectedFrom>,
    /// Records per second of the present try; absent: not known yet
    pub records_per_second: Option<f64>,
    /// Began
    pub started_at: Option<DateTime<Utc>>,
    /// Ended
    pub finished_at: Option<DateTime<Utc>>,
}

/// How far the sync of a connection is.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ConnectionProgress {
    /// Connection
    pub connection_id: Uuid,
    pub state: SyncStanding,
    /// Its job, while it waits or runs
    pub job_id: Option<Uuid>,
    /// Until when it waits
    pub waits_until: Option<DateTime<Utc>>,
    /// Why it waits, or what failed before
    pub reason: Option<String>,
    /// Kind of record under way
    pub current_kind: Option<String>,
    /// Records listed so far, of all kinds
    pub records: i64,
    /// When all that is known to remain will be listed, at the present rate; absent: unknown
    pub estimated_end_at: Option<DateTime<Utc>>,
    /// Each kind of record: those of this sync, then those to come
    pub kinds: Vec<KindProgress>,
}

fn view(connection: ConnectionId, progress: sync::Progress) -> ConnectionProgress {
    let kind = |one: sync::KindProgress| KindProgress {
        records: one.records(),
        run_id: one.run.as_ref().map(|run| run.id.0),
        state: one.run.as_ref().map(|run| run.state.into()),
        expected: one.expected.map(|(count, _)| count),
        expected_from: one.expected.map(|(_, from)| match from {
            sync::Expected::Vendor => ExpectedFrom::Vendor,
            sync::Expected::LastListing => ExpectedFrom::LastListing,
        }),
        records_per_second: one.rate.map(|rate| (rate * 100.0).round() / 100.0),
        started_at: one.run.as_ref().map(|run| run.started_at),
        finished_at: one.run.as_ref().and_then(|run| run.finished_at),
        kind: one.kind,
    };
    ConnectionProgress {
        connection_id: connection.0,
        state: match progress.standing {
            sync::Standing::Idle => SyncStanding::Idle,
            sync::Standing::Queued => SyncStanding::Queued,
            sync::Standing::Running => SyncStanding::Running,
            sync::Standing::Waiting => SyncStanding::Waiting,
        },
        job_id: progress.job.as_ref().map(|job| job.id.0),
        waits_until: progress.waits_until,
        reason: match (progress.job.and_then(|job| job.last_error), progress.waits_until) {
            (None, Some(_)) => Some("The vendor asks to wait.".to_owned()),
            (error, _) => error,
        },
        current_kind: progress.kinds.iter().find(|one| one.is_running()).map(|one| one.kind.clone()),
        records: progress.kinds.iter().map(sync::KindProgress::records).sum(),
        estimated_end_at: progress.estimated_end,
        kinds: progress.kinds.into_iter().map(kind).collect(),
    }
}

/// Progress.
pub struct ProgressApi;

#[OpenApi(prefix_path = "/api/connections", tag = "Chapter::Connections")]
impl ProgressApi {
    /// How far the sync of a connection is
    #[oai(path = "/:connection_id/progress", method = "get", operation_id = "connection_progress_get")]
    async fn connection_progress_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
    ) -> Result<Answer<ConnectionProgress>, Failure> {
        let context = caller.context()?;
        Ok(Answer::new(look(&app, &context, ConnectionId(connection_id.0)).await?))
    }

    /// The same as it moves: server-sent events
    ///
    /// An event `progress` now and whenever something moved, and an event `end`, with the same data, when no sync
    /// waits or runs. Then, or when its time is over, the stream ends; ask again to go on.
    #[oai(path = "/:connection_id/events", method = "get", operation_id = "connection_events")]
    async fn connection_events(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        /// Seconds that the stream lasts, 1 to 300; 60 when left out
        seconds: Query<Option<u64>>,
    ) -> Result<EventStream<BoxStream<'static, ConnectionProgress>>, Failure> {
        let lasting = lasting(seconds.0)?;
        let context = caller.context()?;
        let id = ConnectionId(connection_id.0);
        let first = look(&app, &context, id).await?;
        let again = Arc::clone(&app);
        let seen = watched(
            &app,
            first,
            lasting,
            |seen| seen.state == SyncStanding::Idle,
            move || {
                let (app, context) = (Arc::clone(&again), context.clone());
                async move { look(&app, &context, id).await }
            },
        )?;
        let events = EventStream::new(seen).keep_alive(KEEP_ALIVE);
        Ok(events.to_event(|progress| {
            let ended = progress.state == SyncStanding::Idle;
            Event::message(progress.to_json_string()).event_type(if ended { "end" } else { "progress" })
        }))
    }
}

/// Reads how far it is, in a transaction of its own. The caller's rights are those with which they asked: a stream
/// ends soon enough for that.
async fn look(app: &App, context: &Context, id: ConnectionId) -> domain::Result<ConnectionProgress> {
    let context = Context { now: app.store.clock().now(), ..context.clone() };
    let tx = app.read_as(&context, Permission::ConnectionsView).await?;
    let connection = tx.connection(id).await?;
    app.permit_vendor(&context, Permission::ConnectionsView, &connection.integration)?;
    Ok(view(id, sync::progress(&tx, id).await?))
}
