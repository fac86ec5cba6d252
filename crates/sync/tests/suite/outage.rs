//! A database that goes away in mid-sync and comes back: PostgreSQL stopped (its connections break, new ones are
//! refused), SQLite locked by another process for longer than anyone waits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::RunState;
use integration::{Request, Response, Transport};
use persistence::{Store, StoreOptions};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sync::{Engine, Worker};
use testkit::{SeededChance, TestDb, both_databases, keys};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use vendorkit::WorldSize;

use crate::{
    stage::{NINJAONE, OPTIONS, SmallPages, Stage, Wire, stage},
    worker::until,
};

const SIZE: WorldSize = WorldSize { businesses: 4, devices: 160, people: 4 };
/// How long anyone waits for the database; the outage is longer.
const PATIENCE: Duration = Duration::from_millis(250);
const OUTAGE: Duration = Duration::from_millis(1_200);

/// The way to a database that can be taken away.
enum Way {
    /// A proxy before PostgreSQL, which forwards while this is true.
    Proxy(watch::Sender<bool>),
    /// A connection that can lock a SQLite file.
    Lock(DatabaseConnection),
}

impl Way {
    /// The way, and the address by which a store takes it.
    async fn to(db: &TestDb) -> (Self, String) {
        if !db.store.is_postgres() {
            return (Self::Lock(db.backdoor().await), db.url.clone());
        }
        let (scheme, rest) = db.url.split_once("://").expect("an address");
        let (server, name) = rest.split_once('/').expect("a database");
        let (user, server) = server.rsplit_once('@').expect("a user");
        let (server, user) = (server.to_owned(), user.to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let (open, is_open) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut is_open, server) = (is_open.clone(), server.clone());
                tokio::spawn(async move {
                    if !*is_open.borrow() {
                        return;
                    }
                    let Ok(mut far) = TcpStream::connect(server).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = is_open.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        (Self::Proxy(open), format!("{scheme}://{user}@127.0.0.1:{port}/{name}"))
    }

    async fn close(&self) {
        match self {
            Self::Proxy(open) => drop(open.send_replace(false)),
            Self::Lock(door) => drop(door.execute_unprepared("BEGIN EXCLUSIVE").await.expect("locks")),
        }
    }

    async fn open(&self) {
        match self {
            Self::Proxy(open) => drop(open.send_replace(true)),
            Self::Lock(door) => drop(door.execute_unprepared("COMMIT").await.expect("unlocks")),
        }
    }
}

/// Takes the database away before the answer to one request, for a while.
struct TakesAway {
    stage: Arc<Stage>,
    way: Arc<Way>,
    at: usize,
    asked: AtomicUsize,
}

#[async_trait]
impl Transport for TakesAway {
    async fn send(&self, request: Request) -> integration::Result<Response> {
        if self.asked.fetch_add(1, Ordering::SeqCst) == self.at {
            self.way.close().await;
            let way = self.way.clone();
            tokio::spawn(async move {
                // The outage is a length of time: nothing is waited for.
                tokio::time::sleep(OUTAGE).await;
                way.open().await;
            });
        }
        self.stage.simulated.send(request).await
    }

    fn now(&self) -> DateTime<Utc> {
        self.stage.simulated.now()
    }
}

/// Moves the clock, by which tries and leases live: while the job waits for its time; and by a whole lease when
/// nothing has moved for longer than anybody tries, because then nobody has the job.
async fn pass_time(stage: &Stage, moved: &mut (i32, Instant)) {
    let tx = stage.db.store.read(stage.context()).await.expect("reads");
    let job = tx.job_pending(&sync::sync_key(stage.connection)).await.expect("asks");
    let pages = stage.runs().await.iter().map(|run| run.pages).sum();
    if pages != moved.0 {
        *moved = (pages, Instant::now());
    }
    match job {
        Some(job) if job.state == "queued" => stage.advance(1),
        Some(_) if moved.1.elapsed() > OUTAGE * 2 => {
            stage.advance(31);
            moved.1 = Instant::now();
        }
        _ => {}
    }
}

both_databases! {
    async fn a_database_that_goes_and_comes_back_costs_nothing(db: TestDb) {
        let stage = Arc::new(stage(db, NINJAONE, SIZE).await);
        let (way, url) = Way::to(&stage.db).await;
        let way = Arc::new(way);
        let clock = stage.db.clock.clone();
        let options = || StoreOptions {
            patience: PATIENCE,
            clock: clock.clone(),
            chance: Arc::new(SeededChance::new(41)),
            ..StoreOptions::new(url.clone(), keys())
        };
        let mut store = None;
        // So little patience is too little for a first connection on a busy machine.
        until("the store opens", async || {
            store = Store::connect(options()).await.ok();
            store.is_some()
        })
        .await;
        let store = store.expect("it opened");
        for (round, at) in [1, 3, 5].map(|at| at + testkit::round() as usize % 3).into_iter().enumerate() {
            let away = Arc::new(TakesAway { stage: stage.clone(), way: way.clone(), at, asked: AtomicUsize::new(0) });
            let dial = Arc::new(Wire(Arc::new(SmallPages(away.clone()))));
            let engine = Engine { store: store.clone(), dial, ..stage.engine.clone() };
            let worker = Worker::new(engine, OPTIONS);
            let stop = CancellationToken::new();
            let running = tokio::spawn({
                let stop = stop.clone();
                async move { worker.run(stop).await }
            });
            until("the database was away", async || away.asked.load(Ordering::SeqCst) > at).await;
            let mut pages = (0, Instant::now());
            until("the sync ends", async || {
                pass_time(&stage, &mut pages).await;
                stage.pending().await == 0
            })
            .await;
            stop.cancel();
            running.await.expect("the worker did not crash");
            stage.assert_true().await;
            let runs = stage.runs().await;
            assert!(runs.iter().all(|run| run.state == RunState::Complete), "round {round}: {runs:?}");
            stage.advance(3_600);
            stage.simulated.change(|world| world.touch_devices(500));
            stage.start().await;
        }
    }
}
