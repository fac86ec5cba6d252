//! Audit: indexes fit for searching a long journal, which rows each entry touched, signed checkpoints. Service accounts
//! with their secrets and access tokens. Roles of an organisation's own.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 6] = [
    "access_token",
    "service_account_secret",
    "service_account",
    "custom_role",
    "journal_checkpoint",
    "journal_record",
];

const INDEXES: [&str; 6] =
    ["journal_actor", "journal_actor_kind", "journal_outcome", "journal_request", "journal_acted_for", "journal_at"];

/// The rows that entries touched before there was a table of them. The journal is behind row-level security, so that
/// the statement names itself as the product's own business; as one text it runs in one transaction. PostgreSQL does not
/// read JSON with the character NUL: what such an entry touched is not found by it.
const FILL_POSTGRES: &str = "SELECT set_config('panelone.across', 'on', true);
    INSERT INTO journal_record (organisation_id, record_id, seq, client_id)
    SELECT entry.organisation_id, (change->>'id')::uuid, entry.seq, (change->>'client_id')::uuid
    FROM journal entry, json_array_elements(
        CASE WHEN position('\\u0000' IN entry.changes) = 0 THEN entry.changes ELSE '[]' END::json) change
    ON CONFLICT DO NOTHING;
    SELECT set_config('panelone.across', '', true)";

const FILL_SQLITE: &str = "INSERT OR IGNORE INTO journal_record (organisation_id, record_id, seq, client_id)
    SELECT entry.organisation_id, unhex(replace(json_extract(part.value, '$.id'), '-', '')), entry.seq,
        unhex(replace(json_extract(part.value, '$.client_id'), '-', ''))
    FROM journal entry, json_each(entry.changes) part";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "CREATE INDEX journal_actor ON journal (organisation_id, actor_id, seq) WHERE actor_id IS NOT NULL",
            "CREATE INDEX journal_actor_kind ON journal (organisation_id, actor_kind, seq)",
            "CREATE INDEX journal_outcome ON journal (organisation_id, outcome, seq)",
            "CREATE INDEX journal_request ON journal (organisation_id, request_id, seq)",
            "CREATE INDEX journal_acted_for ON journal (organisation_id, acted_for, seq) WHERE acted_for IS NOT NULL",
            "CREATE INDEX journal_at ON journal (organisation_id, at, seq)",
            // Which rows an entry touched, so that a row's history needs no scan.
            "CREATE TABLE journal_record (
                organisation_id $uuid NOT NULL,
                record_id $uuid NOT NULL,
                seq bigint NOT NULL,
                client_id $uuid,
                PRIMARY KEY (organisation_id, record_id, seq)
            )",
            "CREATE TABLE journal_checkpoint (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                seq bigint NOT NULL,
                hash $bytes NOT NULL,
                at $time NOT NULL,
                public_key $bytes NOT NULL,
                signature $bytes NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX journal_checkpoint_seq ON journal_checkpoint (organisation_id, seq)",
            "CREATE TABLE custom_role (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                name text NOT NULL,
                name_key $text NOT NULL,
                description text,
                permissions text NOT NULL,
                created_at $time NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX custom_role_name ON custom_role (organisation_id, name_key)",
            "ALTER TABLE staff ADD COLUMN custom_role_id $uuid",
            "CREATE INDEX staff_custom_role ON staff (organisation_id, custom_role_id)
                WHERE custom_role_id IS NOT NULL",
            "CREATE TABLE service_account (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                name text NOT NULL,
                name_key $text NOT NULL,
                description text,
                role $text NOT NULL,
                custom_role_id $uuid,
                key_scope $text NOT NULL,
                permissions text,
                allow_clients text,
                token_minutes integer NOT NULL,
                requests_per_minute integer NOT NULL,
                expires_at $time,
                disabled_at $time,
                used_at $time,
                created_at $time NOT NULL,
                created_by $uuid,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, custom_role_id) REFERENCES custom_role (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX service_account_name ON service_account (organisation_id, name_key)",
            "CREATE INDEX service_account_role ON service_account (organisation_id, custom_role_id)
                WHERE custom_role_id IS NOT NULL",
            "CREATE TABLE service_account_secret (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                service_account_id $uuid NOT NULL,
                hint text NOT NULL,
                secret_hash $bytes NOT NULL,
                created_at $time NOT NULL,
                created_by $uuid,
                expires_at $time,
                used_at $time,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, service_account_id)
                    REFERENCES service_account (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX service_account_secret_hash ON service_account_secret (organisation_id, secret_hash)",
            "CREATE INDEX service_account_secret_of
                ON service_account_secret (organisation_id, service_account_id, created_at)",
            // Gone with the secret that it was got with.
            "CREATE TABLE access_token (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                service_account_id $uuid NOT NULL,
                secret_id $uuid NOT NULL,
                token_hash $bytes NOT NULL,
                key_scope $text NOT NULL,
                permissions text,
                created_at $time NOT NULL,
                expires_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, secret_id)
                    REFERENCES service_account_secret (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX access_token_hash ON access_token (organisation_id, token_hash)",
            "CREATE INDEX access_token_of ON access_token (organisation_id, service_account_id, expires_at)",
            "CREATE INDEX access_token_secret ON access_token (organisation_id, secret_id)",
        ];
        dialect.run(manager, &made).await?;
        let fill = match manager.get_database_backend() {
            DatabaseBackend::Postgres => FILL_POSTGRES,
            _ => FILL_SQLITE,
        };
        dialect.run(manager, &[fill]).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let indexes = INDEXES.map(|index| format!("DROP INDEX IF EXISTS {index}"));
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let more = ["DROP INDEX IF EXISTS staff_custom_role", "ALTER TABLE staff DROP COLUMN custom_role_id"];
        let gone: Vec<&str> = indexes.iter().chain(&gone).map(String::as_str).chain(more).collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
