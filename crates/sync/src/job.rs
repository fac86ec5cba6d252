//! A sync job: every listing of one connection, one run each.

use std::collections::HashSet;

use domain::{
    Connection, ConnectionId, ConnectionState, Counts, Error, PsaDirection, Result, RunId, RunState, TENANT, Trigger,
};
use integration::{Kind, Listing, RecordKind};
use persistence::{ClaimedJob, JobOutcome, Tx};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    Engine,
    checkpoint::Checkpoint,
    replay,
    run::KindRun,
    trouble::{self, Halt, vendor_code},
    words,
};

/// Kind of the jobs of this file.
pub(crate) const KIND: &str = "sync";

/// How often a sync is begun before it is given up as one that kills its worker. A try that got further does
/// not count.
pub(crate) const ATTEMPTS: i32 = 12;

/// How often it may fail with a reason before it is given up.
pub(crate) const FAILURES: i32 = 5;

/// What a sync job is told. Everything else is read fresh.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SyncPayload {
    /// Which connection.
    pub connection_id: ConnectionId,
    /// What started it.
    pub trigger: Trigger,
    /// Which kinds of record; `None` is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<RecordKind>>,
    /// A held run whose objection a person overrules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<RunId>,
}

/// How a job ended, for the worker.
#[derive(Clone, Debug)]
pub enum Ended {
    /// To be written to the queue.
    Finish(JobOutcome),
    /// To go on at this time; the try does not count, because it got further or was told to stop.
    Later(domain::Timestamp),
    /// The same, for a reason that is to be seen meanwhile.
    Delayed(domain::Timestamp, String),
    /// Another worker has it: nothing is to be written.
    Lost,
}

/// Everything that the parts of one job share.
pub(crate) struct Job<'a> {
    pub engine: &'a Engine,
    pub claimed: &'a ClaimedJob,
    pub stop: &'a CancellationToken,
    pub payload: SyncPayload,
    pub connection: Connection,
    pub vendor: &'static integration::Entry,
}

impl Job<'_> {
    /// A transaction that fails unless the lease holds, and during which nobody can take the job over.
    pub async fn begin(&self) -> Result<Tx> {
        let tx = self.engine.begin(self.claimed.organisation, &format!("job {}", self.claimed.id)).await?;
        tx.job_fence(self.claimed).await?;
        Ok(tx)
    }

    /// The same for a page: with it the job gets further.
    pub async fn begin_page(&self) -> Result<Tx> {
        let tx = self.engine.begin(self.claimed.organisation, &format!("job {}", self.claimed.id)).await?;
        tx.job_further(self.claimed).await?;
        Ok(tx)
    }
}

impl Engine {
    /// Syncs a connection: goes on with what an earlier try began, and leaves alone what it ended.
    pub async fn sync_connection(&self, claimed: &ClaimedJob, stop: &CancellationToken) -> Ended {
        match self.sync(claimed, stop).await {
            Ok(ended) => ended,
            Err(Error::Conflict { code: "lease_lost", message }) => {
                tracing::warn!(job = %claimed.id, message, "a sync was taken over by another worker");
                Ended::Lost
            }
            Err(Error::NotFound { what }) => {
                tracing::info!(job = %claimed.id, what, "what was to be synced was deleted in the meantime");
                Ended::Finish(JobOutcome::Done)
            }
            Err(error) => {
                let now = self.store.clock().now();
                tracing::error!(job = %claimed.id, ?error, "a sync failed on our side");
                let wait = std::time::Duration::from_secs(5 * u64::from(claimed.attempt.unsigned_abs()));
                let at = trouble::try_again_at(now, Some(wait), claimed.attempt, self.store.chance().as_ref());
                Ended::Finish(JobOutcome::Retry(at, error.to_string()))
            }
        }
    }

    async fn sync(&self, claimed: &ClaimedJob, stop: &CancellationToken) -> Result<Ended> {
        let failed = |why: String| Ok(Ended::Finish(JobOutcome::Failed(why)));
        let Ok(payload) = serde_json::from_str::<SyncPayload>(&claimed.payload) else {
            return failed("the job's payload is of another version".to_owned());
        };
        let tx = self.begin(claimed.organisation, &format!("job {}", claimed.id)).await?;
        tx.job_fence(claimed).await?;
        let connection = tx.connection(payload.connection_id).await?;
        if !connection.state.syncs() {
            return Ok(Ended::Finish(JobOutcome::Done));
        }
        let credentials = tx.connection_credentials(connection.id).await;
        let ended = tx.runs_begun_by(connection.id, &Checkpoint::beginning(claimed.id)).await?;
        tx.rollback().await?;
        let Ok(vendor) = self.entry(&connection.integration) else {
            return failed(format!("this version has no integration {}", connection.integration));
        };
        let job = Job { engine: self, claimed, stop, payload, connection, vendor };
        let connector = match credentials {
            Ok(credentials) => self.connect(claimed.organisation, &job.connection, &credentials, false),
            Err(Error::Conflict { message, .. }) => Err(integration::Error::new(Kind::Credentials, message)),
            Err(error) => return Err(error),
        };
        let connector = match connector {
            Ok(connector) => connector,
            Err(error) => return job.reauthorise(&error).await,
        };
        let wanted = |kind: RecordKind| job.payload.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        let listings: Vec<_> = connector.listings().into_iter().filter(|listing| wanted(listing.kind())).collect();
        job.listings(&listings, ended).await
    }
}

