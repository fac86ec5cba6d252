//! Archived clients: out of lists, and of the indexes that lists are read from.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Index, its columns before the id, and whether it answers alone (SQLite looks at the columns of a partial index's
/// condition too, so those stand in it).
const LISTS: [(&str, &str, &str); 6] = [
    ("client_status", "status, name_key, id", ""),
    ("client_devices", "device_count, id", ""),
    ("client_users", "user_count, id", ""),
    ("client_created", "created_at, id", ""),
    ("client_devices_name", "device_count, name_key, id", "deleted_at"),
    ("client_users_name", "user_count, name_key, id", "deleted_at"),
];

fn index(name: &str, columns: &str, more: &str, condition: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!("CREATE INDEX {name} ON client (organisation_id, {columns}{comma}{more}) WHERE {condition}")
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let listed = "deleted_at IS NULL AND archived_at IS NULL";
        let mut made = vec!["ALTER TABLE client ADD COLUMN archived_at $time".to_owned()];
        for (name, columns, more) in LISTS {
            let more = if more.is_empty() { String::new() } else { format!("{more}, archived_at") };
            made.push(format!("DROP INDEX {name}"));
            made.push(index(name, columns, &more, listed));
        }
        // `client_name` stays as it is: whoever looks for a name wants archived clients, too.
        made.push(index("client_name_listed", "name_key, id", "", listed));
        made.push(index("client_archived", "name_key, id", "", "archived_at IS NOT NULL AND deleted_at IS NULL"));
        let made: Vec<&str> = made.iter().map(String::as_str).collect();
        Dialect::of(manager).run(manager, &made).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut gone = vec!["DROP INDEX client_name_listed".to_owned(), "DROP INDEX client_archived".to_owned()];
        for (name, columns, more) in LISTS {
            gone.push(format!("DROP INDEX {name}"));
            gone.push(index(name, columns, more, "deleted_at IS NULL"));
        }
        gone.push("ALTER TABLE client DROP COLUMN archived_at".to_owned());
        let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
