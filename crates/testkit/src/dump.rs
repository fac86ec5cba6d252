//! What a database holds, as text: for what must be as it was.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

use crate::TestDb;

impl TestDb {
    /// The rows of each table but these, as text, without these columns.
    pub async fn dump(&self, tables: &[&str], columns: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let door = self.backdoor().await;
        let postgres = self.store.is_postgres();
        let backend = if postgres { DatabaseBackend::Postgres } else { DatabaseBackend::Sqlite };
        let ask = async |query: String| {
            let rows = door.query_all_raw(Statement::from_string(backend, query)).await.expect("reads");
            rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("a text")).collect::<Vec<_>>()
        };
        let all = if postgres {
            "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
             WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped"
        } else {
            "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table'"
        };
        let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in ask(all.to_owned()).await {
            let (table, column) = name.split_once('.').expect("a table and a column");
            if !tables.contains(&table) && !columns.contains(&column) {
                let text = match postgres {
                    true => format!("'{column}=' || coalesce(\"{column}\"::text, 'NULL')"),
                    false => format!("'{column}=' || quote(\"{column}\")"),
                };
                wanted.entry(table.to_owned()).or_default().push(text);
            }
        }
        let mut dump = BTreeMap::new();
        for (table, columns) in wanted {
            let rows = ask(format!("SELECT {} FROM \"{table}\"", columns.join(" || ' | ' || "))).await;
            dump.insert(table, rows.iter().map(|row| canonical(row)).collect());
        }
        door.close().await.expect("closes");
        dump
    }
}

/// The row with the fields of every JSON object in one order: how a text is spelled is no difference.
fn canonical(row: &str) -> String {
    let cells = row.split(" | ").map(|cell| {
        let (column, value) = cell.split_once('=').unwrap_or((cell, ""));
        match serde_json::from_str::<serde_json::Value>(value.trim_matches('\'')) {
            Ok(object @ serde_json::Value::Object(_)) => format!("{column}={object}"),
            _ => cell.to_owned(),
        }
    });
    cells.collect::<Vec<_>>().join(" | ")
}
