//! The job of a replay: piece by piece, each with its checkpoint in one transaction.

use std::sync::atomic::AtomicUsize;

use domain::{Error, Result, Run, RunState};
use integration::RecordKind;
use persistence::{ClaimedJob, JobOutcome, Tx};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    PIECE, Payload, ReplayKind, kept, progress,
    read::{Entities, Today, Verdict},
    total, wanted,
};
use crate::{Ended, Engine, job::FAILURES, trouble, words};

/// How many reasons of unreadable records are kept.
const SAMPLES: usize = 20;

/// Where a replay is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    /// Kinds that ended, and the one under way.
    kinds: Vec<ReplayKind>,
    /// How many of them ended.
    done: usize,
    /// The last record of the one under way.
    after: Option<Uuid>,
    /// Why records could not be read.
    reasons: Vec<String>,
}

impl Engine {
    /// Reads what is kept of a connection again, and writes what differs.
    pub(crate) async fn replay(&self, claimed: &ClaimedJob, stop: &CancellationToken) -> Ended {
        match self.replay_work(claimed, stop).await {
            Ok(ended) => ended,
            Err(Error::Conflict { code: "lease_lost", .. }) => Ended::Lost,
            Err(Error::NotFound { what }) => {
                tracing::info!(job = %claimed.id, what, "what was to be replayed was deleted in the meantime");
                Ended::Finish(JobOutcome::Done)
            }
            Err(error) => {
                tracing::error!(job = %claimed.id, ?error, "a replay failed on our side");
                let now = self.store.clock().now();
                let at = trouble::try_again_at(now, None, claimed.attempt.min(FAILURES), self.store.chance().as_ref());
                Ended::Finish(JobOutcome::Retry(at, error.to_string()))
            }
        }
    }

    async fn replay_work(&self, claimed: &ClaimedJob, stop: &CancellationToken) -> Result<Ended> {
        let Ok(payload) = serde_json::from_str::<Payload>(&claimed.payload) else {
            return Ok(Ended::Finish(JobOutcome::Failed("the job's payload is of another version".to_owned())));
        };
        let id = payload.connection_id;
        let tx = self.fenced(claimed).await?;
        let connection = tx.connection(id).await?;
        let mut run = tx.run(payload.run_id).await?;
        if run.state != RunState::Running {
            return Ok(Ended::Finish(JobOutcome::Done));
        }
        let crashes = AtomicUsize::new(0);
        let entities = Entities::new(tx.entities_listed(id).await?);
        let connector = match tx.connection_credentials(id).await {
            Ok(credentials) => self.reader(&connection, &credentials),
            Err(error) => Err(error),
        };
        let connector = match connector {
            Ok(connector) => connector,
            // Disconnected since: a person must reconnect it, and replay then.
            Err(Error::Conflict { message, .. }) => {
                end(&tx, &run, RunState::Failed, Some(&message)).await?;
                tx.commit_unjournalled().await?;
                return Ok(Ended::Finish(JobOutcome::Failed(message)));
            }
            Err(error) => return Err(error),
        };
        let vendor = self.entry(&connection.integration)?;
        let listings = wanted(connector.as_ref(), payload.kinds.as_deref());
        let text = run.checkpoint.as_deref();
        let mut place: Place = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        if place.kinds.is_empty() {
            for listing in &listings {
                place.kinds.push(ReplayKind::of(listing.kind(), total(&tx, id, listing.kind()).await?));
            }
            run.expected = Some(place.kinds.iter().map(|kind| kind.total).sum());
        }
        tx.rollback().await?;
        while place.done < place.kinds.len() {
            let kind = place.kinds[place.done].kind.clone();
            let Some(listing) = listings.iter().find(|listing| listing.kind().as_str() == kind) else {
                // Of a version that could list it.
                place.done += 1;
                continue;
            };
            let today =
                Today { connection: id, vendor, listing: listing.as_ref(), entities: &entities, crashes: &crashes };
            if stop.is_cancelled() {
                return Ok(Ended::Later(self.store.clock().now()));
            }
            self.replay_piece(claimed, &today, &mut place, &mut run).await?;
        }
        let tx = self.fenced(claimed).await?;
        if run.counts.changed > 0 {
            tx.counts_refresh(id).await?;
        }
        let unreadable = (run.counts.rejected > 0).then(|| {
            let reasons = place.reasons.join("; ");
            format!("{} records cannot be read today and stay as they are: {reasons}.", run.counts.rejected)
        });
        run.code = unreadable.is_some().then(|| words::REJECTED.to_owned());
        let ended = end(&tx, &run, RunState::Complete, unreadable.as_deref()).await?;
        if ended.counts.changed > 0 {
            tx.note_run(None, &ended);
        }
        tx.commit("replay_run", ended.code.as_deref()).await?;
        tracing::info!(
            connection = %id, looked = run.counts.listed, changed = run.counts.changed,
            rejected = run.counts.rejected, "a replay ended"
        );
        Ok(Ended::Finish(JobOutcome::Done))
    }

