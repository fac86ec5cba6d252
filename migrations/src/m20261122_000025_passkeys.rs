//! Passkeys, the challenges they answer, and what a session of ClientOne knows of a second factor.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 2] = ["passkey", "passkey_challenge"];
/// Columns added to tables that were there: table, column, type.
const COLUMNS: [(&str, &str, &str); 2] =
    [("portal_session", "proved_at", "$time"), ("portal_session", "enrolment", "boolean NOT NULL DEFAULT FALSE")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        for (table, column, kind) in COLUMNS {
            dialect.run(manager, &[&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}")]).await?;
        }
        let made = [
            // Whose it is stands as kind and id, as for other second factors. `site` is the name (RP id) it is bound to.
            "CREATE TABLE passkey (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                account_kind $text NOT NULL,
                account_id $uuid NOT NULL,
                name text NOT NULL,
                site $text NOT NULL,
                credential_hash $bytes NOT NULL,
                credential $bytes NOT NULL,
                created_at $time NOT NULL,
                used_at $time,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX passkey_credential ON passkey (organisation_id, credential_hash)",
            "CREATE INDEX passkey_account ON passkey (organisation_id, account_kind, account_id, created_at)",
            // What a browser was asked and has not answered. Where nobody said yet who they are, no organisation is
            // known either: then it is the nil one.
            "CREATE TABLE passkey_challenge (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                account_kind $text NOT NULL,
                purpose $text NOT NULL,
                challenge_hash $bytes NOT NULL,
                binding $bytes NOT NULL,
                source $text NOT NULL,
                ceremony $bytes NOT NULL,
                created_at $time NOT NULL,
                expires_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX passkey_challenge_hash ON passkey_challenge (organisation_id, challenge_hash)",
            "CREATE INDEX passkey_challenge_age ON passkey_challenge (organisation_id, expires_at)",
            "CREATE INDEX passkey_challenge_source ON passkey_challenge (organisation_id, source, created_at)",
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
