//! The worker: one connection is never synced twice at once, a sick one does not hold up others, and stopping
//! is quick and loses nothing.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ConnectionId, ConnectionState, OrganisationId};
use integration::{Request, Response, Transport};
use sync::{Dial, Engine, Worker};
use testkit::{TestDb, both_databases, sqlite};
use tokio_util::sync::CancellationToken;
use vendorkit::WorldSize;

use crate::stage::{NINJAONE, OPTIONS, SmallPages, Stage, Wire, connect, stage};

const SIZE: WorldSize = WorldSize { businesses: 6, devices: 60, people: 6 };

/// Counts who talks to the vendor at the same time, for each connection.
#[derive(Default)]
struct Watch {
    busy: Mutex<HashMap<ConnectionId, usize>>,
    most: AtomicUsize,
}

struct Watched {
    id: ConnectionId,
    watch: Arc<Watch>,
    inner: Arc<dyn Transport>,
}

#[async_trait]
impl Transport for Watched {
    async fn send(&self, request: Request) -> integration::Result<Response> {
        let now = {
            let mut busy = self.watch.busy.lock().expect("is whole");
            let count = busy.entry(self.id).or_default();
            *count += 1;
            *count
        };
        self.watch.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let answer = self.inner.send(request).await;
        *self.watch.busy.lock().expect("is whole").entry(self.id).or_default() -= 1;
        answer
    }

    fn now(&self) -> DateTime<Utc> {
        self.inner.now()
    }
}

struct WatchedDial {
    watch: Arc<Watch>,
    inner: Arc<dyn Transport>,
}

impl Dial for WatchedDial {
    fn transport(&self, id: ConnectionId, _: bool) -> Arc<dyn Transport> {
        Arc::new(Watched { id, watch: self.watch.clone(), inner: self.inner.clone() })
    }
}

/// In the middle of one sync, lets its lease run out and another worker do the whole job.
struct Thief {
    stage: Arc<Stage>,
    at: usize,
    asked: AtomicUsize,
}

#[async_trait]
impl Transport for Thief {
    async fn send(&self, request: Request) -> integration::Result<Response> {
        if self.asked.fetch_add(1, Ordering::SeqCst) == self.at {
            self.stage.advance(31);
            assert_eq!(self.stage.work().await, 1, "another worker takes it over");
        }
        self.stage.simulated.send(request).await
    }

    fn now(&self) -> DateTime<Utc> {
        self.stage.simulated.now()
    }
}

/// Panics or hangs for one connection, works for the others.
struct SickDial {
    sick: ConnectionId,
    panics: bool,
    inner: Arc<dyn Transport>,
}

struct Sick {
    panics: bool,
    inner: Arc<dyn Transport>,
}

#[async_trait]
impl Transport for Sick {
    async fn send(&self, _: Request) -> integration::Result<Response> {
        assert!(!self.panics, "a connector's mistake");
        std::future::pending().await
    }

    fn now(&self) -> DateTime<Utc> {
        self.inner.now()
    }
}

impl Dial for SickDial {
    fn transport(&self, id: ConnectionId, _: bool) -> Arc<dyn Transport> {
        if id == self.sick {
            Arc::new(Sick { panics: self.panics, inner: self.inner.clone() })
        } else {
            self.inner.clone()
        }
    }
}

pub async fn connections(stage: &Stage, count: usize) -> Vec<ConnectionId> {
    let mut ids = vec![stage.connection];
    for _ in 1..count {
        ids.push(connect(&stage.db, stage.organisation, NINJAONE, &stage.credentials).await);
    }
    ids
}

pub async fn synced(db: &TestDb, organisation: OrganisationId, id: ConnectionId) -> bool {
    let tx = db.store.read(db.context(organisation)).await.expect("reads");
    tx.connection(id).await.expect("is there").last_synced_at.is_some()
}

/// Waits, within bounds, until something is so.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "it did not come true that {what}");
}

