//! Signing in with a second factor, how long sessions last, and what an API key is limited to.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 4] = ["second_factor", "recovery_code", "pending_session", "security_settings"];
/// Columns added to tables that were there: table, column, type.
const COLUMNS: [(&str, &str, &str); 5] = [
    ("session", "proved_at", "$time"),
    ("session", "enrolment", "boolean NOT NULL DEFAULT FALSE"),
    ("session", "idle_minutes", "integer"),
    ("api_key", "requests_per_minute", "integer"),
    ("api_key", "permissions", "text"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        for (table, column, kind) in COLUMNS {
            dialect.run(manager, &[&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}")]).await?;
        }
        let made = [
            // Whose it is stands as kind and id: staff users and portal users keep theirs alike.
            "CREATE TABLE second_factor (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                account_kind $text NOT NULL,
                account_id $uuid NOT NULL,
                kind $text NOT NULL,
                secret $bytes NOT NULL,
                confirmed_at $time,
                last_step bigint,
                codes_made_at $time,
                created_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX second_factor_account
                ON second_factor (organisation_id, account_kind, account_id, kind)",
            "CREATE TABLE recovery_code (
                organisation_id $uuid NOT NULL,
                account_kind $text NOT NULL,
                account_id $uuid NOT NULL,
                code_hash $bytes NOT NULL,
                created_at $time NOT NULL,
                used_at $time,
                PRIMARY KEY (organisation_id, account_kind, account_id, code_hash)
            )",
            // Someone whose password was right, and who has yet to show a second factor.
            "CREATE TABLE pending_session (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                account_kind $text NOT NULL,
                account_id $uuid NOT NULL,
                token_hash $bytes NOT NULL,
                proof $bytes NOT NULL,
                attempts integer NOT NULL,
                created_at $time NOT NULL,
                expires_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX pending_session_token ON pending_session (organisation_id, token_hash)",
            "CREATE INDEX pending_session_account
                ON pending_session (organisation_id, account_kind, account_id, created_at)",
            "CREATE TABLE security_settings (
                organisation_id $uuid PRIMARY KEY,
                require_mfa boolean NOT NULL,
                idle_minutes integer NOT NULL,
                absolute_minutes integer NOT NULL,
                version integer NOT NULL
            )",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        for table in TABLES {
            dialect.run(manager, &[&format!("DROP TABLE IF EXISTS {table}")]).await?;
        }
        for (table, column, _) in COLUMNS {
            dialect.run(manager, &[&format!("ALTER TABLE {table} DROP COLUMN {column}")]).await?;
        }
        Ok(())
    }
}
