//! Which value of a field of a device is shown: what people fixed, the organisation's order of integrations, and what a
//! vendor said before it said nothing any more.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 3] = ["device_lock", "device_precedence", "device_known"];

const MADE: &[&str] = &[
    // It outlives its device, which may come back under another id: `records` says which one that is.
    "CREATE TABLE device_lock (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        client_id $uuid NOT NULL,
        device_id $uuid NOT NULL,
        field $text NOT NULL,
        value text,
        connection_id $uuid,
        reason text,
        records text NOT NULL,
        created_at $time NOT NULL,
        created_by $uuid,
        PRIMARY KEY (organisation_id, id),
        FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
    )",
    "CREATE INDEX device_lock_client ON device_lock (organisation_id, client_id, id)",
    "CREATE INDEX device_lock_device ON device_lock (organisation_id, device_id, id)",
    "CREATE TABLE device_precedence (
        organisation_id $uuid PRIMARY KEY,
        ranking text NOT NULL,
        version integer NOT NULL
    )",
    // Only what was said once and is blank now: there are few of these.
    "CREATE TABLE device_known (
        organisation_id $uuid NOT NULL,
        record_id $uuid NOT NULL,
        field $text NOT NULL,
        value text NOT NULL,
        blank_since $time NOT NULL,
        PRIMARY KEY (organisation_id, record_id, field),
        FOREIGN KEY (organisation_id, record_id) REFERENCES record (organisation_id, id) ON DELETE CASCADE
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
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
