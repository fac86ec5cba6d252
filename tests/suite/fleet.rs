//! The fleet from outside: how far a sync is, once and as events, from any process; jobs that were given up; what
//! operators see and do at the command line.

use std::{process::Command, sync::Arc, time::Duration};

use access::{AccessOptions, Gate};
use api::app::App;
use domain::Role;
use poem::listener::{Acceptor, Listener, TcpListener};
use serde_json::{Value, json};
use testkit::both_databases;
use worker::fleet::Fleet;

use crate::{
    harness::{Answer, Caller, TestApp, text},
    house::House,
    kill::binary,
};

/// Events of a stream: their names and data.
pub fn events(answer: &Answer) -> Vec<(String, Value)> {
    assert_eq!(answer.header("content-type"), "text/event-stream", "{}", answer.text);
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name).map(|value| value.trim().to_owned()))
    };
    let read = |event: &str| Some((field(event, "event:")?, serde_json::from_str(&field(event, "data:")?).ok()?));
    answer.text.split("\n\n").filter_map(read).collect()
}

/// Another process over the same database, as far as it matters: an API with an application of its own.
async fn another(app: &TestApp) -> String {
    let store = app.db.another(77).await;
    let gate = Gate::new(AccessOptions::default(), store.chance().clone()).expect("a gate");
    let engine = sync::Engine { store: store.clone(), ..app.app.engine.clone() };
    let routes = api::server::routes(Arc::new(App::new(store, engine, Arc::default(), gate, false)), None);
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("listens");
    let port = acceptor.local_addr().iter().find_map(|addr| addr.as_socket_addr().map(|addr| addr.port()));
    tokio::spawn(async move { poem::Server::new_with_acceptor(acceptor).run(routes).await });
    format!("http://127.0.0.1:{}", port.expect("a port"))
}

