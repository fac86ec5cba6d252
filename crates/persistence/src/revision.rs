//! Whether anything at all was written since.

use domain::Result;
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

use crate::{Store, error::OrDomain};

/// A state of the whole database. Two that are equal were taken with no commit between them, by this process or
/// another; two that differ say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision(Counted);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Counted {
    /// Commits that the watching connection to SQLite saw: all but its own, and it never writes.
    Commits(i64),
    /// The transactions that PostgreSQL shows: whatever commits is among them from then on.
    Snapshot(String),
}

impl Store {
    /// The state of the database now: one question that reads no table. None where it cannot be told, which is in
    /// memory.
    pub async fn revision(&self) -> Result<Option<Revision>> {
        let Some(watch) = self.watch() else { return Ok(None) };
        let backend = watch.get_database_backend();
        let query = match backend {
            DatabaseBackend::Sqlite => "PRAGMA data_version",
            _ => "SELECT pg_current_snapshot()::text",
        };
        let Some(row) = watch.query_one_raw(Statement::from_string(backend, query)).await.or_domain()? else {
            return Ok(None);
        };
        let counted = match backend {
            DatabaseBackend::Sqlite => row.try_get_by_index(0).map(Counted::Commits),
            _ => row.try_get_by_index(0).map(Counted::Snapshot),
        };
        counted.map(|counted| Some(Revision(counted))).or_domain()
    }
}
