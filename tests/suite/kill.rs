//! Real processes, really killed. A worker that dies at any instant: the next one goes on, and what is stored in
//! the end is what the vendor has. An API that dies: what it acknowledged is there.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::future::join_all;
use integration::RecordKind;
use persistence::{Store, StoreOptions};
use reqwest::Method;
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use serde_json::json;
use testkit::both_databases;
use vendorkit::WorldSize;

use crate::{
    bulk,
    harness::{Caller, Setup, TestApp, text},
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
    say(&format!("NOT RUN: this needs the binary {name} (cargo build --bins)"));
    None
}

#[expect(clippy::print_stderr, reason = "figures, and what did not run, are to be seen")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// A process that ends with the test, whatever becomes of it.
pub struct Process(pub Child);

impl Process {
    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.0.kill().expect("kills");
        self.0.wait().expect("ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(binary: &Path, arguments: &[&str], listen: &str, app: &TestApp) -> Process {
    let mut command = Command::new(binary);
    command.args(arguments).env_clear();
    let child = configured(command, listen, app).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Process(child.expect("starts"))
}

/// A command with the configuration of a process over the database and the vendors of a test.
pub fn configured(mut command: Command, listen: &str, app: &TestApp) -> Command {
    command
        .env("PANELONE_LISTEN", listen)
        .env("PANELONE_DATABASE_URL", &app.db.url)
        .env("PANELONE_SEALING_KEYS", "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=")
        .env("PANELONE_VENDOR_EXCEPTIONS", app.vendors.base_url().trim_start_matches("http://"))
        .env("PANELONE_VENDOR_REQUESTS_PER_SECOND", "10000");
    command
}

/// What an organisation has stored, by what vendors said alone.
pub async fn stored(app: &TestApp, house: &House) -> BTreeSet<String> {
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

pub async fn waiting(app: &TestApp) -> u64 {
    let depth = app.db.store.across_read().await.expect("reads").queue_depth().await.expect("counts");
    // What signs the journal waits for its time.
    let left = depth.iter().filter(|one| matches!(one.state.as_str(), "queued" | "running"));
    left.filter(|one| one.kind != "journal_checkpoint").map(|one| one.jobs.unsigned_abs()).sum()
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
        let before = app.pages();
        app.connect(&calm.owner, "microsoft365").await;
        let least = app.pages() - before;
        let truth = stored(&app, &calm).await;
        let people = app.world(|world| app.simulator("microsoft365").expected(world, RecordKind::DirectoryUser));
        assert_eq!(Some(truth.iter().filter(|row| row.starts_with("directory_user ")).count()), people);

        let house = House::build(&app, "kite").await;
        let before = app.pages();
        let body = json!({ "integration": "microsoft365", "credentials": app.credentials("microsoft365") });
        app.post(&house.owner, "/api/connections", &body).await.ok();
        let connecting = app.pages() - before;
        let least = least - connecting;
        let mut killed = 0;
        for nth in 0..KILLS {
            let at = app.pages();
            let mut process = start(&worker, &[], "127.0.0.1:0", &app);
            // Killed after a number of requests that differs from time to time: somewhere in a page.
            let until = at + 3 + (nth * 7 + testkit::round() * 5) % 13;
            let patience = tokio::time::Instant::now() + Duration::from_secs(10);
            while app.pages() < until && tokio::time::Instant::now() < patience && waiting(&app).await > 0 {
                tokio::time::sleep(Duration::from_millis(1 + nth % 5)).await;
            }
            process.kill();
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
        let requests = app.pages() - before - connecting;
        say(&format!("{killed} kills, {requests} pages fetched where {least} are needed without"));
        let runs = app.all(&house.owner, "/api/runs").await;
        for run in &runs {
            assert_ne!(run["state"], "running", "{run}");
            let of = |name: &str| run["counts"][name].as_i64().expect("a number");
            let sum = ["added", "changed", "unchanged", "rejected", "repeated"].map(of).iter().sum::<i64>();
            assert_eq!((of("listed"), of("removed")), (sum, 0), "{run}");
        }
        let verified = app.get(&house.owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
        // Of pages, at most the one that was under way comes again. A first page of users is two requests: the mark
        // of changes is taken before it.
        assert!(requests <= least + 2 * killed, "{requests} pages for {killed} kills, {least} without");
    }

    async fn a_bulk_operation_survives_workers_that_are_killed(db: TestDb) {
        let Some(worker) = binary("worker") else { return };
        let store = Store::connect(StoreOptions::new(&db.url, testkit::keys())).await.expect("opens");
        let app = TestApp::build(db, Setup { store, size: WorldSize::EMPTY, latency: Duration::ZERO }).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        bulk::clients(&app, owner, 950).await;
        // Each client takes several statements: ten chunks.
        let started = bulk::start(&app, owner, &json!({ "action": "delete", "filter": "" })).await;
        let path = format!("/api/bulk-operations/{}", text(&started["id"]));
        let done = async || app.get(owner, &path).await.ok()["done"].as_u64().expect("a number");
        let mut killed = 0;
        for nth in 0..KILLS {
            let before = done().await;
            let mut process = start(&worker, &[], "127.0.0.1:0", &app);
            let patience = tokio::time::Instant::now() + Duration::from_secs(10);
            while done().await == before && waiting(&app).await > 0 && tokio::time::Instant::now() < patience {
                tokio::time::sleep(Duration::from_millis(1 + (nth * 5 + testkit::round() * 3) % 11)).await;
            }
            process.kill();
            let over = "UPDATE job SET lease_until = created_at, attempts = 0 WHERE state = 'running'";
            killed += app.db.tamper(over).await.expect("tampers");
        }
        assert!(killed >= 3, "{killed} workers were killed at work");
        app.run_jobs().await;
        let over = app.get(owner, &path).await.ok();
        assert_eq!((&over["state"], &over["done"], &over["refused"]), (&json!("done"), &json!(950), &json!(0)), "{over}");
        say(&format!("{killed} kills of a bulk operation"));
        let deleted = app.all(owner, "/api/journal?action=bulk_delete").await;
        let mut changed = Vec::new();
        for entry in &deleted {
            let whole = app.get(owner, &format!("/api/journal/{}", text(&entry["id"]))).await.ok();
            assert_eq!(whole["change_set_id"], started["id"], "{whole}");
            changed.extend(whole["changes"].as_array().expect("changes").iter().map(|change| text(&change["id"])));
        }
        assert_eq!(changed.len(), 950, "a client was deleted twice, or not at all");
        assert_eq!(changed.iter().collect::<BTreeSet<_>>().len(), 950);
        let entry = text(&over["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({})).await.ok();
        let stats = app.get(owner, "/api/clients/stats").await.ok();
        assert_eq!(stats["total"].as_u64(), Some(950), "{stats}");
        let verified = app.get(owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
    }

    async fn what_an_api_acknowledged_is_there_after_it_was_killed(db: TestDb) {
        let Some(api) = binary("api") else { return };
        let store = Store::connect(StoreOptions::new(&db.url, testkit::keys())).await.expect("opens");
        let app = TestApp::build(db, Setup { store, size: WorldSize::EMPTY, latency: Duration::ZERO }).await;
        let house = House::build(&app, "kite").await;
        let (key, _) = house.key(&app, &house.owner, "write").await;
        let acknowledged = std::sync::Mutex::new(BTreeSet::new());
        for round in 0..KILLS {
            let listen = free_port();
            let base = format!("http://{listen}");
            let mut process = start(&api, &["serve"], &listen, &app);
            for _ in 0..400 {
                if app.request_at(&base, &Caller::Anonymous, Method::GET, "/readyz").send().await.is_ok() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            let before = acknowledged.lock().expect("sound").len();
            let writers = join_all((0..8).map(|writer| {
                let (app, key, base, acknowledged) = (&app, &key, &base, &acknowledged);
                async move {
                    for nth in 0..1_000 {
                        let name = format!("{round} {writer} {nth}");
                        let request = app.request_at(base, key, Method::POST, "/api/clients").json(&json!({ "name": name }));
                        match request.send().await {
                            Ok(answer) if answer.status() == 200 => acknowledged.lock().expect("sound").insert(name),
                            Ok(answer) => panic!("{} for {name}", answer.status()),
                            Err(_) => return,
                        };
                    }
                }
            }));
            let killer = async {
                let enough = before + 3 + ((round + testkit::round() * 3) as usize * 5) % 17;
                for _ in 0..2_000 {
                    if acknowledged.lock().expect("sound").len() >= enough {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                process.kill();
            };
            tokio::join!(writers, killer);
        }
        let acknowledged = acknowledged.into_inner().expect("sound");
        let there: BTreeSet<String> =
            app.all(&house.owner, "/api/clients").await.iter().map(|client| text(&client["name"])).collect();
        let lost: Vec<_> = acknowledged.difference(&there).collect();
        assert!(lost.is_empty(), "{} acknowledged writes were lost: {lost:?}", lost.len());
        assert!(acknowledged.len() as u64 > 5 * KILLS, "{} writes", acknowledged.len());
        // Of what was not answered, at most one for each writer and kill happened all the same.
        assert!(there.len() as u64 <= acknowledged.len() as u64 + 8 * KILLS);
        let stats = app.get(&house.owner, "/api/clients/stats").await.ok();
        assert_eq!(stats["total"].as_u64(), Some(there.len() as u64), "the counters went astray");
        let verified = app.get(&house.owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
        if !app.db.store.is_postgres() {
            let door = app.db.backdoor().await;
            let check = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA integrity_check");
            let found = door.query_one_raw(check).await.expect("checks").expect("a row");
            assert_eq!(found.try_get_by_index::<String>(0).expect("a text"), "ok");
        }
    }
}

/// A port of this machine that nobody listens on.
pub fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    listener.local_addr().expect("an address").to_string()
}
