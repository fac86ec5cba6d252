//! Replay: what vendors said is kept, and read again by today's connector without asking them. A mistake in how it was
//! read is mended so, for records that are listed; what is no longer listed is read anew if it comes back.
//!
//! What a connector could not read was never stored, so a replay cannot make it readable: the next sync does.
//!
//! * `read.rs` compares one record with what it would be today; `work.rs` is the job that writes it, in pieces.
//! * Here: the preview, and putting the job on the queue. It has the key of a sync: never do two write one connection.

mod read;
mod work;

use std::sync::{Arc, atomic::AtomicUsize};

use async_trait::async_trait;
use domain::{Connection, ConnectionId, Context, Error, Result, Run, RunId, RunState, Timestamp, Trigger};
use integration::{Connector, Kind, Listing, RecordKind, Request, Response, Transport};
use persistence::{Kept, NewJob, RunProgress, RunStart, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use read::{Difference, FieldChange};

use crate::{Engine, job::ATTEMPTS, sync_key};
use read::{Entities, Today, Verdict};

/// Kind of the jobs, and of the runs.
pub(crate) const KIND: &str = "replay";
/// Records read, and written, at once.
const PIECE: u64 = 500;
/// Records of one kind that a preview looks at.
const LOOKED: i64 = 2_000;
/// Differences that a preview shows.
const SHOWN: usize = 100;

/// What the job is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub connection_id: ConnectionId,
    pub run_id: RunId,
    /// `None` is all.
    pub kinds: Option<Vec<RecordKind>>,
}

/// What a replay would do to one kind of record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayKind {
    /// Kind.
    pub kind: String,
    /// Records that are listed.
    pub total: i64,
    /// Of them, those that were looked at.
    pub looked: i64,
    /// Would be read otherwise.
    pub changed: i64,
    /// Would be read as they are.
    pub unchanged: i64,
    /// Could not be read today: they stay as they are.
    pub unreadable: i64,
}

impl ReplayKind {
    fn of(kind: RecordKind, total: i64) -> Self {
        Self { kind: kind.as_str().to_owned(), total, looked: 0, changed: 0, unchanged: 0, unreadable: 0 }
    }

    fn count(&mut self, verdict: &Verdict) {
        self.looked += 1;
        match verdict {
            Verdict::Same => self.unchanged += 1,
            Verdict::Changed(_) => self.changed += 1,
            Verdict::Unreadable(_) => self.unreadable += 1,
        }
    }
}

/// What a replay would do: all of a small connection, the first 2,000 records of each kind of a large one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayDiff {
    /// By kind, in the order in which they are synced.
    pub kinds: Vec<ReplayKind>,
    /// The first 100 that differ.
    pub differences: Vec<Difference>,
    /// SHA-256 over what every record looked at would become, hex.
    pub digest: String,
}

/// Sends nothing: what is read again was said already.
struct Deaf(Timestamp);

#[async_trait]
impl Transport for Deaf {
    async fn send(&self, _: Request) -> integration::Result<Response> {
        Err(integration::Error::new(Kind::Refused, "a replay asks the vendor nothing"))
    }
    fn now(&self) -> Timestamp {
        self.0
    }
}

impl Engine {
    /// What reading everything of a connection again would change; asks the vendor nothing, writes nothing.
    pub async fn replay_preview(
        &self,
        context: &Context,
        id: ConnectionId,
        kinds: Option<&[RecordKind]>,
    ) -> Result<ReplayDiff> {
        let tx = self.store.read(context.clone()).await?;
        let connection = tx.connection(id).await?;
        let credentials = tx.connection_credentials(id).await?;
        let vendor = self.entry(&connection.integration)?;
        let connector = self.reader(&connection, &credentials)?;
        let crashes = AtomicUsize::new(0);
        let entities = Entities::new(tx.entities_listed(id).await?);
        let mut diff = ReplayDiff::default();
        let mut hasher = Sha256::new();
        for listing in wanted(connector.as_ref(), kinds) {
            let kind = listing.kind();
            let today =
                Today { connection: id, vendor, listing: listing.as_ref(), entities: &entities, crashes: &crashes };
            let mut counts = ReplayKind::of(kind, total(&tx, id, kind).await?);
            let mut after = None;
            while counts.looked < LOOKED {
                let piece = kept(&tx, id, kind, after).await?;
                after = piece.last().map(|row| row.id.0);
                for row in &piece {
                    let verdict = today.read(row);
                    counts.count(&verdict);
                    verdict.digest(row.id, &mut hasher);
                    if diff.differences.len() < SHOWN {
                        diff.differences.extend(today.difference(row, &verdict));
                    }
                }
                if (piece.len() as u64) < PIECE {
                    break;
                }
            }
            diff.kinds.push(counts);
        }
        diff.digest = hex::encode(hasher.finalize());
        tx.rollback().await?;
        Ok(diff)
    }

