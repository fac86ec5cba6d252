//! How far a bulk operation is, as it moves.

use std::sync::Arc;

use bulk::bulk_get;
use chrono::{DateTime, Utc};
use domain::{BulkOperationId, Context, Permission};
use futures_util::stream::BoxStream;
use poem::web::sse::Event;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::EventStream,
    types::ToJSON,
};
use uuid::Uuid;

use super::{Chapter, bulk_shapes::BulkStanding};
use crate::{
    app::{App, AppData},
    auth::Caller,
    problem::Failure,
    watch::{KEEP_ALIVE, lasting, watched},
};

/// How far a bulk operation is.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct BulkProgress {
    /// Bulk operation
    pub bulk_operation_id: Uuid,
    pub state: BulkStanding,
    /// Clients it was asked for
    pub total: i64,
    /// Of them, those that were already so
    pub unchanged: i64,
    /// Done so far
    pub done: i64,
    /// Refused so far
    pub refused: i64,
    /// Those whose turn has not come
    pub left: i64,
    /// When it ended
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it expired or failed
    pub message: Option<String>,
    /// An entry of its change set in the journal: reverting it reverts all of them
    pub entry_id: Option<Uuid>,
    /// Whether it is over
    pub over: bool,
}

/// Progress of bulk operations.
pub struct BulkProgressApi;

#[OpenApi(prefix_path = "/api/bulk-operations", tag = "Chapter::Clients")]
impl BulkProgressApi {
    /// How far a bulk operation is, as it moves: server-sent events
    ///
    /// An event `progress` now and whenever something moved, and an event `end`, with the same data, when the operation is
    /// over. Then, or when its time is over, the stream ends; ask again to go on. One that waits for its approval is
    /// watched too.
    #[oai(path = "/:bulk_operation_id/events", method = "get", operation_id = "bulk_events")]
    async fn bulk_events(
        &self,
        app: AppData<'_>,
        caller: Caller,
        bulk_operation_id: Path<Uuid>,
        /// Seconds that the stream lasts, 1 to 300; 60 when left out
        seconds: Query<Option<u64>>,
    ) -> Result<EventStream<BoxStream<'static, BulkProgress>>, Failure> {
        let lasting = lasting(seconds.0)?;
        let context = caller.context()?;
        let id = BulkOperationId(bulk_operation_id.0);
        let first = look(&app, &context, id).await?;
        let again = Arc::clone(&app);
        let seen = watched(
            &app,
            first,
            lasting,
            |seen| seen.over,
            move || {
                let (app, context) = (Arc::clone(&again), context.clone());
                async move { look(&app, &context, id).await }
            },
        )?;
        let events = EventStream::new(seen).keep_alive(KEEP_ALIVE);
        Ok(events.to_event(|progress| {
            Event::message(progress.to_json_string()).event_type(if progress.over { "end" } else { "progress" })
        }))
    }
}

/// Reads how far it is, in a transaction of its own. The caller's rights are those with which they asked: a stream
/// ends soon enough for that.
async fn look(app: &App, context: &Context, id: BulkOperationId) -> domain::Result<BulkProgress> {
    let context = Context { now: app.store.clock().now(), ..context.clone() };
    let tx = app.read_as(&context, Permission::ClientsView).await?;
    let operation = bulk_get(&tx, id).await?;
    Ok(BulkProgress {
        bulk_operation_id: operation.id.0,
        state: operation.state.into(),
        total: operation.total,
        unchanged: operation.unchanged,
        done: operation.done,
        refused: operation.refused,
        left: operation.left(),
        finished_at: operation.finished_at,
        over: operation.state.is_over(),
        message: operation.message,
        entry_id: operation.entry_id.map(|entry| entry.0),
    })
}