    /// Reads and writes one piece; what was written meanwhile by others is not overwritten, because the rows are
    /// locked before they are read.
    async fn replay_piece(
        &self,
        claimed: &ClaimedJob,
        today: &Today<'_>,
        place: &mut Place,
        run: &mut Run,
    ) -> Result<()> {
        let kind = today.listing.kind();
        let tx = self.begin(claimed.organisation, &format!("job {}", claimed.id)).await?;
        tx.job_further(claimed).await?;
        let piece = kept(&tx, today.connection, kind, place.after).await?;
        let last = (piece.len() as u64) < PIECE;
        place.after = piece.last().map(|row| row.id.0).filter(|_| !last);
        let counts = &mut place.kinds[place.done];
        let mut writes = Vec::new();
        for row in piece {
            let verdict = today.read(&row);
            counts.count(&verdict);
            run.counts.listed += 1;
            match verdict {
                Verdict::Same => run.counts.unchanged += 1,
                Verdict::Changed(fresh) => {
                    run.counts.changed += 1;
                    writes.push(today.write(row, *fresh, run.id));
                }
                Verdict::Unreadable(why) => {
                    run.counts.rejected += 1;
                    let why: String = why.chars().take(200).collect();
                    if place.reasons.len() < SAMPLES && !place.reasons.contains(&why) {
                        place.reasons.push(why);
                    }
                }
            }
        }
        match kind {
            RecordKind::Entity => tx.entities_write(today.vendor.id, today.vendor.entity_kind, &writes).await?,
            _ => tx.records_write(writes).await?,
        }
        place.done += usize::from(last);
        run.pages += 1;
        run.checkpoint = Some(serde_json::to_string(place).map_err(Error::internal)?);
        tx.run_progress(run.id, &progress(run)).await?;
        tx.commit_unjournalled().await
    }

    async fn fenced(&self, claimed: &ClaimedJob) -> Result<Tx> {
        let tx = self.begin(claimed.organisation, &format!("job {}", claimed.id)).await?;
        tx.job_fence(claimed).await?;
        Ok(tx)
    }

    /// A replay was given up because it failed on our side each time.
    pub(crate) async fn replay_abandon(&self, claimed: &ClaimedJob, why: &str) -> Result<()> {
        let Ok(payload) = serde_json::from_str::<Payload>(&claimed.payload) else { return Ok(()) };
        let tx = self.fenced(claimed).await?;
        let run = tx.run(payload.run_id).await?;
        if run.state == RunState::Running {
            end(&tx, &run, RunState::Failed, Some(&format!("The replay was given up: {why}"))).await?;
        }
        tx.commit_unjournalled().await
    }
}

/// Ends a run.
pub(super) async fn end(tx: &Tx, run: &Run, state: RunState, message: Option<&str>) -> Result<Run> {
    let ended = Run { state, message: message.map(str::to_owned), finished_at: Some(tx.now()), ..run.clone() };
    tx.run_progress(run.id, &progress(&ended)).await?;
    Ok(ended)
}
