//! Refresh tokens that rotate: one renewal however many wait, stored before it is used, and never an old one
//! twice. The store here stands for the database that two processes share.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex as Blocking,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use connector_workflowmax::{Simulator, Workflowmax};
use integration::{
    Connector, Entry, Error, Exchange, Field, Grant, GrantStore, Kind, Request, Response, Result, Transport,
};
use proptest::prelude::*;
use serde_json::Value;
use tokio::sync::Mutex;
use vendorkit::{Simulated, World, WorldSize, a_tuesday};

const BASE: &str = "https://simulated.example/workflowmax";

/// What two processes share.
struct Shared {
    kept: Mutex<Grant>,
    stored: Blocking<Vec<Grant>>,
    broken: AtomicBool,
    exchanges: AtomicUsize,
}

#[async_trait]
impl GrantStore for Shared {
    async fn renew(&self, seen: &Grant, exchange: Exchange) -> Result<Grant> {
        let mut kept = self.kept.lock().await;
        if *kept == *seen {
            self.exchanges.fetch_add(1, Ordering::SeqCst);
            let fresh = exchange(kept.clone()).await?;
            if self.broken.load(Ordering::SeqCst) {
                return Err(Error::new(Kind::Unavailable, "the process died before it could store"));
            }
            *kept = fresh;
            self.stored.lock().unwrap().push(kept.clone());
        }
        Ok(kept.clone())
    }
}

/// One process: a way to the vendor that offers the shared store, and notes what was sent before it was stored.
struct Process {
    vendor: Arc<Simulated>,
    shared: Arc<Shared>,
    early: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for Process {
    async fn send(&self, request: Request) -> Result<Response> {
        if let Some(token) = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
            let known = self.shared.stored.lock().unwrap().iter().any(|grant| grant.access.expose() == token);
            self.early.fetch_add(usize::from(!known), Ordering::SeqCst);
        }
        self.vendor.send(request).await
    }

    fn now(&self) -> DateTime<Utc> {
        self.vendor.now()
    }

    fn grants(&self) -> Option<&dyn GrantStore> {
        Some(self.shared.as_ref())
    }
}

struct Scene {
    vendor: Arc<Simulated>,
    simulator: Arc<Simulator>,
    shared: Arc<Shared>,
    early: Arc<AtomicUsize>,
}

impl Scene {
    fn new() -> Self {
        let simulator = Arc::new(Simulator::default());
        let size = WorldSize { businesses: 3, devices: 3, people: 3 };
        let vendor = Arc::new(Simulated::new(simulator.clone(), World::generate(size, 7, a_tuesday())));
        let grant = grant(&simulator);
        let shared = Shared {
            stored: Blocking::new(vec![grant.clone()]),
            kept: Mutex::new(grant),
            broken: AtomicBool::new(false),
            exchanges: AtomicUsize::new(0),
        };
        Self { vendor, simulator, shared: Arc::new(shared), early: Arc::default() }
    }

    /// A connector as a process would build it from what is stored.
    async fn process(&self) -> Arc<dyn Connector> {
        let credentials = vendorkit::Simulator::credentials(self.simulator.as_ref(), BASE);
        let kept = self.shared.kept.lock().await.store().unwrap();
        let mut credentials = credentials;
        credentials.insert("grant".to_owned(), Value::String(kept));
        let process = Process { vendor: self.vendor.clone(), shared: self.shared.clone(), early: self.early.clone() };
        Arc::from(Entry::of::<Workflowmax>().connect(&credentials, Arc::new(process)).unwrap())
    }

    fn expire(&self) {
        vendorkit::Simulator::expire_tokens(self.simulator.as_ref());
    }
}

