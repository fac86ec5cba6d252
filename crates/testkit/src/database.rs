//! A database of its own for each test.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::{ClientId, Clock, Context, OrganisationId, Timestamp};
use persistence::{KeyRing, Store, StoreOptions};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr};
use uuid::Uuid;

use crate::{FixedClock, SeededChance};

/// The sealing key of all tests.
pub fn keys() -> KeyRing {
    KeyRing::parse("1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=").expect("a key of 32 bytes")
}

/// An open store on a database of its own.
pub struct TestDb {
    /// The store.
    pub store: Store,
    /// Its clock.
    pub clock: Arc<FixedClock>,
    /// Its address.
    pub url: String,
    admin: Option<(String, String)>,
    dir: Option<tempfile::TempDir>,
}

impl TestDb {
    async fn open(url: String, admin: Option<(String, String)>, dir: Option<tempfile::TempDir>) -> Self {
        let clock = Arc::new(FixedClock::default());
        let store = Self::reopen(&url, &clock, 7).await;
        Self { store, clock, url, admin, dir }
    }

    async fn reopen(url: &str, clock: &Arc<FixedClock>, seed: u64) -> Store {
        let mut options = StoreOptions::new(url, keys());
        options.clock = clock.clone();
        options.chance = Arc::new(SeededChance::new(seed));
        options.patience = Duration::from_secs(10);
        Store::connect(options).await.expect("opens")
    }

    /// Another store on the same database, as another process would have. Give each its own seed.
    pub async fn another(&self, seed: u64) -> Store {
        Self::reopen(&self.url, &self.clock, seed).await
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The folder of a SQLite database.
    pub fn folder(&self) -> Option<&Path> {
        self.dir.as_ref().map(tempfile::TempDir::path)
    }

    /// A new organisation.
    pub async fn organisation(&self, name: &str) -> OrganisationId {
        let id = OrganisationId(self.store.chance().id(self.now()));
        let tx = self.store.begin(Context::operator(id, self.now())).await.expect("begins");
        tx.organisation_insert(name, &format!("{}-{}", name.to_lowercase().replace(' ', "-"), id))
            .await
            .expect("inserts");
        tx.commit_unjournalled().await.expect("commits");
        id
    }

    /// An operator's context in an organisation: everything allowed.
    pub fn context(&self, organisation: OrganisationId) -> Context {
        Context::operator(organisation, self.now())
    }

    /// A client made straight in the store.
    pub async fn client(&self, organisation: OrganisationId, name: &str) -> ClientId {
        let tx = self.store.begin(self.context(organisation)).await.expect("begins");
        let id: ClientId = tx.new_id();
        let client = domain::Client {
            id,
            name: name.to_owned(),
            status: domain::ClientStatus::Active,
            notes: None,
            contact_email: None,
            phone: None,
            address: None,
            created_at: self.now(),
            updated_at: self.now(),
            archived_at: None,
            deleted_at: None,
            tags: Vec::new(),
            version: 1,
            device_count: 0,
            user_count: 0,
        };
        tx.client_insert(&client).await.expect("inserts");
        tx.commit("client_create", None).await.expect("commits");
        id
    }

    /// A connection beside the store, for doing what the product never would. On PostgreSQL it sees
    /// all organisations.
    pub async fn backdoor(&self) -> DatabaseConnection {
        let db = Database::connect(one(&self.url)).await.expect("connects");
        if self.store.is_postgres() {
            db.execute_unprepared("SELECT set_config('panelone.across', 'on', false)").await.expect("sets");
        }
        db
    }

    /// Runs a statement behind the product's back.
    pub async fn tamper(&self, statement: &str) -> Result<u64, DbErr> {
        let db = self.backdoor().await;
        let done = db.execute_unprepared(statement).await;
        db.close().await?;
        done.map(|done| done.rows_affected())
    }
}

impl Drop for TestDb {
    /// Drops a PostgreSQL database; a SQLite one goes with its folder.
    fn drop(&mut self) {
        let Some((admin, name)) = self.admin.take() else { return };
        let cleanup = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(async {
                let db = Database::connect(one(&admin)).await.ok()?;
                db.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.ok()
            })
        };
        std::thread::spawn(cleanup).join().ok();
    }
}

