//! A worker that dies at any instant: the next one goes on, and what is stored in the end is what the vendor
//! has. Real processes, really killed.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use integration::RecordKind;
use persistence::{Store, StoreOptions};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use serde_json::json;
use testkit::{TestDb, both_databases};
use vendorkit::WorldSize;

use crate::{
    harness::{Setup, TestApp},
    house::House,
};

/// How often a worker is killed in one test.
const KILLS: u64 = 12;

/// A binary of this workspace beside the tests; none, said aloud, where it was not built.
pub fn binary(name: &str) -> Option<PathBuf> {
    let tests = std::env::current_exe().expect("a path");
    let path = tests.parent().and_then(|deps| deps.parent()).expect("a folder").join(name);
    if path.exists() {
        return Some(path);
    }
    let all = std::env::var("PANELONE_REQUIRE_ALL").as_deref() == Ok("1");
    assert!(!all, "PANELONE_REQUIRE_ALL=1, but {name} is not built: cargo build --bins");
    eprintln!("NOT RUN: this needs the binary {name} (cargo build --bins)");
    None
}

fn start(worker: &PathBuf, app: &TestApp) -> Child {
    Command::new(worker)
        .env_clear()
        .env("PANELONE_DATABASE_URL", &app.db.url)
        .env("PANELONE_SEALING_KEYS", "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=")
        .env("PANELONE_VENDOR_EXCEPTIONS", app.vendors.base_url().trim_start_matches("http://"))
        .env("PANELONE_VENDOR_REQUESTS_PER_SECOND", "10000")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts")
}

/// What an organisation has stored, by what vendors said alone.
async fn stored(app: &TestApp, house: &House) -> BTreeSet<String> {
    let door = app.db.backdoor().await;
    let postgres = app.db.store.is_postgres();
    let backend = if postgres { DatabaseBackend::Postgres } else { DatabaseBackend::Sqlite };
    // SQLite keeps ids as bytes.
    let id = house.organisation.0;
    let id = if postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) };
    let mut rows = BTreeSet::new();
    for query in [
        format!("SELECT 'entity ' || vendor_id || name || body FROM entity WHERE organisation_id = {id}"),
        format!(
            "SELECT r.kind || ' ' || e.vendor_id || ' ' || r.vendor_id || r.title || r.body FROM record r \
             JOIN entity e ON e.organisation_id = r.organisation_id AND e.id = r.entity_id \
             WHERE r.organisation_id = {id} AND r.removed_at IS NULL"
        ),
    ] {
        for row in door.query_all_raw(Statement::from_string(backend, query)).await.expect("reads") {
            rows.insert(row.try_get_by_index::<String>(0).expect("a text"));
        }
    }
    door.close().await.expect("closes");
    rows
}

async fn waiting(app: &TestApp) -> u64 {
    app.db.store.across_read().await.expect("reads").jobs_pending().await.expect("counts")
}

both_databases! {
    async fn a_sync_survives_a_worker_that_is_killed_again_and_again(db: TestDb) {
        let Some(worker) = binary("worker") else { return };
        // Real processes live by the real clock.
        let store = Store::connect(StoreOptions::new(&db.url, testkit::keys())).await.expect("opens");
        let size = WorldSize { businesses: 24, devices: 24, people: 240 };
        let setup = Setup { store, size, latency: Duration::from_millis(8) };
        let app = TestApp::build(db, setup).await;
        // The same account, synced by a worker that lives: the oracle of rows and of requests.
        let calm = House::build(&app, "calm").await;
        let before = app.vendors.requests();
        app.connect(&calm.owner, "microsoft365").await;
        let least = app.vendors.requests() - before;
        let truth = stored(&app, &calm).await;
        let people = app.world(|world| app.simulator("microsoft365").expected(world, RecordKind::DirectoryUser));
        assert_eq!(Some(truth.iter().filter(|row| row.starts_with("directory_user ")).count()), people);

        let house = House::build(&app, "kite").await;
        let before = app.vendors.requests();
        let body = json!({ "integration": "microsoft365", "credentials": app.credentials("microsoft365") });
        app.post(&house.owner, "/api/connections", &body).await.ok();
        let connecting = app.vendors.requests() - before;
        let mut killed = 0;
        for nth in 0..KILLS {
            let at = app.vendors.requests();
            let mut process = start(&worker, &app);
            // Killed after a number of requests that differs from time to time: somewhere in a page.
            let until = at + 3 + (nth * 7) % 13;
            let patience = tokio::time::Instant::now() + Duration::from_secs(10);
            while app.vendors.requests() < until && tokio::time::Instant::now() < patience && waiting(&app).await > 0 {
                tokio::time::sleep(Duration::from_millis(1 + nth % 5)).await;
            }
            process.kill().expect("kills");
            process.wait().expect("ends");
            // Its lease runs out; and many workers died, not this job five times.
            let over = "UPDATE job SET lease_until = created_at, attempts = 0 WHERE state = 'running'";
            killed += app.db.tamper(over).await.expect("tampers");
        }
        assert!(killed >= 10, "{killed} workers were killed at work");
        app.run_jobs().await;
        assert_eq!(waiting(&app).await, 0);
        let now = stored(&app, &house).await;
        let (missing, extra): (Vec<_>, Vec<_>) = (truth.difference(&now).take(2).collect(), now.difference(&truth).take(2).collect());
        assert!(missing.is_empty() && extra.is_empty(), "missing {missing:?}, too many {extra:?}");
        let requests = app.vendors.requests() - before - connecting;
        eprintln!("{killed} kills, {requests} requests where {least} are needed without");
        let runs = app.all(&house.owner, "/api/runs").await;
        for run in &runs {
            assert_ne!(run["state"], "running", "{run}");
            let of = |name: &str| run["counts"][name].as_i64().expect("a number");
            let sum = ["added", "changed", "unchanged", "rejected", "repeated"].map(of).iter().sum::<i64>();
            assert_eq!((of("listed"), of("removed")), (sum, 0), "{run}");
        }
        let verified = app.get(&house.owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
        // Each worker fetches tokens anew; of pages, at most the one that was under way comes again.
        let tokens = killed * 25;
        assert!(requests <= least + killed + tokens, "{requests} requests for {killed} kills, {least} without");
    }
}
