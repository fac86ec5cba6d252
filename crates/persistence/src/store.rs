//! Opening the database, and beginning transactions on it.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use domain::{Chance, Clock, Context, Error, OrganisationId, Result, SystemClock};
use migrations::Migrator;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use tokio::sync::RwLock;

use crate::{
    Across, KeyRing, Tx,
    consents::Turns,
    error::OrDomain,
    keys::{JournalKey, Place},
    name_index::NameIndexes,
    pool::{READER_CACHE, WATCHER_CACHE, WRITER_CACHE, open},
};

/// Random bytes of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsChance;

impl Chance for OsChance {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// What it takes to open a store.
pub struct StoreOptions {
    /// `sqlite://path?mode=rwc`, `sqlite::memory:` or `postgres://…`.
    pub url: String,
    /// Connections: readers on SQLite (which has one writer), all on PostgreSQL.
    pub connections: u32,
    /// How long to wait for a connection or a lock before the answer is "busy".
    pub patience: Duration,
    /// Keys that seal secrets.
    pub keys: KeyRing,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub chance: Arc<dyn Chance>,
}

impl StoreOptions {
    /// Options with the machine's clock and chance, 8 connections and 5 seconds of patience.
    pub fn new(url: impl Into<String>, keys: KeyRing) -> Self {
        Self {
            url: url.into(),
            connections: 8,
            patience: Duration::from_secs(5),
            keys,
            clock: Arc::new(SystemClock),
            chance: Arc::new(OsChance),
        }
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    write: DatabaseConnection,
    read: DatabaseConnection,
    watch: Option<DatabaseConnection>,
    keys: KeyRing,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    journal_keys: RwLock<HashMap<OrganisationId, JournalKey>>,
    name_indexes: NameIndexes,
    turns: Turns,
    public_origin: OnceLock<String>,
}

/// The word that a wrong sealing key does not open.
const PROOF: &[u8] = b"the sealing key is right";

impl Store {
    /// Brings the schema up to this version, on a connection of its own that is closed before the
    /// store opens (other connections of a SQLite pool would keep a stale picture of it).
    pub async fn migrate(url: &str) -> Result<()> {
        let db = open(url, 1, Duration::from_secs(30), WRITER_CACHE).await?;
        if db.get_database_backend() == DatabaseBackend::Postgres {
            // Of two that migrate at once, the second waits and finds nothing to do. It is let go with the connection.
            db.execute_unprepared("SELECT pg_advisory_lock(721104)").await.or_domain()?;
        }
        let done = match refuse_newer(&db).await {
            Ok(()) => Migrator::up(&db, None).await.or_domain(),
            Err(error) => Err(error),
        };
        db.close().await.or_domain()?;
        done
    }

    /// Opens the store. Refuses a schema that is newer or older than this version, and keys that do
    /// not open what is sealed in it.
    pub async fn connect(options: StoreOptions) -> Result<Self> {
        let sqlite = options.url.starts_with("sqlite");
        let memory = options.url.contains(":memory:");
        let readers = if memory { 1 } else { options.connections.max(2) };
        let read = open(&options.url, readers, options.patience, READER_CACHE).await?;
        // SQLite has one writer: queueing for it here is fair, queueing inside SQLite is not.
        let write =
            if sqlite && !memory { open(&options.url, 1, options.patience, WRITER_CACHE).await? } else { read.clone() };
        // One connection for the life of the store: it counts what the others commit.
        let watch = match (sqlite, memory) {
            (true, true) => None,
            (true, false) => Some(open(&options.url, 1, options.patience, WATCHER_CACHE).await?),
            (false, _) => Some(read.clone()),
        };
        refuse_newer(&read).await?;
        let pending = Migrator::get_pending_migrations(&read).await.or_domain()?.len();
        if pending > 0 {
            return Err(Error::conflict(
                "schema_older",
                format!("The database lacks {pending} migration steps of this version: run `api migrate` first."),
            ));
        }
        let store = Self(Arc::new(Inner {
            write,
            read,
            watch,
            keys: options.keys,
            clock: options.clock,
            chance: options.chance,
            journal_keys: RwLock::default(),
            name_indexes: NameIndexes::default(),
            turns: Turns::default(),
            public_origin: OnceLock::new(),
        }));
        store.prove_key().await?;
        Ok(store)
    }

    /// Says once where browsers reach the product, for links in letters.
    pub fn reached_at(&self, origin: Option<String>) {
        if let Some(origin) = origin {
            // Said twice, the first holds: a process has one.
            let _ = self.0.public_origin.set(origin);
        }
    }

    /// Where browsers reach the product, where somebody said so.
    pub(crate) fn public_origin(&self) -> Option<&str> {
        self.0.public_origin.get().map(String::as_str)
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Chance.
    pub fn chance(&self) -> &Arc<dyn Chance> {
        &self.0.chance
    }

    pub(crate) fn watch(&self) -> Option<&DatabaseConnection> {
        self.0.watch.as_ref()
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.0.turns
    }

    pub(crate) fn name_indexes(&self) -> &NameIndexes {
        &self.0.name_indexes
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.0.keys
    }

    /// Whether it runs on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.0.read.get_database_backend() == DatabaseBackend::Postgres
    }

    /// A transaction that may write.
    pub async fn begin(&self, context: Context) -> Result<Tx> {
        let db = self.start(&self.0.write, true, Some(context.organisation)).await?;
        Ok(Tx::new(self.clone(), db, context, true))
    }

    /// A transaction that only reads, all of it at one instant.
    pub async fn read(&self, context: Context) -> Result<Tx> {
        let db = self.start(&self.0.read, false, Some(context.organisation)).await?;
        Ok(Tx::new(self.clone(), db, context, false))
    }

