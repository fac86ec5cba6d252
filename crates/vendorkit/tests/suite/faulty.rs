//! Each fault does what it says.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use integration::{Kind, Request, Response, Transport};
use serde_json::Value;
use url::Url;
use vendorkit::{Fault, Faulty, Plan, Simulated, Simulator, World, WorldSize, a_tuesday};

use crate::toy::ToySimulator;

fn simulated() -> Arc<Simulated> {
    Arc::new(Simulated::new(Arc::new(ToySimulator::default()), World::generate(WorldSize::SMALL, 7, a_tuesday())))
}

fn houses(token: &str) -> Request {
    Request::get(Url::parse("https://toy.example/houses").unwrap()).header("authorization", format!("Bearer {token}"))
}

async fn token(transport: &dyn Transport) -> String {
    let url = Url::parse("https://toy.example/token").unwrap();
    let form = Request::post(url).form([("client", "child"), ("secret", "toy-secret-right")]);
    let body: Value = transport.send(form).await.unwrap().json("Toy").unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

fn broken_by(fault: Fault) -> (Arc<Simulated>, Faulty) {
    let inner = simulated();
    let faulty = Faulty::over(inner.clone(), Plan::Always(fault)).only(|request| request.url.path() == "/houses");
    (inner, faulty)
}

async fn answer(fault: Fault) -> Response {
    let (_, faulty) = broken_by(fault);
    let token = token(&faulty).await;
    let response = faulty.send(houses(&token)).await.unwrap();
    assert_eq!(faulty.broken(), 1);
    response
}

#[tokio::test]
async fn faults_look_as_they_should() {
    let whole = answer(Fault::Before(Arc::new(|| ()))).await;
    assert_eq!(whole.status, 200);
    let response = answer(Fault::Throttled(12)).await;
    assert_eq!((response.status, response.retry_after()), (429, Some(Duration::from_secs(12))));
    assert_eq!(answer(Fault::Status(503)).await.status, 503);
    let page = answer(Fault::Html).await;
    assert!(page.is_html() && page.status == 200);
    assert_eq!(answer(Fault::Truncated).await.body.len(), whole.body.len() / 2);
    let empty: Value = answer(Fault::Empty).await.json("Toy").unwrap();
    assert_eq!(empty["items"], Value::Array(vec![]));
    let altered = answer(Fault::Alter(Arc::new(|_, response| Response { status: 299, ..response }))).await;
    assert_eq!((altered.status, altered.body), (299, whole.body));
}

#[tokio::test]
async fn a_reset_never_reaches_the_vendor_and_a_lost_answer_does() {
    for (fault, reaches) in [(Fault::Reset, 0), (Fault::Throttled(1), 0), (Fault::Html, 0), (Fault::AnswerLost, 1)] {
        let (inner, faulty) = broken_by(fault.clone());
        let token = token(&faulty).await;
        inner.clear_log();
        let sent = faulty.send(houses(&token)).await;
        assert_eq!(inner.count(), reaches, "{fault:?}");
        if let Err(error) = sent {
            assert_eq!(error.kind, Kind::Unavailable);
        }
    }
}

#[tokio::test]
async fn slowness_moves_the_clock_and_nothing_else() {
    let (inner, faulty) = broken_by(Fault::Slow(TimeDelta::minutes(5)));
    let token = token(&faulty).await;
    let response = faulty.send(houses(&token)).await.unwrap();
    assert_eq!(faulty.now() - a_tuesday(), TimeDelta::minutes(5));
    assert_eq!((response.status, response.received_at), (200, inner.now()));
}

#[tokio::test]
async fn a_script_counts_only_its_own_requests() {
    let inner = simulated();
    let script = BTreeMap::from([(2, Fault::Status(500)), (4, Fault::Reset)]);
    let faulty = Faulty::over(inner, Plan::Script(script)).only(|request| request.url.path() == "/houses");
    let mut seen = Vec::new();
    for _ in 0..5 {
        let token = token(&faulty).await;
        seen.push(faulty.send(houses(&token)).await.map_or(0, |response| response.status));
    }
    assert_eq!(seen, [200, 500, 200, 0, 200]);
    faulty.set(Plan::Never);
    let token = token(&faulty).await;
    assert_eq!(faulty.send(houses(&token)).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_rate_is_kept_and_the_same_for_a_seed() {
    let run = async |seed| {
        let faults = vec![Fault::Status(500), Fault::Throttled(3)];
        let faulty = Faulty::over(simulated(), Plan::Rate { percent: 30, seed, faults });
        let mut seen = Vec::new();
        for _ in 0..300 {
            seen.push(faulty.send(houses("none")).await.unwrap().status);
        }
        seen
    };
    let seen = run(5).await;
    let count = |status| seen.iter().filter(|&&s| s == status).count();
    assert!((60..120).contains(&(count(500) + count(429))) && count(500) > 20 && count(429) > 20);
    assert_eq!(seen, run(5).await);
    assert_ne!(seen, run(6).await);
}

#[tokio::test]
async fn something_can_happen_in_the_middle() {
    let inner = simulated();
    let happened = Arc::new(AtomicU32::new(0));
    let (seen, vendor) = (happened.clone(), inner.simulator.clone());
    let hook = Fault::Before(Arc::new(move || {
        seen.fetch_add(1, Ordering::Relaxed);
        vendor.expire_tokens();
    }));
    let faulty = Faulty::over(inner, Plan::nth(2, hook)).only(|request| request.url.path() == "/houses");
    let token = token(&faulty).await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        seen.push(faulty.send(houses(&token)).await.unwrap().status);
    }
    assert_eq!((seen, happened.load(Ordering::Relaxed)), (vec![200, 401], 1));
    assert!(ToySimulator::default().credentials("https://toy.example").contains_key("secret"));
}