fn grant(simulator: &Simulator) -> Grant {
    let credentials = vendorkit::Simulator::credentials(simulator, BASE);
    let credentials = vendorkit::Simulator::consented(simulator, credentials);
    Grant::parse(credentials["grant"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn many_calls_of_two_processes_renew_once() {
    let scene = Scene::new();
    let processes = [scene.process().await, scene.process().await];
    for round in 1..=4 {
        scene.expire();
        let calls: Vec<_> = (0..12)
            .map(|at| {
                let connector = processes[at % 2].clone();
                tokio::spawn(async move { connector.check().await.map(drop) })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!(scene.shared.exchanges.load(Ordering::SeqCst), round, "round {round}");
        assert_eq!(scene.simulator.renewals(), round as u64);
    }
    assert_eq!(scene.early.load(Ordering::SeqCst), 0, "a token was used before it was stored");
}

#[tokio::test]
async fn a_grant_that_ended_is_renewed_before_it_is_refused() {
    let scene = Scene::new();
    let (first, second) = (scene.process().await, scene.process().await);
    scene.expire();
    first.check().await.unwrap();
    // From now on the grant says when it ends.
    scene.vendor.advance(TimeDelta::hours(1));
    scene.vendor.clear_log();
    first.check().await.unwrap();
    let log = scene.vendor.log();
    assert!(log[0].1.ends_with("/oauth/token") && log.len() == 2, "{log:?}");
    // The other process knows the first grant only: it takes the one that is kept, and renews it once it ended.
    scene.vendor.advance(TimeDelta::hours(1));
    second.check().await.unwrap();
    first.check().await.unwrap();
    assert_eq!(scene.simulator.renewals(), 3);
    assert_eq!(scene.early.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_renewal_that_was_not_stored_needs_a_person_and_no_loop() {
    let scene = Scene::new();
    let process = scene.process().await;
    scene.expire();
    scene.shared.broken.store(true, Ordering::SeqCst);
    let error = process.check().await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable, "{error}");
    assert_eq!(scene.early.load(Ordering::SeqCst), 0, "what was not stored was used");
    // The next process has the old refresh token only: WorkflowMax takes it for stolen.
    scene.shared.broken.store(false, Ordering::SeqCst);
    let process = scene.process().await;
    for _ in 0..3 {
        let error = process.check().await.unwrap_err();
        assert_eq!(error.kind, Kind::Credentials, "{error}");
        assert!(error.message.contains("reconnect"), "{error}");
    }
    assert_eq!(scene.simulator.renewals(), 1);
}

#[tokio::test]
async fn idle_for_sixty_days_a_person_must_sign_in_again() {
    let scene = Scene::new();
    let process = scene.process().await;
    scene.expire();
    process.check().await.unwrap();
    scene.vendor.advance(TimeDelta::days(59));
    process.check().await.unwrap();
    scene.vendor.advance(TimeDelta::days(61));
    let error = process.check().await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials, "{error}");
    assert!(error.message.contains("reconnect"), "{error}");
}

/// What happens to a grant.
#[derive(Clone, Debug)]
enum Event {
    Expire,
    Wait(i64),
    Calls { process: usize, count: usize },
    Restart(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Expire),
        (1_i64..50 * 24 * 60).prop_map(Event::Wait),
        (0_usize..3, 1_usize..5).prop_map(|(process, count)| Event::Calls { process, count }),
        (0_usize..3).prop_map(Event::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever three processes do, in whatever order: no refresh token is sent twice, nothing is used before it is
    /// stored, and every call works while the grant is used at least every 50 days.
    #[test]
    fn no_refresh_token_is_ever_sent_twice(events in proptest::collection::vec(event(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let scene = Scene::new();
            let mut processes = [scene.process().await, scene.process().await, scene.process().await];
            let mut idle = 0;
            for event in events {
                match event {
                    Event::Expire => scene.expire(),
                    Event::Wait(minutes) => {
                        idle += minutes;
                        if idle > 50 * 24 * 60 {
                            processes[0].check().await.unwrap();
                            idle = minutes;
                        }
                        scene.vendor.advance(TimeDelta::minutes(minutes));
                    }
                    Event::Calls { process, count } => {
                        let calls: Vec<_> = (0..count).map(|_| {
                            let connector = processes[process].clone();
                            tokio::spawn(async move { connector.check().await.map(drop) })
                        }).collect();
                        for call in calls {
                            call.await.unwrap().unwrap();
                        }
                        idle = 0;
                    }
                    Event::Restart(process) => processes[process] = scene.process().await,
                }
            }
            let mut sent: BTreeMap<String, usize> = BTreeMap::new();
            for request in scene.vendor.requests().iter().filter(|request| request.url.path().ends_with("/token")) {
                *sent.entry(format!("{:?}", request.body)).or_default() += 1;
            }
            assert!(sent.values().all(|times| *times == 1), "a refresh token was sent twice: {sent:?}");
            assert_eq!(scene.early.load(Ordering::SeqCst), 0, "a token was used before it was stored");
        });
    }
}
