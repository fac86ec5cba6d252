//! What the database holds, for "nothing changed".

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use testkit::TestDb;

/// The rows of each table as sorted text.
pub type Dump = BTreeMap<String, Vec<String>>;

/// Tables that are not business: counters of failed sign-ins, what installs itself.
const LEFT_OUT: [&str; 4] = ["throttle", "installation", "seaql_migrations", "sqlite_sequence"];
/// Columns that note use, behind the answer.
const USE: [&str; 2] = ["seen_at", "used_at"];

/// Everything but the tables named.
pub async fn dump(db: &TestDb, but: &[&str]) -> Dump {
    let door = db.backdoor().await;
    let backend = if db.store.is_postgres() { DatabaseBackend::Postgres } else { DatabaseBackend::Sqlite };
    let ask = async |query: String| {
        let rows = door.query_all_raw(Statement::from_string(backend, query)).await.expect("reads");
        rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("a text")).collect::<Vec<_>>()
    };
    let tables = ask(match backend {
        DatabaseBackend::Postgres => "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'".to_owned(),
        _ => "SELECT name FROM sqlite_master WHERE type = 'table'".to_owned(),
    })
    .await;
    let mut dump = Dump::new();
    for table in tables {
        if LEFT_OUT.contains(&table.as_str()) || but.contains(&table.as_str()) {
            continue;
        }
        let columns = ask(match backend {
            DatabaseBackend::Postgres => format!(
                "SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'"
            ),
            _ => format!("SELECT name FROM pragma_table_info('{table}')"),
        })
        .await;
        let quoted = |column: &String| match backend {
            DatabaseBackend::Postgres => format!("coalesce(\"{column}\"::text, 'NULL')"),
            _ => format!("quote(\"{column}\")"),
        };
        let row: Vec<String> = columns.iter().filter(|column| !USE.contains(&column.as_str())).map(quoted).collect();
        let mut rows = ask(format!("SELECT {} FROM \"{table}\"", row.join(" || ' | ' || "))).await;
        rows.sort();
        dump.insert(table, rows);
    }
    door.close().await.expect("closes");
    assert!(dump.contains_key("client") && dump.contains_key("staff"), "the dump reads nothing");
    dump
}

/// Fails with the first row that is not as it was.
#[track_caller]
pub fn assert_same(before: &Dump, after: &Dump, what: &str) {
    for (table, rows) in before {
        let now = &after[table];
        let gone = rows.iter().find(|row| !now.contains(row));
        let new = now.iter().find(|row| !rows.contains(row));
        assert!(gone.is_none() && new.is_none() && rows.len() == now.len(), "{what} changed {table}: {gone:?} -> {new:?}");
    }
}
