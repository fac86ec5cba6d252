//! The outbox of transactional mail.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 1] = ["mail"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            // A letter. Its body is sealed, and deleted once it was sent or given up.
            "CREATE TABLE mail (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                kind $text NOT NULL,
                recipient text NOT NULL,
                mail_key $text NOT NULL,
                state $text NOT NULL,
                body $bytes,
                attempts integer NOT NULL,
                last_error text,
                send_before $time,
                created_at $time NOT NULL,
                finished_at $time,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX mail_once ON mail (organisation_id, mail_key)",
            "CREATE INDEX mail_age ON mail (organisation_id, created_at)",
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
