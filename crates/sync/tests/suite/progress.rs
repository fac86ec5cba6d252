//! How far a sync is, looked at from another process in mid-sync.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::Context;
use integration::{Request, Response, Transport};
use sync::{Engine, Expected, Progress, Standing, Worker};
use testkit::both_databases;
use vendorkit::WorldSize;

use crate::stage::{NINJAONE, OPTIONS, SmallPages, Stage, Wire, stage};

const SIZE: WorldSize = WorldSize { businesses: 6, devices: 320, people: 6 };

/// Looks before each answer; each takes two seconds.
struct Onlooker {
    stage: Arc<Stage>,
    seen: Mutex<Vec<Progress>>,
}

#[async_trait]
impl Transport for Onlooker {
    async fn send(&self, request: Request) -> integration::Result<Response> {
        self.stage.advance(2);
        let seen = look(&self.stage).await;
        self.seen.lock().expect("is whole").push(seen);
        self.stage.simulated.send(request).await
    }

    fn now(&self) -> DateTime<Utc> {
        self.stage.simulated.now()
    }
}

async fn look(stage: &Stage) -> Progress {
    let context = Context { now: stage.db.now(), ..stage.context() };
    let tx = stage.db.store.read(context).await.expect("reads");
    sync::progress(&tx, stage.connection).await.expect("reads")
}

/// A sync, and what was seen of it.
async fn watched(stage: &Arc<Stage>) -> Vec<Progress> {
    let onlooker = Arc::new(Onlooker { stage: stage.clone(), seen: Mutex::default() });
    let dial = Arc::new(Wire(Arc::new(SmallPages(onlooker.clone()))));
    let worker = Worker::new(Engine { dial, ..stage.engine.clone() }, OPTIONS);
    assert_eq!(worker.run_until_idle().await.expect("works"), 1);
    let mut seen = onlooker.seen.lock().expect("is whole");
    std::mem::take(&mut *seen)
}

fn records(progress: &Progress) -> i64 {
    progress.kinds.iter().map(sync::KindProgress::records).sum()
}

both_databases! {
    async fn a_sync_says_how_far_it_is_and_when_it_will_end(db: TestDb) {
        let stage = Arc::new(stage(db, NINJAONE, SIZE).await);
        let before = look(&stage).await;
        assert_eq!((before.standing, before.kinds.len()), (Standing::Queued, 0));
        let first = watched(&stage).await;
        assert!(first.iter().all(|seen| seen.standing == Standing::Running && seen.waits_until.is_none()));
        assert!(first.is_sorted_by_key(records) && records(first.last().expect("one")) > 300, "it only grows");
        // Nothing is known of what a first sync will find.
        assert!(first.iter().flat_map(|seen| &seen.kinds).all(|kind| kind.expected.is_none()));
        assert!(first.iter().all(|seen| seen.estimated_end.is_none()));
        let after = look(&stage).await;
        assert_eq!((after.standing, after.kinds.len(), after.estimated_end), (Standing::Idle, 0, None));

        stage.advance(3_600);
        stage.start().await;
        let total: i64 = stage.runs().await.iter().map(|run| run.counts.listed).sum();
        let second = watched(&stage).await;
        let devices = stage.rows().await.iter().filter(|row| row.kind == "device").count() as i64;
        let kind = |seen: &Progress| seen.kinds.iter().find(|kind| kind.kind == "device").cloned().expect("is known");
        for seen in &second {
            let kind = kind(seen);
            // A kind that has ended says what it found; what is to come says what the last listing had.
            if kind.run.is_none() || kind.is_running() {
                assert_eq!(kind.expected, Some((devices, Expected::LastListing)), "{kind:?}");
            }
        }
        // In mid-listing the rate is that of the pages stored, and the end follows from what remains.
        let mid = second.iter().find(|seen| {
            let kind = kind(seen);
            kind.is_running() && kind.records() >= 100 && kind.records() < devices
        });
        let mid = mid.expect("a page in the middle");
        let rate = kind(mid).rate.expect("is known");
        assert!((15.0..=60.0).contains(&rate), "50 records in about two seconds are not {rate} per second");
        let end = mid.estimated_end.expect("is known");
        let last = second.last().expect("one").job.as_ref().map(|job| job.id);
        assert_eq!(last, mid.job.as_ref().map(|job| job.id));
        let seconds = (end - stage.db.now()).num_seconds().abs();
        assert!(seconds < 120, "the estimate was {seconds} s off");
        assert_eq!(records(mid) + remaining(mid), total);
    }

    async fn a_wait_is_seen_with_its_reason(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        stage.faulty.set(vendorkit::Plan::Always(vendorkit::Fault::Throttled(90)));
        stage.work().await;
        let seen = look(&stage).await;
        assert_eq!(seen.standing, Standing::Waiting);
        let wait = (seen.waits_until.expect("is known") - stage.db.now()).num_seconds();
        assert!((90..=96).contains(&wait), "{wait} s");
        let why = seen.job.and_then(|job| job.last_error).expect("a reason");
        assert!(!why.is_empty());
        stage.advance(100);
        assert_eq!(look(&stage).await.standing, Standing::Queued);
    }
}

fn remaining(seen: &Progress) -> i64 {
    let left = |kind: &sync::KindProgress| match &kind.run {
        Some(run) if run.state != domain::RunState::Running => 0,
        _ => kind.expected.map_or(0, |(expected, _)| expected - kind.records()),
    };
    seen.kinds.iter().map(left).sum()
}
