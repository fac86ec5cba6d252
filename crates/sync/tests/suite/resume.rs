//! Interruptions: wherever a sync is cut off, the next try goes on there and ends in the vendor's snapshot.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use persistence::ClaimedJob;
use testkit::both_databases;
use tokio_util::sync::CancellationToken;
use vendorkit::WorldSize;

use crate::stage::{MICROSOFT365, NINJAONE, Stage, stage};

const PAGES: WorldSize = WorldSize { businesses: 6, devices: 230, people: 12 };
const FEW: WorldSize = WorldSize { businesses: 8, devices: 0, people: 40 };

/// A future that is dropped after so many polls, wherever it waits then: as after a crash, nothing in it
/// runs any more.
struct CutOff<F> {
    inner: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for CutOff<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.inner.as_mut().poll(context).map(Some)
    }
}

async fn claim(stage: &Stage) -> Option<ClaimedJob> {
    let across = stage.db.store.across().await.expect("begins");
    let claimed = across.jobs_claim(1, stage.db.now(), chrono::TimeDelta::seconds(30)).await.expect("claims");
    across.commit().await.expect("commits");
    claimed.into_iter().next()
}

/// Cuts the sync off after `polls` polls; whether it had ended before.
async fn cut_off(stage: &Stage, polls: usize) -> bool {
    let mut job = claim(stage).await;
    for _ in 0..1_000 {
        if job.is_some() {
            break;
        }
        tokio::task::yield_now().await;
        job = claim(stage).await;
    }
    let job = job.expect("is due");
    let stop = CancellationToken::new();
    let ended = CutOff { inner: Box::pin(stage.engine.handle(&job, &stop)), polls }.await;
    if let Some(ended) = &ended {
        assert!(matches!(ended, sync::Ended::Finish(persistence::JobOutcome::Done)), "{ended:?}");
        let across = stage.db.store.across().await.expect("begins");
        let outcome = persistence::JobOutcome::Done;
        assert!(across.job_finish(&job, &outcome, stage.db.now()).await.expect("finishes"));
        across.commit().await.expect("commits");
    }
    // Whoever held it is gone: the lease runs out.
    stage.advance(31);
    ended.is_some()
}

/// Cuts off at more and more points, `step` polls apart, each on a sync of its own after the world changed.
async fn survives_being_cut_off_anywhere(stage: Stage, step: usize, slack: usize) {
    stage.work().await;
    stage.assert_true().await;
    stage.sync().await;
    stage.simulated.clear_log();
    stage.sync().await;
    let least = stage.requests();
    let mut polls = 1;
    loop {
        stage.simulated.change(|world| {
            let touched = world.touch_devices(900).len();
            let people: Vec<_> =
                world.businesses().iter().flat_map(|business| &business.people).map(|person| person.id).collect();
            for id in people.into_iter().step_by(3) {
                world.change_person(id, |person| person.title = format!("Work {polls}"));
            }
            touched
        });
        stage.advance(3_600);
        stage.start().await;
        stage.simulated.clear_log();
        let ended = cut_off(&stage, polls).await;
        // PostgreSQL undoes what was cut off a moment later: until then the job is locked.
        stage.finish().await;
        let asked = stage.requests();
        stage.assert_true().await;
        assert!(asked <= least + slack, "cut off after {polls} polls: {asked} requests, {least} at least");
        if ended {
            return;
        }
        polls += step;
    }
}

both_databases! {
    async fn a_ninjaone_sync_survives_being_cut_off_anywhere(db: TestDb) {
        // A page of documents is two requests: their templates, and they themselves.
        survives_being_cut_off_anywhere(stage(db, NINJAONE, PAGES).await, 3, 2).await;
    }

    async fn a_microsoft365_sync_survives_being_cut_off_anywhere(db: TestDb) {
        // A third of forty people changed; the last sign-in of each is one request more.
        survives_being_cut_off_anywhere(stage(db, MICROSOFT365, FEW).await, 41, 1 + 14).await;
    }

    async fn a_first_sync_goes_on_where_it_was(db: TestDb) {
        // Too short for any page, on however quick a machine: each page then takes several tries.
        const SHORT: usize = 4;
        let stage = stage(db, NINJAONE, WorldSize { devices: 2_000, ..PAGES }).await;
        let (mut cuts, mut pages, mut polls) = (0, 0, SHORT);
        while stage.pending().await > 0 {
            cuts += usize::from(!cut_off(&stage, polls).await);
            let stored = stage.runs().await.iter().map(|run| run.pages).sum();
            // A try that gets nowhere counts, and a job has twelve: give the next one twice as long, so that a
            // longer step (the run's end, which is one transaction) is reached well before they are used up.
            polls = if stored > pages { SHORT } else { polls * 2 };
            pages = stored;
        }
        assert!(cuts > 12, "more often than a job may be begun: {cuts}");
        stage.assert_true().await;
    }

    async fn a_sync_that_is_told_to_stop_gives_back_its_job_at_once(db: TestDb) {
        let stage = stage(db, NINJAONE, PAGES).await;
        let job = claim(&stage).await.expect("is due");
        let stop = CancellationToken::new();
        stop.cancel();
        let ended = stage.engine.handle(&job, &stop).await;
        assert!(matches!(ended, sync::Ended::Later(at) if at == stage.db.now()), "{ended:?}");
        assert_eq!(stage.requests(), 0);
    }
}
