//! What the database holds, for "nothing changed".

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use testkit::TestDb;

/// The rows of each table as text.
pub type Dump = BTreeMap<String, BTreeSet<String>>;

/// Tables that are not business: counters of failed sign-ins, what installs itself.
const LEFT_OUT: [&str; 4] = ["throttle", "installation", "seaql_migrations", "sqlite_sequence"];
/// Columns that note use, behind the answer.
const USE: [&str; 2] = ["seen_at", "used_at"];

/// Everything but the tables named.
pub async fn dump(db: &TestDb, but: &[&str]) -> Dump {
    let door = db.backdoor().await;
    let postgres = db.store.is_postgres();
    let backend = if postgres { DatabaseBackend::Postgres } else { DatabaseBackend::Sqlite };
    let ask = async |query: String| {
        let rows = door.query_all_raw(Statement::from_string(backend, query)).await.expect("reads");
        rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("a text")).collect::<Vec<_>>()
    };
    let columns = if postgres {
        "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
         WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped"
    } else {
        "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in ask(columns.to_owned()).await {
        let (table, column) = name.split_once('.').expect("a table and a column");
        if LEFT_OUT.contains(&table) || but.contains(&table) || USE.contains(&column) {
            continue;
        }
        let quoted = match postgres {
            true => format!("coalesce(\"{column}\"::text, 'NULL')"),
            false => format!("quote(\"{column}\")"),
        };
        tables.entry(table.to_owned()).or_default().push(quoted);
    }
    let mut dump = Dump::new();
    for (table, columns) in tables {
        let rows = ask(format!("SELECT {} FROM \"{table}\"", columns.join(" || ' | ' || "))).await;
        dump.insert(table, rows.into_iter().collect());
    }
    door.close().await.expect("closes");
    assert!(dump.get("staff").is_some_and(|rows| !rows.is_empty()), "the dump reads nothing");
    dump
}

/// Fails with the first row that is not as it was.
#[track_caller]
pub fn assert_same(before: &Dump, after: &Dump, what: &str) {
    for (table, rows) in before {
        let (gone, new) = (rows.difference(&after[table]).next(), after[table].difference(rows).next());
        assert!(gone.is_none() && new.is_none(), "{what} changed {table}: {gone:?} -> {new:?}");
    }
}
