//! When the database is held, cut off or not ours: a plain 503 and back by itself, or no start at all. What was
//! answered with success is there afterwards.

use std::{process::Command, time::Duration};

use futures_util::future::join_all;
use persistence::{Store, StoreOptions};
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::TestDb;
use worker::Settings;

use crate::{
    harness::{FEW, Setup, TestApp},
    house::House,
    kill::binary,
};

/// A store that gives up waiting soon.
async fn impatient(db: &TestDb) -> Store {
    let mut options = StoreOptions::new(&db.url, testkit::keys());
    options.clock = db.clock.clone();
    options.patience = Duration::from_millis(300);
    Store::connect(options).await.expect("opens")
}

#[tokio::test]
async fn a_database_locked_by_another_process_is_busy_for_writers_only_and_comes_back() {
    let db = testkit::sqlite().await;
    let store = impatient(&db).await;
    let app = TestApp::build(db, Setup { store, size: FEW, latency: Duration::ZERO }).await;
    let house = House::build(&app, "kite").await;
    let made = |name: String| json!({ "name": name });
    for round in 0..3 {
        let lock = app.db.backdoor().await;
        lock.execute_unprepared("BEGIN IMMEDIATE").await.expect("locks");
        let refused = join_all((0..4).map(|n| {
            let body = made(format!("Locked out {round} {n}"));
            let (app, owner) = (&app, &house.owner);
            async move { app.post(owner, "/api/clients", &body).await }
        }))
        .await;
        for answer in refused {
            answer.refused(503, "busy");
            assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "no Retry-After");
        }
        app.get(&house.owner, "/api/clients").await.ok();
        lock.execute_unprepared("ROLLBACK").await.expect("unlocks");
        lock.close().await.expect("closes");
        app.post(&house.owner, "/api/clients", &made(format!("Back {round}"))).await.ok();
    }
    let clients = app.all(&house.owner, "/api/clients").await;
    assert_eq!(clients.len(), 3, "what was refused was written");
    let verified = app.get(&house.owner, "/api/journal/verification").await.ok();
    assert_eq!(verified["sound"], true, "{verified}");
}

mod connections_that_are_cut_off_cost_no_acknowledged_write {
    use super::*;

    #[tokio::test]
    async fn postgres() {
        let Some(db) = testkit::postgres().await else { return };
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let door = app.db.backdoor().await;
        let (mut done, mut unsure) = (0, 0);
        for round in 0..12 {
            let writes =
                join_all(
                    (0..8).map(|n| {
                        let (app, owner) = (&app, &house.owner);
                        async move {
                            app.post(owner, "/api/clients", &json!({ "name": format!("Round {round} {n}") })).await
                        }
                    }),
                );
            let cut = async {
                for _ in 0..3 {
                    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
                    door.execute_unprepared(others).await.expect("cuts");
                    tokio::task::yield_now().await;
                }
            };
            let (answers, ()) = tokio::join!(writes, cut);
            for answer in answers {
                match answer.status {
                    200 => done += 1,
                    _ => {
                        answer.refused(503, "busy");
                        assert!(!answer.header("retry-after").is_empty(), "no Retry-After");
                        unsure += 1;
                    }
                }
            }
            // Back at once: no connection of the pool is dead when it is handed out.
            app.get(&house.owner, "/api/clients/stats").await.ok();
        }
        let there = app.all(&house.owner, "/api/clients").await.len();
        assert!((done..=done + unsure).contains(&there), "{there} clients of {done} acknowledged, {unsure} refused");
        let verified = app.get(&house.owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
        let stats = app.get(&house.owner, "/api/clients/stats").await.ok();
        assert_eq!(stats["total"].as_u64(), Some(there as u64), "the counters went astray");
    }
}

const OTHER_KEY: &str = "1:b3RoZXIga2V5IG9mIHRoaXJ0eS10d28gYnl0ZXMhISE=";
const KEY: &str = "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=";

fn settings(db: &TestDb, keys: &str) -> Settings {
    let settings = json!({
        "database_url": db.url,
        "database_connections": 2,
        "listen": "127.0.0.1:0",
        "sealing_keys": keys,
        "worker_slots": 1,
        "secure_cookies": false,
        "log": "info",
    });
    serde_json::from_value(settings).expect("settings")
}

testkit::both_databases! {
    async fn a_wrong_key_or_a_newer_schema_is_refused_before_anything_is_served(db: TestDb) {
        worker::open_store(&settings(&db, KEY)).await.expect("the right key opens");
        let refused = async |keys: &str| {
            let settings = settings(&db, keys);
            let why = format!("{:#}", worker::open_store(&settings).await.err().expect("must not open"));
            if let Some(api) = binary("api") {
                let output = Command::new(api)
                    .args(["serve"])
                    .env("PANELONE_DATABASE_URL", &db.url)
                    .env("PANELONE_SEALING_KEYS", keys)
                    .env("PANELONE_LISTEN", "127.0.0.1:0")
                    .output()
                    .expect("runs");
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(1), "{said}");
                assert!(said.contains("api: "), "{said}");
                assert!(!said.contains("panicked") && !said.contains(&keys[2..]), "{said}");
            }
            why.to_lowercase()
        };
        let why = refused(OTHER_KEY).await;
        assert!(why.contains("key"), "{why}");
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_later', 0)";
        db.tamper(newer).await.expect("inserts");
        let why = refused(KEY).await;
        assert!(why.contains("newer") || why.contains("schema"), "{why}");
        let why = Store::migrate(&db.url).await.expect_err("must not migrate").to_string();
        assert!(!why.is_empty());
    }
}