fn one(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).min_connections(1).sqlx_logging(false);
    options
}

/// A new SQLite file, migrated.
pub async fn sqlite() -> TestDb {
    let dir = tempfile::tempdir().expect("makes a folder");
    let file = dir.path().join("test.db");
    std::fs::copy(template_file().await, &file).expect("copies the template");
    TestDb::open(file_url(&file), None, Some(dir)).await
}

/// A migrated file to copy, made once for each test program: migrating costs more than most tests do. Tests that
/// make it at the same time each make one; whose is renamed last stays, and all are the same.
async fn template_file() -> PathBuf {
    let made = std::env::temp_dir().join(format!("panelone_template_{}.db", migrations_mark()));
    if !made.exists() {
        let dir = tempfile::tempdir().expect("makes a folder");
        let file = dir.path().join("template.db");
        Store::migrate(&file_url(&file)).await.expect("migrates");
        let wal = file.with_extension("db-wal");
        assert!(!wal.exists(), "{} holds what the file lacks", wal.display());
        std::fs::rename(&file, &made).expect("renames the template");
    }
    made
}

fn file_url(file: &Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

/// A new PostgreSQL database, migrated; `None`, said aloud, when there is no server.
pub async fn postgres() -> Option<TestDb> {
    let Ok(admin) = std::env::var("PANELONE_TEST_POSTGRES") else {
        assert!(
            std::env::var("PANELONE_REQUIRE_ALL").as_deref() != Ok("1"),
            "PANELONE_REQUIRE_ALL=1, but PANELONE_TEST_POSTGRES is not set: run through `cargo xtask test`"
        );
        #[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
        {
            let name = std::thread::current().name().unwrap_or("a test").to_owned();
            eprintln!("NOT RUN: {name} needs PostgreSQL (PANELONE_TEST_POSTGRES is not set)");
        }
        return None;
    };
    let db = Database::connect(one(&admin)).await.expect("PANELONE_TEST_POSTGRES answers");
    let template = template(&db, &admin).await;
    let name = format!("t_{}", unique());
    db.execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await.expect("creates");
    db.close().await.expect("closes");
    Some(TestDb::open(beside(&admin, &name), Some((admin, name)), None).await)
}

/// A migrated database to copy, made once for each schema; an advisory lock lets one test make it.
async fn template(db: &DatabaseConnection, admin: &str) -> String {
    let name = format!("panelone_template_{}", migrations_mark());
    db.execute_unprepared("SELECT pg_advisory_lock(804211)").await.expect("locks");
    let query = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    let statement = sea_orm::Statement::from_string(sea_orm::DatabaseBackend::Postgres, query);
    if db.query_one_raw(statement).await.expect("asks").is_none() {
        let making = format!("m_{}", unique());
        db.execute_unprepared(&format!("CREATE DATABASE {making}")).await.expect("creates");
        Store::migrate(&beside(admin, &making)).await.expect("migrates");
        db.execute_unprepared(&format!("ALTER DATABASE {making} RENAME TO {name}")).await.expect("renames");
    }
    db.execute_unprepared("SELECT pg_advisory_unlock(804211)").await.expect("unlocks");
    name
}

/// Changes with this program: an edited migration must not meet an old template.
fn migrations_mark() -> u32 {
    let program = std::env::current_exe().ok().and_then(|path| path.metadata().ok()).and_then(|m| m.modified().ok());
    let age = program.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default();
    age.as_secs() as u32
}

/// The address of another database of the same server.
fn beside(admin: &str, name: &str) -> String {
    let (base, query) = admin.split_once('?').map_or((admin, ""), |(base, query)| (base, query));
    let server = base.rsplit_once('/').map_or(base, |(server, _)| server);
    if query.is_empty() { format!("{server}/{name}") } else { format!("{server}/{name}?{query}") }
}

fn unique() -> String {
    let mut bytes = [0; 16];
    domain::Chance::fill(&persistence::OsChance, &mut bytes);
    Uuid::from_bytes(bytes).simple().to_string()
}
