//! The worker: claims jobs, keeps their leases while they run, and writes how they ended.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::{ConnectionId, Result, Timestamp};
use mail::Carrier;
use persistence::{ClaimedJob, DESK_DIGEST_JOB, JobOutcome, TICKET_JOB, WorkerRow};
use tokio::{
    sync::Notify,
    task::{self, JoinHandle, JoinSet},
    time::{Instant, interval_at, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Chore, Ended, Engine, FileSource, Herald, Likeness, TicketTaker, hear, job::FAILURES, journal_checkpoints,
    outbound, post, snapshots, trouble,
};

/// How a worker works.
#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// Jobs at the same time.
    pub slots: usize,
    /// How long a job is held without a sign of life.
    pub lease: Duration,
    /// How often the queue is asked when nothing wakes it.
    pub poll: Duration,
    /// How long jobs may take to come to a page's end when the worker stops.
    pub drain: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            slots: 4,
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(200),
            drain: Duration::from_secs(8),
        }
    }
}

/// How often connections that are due are looked for.
const SCHEDULE: Duration = Duration::from_secs(1);
/// How often what is old is deleted.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);
/// Jobs that ended well are kept for this many days.
const KEEP_JOBS_DAYS: i64 = 7;
/// Jobs that were given up are kept for this many days.
const KEEP_FAILED_DAYS: i64 = 90;
/// What portal users were told is kept for this many days.
const KEEP_NOTIFICATIONS_DAYS: i64 = 180;
/// Bulk operations that are over are kept for this many days; what they changed stays in the journal.
const KEEP_BULK_DAYS: i64 = 90;
/// The same of what was asked for with approval, days after it was over.
const KEEP_APPROVALS_DAYS: i64 = 365;
/// Longer than anything that was approved takes to be done: what is at it then was cut off.
const LONGEST_APPROVED: TimeDelta = TimeDelta::minutes(15);
/// Idempotency keys are kept for this many hours.
const KEEP_KEYS_HOURS: i64 = 24;

/// How often a worker says that it lives.
const BEAT: Duration = Duration::from_secs(5);
/// A worker that was not seen for so many seconds is forgotten.
pub const FORGOTTEN_AFTER_SECONDS: i64 = 60;
/// A job whose vendor has not answered for so long leaves its slot to another.
const STALLED: Duration = Duration::from_secs(5);
/// Jobs for each slot, those that wait for their vendors included.
const MOST_PER_SLOT: usize = 4;
/// How often it is looked whether a job waits for its vendor.
const LOOK: Duration = Duration::from_secs(1);
/// A shorter wait is not worth a write.
const WORTH: Duration = Duration::from_secs(2);

/// Runs jobs. Cheap to clone; clones wake each other.
#[derive(Clone)]
pub struct Worker {
    engine: Engine,
    options: WorkerOptions,
    wake: Arc<Notify>,
    name: Arc<str>,
    id: Uuid,
    carrier: Option<Arc<dyn Carrier>>,
    likeness: Option<Arc<dyn Likeness>>,
    herald: Option<Arc<dyn Herald>>,
    chores: Vec<Arc<dyn Chore>>,
    taker: Option<Arc<dyn TicketTaker>>,
    files: Option<Arc<dyn FileSource>>,
}

/// The tasks that run jobs, with the connections that these are for, and whether they only wait for receivers of events.
type Running = HashMap<task::Id, (Option<ConnectionId>, bool)>;

impl Worker {
    /// A worker over this engine.
    pub fn new(engine: Engine, options: WorkerOptions) -> Self {
        let id = engine.store.chance().id(engine.store.clock().now());
        Self {
            engine,
            options,
            wake: Arc::default(),
            name: "worker".into(),
            id,
            carrier: None,
            likeness: None,
            herald: None,
            chores: Vec::new(),
            taker: None,
            files: None,
        }
    }

    /// The same under a name that operators know it by.
    pub fn named(self, name: &str) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The same, sending the outbox's letters this way. Without it they wait for a worker that does.
    pub fn posting(self, carrier: Arc<dyn Carrier>) -> Self {
        Self { carrier: Some(carrier), ..self }
    }

    /// The same with what keeps clients and companies at PSAs from being made twice; without, none are made.
    pub fn matching(self, likeness: Arc<dyn Likeness>) -> Self {
        Self { likeness: Some(likeness), ..self }
    }

    /// The same, telling other programs of events this way. Without it events wait for a worker that does.
    pub fn heralding(self, herald: Arc<dyn Herald>) -> Self {
        Self { herald: Some(herald), ..self }
    }