    /// The connector of a connection, unable to ask its vendor anything.
    fn reader(&self, connection: &Connection, credentials: &Value) -> Result<Box<dyn Connector>> {
        let entry = self.entry(&connection.integration)?;
        let none = Map::new();
        let values = credentials.as_object().unwrap_or(&none);
        entry.connect(values, Arc::new(Deaf(self.store.clock().now()))).map_err(|_| {
            let message = format!("The stored credentials of {} do not fit this version: reconnect it.", entry.name);
            Error::conflict("credentials_of_another_version", message)
        })
    }
}

/// Notes for the journal what a replay of a connection would do, as far as its preview looked.
pub fn replay_note(tx: &Tx, connection: ConnectionId, diff: &ReplayDiff) {
    tx.note_replay(connection, json!({ "kinds": diff.kinds, "digest": diff.digest }));
}

/// Starts a replay. Refused while a sync of the connection waits or runs.
pub async fn replay_start(tx: &Tx, connection: ConnectionId, kinds: Option<Vec<RecordKind>>) -> Result<Run> {
    let connection = tx.connection(connection).await?.id;
    let key = sync_key(connection);
    let pending = || {
        let message = "A sync or a replay of this connection waits or runs: replay when it has ended.";
        Err(Error::conflict("sync_pending", message))
    };
    if tx.job_pending(&key).await?.is_some() {
        return pending();
    }
    // Left by a worker that never came back.
    if let Some(left) = tx.run_unfinished(connection, KIND).await? {
        work::end(tx, &left, RunState::Failed, Some("It was interrupted and never gone on with.")).await?;
    }
    let start =
        RunStart { id: tx.new_id(), connection_id: connection, kind: KIND.to_owned(), trigger: Trigger::Manual };
    tx.run_start(&start).await?;
    let payload = Payload { connection_id: connection, run_id: start.id, kinds };
    let job = NewJob {
        kind: KIND.to_owned(),
        payload: serde_json::to_string(&payload).map_err(Error::internal)?,
        unique_key: key,
        priority: 10,
        run_at: tx.now(),
        max_attempts: ATTEMPTS,
    };
    if !tx.job_enqueue(&job).await? {
        return pending();
    }
    tx.run(start.id).await
}

/// The listings to be read again.
fn wanted<'c>(connector: &'c dyn Connector, kinds: Option<&[RecordKind]>) -> Vec<Box<dyn Listing + 'c>> {
    let listings = connector.listings().into_iter();
    listings.filter(|listing| kinds.is_none_or(|kinds| kinds.contains(&listing.kind()))).collect()
}

async fn kept(tx: &Tx, connection: ConnectionId, kind: RecordKind, after: Option<Uuid>) -> Result<Vec<Kept>> {
    match kind {
        RecordKind::Entity => tx.entities_kept(connection, after, PIECE).await,
        kind => tx.records_kept(connection, kind.as_str(), after, PIECE).await,
    }
}

async fn total(tx: &Tx, connection: ConnectionId, kind: RecordKind) -> Result<i64> {
    match kind {
        RecordKind::Entity => Ok(crate::run::count(tx.entities_listed(connection).await?.len())),
        kind => tx.records_count(connection, kind.as_str()).await,
    }
}

/// Everything of a run that its end does not change.
fn progress(run: &Run) -> RunProgress {
    RunProgress {
        state: run.state,
        counts: run.counts,
        pages: run.pages,
        expected: run.expected,
        checkpoint: run.checkpoint.clone(),
        code: run.code.clone(),
        message: run.message.clone(),
        finished_at: run.finished_at,
    }
}
