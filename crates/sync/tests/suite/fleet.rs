//! Workers that are seen, and vendors that do not answer.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{ConnectionId, Context};
use integration::{Request, Response, Transport};
use persistence::WorkerRow;
use sync::{Dial, Engine, Standing, Waiting, Worker, WorkerOptions};
use testkit::{TestDb, both_databases};
use tokio_util::sync::CancellationToken;
use vendorkit::WorldSize;

use crate::{
    stage::{NINJAONE, OPTIONS, Stage, connect, stage},
    worker::{synced, until},
};

const SIZE: WorldSize = WorldSize { businesses: 4, devices: 12, people: 4 };

/// Never answers.
struct Silent(Arc<dyn Transport>);

#[async_trait]
impl Transport for Silent {
    async fn send(&self, _: Request) -> integration::Result<Response> {
        std::future::pending().await
    }

    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }
}

/// Vendors that do not answer for some connections, and have been silent for a while.
struct SilentDial {
    silent: BTreeSet<ConnectionId>,
    waiting: Waiting,
    inner: Arc<dyn Transport>,
}

impl Dial for SilentDial {
    fn transport(&self, id: ConnectionId, _: bool) -> Arc<dyn Transport> {
        if self.silent.contains(&id) { Arc::new(Silent(self.inner.clone())) } else { self.inner.clone() }
    }

    fn waiting(&self, id: ConnectionId) -> Option<Waiting> {
        self.silent.contains(&id).then_some(self.waiting)
    }
}

fn running(stage: &Stage, silent: BTreeSet<ConnectionId>, waiting: Waiting, slots: usize) -> CancellationToken {
    let dial = Arc::new(SilentDial { silent, waiting, inner: stage.simulated.clone() });
    let options = WorkerOptions { slots, drain: Duration::from_millis(100), ..OPTIONS };
    let worker = Worker::new(Engine { dial, ..stage.engine.clone() }, options).named("test:1");
    let stop = CancellationToken::new();
    let until = stop.clone();
    tokio::spawn(async move { worker.run(until).await });
    stop
}

async fn workers(db: &TestDb) -> Vec<WorkerRow> {
    let since = db.now() - TimeDelta::seconds(sync::FORGOTTEN_AFTER_SECONDS);
    db.store.across_read().await.expect("begins").workers(since).await.expect("lists")
}

const QUIET: Waiting = Waiting { since: Duration::ZERO, closed_for: Duration::ZERO };

both_databases! {
    async fn a_worker_is_seen_while_it_lives_and_forgotten_after(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        assert_eq!(workers(&stage.db).await, []);
        let stop = running(&stage, BTreeSet::new(), QUIET, 3);
        until("it is seen", async || workers(&stage.db).await.len() == 1).await;
        let seen = workers(&stage.db).await.remove(0);
        assert_eq!((seen.name.as_str(), seen.slots, seen.seen_at), ("test:1", 3, stage.db.now()));
        until("it works", async || synced(&stage.db, stage.organisation, stage.connection).await).await;
        stop.cancel();
        until("it takes its leave", async || workers(&stage.db).await.is_empty()).await;

        // One that dies says nothing.
        let across = stage.db.store.across().await.expect("begins");
        across.worker_beat(&WorkerRow { name: "dead:2".to_owned(), ..seen }).await.expect("beats");
        across.commit().await.expect("commits");
        assert_eq!(workers(&stage.db).await.len(), 1);
        stage.db.clock.advance(sync::FORGOTTEN_AFTER_SECONDS + 1);
        assert_eq!(workers(&stage.db).await, [], "nobody believes that it lives");
        let stop = running(&stage, BTreeSet::new(), QUIET, 1);
        until("another one forgets it", async || {
            let across = stage.db.store.across_read().await.expect("begins");
            let all = across.workers(DateTime::UNIX_EPOCH).await.expect("lists");
            all.len() == 1 && all[0].name == "test:1"
        })
        .await;
        stop.cancel();
    }

    async fn a_vendor_that_does_not_answer_leaves_its_slots_to_others(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let more = async || connect(&stage.db, stage.organisation, NINJAONE, &stage.credentials).await;
        let mut silent = BTreeSet::from([stage.connection]);
        for _ in 0..4 {
            silent.insert(more().await);
        }
        // Those that work come later than all that do not.
        stage.advance(1);
        let healthy = [more().await, more().await, more().await];
        let waiting = Waiting { since: Duration::from_secs(10), closed_for: Duration::ZERO };
        let stop = running(&stage, silent.clone(), waiting, 2);
        for id in healthy {
            until("the healthy ones are synced", async || synced(&stage.db, stage.organisation, id).await).await;
        }
        // The others still wait, and none was given up. The end of a healthy one's job is written after its sync.
        until("only the silent ones run", async || {
            let jobs = stage.db.store.across_read().await.expect("begins").jobs().await.expect("lists");
            let running = jobs.iter().filter(|job| job.state == "running");
            running.filter_map(|job| job.connection).collect::<BTreeSet<_>>() == silent
        })
        .await;
        stop.cancel();
    }

    async fn a_wait_for_the_vendor_is_seen_by_other_processes(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let waiting = Waiting { since: Duration::from_secs(3), closed_for: Duration::from_secs(120) };
        let stop = running(&stage, BTreeSet::from([stage.connection]), waiting, 1);
        let look = async || {
            let tx = stage.db.store.read(Context { now: stage.db.now(), ..stage.context() }).await.expect("reads");
            sync::progress(&tx, stage.connection).await.expect("reads")
        };
        until("the wait shows", async || look().await.standing == Standing::Waiting).await;
        let seen = look().await;
        assert_eq!(seen.waits_until, Some(stage.db.now() + TimeDelta::seconds(120)));
        let job = seen.job.expect("its job");
        assert_eq!((job.state.as_str(), job.worker), ("running", Some(workers(&stage.db).await[0].id)));
        // The depth of the queue counts it, by kind and state.
        let depth = stage.db.store.across_read().await.expect("begins").queue_depth().await.expect("counts");
        let syncs: Vec<_> = depth.iter().filter(|one| one.kind == "sync").collect();
        assert_eq!((syncs.len(), syncs[0].state.as_str(), syncs[0].jobs), (1, "running", 1));
        stop.cancel();
        until("it is given back", async || look().await.standing == Standing::Queued).await;
        assert_eq!(look().await.waits_until, None);
    }
}