both_databases! {
    async fn a_sync_is_watched_from_a_process_that_does_not_run_it(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let connection = app.connect(&house.owner, "ninjaone").await;
        let idle = app.get(&house.owner, &format!("/api/connections/{connection}/progress")).await.ok();
        assert_eq!((idle["state"].as_str(), idle["records"].as_i64()), (Some("idle"), Some(0)));
        let path = format!("/api/connections/{connection}/events?seconds=30");
        let ended = events(&app.get(&house.owner, &path).await);
        assert_eq!((ended.len(), ended[0].0.as_str()), (1, "end"), "nothing waits or runs: it ends at once");

        app.db.clock.advance(3_600);
        app.post(&house.owner, &format!("/api/connections/{connection}/sync"), &json!({})).await.ok();
        let queued = app.get(&house.owner, &format!("/api/connections/{connection}/progress")).await.ok();
        assert_eq!(queued["state"], "queued");
        let devices = queued["kinds"].as_array().expect("kinds").iter().find(|kind| kind["kind"] == "device").expect("one");
        assert_eq!((devices["expected_from"].as_str(), devices["records"].as_i64()), (Some("last_listing"), Some(0)));
        assert!(devices["expected"].as_i64().is_some_and(|count| count > 0), "{devices}");
        let base = another(&app).await;
        let watching = tokio::spawn(app.request_at(&base, &house.owner, reqwest::Method::GET, &path).send());
        app.run_jobs().await;
        let response = watching.await.expect("watches").expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let seen = Answer { status, headers, text: response.text().await.expect("a body of text") };
        let seen = events(&seen);
        let (last, before) = seen.split_last().expect("an event");
        assert_eq!((last.0.as_str(), last.1["state"].as_str()), ("end", Some("idle")), "{seen:?}");
        assert!(before.iter().all(|(name, data)| name == "progress" && data["state"] != "idle"), "{seen:?}");
    }

    async fn a_stream_is_for_those_who_may_see_the_connection_and_ends_by_itself(db: TestDb) {
        let app = TestApp::new(db).await;
        let (house, other) = (House::build(&app, "kite").await, House::build(&app, "lark").await);
        let connection = app.connect(&house.owner, "ninjaone").await;
        let path = format!("/api/connections/{connection}/events?seconds=1");
        app.get(&Caller::Anonymous, &path).await.refused(401, "unauthenticated");
        app.get(&other.owner, &path).await.refused(404, "not_found");
        let finance = house.person(&app, "finance", Role::Finance).await;
        app.get(&finance, &path).await.refused(403, "forbidden");
        for seconds in ["0", "301"] {
            let path = format!("/api/connections/{connection}/events?seconds={seconds}");
            app.get(&house.owner, &path).await.refused(422, "invalid");
        }
        // One that waits is watched for as long as was asked for, and told once.
        app.post(&house.owner, &format!("/api/connections/{connection}/sync"), &json!({})).await.ok();
        let began = tokio::time::Instant::now();
        let seen = events(&app.get(&house.owner, &path).await);
        assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
        assert_eq!((seen.len(), seen[0].0.as_str(), seen[0].1["state"].as_str()), (1, "progress", Some("queued")));
    }

    async fn a_job_that_was_given_up_is_tried_again_or_dropped_by_the_api(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let connection = app.connect(&house.owner, "ninjaone").await;
        let job = house.dead_letter(&app, &connection).await;
        let path = |what: &str| format!("/api/jobs/{job}/{what}");
        let failed = async || app.all(&house.owner, "/api/jobs?state=failed").await;
        assert_eq!(failed().await[0]["last_error"], "the program failed");
        let viewer = house.person(&app, "viewer", Role::Viewer).await;
        app.post(&viewer, &path("retry"), &json!({})).await.refused(403, "forbidden");
        let planned = app.post(&house.owner, &path("retry?dry_run=true"), &json!({})).await.ok();
        assert_eq!((planned["item"]["state"].as_str(), failed().await.len()), (Some("queued"), 1));
        let digest = text(&planned["change_set"]["digest"]);
        app.post(&house.owner, &path(&format!("retry?expect={digest}&reason=mended")), &json!({})).await.ok();
        assert_eq!(failed().await.len(), 0);
        app.post(&house.owner, &path("retry"), &json!({})).await.refused(409, "not_failed");
        let entry = app.all(&house.owner, "/api/journal").await.remove(0);
        assert_eq!((entry["action"].as_str(), entry["reason"].as_str()), (Some("job_retry"), Some("mended")));
        app.run_jobs().await;
        let done = app.all(&house.owner, &format!("/api/jobs?connection_id={connection}&state=done")).await;
        assert!(done.iter().any(|one| one["id"] == job.as_str()), "it was done: {done:?}");
        // Again, and dropped beside one that waits.
        let job = house.dead_letter(&app, &connection).await;
        let path = |what: &str| format!("/api/jobs/{job}/{what}");
        app.post(&house.owner, &format!("/api/connections/{connection}/sync"), &json!({})).await.ok();
        app.post(&house.owner, &path("retry"), &json!({})).await.refused(409, "job_pending");
        app.post(&house.owner, &path("drop"), &json!({})).await.ok();
        app.post(&house.owner, &path("drop"), &json!({})).await.refused(404, "not_found");
    }

    async fn operators_see_the_fleet_and_mend_it_at_the_command_line(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let connection = app.connect(&house.owner, "ninjaone").await;
        let job = house.dead_letter(&app, &connection).await;
        app.db.clock.advance(90);
        app.connect(&house.owner, "pax8").await;
        app.db.clock.advance(7_200);
        app.post(&house.owner, &format!("/api/connections/{connection}/sync"), &json!({})).await.ok();
        app.db.clock.advance(40);
        let fleet = Fleet::read(&app.db.store).await.expect("reads");
        let (seen, table) = (fleet.json(), fleet.table());
        assert_eq!(seen["failed"][0]["id"], job.as_str());
        assert_eq!(seen["failed"][0]["last_error"], "the program failed");
        assert_eq!(seen["queued"][0]["connection_id"], connection.as_str());
        assert_eq!(seen["queue"], json!([
            { "kind": "sync", "state": "failed", "jobs": 1 }, { "kind": "sync", "state": "queued", "jobs": 1 },
        ]));
        for expected in ["no worker was seen", "longest due: 40 s ago", "the program failed", &job, &connection] {
            assert!(table.contains(expected), "{expected} is not in\n{table}");
        }
        let id = domain::JobId(job.parse().expect("an id"));
        let refused = worker::fleet::retry(&app.db.store, id).await;
        assert!(matches!(refused, Err(domain::Error::Conflict { code: "job_pending", .. })), "{refused:?}");
        app.run_jobs().await;
        worker::fleet::retry(&app.db.store, id).await.expect("is tried again");
        let entry = app.all(&house.owner, "/api/journal").await.remove(0);
        assert_eq!(entry["action"], "job_retry");
        let gone = worker::fleet::drop(&app.db.store, domain::JobId(app.db.store.chance().id(app.db.now()))).await;
        assert!(matches!(gone, Err(domain::Error::NotFound { .. })), "{gone:?}");
    }

    async fn the_worker_itself_shows_and_drops(db: TestDb) {
        let Some(worker) = binary("worker") else { return };
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let connection = app.connect(&house.owner, "ninjaone").await;
        let job = house.dead_letter(&app, &connection).await;
        let run = |arguments: &[&str]| {
            let output = Command::new(&worker)
                .args(arguments)
                .env_clear()
                .env("PANELONE_DATABASE_URL", &app.db.url)
                .env("PANELONE_SEALING_KEYS", "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=")
                .output()
                .expect("runs");
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
            (output.status.success(), text(output.stdout), text(output.stderr))
        };
        let (good, out, _) = run(&["status", "--json"]);
        let seen: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!((good, seen["failed"][0]["id"].as_str()), (true, Some(job.as_str())));
        let (good, out, _) = run(&["drop", &job]);
        assert!(good && out.contains("the program failed"), "{out}");
        let (good, _, error) = run(&["retry", &job]);
        assert!(!good && error.contains("job"), "{error}");
        let (good, out, _) = run(&["status"]);
        assert!(good && out.contains("nothing was given up"), "{out}");
    }
}
