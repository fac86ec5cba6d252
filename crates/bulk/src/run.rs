//! The job of a bulk operation. Each chunk is one transaction: its clients, what became of them, how far the operation
//! is, and its journal entry. After a crash at any instant the next try goes on with those whose turn has not come.

use access::starter_context;
use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{Actor, BulkItemState, BulkOperation, BulkOperationId, BulkState, ClientId, Context, Error, Result};
use integration::Entry;
use persistence::{BulkItem, ClaimedJob, JobOutcome, Store, Tx};
use sync::{Chore, Ended};
use tokio_util::sync::CancellationToken;

use crate::{
    KIND,
    apply::apply,
    plan::{Fate, Line, permitted, plan},
};

/// How often it may fail with a reason before it is given up.
const FAILURES: i32 = 5;

/// Does bulk operations. Cheap to clone.
#[derive(Clone)]
pub struct BulkChore {
    store: Store,
    entries: &'static [Entry],
}

/// What a chunk came to.
enum Step {
    /// There may be more.
    More,
    /// It is over.
    Over,
    /// One of several was refused by a rule that the plan does not know: they are to be done one by one.
    Apart,
}

impl BulkChore {
    /// Over a store, with the vendors of this build.
    pub fn new(store: Store, entries: &'static [Entry]) -> Self {
        Self { store, entries }
    }

    async fn run(&self, job: &ClaimedJob, stop: &CancellationToken) -> Result<Ended> {
        let Some(id) = operation_of(&job.payload) else {
            return Ok(Ended::Finish(JobOutcome::Failed("the job's payload is of another version".to_owned())));
        };
        // How many more are done one by one.
        let mut alone = 0_usize;
        loop {
            if stop.is_cancelled() {
                return Ok(Ended::Later(self.store.clock().now()));
            }
            match self.chunk(job, id, alone > 0).await? {
                Step::More => alone = alone.saturating_sub(1),
                Step::Over => return Ok(Ended::Finish(JobOutcome::Done)),
                Step::Apart => alone = 500,
            }
        }
    }

    /// One chunk, in one transaction of whoever started the operation, as their rights are now.
    async fn chunk(&self, job: &ClaimedJob, id: BulkOperationId, alone: bool) -> Result<Step> {
        let now = self.store.clock().now();
        let request = format!("bulk {id}");
        let look = self.store.read(Context::worker(job.organisation, now, request.clone())).await?;
        let operation = look.bulk_operation(id).await?;
        if operation.state.is_over() {
            return Ok(Step::Over);
        }
        let actor: Actor = serde_json::from_str(&operation.actor).map_err(Error::internal)?;
        let starter = starter_context(&look, actor, &request).await?;
        drop(look);
        let Some(starter) = starter else {
            return self.end(job, id, BulkState::Failed, Some("Whoever started it may do nothing any more.")).await;
        };
        let tx = self.store.begin(starter).await?.in_change_set(id);
        // Nobody can take the job over until this chunk is written; with it the job gets further.
        tx.job_further(job).await?;
        let before = tx.bulk_operation(id).await?;
        if before.state.is_over() {
            return Ok(Step::Over);
        }
        match permitted(&tx, self.entries, &before.action).await {
            Ok(()) => {}
            Err(Error::Forbidden { .. } | Error::NotFound { .. }) => {
                tx.rollback().await?;
                return self
                    .end(job, id, BulkState::Failed, Some("Whoever started it may not do this any more."))
                    .await;
            }
            Err(other) => return Err(other),
        }
        let size = if alone { 1 } else { before.action.chunk() };
        let items = tx.bulk_items_waiting(id, None, size).await?;
        if items.is_empty() {
            tx.rollback().await?;
            return self.end(job, id, BulkState::Done, None).await;
        }
        match self.settle(&tx, &before, &items).await {
            Ok((settled, done, refused)) => {
                tx.bulk_items_settle(id, settled).await?;
                let entry = tx.journal_note(before.action.journal_action(), before.reason.as_deref()).await?;
                let after = BulkOperation {
                    state: BulkState::Running,
                    done: before.done + done,
                    refused: before.refused + refused,
                    entry_id: entry.or(before.entry_id),
                    ..before
                };
                tx.bulk_progress(&after).await?;
                tx.commit_noted().await?;
                Ok(Step::More)
            }
            Err(error) => match refusal(&error) {
                None => Err(error),
                Some(_) if items.len() > 1 => {
                    tx.rollback().await?;
                    Ok(Step::Apart)
                }
                Some((code, message)) => {
                    tx.rollback().await?;
                    self.refuse(job, id, items, &code, &message).await
                }
            },
        }
    }

    /// Works out anew what becomes of these clients, does what is as it was planned, and says what became of each.
    async fn settle(
        &self,
        tx: &Tx,
        operation: &BulkOperation,
        items: &[BulkItem],
    ) -> Result<(Vec<BulkItem>, i64, i64)> {
        let ids: Vec<ClientId> = items.iter().map(|item| item.client_id).collect();
        let planned = plan(tx, self.entries, &operation.action, &ids).await?;
        let settled: Vec<BulkItem> = planned.lines.iter().zip(items).map(|(line, item)| settled(line, item)).collect();
        let doing = planned
            .lines
            .iter()
            .zip(&settled)
            .filter(|(line, item)| item.state == BulkItemState::Done && matches!(line.fate, Fate::Changes { .. }));
        let doing: Vec<ClientId> = doing.map(|(line, _)| line.client_id).collect();
        apply(tx, self.entries, &operation.action, &planned, &doing).await?;
        let of = |state: BulkItemState| settled.iter().filter(|item| item.state == state).count() as i64;
        let (done, refused) = (of(BulkItemState::Done), of(BulkItemState::Refused));
        Ok((settled, done, refused))
    }

