//! The disk is full: writes are refused and say when to try again, reads go on, nothing that was acknowledged is lost,
//! and once there is room again everything goes on by itself. Files of a real process are limited in size, which SQLite
//! meets as it meets a full disk: in the middle of a page. (PostgreSQL's own answer to a full disk, 53100, is held to be
//! passing in `persistence/src/error.rs`; its files are not ours to limit.)

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use persistence::{Store, StoreOptions};
use reqwest::Method;
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use serde_json::json;
use testkit::TestDb;
use vendorkit::WorldSize;

use crate::{
    harness::{Caller, Setup, TestApp, text},
    house::House,
    kill::{Process, binary, configured, free_port, stored, waiting},
};

/// Room that is left when a process starts, in KiB.
const ROOM: u64 = 192;

/// Starts a program whose files may grow no further than the largest file of the database and a little more. It gets
/// an error for what is over, as on a full disk.
async fn start(binary: &Path, arguments: &[&str], listen: &str, app: &TestApp) -> Process {
    // The log begins anew: it is what grows from now on, and it may grow to the size of the database.
    app.db.tamper("PRAGMA wal_checkpoint(TRUNCATE)").await.expect("carries the log over");
    let folder = app.db.folder().expect("SQLite has a folder");
    let sizes =
        std::fs::read_dir(folder).expect("reads").map(|file| file.expect("a file").metadata().expect("reads").len());
    let kib = sizes.max().expect("a file") / 1024 + ROOM;
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -S -f {kib}; exec \"$0\" \"$@\"")]).arg(binary).args(arguments);
    let child = configured(shell, listen, app).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Process(child.expect("starts"))
}

/// Makes room.
fn make_room(process: &Process) {
    let mut prlimit = Command::new("prlimit");
    let done = prlimit.args(["--pid", &process.0.id().to_string(), "--fsize=unlimited:unlimited"]).status();
    assert!(done.expect("prlimit runs").success());
}

async fn sound(app: &TestApp) {
    let door = app.db.backdoor().await;
    let check = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA integrity_check");
    let found = door.query_one_raw(check).await.expect("checks").expect("a row");
    assert_eq!(found.try_get_by_index::<String>(0).expect("a text"), "ok");
    door.close().await.expect("closes");
}

async fn app(db: TestDb, size: WorldSize) -> TestApp {
    // Real processes live by the real clock.
    let store = Store::connect(StoreOptions::new(&db.url, testkit::keys())).await.expect("opens");
    TestApp::build(db, Setup { store, size, latency: Duration::ZERO }).await
}

#[tokio::test]
async fn an_api_without_room_refuses_writes_and_comes_back_by_itself() {
    let Some(api) = binary("api") else { return };
    let app = app(testkit::sqlite().await, WorldSize::EMPTY).await;
    let house = House::build(&app, "kite").await;
    let (key, _) = house.key(&app, &house.owner, "write").await;
    let listen = free_port();
    let base = format!("http://{listen}");
    let process = start(&api, &["serve"], &listen, &app).await;
    for _ in 0..400 {
        if app.request_at(&base, &Caller::Anonymous, Method::GET, "/readyz").send().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let (mut acknowledged, mut refused) = (BTreeSet::new(), BTreeSet::new());
    let write = async |name: &str| {
        let body = json!({ "name": name, "notes": "n".repeat(2_000) });
        app.request_at(&base, &key, Method::POST, "/api/clients").json(&body).send().await.expect("answers")
    };
    for nth in 0..2_000 {
        let name = format!("Client {nth}");
        let answer = write(&name).await;
        match answer.status().as_u16() {
            200 => {
                acknowledged.insert(name);
            }
            503 => {
                assert!(answer.headers().contains_key("retry-after"), "{:?}", answer.headers());
                refused.insert(name);
            }
            other => panic!("{other}: {}", answer.text().await.unwrap_or_default()),
        }
        if refused.len() >= 5 {
            break;
        }
    }
    assert!(acknowledged.len() > 5 && refused.len() >= 5, "{} and {}", acknowledged.len(), refused.len());
    let list = app.request_at(&base, &key, Method::GET, "/api/clients").send().await.expect("answers");
    assert_eq!(list.status(), 200, "reads go on");
    make_room(&process);
    let answer = write("With room").await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap_or_default());
    acknowledged.insert("With room".to_owned());
    drop(process);
    let there: BTreeSet<String> =
        app.all(&house.owner, "/api/clients").await.iter().map(|client| text(&client["name"])).collect();
    assert_eq!(there, acknowledged, "what was acknowledged, and nothing that was refused");
    let verified = app.get(&house.owner, "/api/journal/verification").await.ok();
    assert_eq!(verified["sound"], true, "{verified}");
    sound(&app).await;
}

#[tokio::test]
async fn a_sync_that_finds_no_room_goes_on_when_there_is_some() {
    let Some(worker) = binary("worker") else { return };
    let app = app(testkit::sqlite().await, WorldSize { businesses: 12, devices: 24, people: 240 }).await;
    let calm = House::build(&app, "calm").await;
    app.connect(&calm.owner, "microsoft365").await;
    let truth = stored(&app, &calm).await;
    let house = House::build(&app, "kite").await;
    let body = json!({ "integration": "microsoft365", "credentials": app.credentials("microsoft365") });
    app.post(&house.owner, "/api/connections", &body).await.ok();
    let before = stored(&app, &house).await.len();
    let process = start(&worker, &[], "127.0.0.1:0", &app).await;
    // Until it writes no further: all of the room is taken, and less is stored than there is.
    let (mut at, mut same) = (0, 0);
    for _ in 0..400 {
        tokio::time::sleep(Duration::from_millis(25)).await;
        let now = stored(&app, &house).await.len();
        same = if now == at && now > before { same + 1 } else { 0 };
        at = now;
        if same > 20 {
            break;
        }
    }
    assert!(at < truth.len(), "{at} of {} rows found room", truth.len());
    make_room(&process);
    drop(process);
    // Its lease runs out; and the disk failed, not this job five times.
    let over = "UPDATE job SET lease_until = created_at, run_at = created_at, attempts = 0, state = 'queued' WHERE state <> 'done'";
    app.db.tamper(over).await.expect("tampers");
    app.run_jobs().await;
    assert_eq!(waiting(&app).await, 0);
    assert_eq!(stored(&app, &house).await, truth);
    sound(&app).await;
}
