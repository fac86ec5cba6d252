//! What clients are known by at vendors, as people taught it; and from which score suggestions are taken without a
//! person.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 2] = ["client_alias", "matching_settings"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            // The entity may be gone with its connection: what it taught stays.
            "CREATE TABLE client_alias (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                kind $text NOT NULL,
                alias text NOT NULL,
                alias_key $text NOT NULL,
                entity_id $uuid NOT NULL,
                entity_name text NOT NULL,
                integration $text NOT NULL,
                learned_at $time NOT NULL,
                learned_by $uuid,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX client_alias_key ON client_alias (organisation_id, client_id, kind, alias_key)",
            "CREATE TABLE matching_settings (
                organisation_id $uuid PRIMARY KEY,
                threshold integer NOT NULL,
                version integer NOT NULL
            )",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
