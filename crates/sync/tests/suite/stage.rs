//! A connection to a simulated vendor, with the world as the oracle of what must be stored.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use domain::{Connection, ConnectionId, Context, OrganisationId, Record, Run};
use integration::{Entry, Kind, Listing, Position, Reach, RecordKind, Request, Response, Transport};
use persistence::JournalFilter;
use serde_json::{Map, Value};
use sync::{Dial, Engine, NewConnection, Worker, WorkerOptions};
use testkit::TestDb;
use vendorkit::{Faulty, Plan, Simulated, Simulator, World, WorldSize};

pub const NINJAONE: &str = "ninjaone";
pub const MICROSOFT365: &str = "microsoft365";
pub const PAX8: &str = "pax8";
pub const AUTOTASK: &str = "autotask";
pub const CONNECTWISE: &str = "connectwise-manage";
pub const HALOPSA: &str = "halopsa";

pub static ENTRIES: &[Entry] = &[
    Entry::of::<connector_ninjaone::NinjaOne>(),
    Entry::of::<connector_microsoft365::Microsoft365>(),
    Entry::of::<connector_pax8::Pax8>(),
    Entry::of::<connector_autotask::Autotask>(),
    Entry::of::<connector_connectwise_manage::ConnectwiseManage>(),
    Entry::of::<connector_halopsa::Halopsa>(),
];

fn simulator(vendor: &str) -> Arc<dyn Simulator> {
    match vendor {
        NINJAONE => Arc::new(connector_ninjaone::Simulator::default()),
        MICROSOFT365 => Arc::new(connector_microsoft365::simulator::Microsoft365Simulator::default()),
        PAX8 => Arc::new(connector_pax8::Simulator::default()),
        AUTOTASK => Arc::new(connector_autotask::Simulator::default()),
        CONNECTWISE => Arc::new(connector_connectwise_manage::Simulator::default()),
        HALOPSA => Arc::new(connector_halopsa::Simulator::default()),
        other => panic!("no simulator of {other}"),
    }
}

/// Every connection over the same wire.
pub struct Wire(pub Arc<dyn Transport>);

impl Dial for Wire {
    fn transport(&self, _: ConnectionId, _: bool) -> Arc<dyn Transport> {
        self.0.clone()
    }
}

/// Asks for small pages where the connector asks for large ones, so that a small world has many.
pub struct SmallPages(pub Arc<dyn Transport>);

#[async_trait::async_trait]
impl Transport for SmallPages {
    async fn send(&self, mut request: Request) -> integration::Result<Response> {
        let pairs: Vec<_> = request.url.query_pairs().into_owned().collect();
        if !pairs.is_empty() {
            let small = |key: &str, value: String| match (key, value.as_str()) {
                ("pageSize", "1000") => "50".to_owned(),
                ("size", "200") => "10".to_owned(),
                _ => value,
            };
            let pairs = pairs.into_iter().map(|(key, value)| (key.clone(), small(&key, value)));
            request.url.query_pairs_mut().clear().extend_pairs(pairs.collect::<Vec<_>>());
        }
        self.0.send(request).await
    }

    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.0.now()
    }
}

pub struct Stage {
    pub db: TestDb,
    pub organisation: OrganisationId,
    pub simulated: Arc<Simulated>,
    /// Breaks everything but requests for tokens.
    pub faulty: Arc<Faulty>,
    pub engine: Engine,
    pub worker: Worker,
    pub connection: ConnectionId,
    pub vendor: &'static Entry,
    pub credentials: Map<String, Value>,
}

/// What is stored, or should be: kind, entity and vendor id, with title and body.
pub type Snapshot = BTreeMap<(String, String, String), (String, String)>;

pub const OPTIONS: WorkerOptions = WorkerOptions {
    slots: 4,
    lease: Duration::from_secs(30),
    poll: Duration::from_millis(20),
    drain: Duration::from_secs(5),
};

pub async fn stage(db: TestDb, vendor: &str, size: WorldSize) -> Stage {
    let world = World::generate(size, 7, db.now());
    stage_over(db, vendor, world).await
}