    /// Notes that a client was refused by a rule that the plan does not know.
    async fn refuse(
        &self,
        job: &ClaimedJob,
        id: BulkOperationId,
        items: Vec<BulkItem>,
        code: &str,
        message: &str,
    ) -> Result<Step> {
        let now = self.store.clock().now();
        let tx = self.store.begin(Context::worker(job.organisation, now, format!("bulk {id}"))).await?;
        tx.job_further(job).await?;
        let before = tx.bulk_operation(id).await?;
        if before.state.is_over() {
            return Ok(Step::Over);
        }
        let refused = items.len() as i64;
        let refused_item = |item: BulkItem| BulkItem {
            state: BulkItemState::Refused,
            code: Some(code.to_owned()),
            message: Some(message.to_owned()),
            ..item
        };
        tx.bulk_items_settle(id, items.into_iter().map(refused_item).collect()).await?;
        let after = BulkOperation { state: BulkState::Running, refused: before.refused + refused, ..before };
        tx.bulk_progress(&after).await?;
        tx.commit_unjournalled().await?;
        Ok(Step::More)
    }

    /// Ends an operation: all of it is done, or it cannot go on. Its entry is not of the change set, which is about
    /// clients.
    async fn end(&self, job: &ClaimedJob, id: BulkOperationId, state: BulkState, why: Option<&str>) -> Result<Step> {
        let now = self.store.clock().now();
        let tx = self.store.begin(Context::worker(job.organisation, now, format!("bulk {id}"))).await?;
        tx.job_fence(job).await?;
        let before = tx.bulk_operation(id).await?;
        if !before.state.is_over() {
            let message = why.map(str::to_owned);
            let after = BulkOperation { state, message, finished_at: Some(tx.now()), ..before.clone() };
            tx.bulk_update(&before, after).await?;
        }
        tx.commit("bulk_end", why).await?;
        Ok(Step::Over)
    }
}

/// What became of a client: done only if it is still what was planned for it.
fn settled(line: &Line, item: &BulkItem) -> BulkItem {
    let refused = |code: &str, message: &str| BulkItem {
        state: BulkItemState::Refused,
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        ..item.clone()
    };
    match &line.fate {
        // Somebody else did it meanwhile: it is as it was to be.
        Fate::Same => BulkItem { state: BulkItemState::Done, ..item.clone() },
        Fate::Changes { .. } if line.trace() == item.planned => BulkItem { state: BulkItemState::Done, ..item.clone() },
        Fate::Changes { .. } => refused("moved", "It changed since the preview: it was left alone."),
        Fate::Refused { code, message } => refused(code, message),
    }
}

/// What of an error is a rule's answer about one client; `None` for what is ours, the store's or the whole job's.
fn refusal(error: &Error) -> Option<(String, String)> {
    match error {
        Error::Conflict { code: "lease_lost", .. } => None,
        Error::Conflict { code, message } => Some(((*code).to_owned(), message.clone())),
        Error::Invalid(_) => Some(("invalid".to_owned(), error.to_string())),
        Error::NotFound { .. } => Some(("not_found".to_owned(), error.to_string())),
        Error::Forbidden { .. } => Some(("forbidden".to_owned(), error.to_string())),
        _ => None,
    }
}

fn operation_of(payload: &str) -> Option<BulkOperationId> {
    let payload: serde_json::Value = serde_json::from_str(payload).ok()?;
    payload["operation_id"].as_str()?.parse().ok()
}

#[async_trait]
impl Chore for BulkChore {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn work(&self, job: &ClaimedJob, stop: &CancellationToken) -> Ended {
        match self.run(job, stop).await {
            Ok(ended) => ended,
            Err(Error::Conflict { code: "lease_lost", message }) => {
                tracing::warn!(job = %job.id, message, "a bulk operation was taken over by another worker");
                Ended::Lost
            }
            Err(Error::NotFound { what }) => {
                tracing::info!(job = %job.id, what, "what a bulk operation was about is gone");
                Ended::Finish(JobOutcome::Done)
            }
            Err(error) => {
                tracing::error!(job = %job.id, ?error, "a bulk operation failed on our side");
                let why = error.to_string();
                if job.attempt >= FAILURES
                    && let Some(id) = operation_of(&job.payload)
                    && let Err(error) =
                        self.end(job, id, BulkState::Failed, Some(&format!("It was given up: {why}"))).await
                {
                    tracing::error!(job = %job.id, ?error, "a bulk operation could not be given up");
                }
                let at = self.store.clock().now() + TimeDelta::seconds(5 * i64::from(job.attempt.max(1)));
                Ended::Finish(JobOutcome::Retry(at, why))
            }
        }
    }
}
