//! Bulk operations over clients, with tags that clients are sorted by; change sets of several entries; and hours in which
//! a connection is not synced by the schedule.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 4] = ["bulk_operation", "bulk_item", "bulk_settings", "connection_quiet"];

const MADE: &[&str] = &[
    "ALTER TABLE client ADD COLUMN tags text NOT NULL DEFAULT '[]'",
    // Entries that are one change set: each was committed by itself, and they are reverted together.
    "ALTER TABLE journal ADD COLUMN change_set $uuid",
    "CREATE INDEX journal_change_set ON journal (organisation_id, change_set) WHERE change_set IS NOT NULL",
    "CREATE TABLE bulk_operation (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        action text NOT NULL,
        state $text NOT NULL,
        digest $text NOT NULL,
        total bigint NOT NULL,
        unchanged bigint NOT NULL,
        done bigint NOT NULL,
        refused bigint NOT NULL,
        actor text NOT NULL,
        started_by $uuid,
        reason text,
        approved_by $uuid,
        approved_at $time,
        created_at $time NOT NULL,
        finished_at $time,
        message text,
        entry_id $uuid,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, id)
    )",
    // The exact set of clients, as it was when the operation was started. What is planned for each is kept as a trace:
    // one that changed since is left alone.
    "CREATE TABLE bulk_item (
        organisation_id $uuid NOT NULL,
        operation_id $uuid NOT NULL,
        client_id $uuid NOT NULL,
        planned $bytes NOT NULL,
        state $text NOT NULL,
        code text,
        message text,
        PRIMARY KEY (organisation_id, operation_id, client_id),
        FOREIGN KEY (organisation_id, operation_id) REFERENCES bulk_operation (organisation_id, id) ON DELETE CASCADE
    )",
    "CREATE INDEX bulk_item_state ON bulk_item (organisation_id, operation_id, state, client_id)",
    "CREATE TABLE bulk_settings (
        organisation_id $uuid PRIMARY KEY,
        thresholds text NOT NULL,
        version integer NOT NULL
    )",
    "CREATE TABLE connection_quiet (
        organisation_id $uuid NOT NULL,
        connection_id $uuid NOT NULL,
        from_minute integer NOT NULL,
        until_minute integer NOT NULL,
        offset_minutes integer NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, connection_id),
        FOREIGN KEY (organisation_id, connection_id) REFERENCES connection (organisation_id, id) ON DELETE CASCADE
    )",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        dialect.run(manager, MADE).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = [
            "DROP TABLE IF EXISTS connection_quiet",
            "DROP TABLE IF EXISTS bulk_settings",
            "DROP TABLE IF EXISTS bulk_item",
            "DROP TABLE IF EXISTS bulk_operation",
            "DROP INDEX IF EXISTS journal_change_set",
            "ALTER TABLE journal DROP COLUMN change_set",
            "ALTER TABLE client DROP COLUMN tags",
        ];
        Dialect::of(manager).run(manager, &gone).await
    }
}