pub async fn stage_over(db: TestDb, vendor: &str, world: World) -> Stage {
    let simulator = simulator(vendor);
    let credentials = simulator.credentials("https://simulated.example/v");
    let simulated = Arc::new(Simulated::new(simulator.clone(), world));
    let faulty = Faulty::over(simulated.clone(), Plan::Never).only(move |request| !simulator.asks_for_token(request));
    let faulty = Arc::new(faulty);
    let engine = Engine {
        store: db.store.clone(),
        entries: ENTRIES,
        dial: Arc::new(Wire(Arc::new(SmallPages(faulty.clone())))),
    };
    let organisation = db.organisation("Sync").await;
    let connection = connect(&db, organisation, vendor, &credentials).await;
    let vendor = engine.entry(vendor).expect("is in the list");
    let worker = Worker::new(engine.clone(), OPTIONS);
    Stage { db, organisation, simulated, faulty, engine, worker, connection, vendor, credentials }
}

/// A connection that works, with its first sync on the queue.
pub async fn connect(
    db: &TestDb,
    organisation: OrganisationId,
    vendor: &str,
    credentials: &Map<String, Value>,
) -> ConnectionId {
    let tx = db.store.begin(db.context(organisation)).await.expect("begins");
    let input =
        NewConnection { integration: vendor.to_owned(), credentials: credentials.clone(), ..NewConnection::default() };
    let connection = sync::connection_create(&tx, ENTRIES, &input, Some(&Default::default())).await.expect("creates");
    tx.commit("connection_create", None).await.expect("commits");
    connection.id
}

impl Stage {
    pub fn context(&self) -> Context {
        self.db.context(self.organisation)
    }

    /// Moves both clocks.
    pub fn advance(&self, seconds: i64) {
        self.db.clock.advance(seconds);
        self.simulated.advance(chrono::TimeDelta::seconds(seconds));
    }

    /// Runs what is due; the clock does not move.
    pub async fn work(&self) -> usize {
        self.worker.run_until_idle().await.expect("works")
    }

    /// Enqueues a sync an hour later and runs it, once.
    pub async fn sync(&self) {
        self.advance(3_600);
        self.start().await;
        self.work().await;
    }

    pub async fn start(&self) {
        let tx = self.db.store.begin(self.context()).await.expect("begins");
        sync::sync_start(&tx, ENTRIES, self.connection, None).await.expect("starts");
        tx.commit_unjournalled().await.expect("commits");
    }

    /// Runs what is due, and what becomes due by waiting, until nothing is pending.
    pub async fn finish(&self) {
        for _ in 0..400 {
            self.work().await;
            if self.pending().await == 0 {
                return;
            }
            self.advance(60);
        }
        panic!("the sync does not end: {:?}", self.runs().await);
    }

    pub async fn pending(&self) -> usize {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        usize::from(tx.job_pending(&sync::sync_key(self.connection)).await.expect("asks").is_some())
    }

    pub async fn connection(&self) -> Connection {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        tx.connection(self.connection).await.expect("is there")
    }

    /// All runs, the newest first.
    pub async fn runs(&self) -> Vec<Run> {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        let page = domain::PageRequest { limit: 100, after: None };
        let mut runs = tx.run_list(Some(self.connection), None, &page).await.expect("lists").items;
        runs.sort_by_key(|run| std::cmp::Reverse((run.started_at, run.finished_at)));
        runs
    }

    /// The newest run of a kind.
    pub async fn run(&self, kind: RecordKind) -> Run {
        let runs = self.runs().await;
        runs.into_iter().find(|run| run.kind == kind.as_str()).unwrap_or_else(|| panic!("no run of {}", kind.as_str()))
    }

    /// Entries of the journal.
    pub async fn journal(&self, action: &str) -> i64 {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        let filter = JournalFilter { action: Some(action.to_owned()), ..JournalFilter::default() };
        tx.journal_list(&filter, &domain::PageRequest::first()).await.expect("lists").total
    }

    /// Keys of what is stored.
    pub async fn keys(&self) -> BTreeSet<(String, String, String)> {
        self.stored().await.into_keys().collect()
    }

