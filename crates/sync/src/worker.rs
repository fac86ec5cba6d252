//! The worker: claims jobs, keeps their leases while they run, and writes how they ended.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::Result;
use persistence::{ClaimedJob, JobOutcome};
use tokio::{
    sync::Notify,
    task::{JoinHandle, JoinSet},
    time::{Instant, interval_at, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{Ended, Engine, hear, job::FAILURES, snapshots, trouble};

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
/// Idempotency keys are kept for this many hours.
const KEEP_KEYS_HOURS: i64 = 24;

/// Runs jobs. Cheap to clone; clones wake each other.
#[derive(Clone)]
pub struct Worker {
    engine: Engine,
    options: WorkerOptions,
    wake: Arc<Notify>,
}

impl Worker {
    /// A worker over this engine.
    pub fn new(engine: Engine, options: WorkerOptions) -> Self {
        Self { engine, options, wake: Arc::default() }
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
        while !stop.is_cancelled() {
            if scheduled.is_none_or(|at| at.elapsed() >= SCHEDULE) {
                scheduled = Some(Instant::now());
                report("schedule", self.engine.schedule().await.map(drop));
            }
            if swept.is_none_or(|at| at.elapsed() >= HOUSEKEEPING) {
                swept = Some(Instant::now());
                report("housekeeping", self.sweep().await);
            }
            let free = self.options.slots.saturating_sub(jobs.len());
            for job in self.claim(free).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the queue cannot be read");
                Vec::new()
            }) {
                jobs.spawn(self.clone().work(job, halt.clone(), kill.clone()));
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(_) = jobs.join_next(), if !jobs.is_empty() => {}
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
        let claimed = across.jobs_claim(slots as u64, store.clock().now(), self.lease()).await?;
        across.commit().await?;
        Ok(claimed)
    }

    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.options.lease).unwrap_or(TimeDelta::seconds(30))
    }

    /// Does one job, with its lease kept alive beside it.
    async fn work(self, job: ClaimedJob, halt: CancellationToken, kill: CancellationToken) {
        let (engine, claimed) = (self.engine.clone(), job.clone());
        let mut handler = Handler(tokio::spawn(async move { engine.handle(&claimed, &halt).await }));
        let every = self.options.lease / 3;
        let mut beat = interval_at(Instant::now() + every, every);
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
                }
            }
        };
        self.settle(&job, ended).await;
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
            Ended::Later(_) => "later",
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
            Ended::Later(at) => across.job_release(job, *at).await?,
            Ended::Lost => {}
        }
        across.commit().await
    }

    /// Deletes what is old.
    async fn sweep(&self) -> Result<()> {
        let store = &self.engine.store;
        let now = store.clock().now();
        let across = store.across().await?;
        across.jobs_forget(now - TimeDelta::days(KEEP_JOBS_DAYS)).await?;
        let organisations = across.organisations().await?;
        across.commit().await?;
        for (organisation, _, _) in organisations {
            let tx = self.engine.begin(organisation, "housekeeping").await?;
            tx.idempotency_forget(KEEP_KEYS_HOURS).await?;
            tx.deliveries_forget(hear::REMEMBERED).await?;
            tx.snapshots_forget((now - TimeDelta::days(snapshots::KEPT_DAYS)).date_naive()).await?;
            self.engine.snapshots_due(&tx).await?;
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

fn report(what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, ?error, "{what} failed; it is tried again");
    }
}