impl Engine {
    /// A sync was given up because it failed on our side each time: the connection must not look healthy.
    pub(crate) async fn abandon(&self, claimed: &ClaimedJob, why: &str) -> Result<()> {
        if claimed.kind == replay::KIND {
            return self.replay_abandon(claimed, why).await;
        }
        let Ok(payload) = serde_json::from_str::<SyncPayload>(&claimed.payload) else { return Ok(()) };
        let tx = self.begin(claimed.organisation, &format!("job {}", claimed.id)).await?;
        tx.job_fence(claimed).await?;
        let before = tx.connection(payload.connection_id).await?;
        if before.state.syncs() {
            let after = Connection {
                state: ConnectionState::Degraded,
                state_reason: Some(format!("The last sync was given up: {why}")),
                ..before.clone()
            };
            tx.connection_update(&before, after).await?;
        }
        tx.commit("connection_state_change", Some("given_up")).await.map(drop)
    }
}

/// What became of the listings of a job.
#[derive(Default)]
struct Tally {
    states: Vec<RunState>,
    changed: bool,
    /// An error that may pass, and whether the try got further despite it.
    later: Option<integration::Error>,
    further: bool,
}

impl Tally {
    fn add(&mut self, state: RunState, counts: &Counts) {
        self.states.push(state);
        self.changed |= counts.added + counts.changed + counts.removed > 0;
    }
}