    /// Everything stored and listed, row by row.
    pub async fn rows(&self) -> Vec<Record> {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        let entities: Vec<_> = tx.entities_of(self.connection).await.expect("lists").iter().map(|e| e.id).collect();
        let mut rows = Vec::new();
        for kind in RecordKind::ALL {
            rows.extend(tx.records_under(&entities, kind.as_str()).await.expect("lists"));
        }
        rows.sort_by_key(|row| row.id);
        rows
    }

    /// What is stored.
    pub async fn stored(&self) -> Snapshot {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        let entities = tx.entities_of(self.connection).await.expect("lists");
        let names: BTreeMap<_, _> = entities.iter().map(|entity| (entity.id, entity.vendor_id.clone())).collect();
        let mut snapshot = Snapshot::new();
        for entity in &entities {
            snapshot.insert(
                ("entity".to_owned(), String::new(), entity.vendor_id.clone()),
                (entity.name.clone(), entity.body.clone()),
            );
        }
        for row in self.rows().await {
            let key = (row.kind, names[&row.entity_id].clone(), row.vendor_id);
            snapshot.insert(key, (row.title, row.body));
        }
        snapshot
    }

    /// What the vendor has, by its connector over an unbroken wire.
    pub async fn truth(&self) -> Snapshot {
        let connector = self.vendor.connect(&self.credentials, self.simulated.clone()).expect("connects");
        let mut snapshot = Snapshot::new();
        let mut entities = Vec::new();
        for listing in connector.listings() {
            if listing.kind() == RecordKind::Entity {
                for (_, record) in walk(listing.as_ref(), None).await.expect("lists") {
                    entities.push(record.id.clone());
                    snapshot.insert(("entity".into(), String::new(), record.id), (record.title, record.body));
                }
                continue;
            }
            let whose: Vec<Option<&str>> = match listing.reach() {
                Reach::Connection => vec![None],
                Reach::Entity => entities.iter().map(|id| Some(id.as_str())).collect(),
            };
            for entity in whose {
                let listed = match walk(listing.as_ref(), entity).await {
                    Err(error) if entity.is_some() && lacks(error.kind) => continue,
                    listed => listed.expect("lists"),
                };
                for (entity, record) in listed {
                    let key = (listing.kind().as_str().to_owned(), entity, record.id);
                    snapshot.insert(key, (record.title, record.body));
                }
            }
        }
        self.simulated.clear_log();
        snapshot
    }

    /// What is stored is what the vendor has.
    pub async fn assert_true(&self) {
        let (stored, truth) = (self.stored().await, self.truth().await);
        let missing: Vec<_> = truth.keys().filter(|key| !stored.contains_key(*key)).take(3).collect();
        let extra: Vec<_> = stored.keys().filter(|key| !truth.contains_key(*key)).take(3).collect();
        assert!(missing.is_empty() && extra.is_empty(), "missing {missing:?}, too many {extra:?}");
        for (key, value) in &truth {
            assert_eq!(&stored[key], value, "{key:?}");
        }
        for run in self.runs().await {
            assert!(run.counts.adds_up(), "{run:?}");
        }
    }

    /// Requests since the log was cleared, without those for tokens.
    pub fn requests(&self) -> usize {
        let simulator = &self.simulated.simulator;
        self.simulated.requests().iter().filter(|request| !simulator.asks_for_token(request)).count()
    }
}

fn lacks(kind: Kind) -> bool {
    matches!(kind, Kind::Forbidden | Kind::NotOffered | Kind::Refused | Kind::NotFound)
}

type Listed = Vec<(String, integration::ReadRecord)>;

async fn walk(listing: &dyn Listing, entity: Option<&str>) -> Result<Listed, integration::Error> {
    let (mut listed, mut cursor) = (Listed::new(), None);
    loop {
        let page = listing.page(Position { entity, cursor: cursor.as_ref(), since: None }).await?;
        for raw in &page.records {
            let read = listing.read(raw).expect("reads");
            let whose = read.entity.clone().or(entity.map(str::to_owned)).unwrap_or_default();
            listed.push((whose, read));
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(listed),
        }
    }
}
