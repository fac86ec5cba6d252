//! Four workers, one of which stands still past its lease and wakes again: whatever it had in hand, another has by
//! then, and it writes nothing more of it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ConnectionId, Run, RunState};
use integration::{Request, Response, Transport};
use persistence::{Store, StoreOptions};
use sync::{Dial, Engine, Worker, WorkerOptions};
use testkit::{SeededChance, TestDb, both_databases, keys};
use tokio_util::sync::CancellationToken;
use vendorkit::WorldSize;

use crate::{
    stage::{NINJAONE, OPTIONS, Stage, stage},
    worker::{connections, synced, until},
};

const SIZE: WorldSize = WorldSize { businesses: 4, devices: 24, people: 4 };
/// Connections that are due at once.
const DUE: usize = 16;

/// Stops its whole thread, as SIGSTOP would, once, before the first page of devices of whichever connection.
struct Freezing {
    inner: Arc<dyn Transport>,
    frozen: Mutex<Option<ConnectionId>>,
    done: AtomicBool,
    wake: Mutex<mpsc::Receiver<()>>,
}

struct FreezingDial(Arc<Freezing>);

struct Freezes(ConnectionId, Arc<Freezing>);

impl Dial for FreezingDial {
    fn transport(&self, id: ConnectionId, _: bool) -> Arc<dyn Transport> {
        Arc::new(Freezes(id, self.0.clone()))
    }
}

#[async_trait]
impl Transport for Freezes {
    async fn send(&self, request: Request) -> integration::Result<Response> {
        let Self(id, freezing) = self;
        if request.url.path().contains("device") && !freezing.done.swap(true, Ordering::SeqCst) {
            *freezing.frozen.lock().expect("is whole") = Some(*id);
            freezing.wake.lock().expect("is whole").recv().expect("is woken");
        }
        freezing.inner.send(request).await
    }

    fn now(&self) -> DateTime<Utc> {
        self.1.inner.now()
    }
}

/// A worker with a thread of its own, so that nothing of it moves while it is frozen.
fn on_a_thread(stage: &Stage, freezing: Arc<Freezing>, stop: CancellationToken) -> thread::JoinHandle<()> {
    let (url, clock, entries) = (stage.db.url.clone(), stage.db.clock.clone(), stage.engine.entries);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let chance = Arc::new(SeededChance::new(99));
            let options = StoreOptions { clock, chance, ..StoreOptions::new(url, keys()) };
            let store = Store::connect(options).await.expect("opens");
            let engine = Engine { store, entries, dial: Arc::new(FreezingDial(freezing)) };
            Worker::new(engine, WorkerOptions { slots: 1, ..OPTIONS }).run(stop).await;
        });
    })
}

async fn runs(db: &TestDb, stage: &Stage, connection: ConnectionId) -> Vec<Run> {
    let tx = db.store.read(db.context(stage.organisation)).await.expect("reads");
    tx.runs_recent(connection, 50).await.expect("lists")
}

both_databases! {
    async fn one_of_four_workers_freezes_past_its_lease_and_wakes(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let ids = connections(&stage, DUE).await;
        let (wake, woken) = mpsc::channel();
        let freezing = Arc::new(Freezing {
            inner: stage.simulated.clone(),
            frozen: Mutex::default(),
            done: AtomicBool::new(false),
            wake: Mutex::new(woken),
        });
        let (stop_frozen, stop) = (CancellationToken::new(), CancellationToken::new());
        let thread = on_a_thread(&stage, freezing.clone(), stop_frozen.clone());
        until("one is frozen", async || freezing.frozen.lock().expect("is whole").is_some()).await;
        let frozen = freezing.frozen.lock().expect("is whole").expect("just was");
        let mut workers = tokio::task::JoinSet::new();
        for seed in [31, 32, 33] {
            let engine = Engine { store: stage.db.another(seed).await, ..stage.engine.clone() };
            let (worker, stop) = (Worker::new(engine, OPTIONS), stop.clone());
            workers.spawn(async move { worker.run(stop).await });
        }
        for id in ids.iter().filter(|id| **id != frozen) {
            until("the others are synced", async || synced(&stage.db, stage.organisation, *id).await).await;
        }
        assert!(!synced(&stage.db, stage.organisation, frozen).await, "its lease holds");
        stage.db.clock.advance(31);
        until("it is taken over", async || synced(&stage.db, stage.organisation, frozen).await).await;
        stop.cancel();
        workers.join_all().await;

        let before = runs(&stage.db, &stage, frozen).await;
        wake.send(()).expect("wakes");
        // It has one slot: it does this only when it has ended what it had in hand.
        let other = ids.iter().copied().find(|id| *id != frozen).expect("there are more");
        let had = runs(&stage.db, &stage, other).await.len();
        let tx = stage.db.store.begin(stage.db.context(stage.organisation)).await.expect("begins");
        sync::sync_start(&tx, stage.engine.entries, other, None).await.expect("starts");
        tx.commit_unjournalled().await.expect("commits");
        until("it works again", async || {
            let runs = runs(&stage.db, &stage, other).await;
            runs.len() == 2 * had && runs.iter().all(|run| run.finished_at.is_some())
        })
        .await;
        stop_frozen.cancel();
        tokio::task::spawn_blocking(move || thread.join().expect("ends well")).await.expect("ends");

        assert_eq!(runs(&stage.db, &stage, frozen).await, before, "the woken worker wrote");
        for id in &ids {
            let all = runs(&stage.db, &stage, *id).await;
            let mut kinds: Vec<_> = all.iter().map(|run| run.kind.as_str()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            let times = if *id == other { 2 } else { 1 };
            assert_eq!(all.len(), times * kinds.len(), "each kind once: a second writer would have begun another");
            assert!(all.iter().all(|run| run.state == RunState::Complete && run.counts.adds_up()), "{all:?}");
        }
        stage.assert_true().await;
        // What signs the journal waits for its time.
        let depth = stage.db.store.across_read().await.expect("begins").queue_depth().await.expect("counts");
        let left = depth.iter().filter(|one| matches!(one.state.as_str(), "queued" | "running"));
        assert_eq!(left.filter(|one| one.kind != "journal_checkpoint").count(), 0);
    }
}
