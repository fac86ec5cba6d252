//! Databases to measure on: made, filled and thrown away.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result};
use clap::ValueEnum;
use tokio_postgres::NoTls;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// SQLite
    Sqlite,
    /// PostgreSQL, at the address in PANELONE_TEST_POSTGRES
    Postgres,
}

impl Engine {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Where PostgreSQL is.
pub const POSTGRES: &str = "PANELONE_TEST_POSTGRES";

static MADE: AtomicU32 = AtomicU32::new(0);

/// One database. [`Database::discard`] removes it.
#[derive(Clone, Debug)]
pub struct Database {
    /// Which engine.
    pub engine: Engine,
    /// Its address, as the product takes it.
    pub url: String,
    /// Its name on PostgreSQL, its file on SQLite.
    pub name: String,
}

impl Database {
    /// An empty one; on SQLite below `folder`.
    pub async fn empty(engine: Engine, folder: &Path) -> Result<Self> {
        let database = Self::named(engine, folder)?;
        if engine == Engine::Postgres {
            administer(&format!("CREATE DATABASE {}", database.name)).await?;
        }
        Ok(database)
    }

    fn named(engine: Engine, folder: &Path) -> Result<Self> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let own = format!("bench_{}_{number}", std::process::id());
        let (url, name) = match engine {
            Engine::Sqlite => {
                let file = folder.join(format!("{own}.db")).display().to_string();
                (format!("sqlite://{file}?mode=rwc"), file)
            }
            Engine::Postgres => {
                let mut url: String = postgres()?;
                let end = url.rfind('/').context("the address of PostgreSQL names no database")?;
                url.replace_range(end + 1.., &own);
                (url, own)
            }
        };
        Ok(Self { engine, url, name })
    }

    /// Its name, if it is on a server whose processes are to be counted.
    pub fn on_server(&self) -> Option<String> {
        (self.engine == Engine::Postgres).then(|| self.name.clone())
    }

    /// Removes it.
    pub async fn discard(self) -> Result<()> {
        match self.engine {
            Engine::Sqlite => {
                for end in ["", "-wal", "-shm"] {
                    // The last two may not be there.
                    let _ = fs::remove_file(format!("{}{end}", self.name));
                }
                Ok(())
            }
            Engine::Postgres => administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await,
        }
    }
}

fn postgres() -> Result<String> {
    std::env::var(POSTGRES).with_context(|| format!("set {POSTGRES}, or choose --database sqlite"))
}

async fn administer(statement: &str) -> Result<()> {
    connect(&postgres()?).await?.batch_execute(statement).await?;
    Ok(())
}

/// A connection to PostgreSQL that sees all organisations.
pub async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute("SELECT set_config('panelone.across', 'on', false)").await?;
    Ok(client)
}

/// Runs statements.
pub enum Sql {
    /// On SQLite.
    Sqlite(rusqlite::Connection),
    /// On PostgreSQL.
    Postgres(tokio_postgres::Client),
}

impl Sql {
    /// Opens a database.
    pub async fn open(database: &Database) -> Result<Self> {
        Ok(match database.engine {
            Engine::Sqlite => {
                let connection = rusqlite::Connection::open(&database.name)?;
                connection.execute_batch("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000")?;
                Self::Sqlite(connection)
            }
            Engine::Postgres => Self::Postgres(connect(&database.url).await?),
        })
    }

    /// Runs statements, separated by semicolons.
    pub async fn run(&self, statements: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(statements)?,
            Self::Postgres(client) => client.batch_execute(statements).await?,
        }
        Ok(())
    }

    /// A literal of an id.
    pub fn id(&self, id: uuid::Uuid) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{}'", id.simple()),
            Self::Postgres(_) => format!("'{id}'"),
        }
    }
}