    /// The same, doing jobs of this kind too.
    pub fn doing(mut self, chore: Arc<dyn Chore>) -> Self {
        self.chores.push(chore);
        self
    }

    /// The same with what takes what PSAs tell of tickets; without, nothing of it is taken.
    pub fn taking(self, taker: Arc<dyn TicketTaker>) -> Self {
        Self { taker: Some(taker), ..self }
    }

    /// The same with the store of the files, for those that go with tickets; without, they wait for a worker that has it.
    pub fn reading(self, files: Arc<dyn FileSource>) -> Self {
        Self { files: Some(files), ..self }
    }

    /// Wakes a worker of the same process at once: for whoever enqueued a job.
    pub fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// Works until `stop`, then lets jobs come to a page's end, gives back what is not done, and returns
    /// within [`WorkerOptions::drain`] and a little.
    pub async fn run(&self, stop: CancellationToken) {
        let (halt, kill) = (CancellationToken::new(), CancellationToken::new());
        let mut jobs = JoinSet::new();
        let mut scheduled: Option<Instant> = None;
        let mut swept: Option<Instant> = None;
        let mut beaten: Option<Instant> = None;
        let mut running = Running::new();
        let started = self.engine.store.clock().now();
        while !stop.is_cancelled() {
            if scheduled.is_none_or(|at| at.elapsed() >= SCHEDULE) {
                scheduled = Some(Instant::now());
                report("schedule", self.engine.schedule().await.map(drop));
            }
            if swept.is_none_or(|at| at.elapsed() >= HOUSEKEEPING) {
                swept = Some(Instant::now());
                report("housekeeping", self.sweep().await);
            }
            if beaten.is_none_or(|at| at.elapsed() >= BEAT) {
                beaten = Some(Instant::now());
                report("a sign of life", self.lives(started, running.len()).await);
            }
            let free = self.free(&running);
            for job in self.claim(free).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the queue cannot be read");
                Vec::new()
            }) {
                let what = (job.connection, job.kind == outbound::KIND);
                let task = jobs.spawn(self.clone().work(job, halt.clone(), kill.clone()));
                running.insert(task.id(), what);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = jobs.join_next_with_id(), if !jobs.is_empty() => {
                    let id = ended.map_or_else(|failure| failure.id(), |(id, ())| id);
                    running.remove(&id);
                }
                () = self.wake.notified() => {}
                () = sleep(self.options.poll) => {}
            }
        }
        halt.cancel();
        let drained = timeout(self.options.drain, async { while jobs.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            kill.cancel();
            while jobs.join_next().await.is_some() {}
        }
        report("taking leave", self.leaves().await);
    }

    /// Jobs that may be begun. One whose vendor does not answer gives its slot to another, within bounds: a vendor
    /// that is down must not hold up the others.
    fn free(&self, running: &Running) -> usize {
        let stalled = |id: &ConnectionId| self.engine.dial.waiting(*id).is_some_and(|wait| wait.since >= STALLED);
        // A receiver of events may be as slow as it likes.
        let waits =
            |(connection, herald): &&(Option<ConnectionId>, bool)| *herald || connection.as_ref().is_some_and(stalled);
        let waiting = running.values().filter(waits).count();
        free(self.options.slots, running.len(), waiting)
    }

    /// Says that this worker lives, and forgets those that do not.
    async fn lives(&self, started_at: Timestamp, running: usize) -> Result<()> {
        let now = self.engine.store.clock().now();
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let row = WorkerRow {
            id: self.id,
            name: self.name.to_string(),
            started_at,
            seen_at: now,
            slots: number(self.options.slots),
            running: number(running),
        };
        let across = self.engine.store.across().await?;
        across.worker_beat(&row).await?;
        across.workers_forget(now - TimeDelta::seconds(FORGOTTEN_AFTER_SECONDS)).await?;
        across.commit().await
    }

    async fn leaves(&self) -> Result<()> {
        let across = self.engine.store.across().await?;
        across.worker_gone(self.id).await?;
        across.commit().await
    }

    /// Runs what is due until nothing is, and returns how many jobs that were. For tests and one-off use.
    pub async fn run_until_idle(&self) -> Result<usize> {
        let (halt, kill) = (CancellationToken::new(), CancellationToken::new());
        let mut done = 0;
        loop {
            self.engine.schedule().await?;
            let claimed = self.claim(self.options.slots).await?;
            if claimed.is_empty() {
                return Ok(done);
            }
            done += claimed.len();
            let mut jobs = JoinSet::new();
            for job in claimed {
                jobs.spawn(self.clone().work(job, halt.clone(), kill.clone()));
            }
            while jobs.join_next().await.is_some() {}
        }
    }

    async fn claim(&self, slots: usize) -> Result<Vec<ClaimedJob>> {
        if slots == 0 {
            return Ok(Vec::new());
        }
        let store = &self.engine.store;
        let across = store.across().await?;
        let claimed = across.jobs_claim_as(Some(self.id), slots as u64, store.clock().now(), self.lease()).await?;
        across.commit().await?;
        Ok(claimed)
    }

    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.options.lease).unwrap_or(TimeDelta::seconds(30))
    }

    /// Does one job, with its lease kept alive beside it.
    async fn work(self, job: ClaimedJob, halt: CancellationToken, kill: CancellationToken) {
        let (engine, claimed) = (self.engine.clone(), job.clone());
        let (carrier, likeness, herald) = (self.carrier.clone(), self.likeness.clone(), self.herald.clone());
        let chore = self.chores.iter().find(|chore| chore.kind() == job.kind).cloned();
        let (taker, files) = (self.taker.clone(), self.files.clone());
        let mut handler = Handler(tokio::spawn(async move {
            if let Some(chore) = chore {
                return chore.work(&claimed, &halt).await;
            }
            match claimed.kind.as_str() {
                post::KIND => post::deliver(&engine, carrier.as_ref(), &claimed).await,
                outbound::KIND => outbound::deliver(&engine, herald.as_ref(), &claimed, &halt).await,
                TICKET_JOB => engine.ticket_pass(&claimed, &halt, taker.as_deref(), files.as_deref()).await,
                DESK_DIGEST_JOB => engine.desk_digest(&claimed).await,
                _ => engine.handle_with(&claimed, &halt, likeness.as_deref()).await,
            }
        }));
        let every = self.options.lease / 3;
        let mut beat = interval_at(Instant::now() + every, every);
        let mut look = interval_at(Instant::now() + LOOK, LOOK);
        let mut noted = None;
        let ended = loop {
            tokio::select! {
                biased;
                ended = &mut handler.0 => break ended.unwrap_or_else(|failure| self.crashed(&job, failure.is_panic())),
                () = kill.cancelled() => {
                    handler.end().await;
                    break Ended::Later(self.engine.store.clock().now());
                }
                _ = beat.tick() => if !self.beats(&job).await {
                    handler.end().await;
                    break Ended::Lost;
                },
                _ = look.tick() => report("noting a wait", self.note_wait(&job, &mut noted).await),
            }
        };
        self.settle(&job, ended).await;
    }

    /// Notes until when a job waits for its vendor, where that changed.
    async fn note_wait(&self, job: &ClaimedJob, noted: &mut Option<Timestamp>) -> Result<()> {
        let now = self.engine.store.clock().now();
        let waiting = job.connection.and_then(|id| self.engine.dial.waiting(id)).map(|waiting| waiting.closed_for);
        let until = waiting.filter(|wait| *wait >= WORTH).and_then(|wait| Some(now + TimeDelta::from_std(wait).ok()?));
        let same = match (until, *noted) {
            (Some(until), Some(noted)) => (until - noted).num_seconds() == 0,
            // A wait that is nearly over needs no second word: it passes.
            (None, Some(noted)) => noted > now && waiting.is_some_and(|wait| !wait.is_zero()),
            (None, None) => true,
            (Some(_), None) => false,
        };
        if same {
            return Ok(());
        }
        let across = self.engine.store.across().await?;
        across.job_waits(job, until).await?;
        across.commit().await?;
        *noted = until;
        Ok(())
    }

    /// Prolongs the lease; false when another worker has the job.
    async fn beats(&self, job: &ClaimedJob) -> bool {
        let beat = async {
            let across = self.engine.store.across().await?;
            let held = across.job_heartbeat(job, self.engine.store.clock().now() + self.lease()).await?;
            across.commit().await?;
            Ok::<_, domain::Error>(held)
        };
        beat.await.unwrap_or_else(|error| {
            // The lease outlives two missed beats, and every write checks it.
            tracing::warn!(job = %job.id, %error, "a lease could not be prolonged");
            true
        })
    }

    fn crashed(&self, job: &ClaimedJob, panicked: bool) -> Ended {
        tracing::error!(job = %job.id, panicked, "a job crashed");
        let store = &self.engine.store;
        let at = trouble::try_again_at(store.clock().now(), None, job.attempt, store.chance().as_ref());
        Ended::Finish(JobOutcome::Retry(at, "the program failed while it did this: see its log".to_owned()))
    }

    /// Writes how a job ended. If the database is away for longer than this tries, the lease runs out and
    /// the job is done again.
    async fn settle(&self, job: &ClaimedJob, ended: Ended) {
        let ended = match ended {
            Ended::Finish(JobOutcome::Retry(_, why)) if job.attempt >= FAILURES => {
                report("giving a job up", self.engine.abandon(job, &why).await);
                Ended::Finish(JobOutcome::Failed(why))
            }
            ended => ended,
        };
        for attempt in 0..3 {
            match self.write(job, &ended).await {
                Ok(()) => break,
                Err(error) => tracing::warn!(job = %job.id, %error, "a job's end could not be written"),
            }
            sleep(self.options.poll * (attempt + 1)).await;
        }
        let outcome = match &ended {
            Ended::Finish(JobOutcome::Done) => "done",
            Ended::Finish(JobOutcome::Retry(..)) => "retry",
            Ended::Finish(JobOutcome::Failed(_)) => "failed",
            Ended::Later(_) | Ended::Delayed(..) => "later",
            Ended::Lost => "lost",
        };
        metrics::counter!("panelone_jobs_total", "outcome" => outcome).increment(1);
    }

    async fn write(&self, job: &ClaimedJob, ended: &Ended) -> Result<()> {
        let across = self.engine.store.across().await?;
        match ended {
            Ended::Finish(outcome) => {
                across.job_finish(job, outcome, self.engine.store.clock().now()).await?;
            }
            Ended::Later(at) => across.job_release(job, *at, None).await?,
            Ended::Delayed(at, why) => across.job_release(job, *at, Some(why)).await?,
            Ended::Lost => {}
        }
        across.commit().await
    }

    /// Deletes what is old.
    async fn sweep(&self) -> Result<()> {
        let store = &self.engine.store;
        let now = store.clock().now();
        let across = store.across().await?;
        across.jobs_forget(now - TimeDelta::days(KEEP_JOBS_DAYS), now - TimeDelta::days(KEEP_FAILED_DAYS)).await?;
        let organisations = across.organisations().await?;
        across.commit().await?;
        for (organisation, _, _) in organisations {
            let tx = self.engine.begin(organisation, "housekeeping").await?;
            tx.idempotency_forget(KEEP_KEYS_HOURS).await?;
            tx.deliveries_forget(hear::REMEMBERED).await?;
            tx.mails_forget(now - TimeDelta::days(post::KEPT_DAYS)).await?;
            tx.webhooks_forget(now - TimeDelta::days(outbound::KEPT_DAYS)).await?;
            tx.notifications_forget(now - TimeDelta::days(KEEP_NOTIFICATIONS_DAYS)).await?;
            tx.desk_notices_forget(now - TimeDelta::days(KEEP_NOTIFICATIONS_DAYS)).await?;
            tx.bulk_forget(now - TimeDelta::days(KEEP_BULK_DAYS)).await?;
            tx.approvals_over(now - LONGEST_APPROVED).await?;
            tx.approvals_forget(now - TimeDelta::days(KEEP_APPROVALS_DAYS)).await?;
            tx.snapshots_forget((now - TimeDelta::days(snapshots::KEPT_DAYS)).date_naive()).await?;
            self.engine.snapshots_due(&tx).await?;
            self.engine.reminders_due(&tx).await?;
            self.engine.journal_checkpoint_due(&tx, journal_checkpoints::AFTER).await?;
            tx.commit_unjournalled().await?;
        }
        Ok(())
    }
}

/// A task that ends with whoever waits for it.
struct Handler(JoinHandle<Ended>);

impl Handler {
    async fn end(&mut self) {
        self.0.abort();
        if let Err(failure) = (&mut self.0).await
            && failure.is_panic()
        {
            tracing::error!("a job crashed while it was ended");
        }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How many jobs may be begun beside those that run, of which some only wait.
fn free(slots: usize, running: usize, waiting: usize) -> usize {
    let most = slots.saturating_mul(MOST_PER_SLOT).saturating_sub(running);
    slots.saturating_sub(running.saturating_sub(waiting)).min(most)
}

fn report(what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, ?error, "{what} failed; it is tried again");
    }
}

#[cfg(test)]
mod tests {
    use super::free;

    #[test]
    fn those_that_only_wait_give_up_their_slots_within_bounds() {
        for (slots, running, waiting, expected) in
            [(4, 0, 0, 4), (4, 3, 0, 1), (4, 4, 0, 0), (4, 4, 4, 4), (4, 15, 15, 1), (4, 16, 16, 0), (4, 6, 3, 1)]
        {
            assert_eq!(free(slots, running, waiting), expected, "{slots} slots, {running} run, {waiting} wait");
        }
    }
}
