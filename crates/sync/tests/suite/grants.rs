//! Grants whose tokens rotate, kept in the database: one renewal however many processes wait, stored before it is
//! used, and nothing lost when somebody gives up waiting.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use connector_workflowmax::{Simulator, Workflowmax};
use domain::{Connection, ConnectionId, ConnectionState, OrganisationId};
use integration::{Entry, Request, Response, Transport};
use persistence::{JournalFilter, Store};
use serde_json::{Map, Value};
use sync::{ConnectionPatch, Engine, NewConnection, Worker};
use testkit::{TestDb, both_databases};
use tokio::sync::Notify;
use vendorkit::{Fault, Faulty, Plan, Simulated, Simulator as _, World, WorldSize};

use crate::stage::{OPTIONS, Wire};

static ENTRIES: &[Entry] = &[Entry::of::<Workflowmax>()];

/// Stops the next renewal on its way to the vendor until it is let go.
struct Gate {
    inner: Arc<dyn Transport>,
    shut: AtomicBool,
    reached: Notify,
    open: Notify,
}

#[async_trait::async_trait]
impl Transport for Gate {
    async fn send(&self, request: Request) -> integration::Result<Response> {
        if request.url.path().ends_with("/oauth/token") && self.shut.swap(false, Ordering::SeqCst) {
            self.reached.notify_one();
            self.open.notified().await;
        }
        self.inner.send(request).await
    }

    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.inner.now()
    }
}

struct Scene {
    db: TestDb,
    organisation: OrganisationId,
    connection: ConnectionId,
    simulator: Arc<Simulator>,
    simulated: Arc<Simulated>,
    /// Breaks renewals.
    faulty: Arc<Faulty>,
    gate: Arc<Gate>,
}

impl Scene {
    /// A connection that was consented to.
    async fn new(db: TestDb) -> Self {
        let simulator = Arc::new(Simulator::default());
        let size = WorldSize { businesses: 3, devices: 3, people: 6 };
        let simulated = Arc::new(Simulated::new(simulator.clone(), World::generate(size, 7, db.now())));
        let asks = simulator.clone();
        let faulty = Faulty::over(simulated.clone(), Plan::Never).only(move |request| asks.asks_for_token(request));
        let faulty = Arc::new(faulty);
        let gate =
            Gate { inner: faulty.clone(), shut: AtomicBool::new(false), reached: Notify::new(), open: Notify::new() };
        let organisation = db.organisation("Grants").await;
        let credentials = simulator.credentials("https://simulated.example/v");
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let new = NewConnection {
            integration: "workflowmax".to_owned(),
            credentials: credentials.clone(),
            ..NewConnection::default()
        };
        let made = sync::connection_create(&tx, ENTRIES, &new, Some(&Default::default())).await.expect("creates");
        assert_eq!(made.state, ConnectionState::Draft, "connected without consent");
        assert!(made.state_reason.as_deref().is_some_and(|why| why.contains("Consent is missing")), "{made:?}");
        tx.connection_seal(made.id, &Value::Object(simulator.consented(credentials))).await.expect("seals");
        let connected = Connection { state: ConnectionState::Connected, state_reason: None, ..made.clone() };
        tx.connection_update(&made, connected).await.expect("updates");
        tx.commit("connection_create", None).await.expect("commits");
        let scene = Self { db, organisation, connection: made.id, simulator, simulated, faulty, gate: Arc::new(gate) };
        // The first test notes the account.
        scene.engine(&scene.db.store).connection_test(&scene.db.context(organisation), made.id).await.expect("works");
        scene
    }

    fn engine(&self, store: &Store) -> Engine {
        Engine { store: store.clone(), entries: ENTRIES, dial: Arc::new(Wire(self.gate.clone())) }
    }

    /// Another process: on SQLite there is one only.
    async fn process(&self, seed: u64) -> Engine {
        if self.db.store.is_postgres() {
            self.engine(&self.db.another(seed).await)
        } else {
            self.engine(&self.db.store)
        }
    }

    async fn test(&self, engine: Engine) -> domain::Result<()> {
        engine.connection_test(&self.db.context(self.organisation), self.connection).await.map(drop)
    }

    async fn connection(&self) -> Connection {
        let tx = self.db.store.read(self.db.context(self.organisation)).await.expect("reads");
        tx.connection(self.connection).await.expect("is there")
    }

    async fn credentials(&self) -> Value {
        let tx = self.db.store.read(self.db.context(self.organisation)).await.expect("reads");
        tx.connection_credentials(self.connection).await.expect("opens")
    }

    async fn entries(&self) -> i64 {
        let tx = self.db.store.read(self.db.context(self.organisation)).await.expect("reads");
        tx.journal_list(&JournalFilter::default(), &domain::PageRequest::first()).await.expect("lists").total
    }

    async fn sync(&self) {
        self.db.clock.advance(3_600);
        self.simulated.advance(chrono::TimeDelta::hours(1));
        let tx = self.db.store.begin(self.db.context(self.organisation)).await.expect("begins");
        sync::sync_start(&tx, ENTRIES, self.connection, None).await.expect("starts");
        tx.commit_unjournalled().await.expect("commits");
        self.work().await;
    }

    async fn work(&self) {
        Worker::new(self.engine(&self.db.store), OPTIONS).run_until_idle().await.expect("works");
    }
}