    /// The product's own business across organisations, reading only.
    pub async fn across_read(&self) -> Result<Across> {
        let db = self.start(&self.0.read, false, None).await?;
        Ok(Across::new(self.clone(), db))
    }

    /// The product's own business across organisations.
    pub async fn across(&self) -> Result<Across> {
        let db = self.start(&self.0.write, true, None).await?;
        Ok(Across::new(self.clone(), db))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.0.read.ping().await.or_domain()
    }

    /// Closes all connections; work under way is given up.
    pub async fn close(&self) -> Result<()> {
        if let Some(watch) = &self.0.watch {
            watch.clone().close().await.or_domain()?;
        }
        self.0.read.clone().close().await.or_domain()?;
        self.0.write.clone().close().await.or_domain()
    }

    async fn start(
        &self,
        db: &DatabaseConnection,
        writes: bool,
        organisation: Option<OrganisationId>,
    ) -> Result<DatabaseTransaction> {
        if db.get_database_backend() == DatabaseBackend::Sqlite {
            // Read-then-write in a deferred transaction fails with "locked" however long it may wait.
            let mode = if writes { SqliteTransactionMode::Immediate } else { SqliteTransactionMode::Deferred };
            let options = TransactionOptions { sqlite_transaction_mode: Some(mode), ..Default::default() };
            return db.begin_with_options(options).await.or_domain();
        }
        let tx = db.begin().await.or_domain()?;
        tx.execute_unprepared(&admission(writes, organisation)).await.or_domain()?;
        Ok(tx)
    }

    /// The journal key of an organisation, opened once and kept.
    pub(crate) async fn journal_key(&self, tx: &Tx) -> Result<JournalKey> {
        let organisation = tx.context().organisation;
        if let Some(key) = self.0.journal_keys.read().await.get(&organisation) {
            return Ok(key.clone());
        }
        let sealed = tx.organisation_row().await?.journal_key;
        let bytes = self.0.keys.open(&journal_key_place(organisation), &sealed)?;
        let key = JournalKey(bytes.try_into().map_err(|_| Error::internal("the journal key has the wrong length"))?);
        self.0.journal_keys.write().await.insert(organisation, key.clone());
        Ok(key)
    }

    /// A new journal key, sealed for its organisation.
    pub(crate) fn new_journal_key(&self, organisation: OrganisationId) -> Result<Vec<u8>> {
        let key = JournalKey::generate(self.0.chance.as_ref());
        self.0.keys.seal(&journal_key_place(organisation), &key.0, self.0.chance.as_ref())
    }

    /// A journal key sealed by today's key; `None` when it is already.
    pub(crate) fn journal_key_resealed(&self, organisation: OrganisationId, sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        if self.0.keys.is_current(sealed) {
            return Ok(None);
        }
        let place = journal_key_place(organisation);
        let plain = self.0.keys.open(&place, sealed)?;
        self.0.keys.seal(&place, &plain, self.0.chance.as_ref()).map(Some)
    }

    /// The sealed word by which a wrong key is noticed, sealed by today's key.
    pub(crate) fn proof(&self) -> Result<Vec<u8>> {
        self.0.keys.seal(&proof_place(), PROOF, self.0.chance.as_ref())
    }

    /// Opens the sealed word, or seals it into a new database.
    async fn prove_key(&self) -> Result<()> {
        let found = self.across_read().await?.installation("sealing").await?;
        let Some(sealed) = found else {
            let across = self.across().await?;
            across.installation_set("sealing", self.proof()?, false).await?;
            return across.commit().await;
        };
        match self.0.keys.open(&proof_place(), &sealed) {
            Ok(proof) if proof == PROOF => Ok(()),
            _ => Err(Error::conflict(
                "wrong_sealing_key",
                "The sealing key does not open this database: start with the key it was made with.",
            )),
        }
    }
}

fn proof_place() -> Place<'static> {
    Place { organisation: uuid::Uuid::nil(), table: "installation", row: uuid::Uuid::nil(), column: "value" }
}

fn journal_key_place(organisation: OrganisationId) -> Place<'static> {
    Place { organisation: organisation.0, table: "organisation", row: organisation.0, column: "journal_key" }
}

/// Tells PostgreSQL's row-level security whose rows a transaction may touch, and lets one that only
/// reads see a single instant: in one round trip, because every request pays for it.
fn admission(writes: bool, organisation: Option<OrganisationId>) -> String {
    // A plan made while a table is empty and then kept scans it whole for ever: a first sync took eleven
    // times the floor's CPU with kept plans, and less than twice without.
    let instant = if writes {
        "SET LOCAL plan_cache_mode = force_custom_plan; "
    } else {
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
    };
    // A process that stands still in mid-transaction must not hold its rows for ever: another has its job by then.
    let bounded = "SET LOCAL idle_in_transaction_session_timeout = '60s'; ";
    // An id is hexadecimal digits and hyphens: it needs no quoting.
    let (id, across) = match organisation {
        Some(organisation) => (organisation.0.hyphenated().to_string(), "off"),
        None => (String::new(), "on"),
    };
    format!("{instant}{bounded}SET LOCAL panelone.organisation = '{id}'; SET LOCAL panelone.across = '{across}'")
}

/// Refuses a schema with steps that this version does not know.
async fn refuse_newer(db: &DatabaseConnection) -> Result<()> {
    let known: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    let applied = Migrator::get_migration_models(db).await.or_domain()?;
    match applied.iter().find(|step| !known.contains(&step.version)) {
        Some(step) => Err(Error::conflict(
            "schema_newer",
            format!(
                "The database was made by a newer version (step {}): start that version or a newer one.",
                step.version
            ),
        )),
        None => Ok(()),
    }
}