both_databases! {
    async fn two_workers_never_sync_one_connection_at_once(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let ids = connections(&stage, 6).await;
        let watch = Arc::new(Watch::default());
        let stop = CancellationToken::new();
        let mut workers = tokio::task::JoinSet::new();
        for seed in [31, 32] {
            let engine = Engine {
                store: stage.db.another(seed).await,
                dial: Arc::new(WatchedDial { watch: watch.clone(), inner: stage.simulated.clone() }),
                ..stage.engine.clone()
            };
            let (worker, stop) = (Worker::new(engine, OPTIONS), stop.clone());
            workers.spawn(async move { worker.run(stop).await });
        }
        for id in &ids {
            until("every connection is synced", async || synced(&stage.db, stage.organisation, *id).await).await;
        }
        stop.cancel();
        workers.join_all().await;
        assert_eq!(watch.most.load(Ordering::SeqCst), 1, "a listing is walked by one");
        stage.assert_true().await;
    }

    async fn in_quiet_hours_the_schedule_begins_nothing_and_people_do(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        stage.work().await;
        let due = stage.connection().await.next_sync_at.expect("is scheduled");
        // From a minute before it is due for three hours, by a clock ninety minutes behind UTC.
        let local = due - chrono::TimeDelta::minutes(90);
        let minute = i32::try_from(chrono::Timelike::num_seconds_from_midnight(&local) / 60).expect("a minute");
        let hours = domain::QuietHours {
            from_minute: (minute - 1).rem_euclid(1_440),
            until_minute: (minute + 179).rem_euclid(1_440),
            offset_minutes: -90,
        };
        let set = async |hours: Option<domain::QuietHours>| {
            let tx = stage.db.store.begin(stage.context()).await.expect("begins");
            sync::connection_quiet_set(&tx, stage.engine.entries, stage.connection, hours).await.expect("sets");
            tx.commit("connection_quiet_set", None).await.expect("commits");
        };
        set(Some(hours)).await;
        stage.advance((due - stage.db.now()).num_seconds() + 1);
        assert_eq!(stage.engine.schedule().await.expect("schedules"), 0);
        let later = stage.connection().await.next_sync_at.expect("is scheduled");
        assert!(later > stage.db.now() && later - due <= chrono::TimeDelta::minutes(180), "{later}");
        assert_eq!(hours.ends_at(later), None);
        // A person need not wait.
        let before = stage.requests();
        stage.start().await;
        stage.work().await;
        assert!(stage.requests() > before, "a person's sync waited");
        // When the quiet is over, it is synced again.
        stage.advance((stage.connection().await.next_sync_at.expect("is scheduled") - stage.db.now()).num_seconds() + 1);
        stage.advance(3 * 3_600);
        assert_eq!(stage.engine.schedule().await.expect("schedules"), 1);
        stage.work().await;
        let next = stage.connection().await.next_sync_at.expect("is scheduled");
        set(None).await;
        stage.advance((next - stage.db.now()).num_seconds() + 1);
        assert_eq!(stage.engine.schedule().await.expect("schedules"), 1);
    }

    async fn the_schedule_syncs_what_is_due_and_nothing_else(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        assert_eq!(stage.work().await, 1);
        assert_eq!(stage.work().await, 0);
        let next = stage.connection().await.next_sync_at.expect("is scheduled");
        let minutes = (next - stage.db.now()).num_minutes();
        assert!((53..=66).contains(&minutes), "{minutes} minutes");
        stage.advance(53 * 60);
        stage.advance((next - stage.db.now()).num_seconds() + 1);
        assert_eq!(stage.work().await, 1);
        assert!(stage.connection().await.next_sync_at.is_some_and(|again| again > next));
    }

    async fn a_worker_that_slept_through_its_lease_writes_nothing(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let across = stage.db.store.across().await.expect("begins");
        let lease = chrono::TimeDelta::seconds(30);
        let job = across.jobs_claim(1, stage.db.now(), lease).await.expect("claims").remove(0);
        across.commit().await.expect("commits");
        stage.advance(31);
        assert_eq!(stage.work().await, 1, "another worker takes it over");
        let (before, runs) = (stage.rows().await, stage.runs().await);
        stage.simulated.change(|world| world.touch_devices(900));
        let ended = stage.engine.handle(&job, &CancellationToken::new()).await;
        assert!(matches!(ended, sync::Ended::Lost), "{ended:?}");
        assert_eq!((stage.rows().await, stage.runs().await), (before, runs));
    }

    async fn a_lease_lost_between_two_pages_ends_the_walk(db: TestDb) {
        let stage = Arc::new(stage(db, NINJAONE, WorldSize { devices: 260, ..SIZE }).await);
        for at in [1, 2, 4, 6] {
            let across = stage.db.store.across().await.expect("begins");
            let lease = chrono::TimeDelta::seconds(30);
            let job = across.jobs_claim(1, stage.db.now(), lease).await.expect("claims").remove(0);
            across.commit().await.expect("commits");
            let thief = Arc::new(Thief { stage: stage.clone(), at, asked: AtomicUsize::new(0) });
            let engine = Engine { dial: Arc::new(Wire(Arc::new(SmallPages(thief)))), ..stage.engine.clone() };
            let ended = engine.handle(&job, &CancellationToken::new()).await;
            assert!(matches!(ended, sync::Ended::Lost), "{ended:?}");
            stage.assert_true().await;
            assert!(stage.runs().await.iter().all(|run| run.finished_at.is_some()));
            stage.advance(3_600);
            stage.simulated.change(|world| world.touch_devices(500));
            stage.start().await;
        }
    }

    async fn a_stopped_worker_returns_soon_and_the_next_one_goes_on(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let engine = Engine {
            dial: Arc::new(SickDial { sick: stage.connection, panics: false, inner: stage.simulated.clone() }),
            ..stage.engine.clone()
        };
        let (worker, stop) = (Worker::new(engine, OPTIONS), CancellationToken::new());
        let running = tokio::spawn({
            let (worker, stop) = (worker.clone(), stop.clone());
            async move { worker.run(stop).await }
        });
        until("the job runs", async || {
            let across = stage.db.store.across_read().await.expect("begins");
            across.jobs().await.expect("lists").iter().any(|job| job.state == "running")
        })
        .await;
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(4), running).await.expect("stops in time").expect("ends well");
        // Its lease has not run out: it was given back.
        assert_eq!(stage.work().await, 1);
        stage.assert_true().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sick_connection_does_not_hold_up_the_others() {
    for panics in [false, true] {
        let stage = stage(sqlite().await, NINJAONE, SIZE).await;
        let ids = connections(&stage, 12).await;
        let engine = Engine {
            dial: Arc::new(SickDial { sick: ids[0], panics, inner: stage.simulated.clone() }),
            ..stage.engine.clone()
        };
        let (worker, stop) = (Worker::new(engine, OPTIONS), CancellationToken::new());
        let running = tokio::spawn({
            let stop = stop.clone();
            async move { worker.run(stop).await }
        });
        for id in &ids[1..] {
            until("the healthy ones are synced", async || synced(&stage.db, stage.organisation, *id).await).await;
        }
        assert!(!synced(&stage.db, stage.organisation, ids[0]).await);
        stop.cancel();
        running.await.expect("a panic stays where it is");
    }
}

#[tokio::test]
async fn a_connector_that_always_panics_is_given_up_and_shows() {
    let stage = stage(sqlite().await, NINJAONE, SIZE).await;
    let engine = Engine {
        dial: Arc::new(SickDial { sick: stage.connection, panics: true, inner: stage.simulated.clone() }),
        ..stage.engine.clone()
    };
    let worker = Worker::new(engine, OPTIONS);
    let mut tries = 0;
    while stage.pending().await > 0 {
        tries += worker.run_until_idle().await.expect("works");
        stage.advance(60);
        assert!(tries < 20, "it is tried for ever");
    }
    assert_eq!(tries, 5);
    assert_eq!(stage.connection().await.state, ConnectionState::Degraded);
}
