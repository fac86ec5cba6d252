//! Steps of the schema are taken whole or not at all, up and down.

use std::collections::BTreeSet;

use migrations::Migrator;
use persistence::Store;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};
use sea_orm_migration::MigratorTrait;
use testkit::both_databases;

/// Everything in the schema: tables with their columns, and indexes.
async fn schema(door: &DatabaseConnection) -> BTreeSet<String> {
    let backend = door.get_database_backend();
    let query = match backend {
        DatabaseBackend::Sqlite => {
            "SELECT m.type || ' ' || m.name || coalesce(' ' || c.name || ' ' || c.type, '') FROM sqlite_master m \
             LEFT JOIN pragma_table_info(m.name) c ON m.type = 'table' WHERE m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
        _ => {
            "SELECT CASE c.relkind WHEN 'r' THEN 'table ' ELSE 'index ' END || c.relname \
             || coalesce(' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod), '') FROM pg_class c \
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r' \
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i')"
        }
    };
    let rows = door.query_all_raw(Statement::from_string(backend, query)).await.expect("reads the schema");
    rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("a text")).collect()
}

/// Names of what is in one schema and not in another.
fn new_names(now: &BTreeSet<String>, before: &BTreeSet<String>) -> BTreeSet<String> {
    let names = |schema: &BTreeSet<String>| -> BTreeSet<String> {
        schema.iter().map(|line| line.split(' ').nth(1).expect("a name").to_owned()).collect()
    };
    names(now).difference(&names(before)).cloned().collect()
}

both_databases! {
    async fn a_step_that_fails_leaves_the_schema_as_it_was_and_can_be_taken_again(db: TestDb) {
        let door = db.backdoor().await;
        let steps = Migrator::migrations().len();
        // What each step leads to, learned on the way down.
        let mut levels = vec![schema(&door).await];
        for _ in 0..steps {
            Migrator::down(&door, Some(1)).await.expect("goes down");
            levels.push(schema(&door).await);
        }
        levels.reverse();
        assert!(levels[0].iter().all(|line| line.contains("seaql_migrations")), "left over: {:?}", levels[0]);
        let mut failed = 0;
        for step in 1..=steps {
            let (before, after) = (&levels[step - 1], &levels[step]);
            // What the step makes stands in its way: the last of it by name, and one in the middle.
            let names: Vec<String> = new_names(after, before).into_iter().collect();
            let primary = |name: &&String| !name.ends_with("_pkey");
            let hindrances: BTreeSet<&String> =
                [names.iter().rfind(primary), names.iter().filter(primary).nth(names.len() / 2)].into_iter().flatten().collect();
            for name in hindrances {
                door.execute_unprepared(&format!("CREATE TABLE {name} (hindrance integer)")).await.expect("makes");
                Migrator::up(&door, Some(1)).await.expect_err("it is in the way");
                door.execute_unprepared(&format!("DROP TABLE {name}")).await.expect("drops");
                assert_eq!(&schema(&door).await, before, "step {step} left something, hindered by {name}");
                failed += 1;
            }
            Migrator::up(&door, Some(1)).await.expect("goes up");
            assert_eq!(&schema(&door).await, after, "step {step}");
        }
        assert!(failed >= steps, "{failed} failed");
        door.close().await.expect("closes");
    }

    async fn of_several_that_migrate_at_once_each_ends_well(db: TestDb) {
        let door = db.backdoor().await;
        Migrator::down(&door, Some(6)).await.expect("goes down");
        door.close().await.expect("closes");
        // SQLite knows one writer: there the others may be told that it is busy, and find it done when they ask again.
        let all = (0..if db.store.is_postgres() { 4 } else { 1 }).map(|_| Store::migrate(&db.url));
        for done in futures_util::future::join_all(all).await {
            done.expect("migrates");
        }
        let door = db.backdoor().await;
        assert!(Migrator::get_pending_migrations(&door).await.expect("asks").is_empty());
        door.close().await.expect("closes");
    }
}
