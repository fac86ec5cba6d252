//! Two-way sync with PSAs: its settings, what both sides last agreed on, what was read of companies that listings tell
//! only in part, and what waits for a person.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 4] = ["psa_settings", "psa_field", "psa_company", "psa_conflict"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "CREATE TABLE psa_settings (
                organisation_id $uuid NOT NULL,
                connection_id $uuid NOT NULL,
                direction $text NOT NULL,
                owners text NOT NULL,
                clients_since $time,
                only_active boolean NOT NULL,
                only_states text NOT NULL,
                companies_since $time,
                version integer NOT NULL,
                touched_at $time,
                passed_at $time,
                pass_error text,
                PRIMARY KEY (organisation_id, connection_id),
                FOREIGN KEY (organisation_id, connection_id)
                    REFERENCES connection (organisation_id, id) ON DELETE CASCADE
            )",
            // What a client and a company last agreed on, field by field; of the client that the company had then.
            "CREATE TABLE psa_field (
                organisation_id $uuid NOT NULL,
                entity_id $uuid NOT NULL,
                field $text NOT NULL,
                client_id $uuid NOT NULL,
                ours text,
                theirs text,
                sent boolean NOT NULL,
                agreed_at $time NOT NULL,
                PRIMARY KEY (organisation_id, entity_id, field),
                FOREIGN KEY (organisation_id, entity_id) REFERENCES entity (organisation_id, id) ON DELETE CASCADE
            )",
            // A company as it was read alone, where the listing does not tell all of it.
            "CREATE TABLE psa_company (
                organisation_id $uuid NOT NULL,
                entity_id $uuid NOT NULL,
                connection_id $uuid NOT NULL,
                body text NOT NULL,
                read_at $time NOT NULL,
                PRIMARY KEY (organisation_id, entity_id),
                FOREIGN KEY (organisation_id, entity_id) REFERENCES entity (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE INDEX psa_company_age ON psa_company (organisation_id, connection_id, read_at)",
            "CREATE TABLE psa_conflict (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                connection_id $uuid NOT NULL,
                entity_id $uuid,
                client_id $uuid,
                field $text,
                kind $text NOT NULL,
                state $text NOT NULL,
                ours text,
                theirs text,
                ours_at $time,
                ours_by text,
                theirs_at $time,
                message text,
                created_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, connection_id)
                    REFERENCES connection (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, entity_id) REFERENCES entity (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE INDEX psa_conflict_list ON psa_conflict (organisation_id, created_at, id)",
            "CREATE INDEX psa_conflict_connection ON psa_conflict (organisation_id, connection_id)",
            "CREATE INDEX psa_conflict_entity ON psa_conflict (organisation_id, entity_id)",
            "CREATE INDEX psa_conflict_client ON psa_conflict (organisation_id, client_id)",
            // Changes sent to vendors of which nobody knows yet what became of them.
            "CREATE INDEX vendor_write_open ON vendor_write (organisation_id, connection_id, action)
                WHERE state IN ('sending', 'unknown')",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let index = "DROP INDEX IF EXISTS vendor_write_open";
        let gone: Vec<&str> = gone.iter().rev().map(String::as_str).chain([index]).collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
