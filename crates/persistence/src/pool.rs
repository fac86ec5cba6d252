//! Opening connections to SQLite and PostgreSQL.

use std::{sync::Arc, time::Duration};

use domain::Result;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{
        self, ConnectOptions as _, Connection as _,
        postgres::{PgConnectOptions, PgPoolOptions},
    },
};

use crate::error::OrDomain;

/// Connections to PostgreSQL that were idle for so long are tested before they are used.
const TESTED_AFTER: Duration = Duration::from_secs(1);

/// What the one writing connection to SQLite may keep of it, in KiB: the indexes that a sync fills.
pub const WRITER_CACHE: u32 = 32_000;
/// What each reading connection may keep, in KiB; the system's own cache holds the rest.
pub const READER_CACHE: u32 = 4_000;
/// What the connection may keep that only asks whether something was written.
pub const WATCHER_CACHE: u32 = 64;

/// Opens connections; `cache` is the pages each may keep on SQLite, in KiB.
pub async fn open(url: &str, connections: u32, patience: Duration, cache: u32) -> Result<DatabaseConnection> {
    if url.starts_with("postgres") {
        postgres(url, connections, patience).await
    } else {
        sqlite(url, connections, patience, cache).await
    }
}

/// A connection is tested before use only when it was idle: under load that would be a round trip of
/// each request.
async fn postgres(url: &str, connections: u32, patience: Duration) -> Result<DatabaseConnection> {
    let failed = |why: sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(why)));
    let options: PgConnectOptions = url.parse().map_err(failed).or_domain()?;
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(patience)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for >= TESTED_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options.disable_statement_logging())
        .await
        .map_err(failed)
        .or_domain()?;
    Ok(pool.into())
}

async fn sqlite(url: &str, connections: u32, patience: Duration, cache: u32) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).min_connections(1).acquire_timeout(patience).sqlx_logging(false);
    if url.contains(":memory:") || cache == WATCHER_CACHE {
        // The database in memory, and the count of what is committed, live as long as their connection.
        options.max_connections(1).idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
    }
    options.test_before_acquire(false).map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
            .synchronous(sqlx::sqlite::SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(patience)
            .page_size(8192)
            .statement_cache_capacity(256)
            .pragma("cache_size", format!("-{cache}"))
            // A first sync writes each page of an index many times: it is carried over once in so many.
            .pragma("wal_autocheckpoint", "4000")
            .pragma("journal_size_limit", "67108864")
            .pragma("temp_store", "memory")
    });
    options.map_sqlx_sqlite_before_acquire(|connection, _| Box::pin(between_transactions(connection)));
    Database::connect(options).await.or_domain()
}

/// Whether a connection may begin a transaction; one that may not is closed. When SQLite has no room it ends the
/// transaction of the statement that failed, while sqlx goes on counting it: whatever came then would be part of a
/// transaction that nobody commits.
async fn between_transactions(connection: &mut sqlx::SqliteConnection) -> std::result::Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // What was dropped is rolled back behind its caller's back: that must be over before it counts.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

#[cfg(test)]
mod tests {
    use sea_orm::{
        ConnectionTrait, DatabaseBackend, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    };

    use super::*;

    #[tokio::test]
    async fn what_is_committed_after_sqlite_ended_a_transaction_by_itself_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("ended.db").display());
        let patience = Duration::from_secs(1);
        let (db, other) =
            (open(&url, 1, patience, 64).await.expect("opens"), open(&url, 1, patience, 64).await.expect("opens"));
        db.execute_unprepared("CREATE TABLE note (text TEXT)").await.expect("makes");
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        for round in 1..=4 {
            let ended = db.begin_with_options(options).await.expect("begins");
            ended.execute_unprepared("INSERT INTO note VALUES ('lost')").await.expect("writes");
            ended.execute_unprepared("ROLLBACK").await.expect("ends it as want of room does");
            drop(ended);
            let given_up = db.begin_with_options(options).await.expect("begins again");
            given_up.execute_unprepared("INSERT INTO note VALUES ('given up')").await.expect("writes");
            drop(given_up);
            let tx = db.begin_with_options(options).await.expect("begins again");
            tx.execute_unprepared("INSERT INTO note VALUES ('kept')").await.expect("writes");
            tx.commit().await.expect("commits");
            let count = Statement::from_string(DatabaseBackend::Sqlite, "SELECT count(*) FROM note");
            let found = other.query_one_raw(count).await.expect("asks").expect("a row");
            assert_eq!(found.try_get_by_index::<i64>(0).expect("a number"), round);
        }
    }
}