both_databases! {
    async fn calls_of_two_processes_renew_once(db: TestDb) {
        let scene = Arc::new(Scene::new(db).await);
        let engines = [scene.process(8).await, scene.process(9).await];
        let (before, entries) = (scene.connection().await, scene.entries().await);
        for round in 1..=3 {
            let old = scene.credentials().await;
            scene.simulator.expire_tokens();
            let calls: Vec<_> = (0..8).map(|at| {
                let (scene, engine) = (scene.clone(), engines[at % 2].clone());
                tokio::spawn(async move { scene.test(engine).await })
            }).collect();
            for call in calls {
                call.await.expect("ends").expect("works");
            }
            assert_eq!(scene.simulator.renewals(), round, "round {round}");
            assert_ne!(scene.credentials().await["grant"], old["grant"], "the new grant is not stored");
        }
        // People see nothing of it.
        assert_eq!(scene.connection().await, before);
        assert_eq!(scene.entries().await, entries);
        scene.sync().await;
        assert_eq!(scene.connection().await.state, ConnectionState::Connected);
    }

    async fn who_waits_may_give_up_but_the_renewal_may_not(db: TestDb) {
        let scene = Arc::new(Scene::new(db).await);
        let old = scene.credentials().await;
        scene.simulator.expire_tokens();
        scene.gate.shut.store(true, Ordering::SeqCst);
        let (waiting, engine) = (scene.clone(), scene.process(8).await);
        let store = engine.store.clone();
        let call = tokio::spawn(async move { waiting.test(engine).await });
        scene.gate.reached.notified().await;
        call.abort();
        assert!(call.await.expect_err("was ended").is_cancelled());
        scene.gate.open.notify_one();
        drop(store.grant_turn(scene.connection).await);
        assert_ne!(scene.credentials().await["grant"], old["grant"], "the renewal was lost with the one who waited");
        scene.test(scene.process(9).await).await.expect("works");
        assert_eq!(scene.simulator.renewals(), 1);
    }

    async fn a_renewal_that_was_lost_asks_for_a_person(db: TestDb) {
        let scene = Scene::new(db).await;
        scene.simulator.expire_tokens();
        scene.faulty.set(Plan::nth(1, Fault::AnswerLost));
        scene.sync().await;
        assert_eq!(scene.connection().await.state, ConnectionState::Connected, "an answer that was lost is no refusal");
        // The next try has the old refresh token only, which the vendor takes for stolen.
        scene.db.clock.advance(3_600);
        scene.simulated.advance(chrono::TimeDelta::hours(1));
        scene.work().await;
        let connection = scene.connection().await;
        assert_eq!(connection.state, ConnectionState::ReauthRequired);
        let why = connection.state_reason.expect("says why");
        assert!(why.contains("reconnect") && why.contains("sign"), "{why}");
        let asked = scene.simulated.count();
        scene.db.clock.advance(86_400);
        scene.work().await;
        assert_eq!(scene.simulated.count(), asked, "it goes on without a person");
    }

    async fn credentials_saved_during_a_renewal_win(db: TestDb) {
        let scene = Arc::new(Scene::new(db).await);
        scene.simulator.expire_tokens();
        scene.gate.shut.store(true, Ordering::SeqCst);
        let (waiting, engine) = (scene.clone(), scene.process(8).await);
        let store = engine.store.clone();
        let call = tokio::spawn(async move { waiting.test(engine).await });
        scene.gate.reached.notified().await;
        let saving = scene.clone();
        let save = tokio::spawn(async move {
            let tx = saving.db.store.begin(saving.db.context(saving.organisation)).await.expect("begins");
            let credentials: Map<String, Value> = saving.simulator.credentials("https://simulated.example/other");
            let patch = ConnectionPatch { credentials: Some(credentials), ..ConnectionPatch::default() };
            sync::connection_update(&tx, ENTRIES, saving.connection, &patch).await.expect("saves");
            tx.commit("connection_update", None).await.expect("commits");
        });
        // On PostgreSQL the row is held over the exchange; on SQLite nothing is, and saving does not wait.
        let save = if scene.db.store.is_postgres() { Some(save) } else { save.await.map(|()| None).expect("saves") };
        scene.gate.open.notify_one();
        if let Some(save) = save {
            save.await.expect("saves");
        }
        let _ = call.await.expect("ends");
        drop(store.grant_turn(scene.connection).await);
        let kept = scene.credentials().await;
        assert_eq!(kept["api_url"], "https://simulated.example/other");
        assert!(kept.get("grant").is_none(), "a grant to the old credentials came back");
        assert_eq!(scene.connection().await.state, ConnectionState::Draft);
    }

    async fn what_people_type_is_never_a_grant(db: TestDb) {
        let scene = Scene::new(db).await;
        let engine = scene.engine(&scene.db.store);
        let context = scene.db.context(scene.organisation);
        let typed = scene.simulator.consented(scene.simulator.credentials("https://simulated.example/v"));
        let new = NewConnection { integration: "workflowmax".to_owned(), credentials: typed.clone(), ..NewConnection::default() };
        let tx = scene.db.store.begin(context.clone()).await.expect("begins");
        let patch = ConnectionPatch { credentials: Some(typed.clone()), ..ConnectionPatch::default() };
        for refused in [
            sync::connection_create(&tx, ENTRIES, &new, None).await.map(drop),
            sync::connection_update(&tx, ENTRIES, scene.connection, &patch).await.map(drop),
            engine.credentials_try(&context, "workflowmax", &typed).await.map(drop),
        ] {
            let Err(domain::Error::Invalid(problems)) = refused else { panic!("a typed grant is taken: {refused:?}") };
            assert_eq!(problems[0].pointer, "/credentials/grant");
        }
        let credentials = scene.simulator.credentials("https://simulated.example/v");
        let tried = engine.credentials_try(&context, "workflowmax", &credentials).await.expect("well formed");
        assert!(tried.is_none(), "there is nothing to try before consent");
    }
}