impl Job<'_> {
    async fn listings(&self, listings: &[Box<dyn Listing + '_>], ended: Vec<domain::Run>) -> Result<Ended> {
        let mut tally = Tally::default();
        for listing in listings {
            let kind = listing.kind().as_str();
            if let Some(run) = ended.iter().find(|run| run.kind == kind && run.state != RunState::Running) {
                tally.add(run.state, &run.counts);
                continue;
            }
            let Some(mut run) = KindRun::begin(self, listing.as_ref()).await? else {
                return Ok(Ended::Finish(JobOutcome::Done));
            };
            let outcome = run.walk().await;
            tally.further |= run.further();
            match outcome {
                Ok(()) => {
                    let run = run.finish().await?;
                    tally.add(run.state, &run.counts);
                }
                Err(Halt::Stopped) => return Ok(Ended::Later(self.engine.store.clock().now())),
                Err(Halt::Store(error)) => return Err(error),
                Err(Halt::Vendor(error)) => {
                    tracing::warn!(connection = %self.connection.id, kind, %error, "a vendor failed a sync");
                    if trouble::passes(&error) && (run.further() || self.claimed.attempt < FAILURES) {
                        let again = tally.later.is_some();
                        let throttled = error.kind == Kind::Throttled;
                        tally.later.get_or_insert(error);
                        // The others may work where this one fails; a vendor that is down is left alone.
                        if throttled || again || listing.kind() == RecordKind::Entity {
                            break;
                        }
                        continue;
                    }
                    let credentials = error.kind == Kind::Credentials;
                    let run = run.fail(&error).await?;
                    tally.add(run.state, &run.counts);
                    if credentials {
                        self.settle_counts(&tally).await?;
                        return self.reauthorise(&error).await;
                    }
                }
            }
        }
        if let Some(error) = tally.later.take() {
            self.settle_counts(&tally).await?;
            let (now, chance) = (self.engine.store.clock().now(), self.engine.store.chance());
            if tally.further {
                let at = trouble::try_again(&error, now, 1, chance.as_ref());
                return Ok(Ended::Delayed(at, error.to_string()));
            }
            let at = trouble::try_again(&error, now, self.claimed.attempt, chance.as_ref());
            return Ok(Ended::Finish(JobOutcome::Retry(at, error.to_string())));
        }
        self.conclude(&tally, listings).await?;
        Ok(Ended::Finish(JobOutcome::Done))
    }

    /// Joins the devices anew whose observations changed, a few clients at a time, and counts what the runs changed.
    async fn settle_counts(&self, tally: &Tally) -> Result<()> {
        // Also without a change: an earlier try may have died before it came this far.
        loop {
            let tx = self.begin().await?;
            let more = tx.devices_settle(self.connection.id).await?;
            tx.commit_unjournalled().await?;
            if !more {
                break;
            }
        }
        if !tally.changed {
            return Ok(());
        }
        let tx = self.begin().await?;
        tx.counts_refresh(self.connection.id).await?;
        tx.commit_unjournalled().await
    }

    /// The vendor no longer takes the credentials: a person must act.
    async fn reauthorise(&self, error: &integration::Error) -> Result<Ended> {
        let tx = self.begin().await?;
        let before = tx.connection(self.connection.id).await?;
        let after = Connection {
            state: ConnectionState::ReauthRequired,
            state_reason: Some(error.to_string()),
            ..before.clone()
        };
        // Reconnected while this ran on the old credentials: the next sync will tell.
        if before.credentials_version == self.connection.credentials_version && before.state.syncs() {
            tx.connection_update(&before, after).await?;
            tx.connection_schedule(before.id, None, None).await?;
        }
        tx.commit("connection_state_change", Some(vendor_code(error.kind))).await?;
        Ok(Ended::Finish(JobOutcome::Failed(error.to_string())))
    }

    /// Ends the job: counts, the connection's state, and when it is synced next.
    async fn conclude(&self, tally: &Tally, listings: &[Box<dyn Listing + '_>]) -> Result<()> {
        self.settle_counts(tally).await?;
        self.verify_typed().await?;
        let tx = self.begin().await?;
        let before = tx.connection(self.connection.id).await?;
        let whole = self.payload.kinds.is_none() && tally.states.iter().all(|state| *state == RunState::Complete);
        if before.state.syncs() {
            let reason = self.worst(&tx, listings).await?;
            let state = if reason.is_some() { ConnectionState::Degraded } else { ConnectionState::Connected };
            tx.connection_update(&before, Connection { state, state_reason: reason, ..before.clone() }).await?;
            let next = if self.payload.kinds.is_none() { Some(self.next(&before)) } else { before.next_sync_at };
            tx.connection_schedule(before.id, next, whole.then(|| tx.now())).await?;
        }
        let companies = listings.iter().any(|listing| listing.kind() == RecordKind::Entity);
        if companies && tx.psa_settings(before.id).await?.direction != PsaDirection::Off {
            tx.psa_enqueue(before.id).await?;
        }
        let tickets = listings.iter().any(|listing| listing.kind() == RecordKind::Ticket);
        if tickets && tx.ticket_links_any(before.id).await? {
            // Under an id of its own: a pass that runs may have looked before this sync told anything.
            tx.ticket_job_enqueue(before.id, Some(tx.new_id())).await?;
        }
        tx.commit("connection_state_change", None).await?;
        Ok(())
    }

    /// Why the connection works only in part: the first listing with troubles, of those that are still made.
    async fn worst(&self, tx: &Tx, listings: &[Box<dyn Listing + '_>]) -> Result<Option<String>> {
        let listed: HashSet<String> =
            tx.entities_listed(self.connection.id).await?.into_iter().map(|(vendor_id, _)| vendor_id).collect();
        let resting = match self.vendor.entity_kind == TENANT {
            true => tx.tenants_disconnected().await?,
            false => HashSet::new(),
        };
        let mut rows = tx.listings(&[self.connection.id]).await?;
        rows.retain(|row| !resting.contains(&row.entity.to_ascii_lowercase()));
        let troubled = |code: &str| code != words::NOT_OFFERED;
        rows.retain(|row| {
            row.code.as_deref().is_some_and(troubled) && (row.entity.is_empty() || listed.contains(&row.entity))
        });
        // Those of this job first, then those that an earlier one left.
        let rank = |kind: &str| listings.iter().position(|listing| listing.kind().as_str() == kind);
        rows.sort_by_key(|row| (rank(&row.kind).unwrap_or(usize::MAX), row.entity.clone()));
        let more = rows.len().saturating_sub(1);
        Ok(rows.into_iter().next().map(|row| {
            let first = row.message.unwrap_or_else(|| format!("the listing of {} has troubles", row.kind));
            if more == 0 { first } else { format!("{first} ({more} more listings have troubles.)") }
        }))
    }

    /// After the cadence, spread by a tenth, so that connections made together drift apart.
    fn next(&self, connection: &Connection) -> domain::Timestamp {
        let spread = 0.9 + 0.2 * trouble::fraction(self.engine.store.chance().as_ref());
        let seconds = f64::from(connection.cadence_minutes) * 60.0 * spread;
        self.engine.store.clock().now() + chrono::TimeDelta::seconds(seconds as i64)
    }
}
