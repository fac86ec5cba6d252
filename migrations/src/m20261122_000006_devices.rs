//! Devices: the observations of several vendors that are one machine, and what people decided about them.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 4] = ["device_stale", "device_ruling", "device_observation", "device"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "CREATE TABLE device (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                name text NOT NULL,
                name_key $text NOT NULL,
                created_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE INDEX device_list ON device (organisation_id, client_id, name_key, id)",
            "CREATE TABLE device_observation (
                organisation_id $uuid NOT NULL,
                record_id $uuid NOT NULL,
                device_id $uuid NOT NULL,
                evidence text NOT NULL,
                confidence double precision,
                PRIMARY KEY (organisation_id, record_id),
                FOREIGN KEY (organisation_id, record_id) REFERENCES record (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, device_id) REFERENCES device (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE INDEX device_observation_device ON device_observation (organisation_id, device_id)",
            "CREATE TABLE device_ruling (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                record_a $uuid NOT NULL,
                record_b $uuid NOT NULL,
                one boolean NOT NULL,
                created_at $time NOT NULL,
                created_by $uuid,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, record_a) REFERENCES record (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, record_b) REFERENCES record (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX device_ruling_pair ON device_ruling (organisation_id, record_a, record_b)",
            "CREATE INDEX device_ruling_other ON device_ruling (organisation_id, record_b)",
            // Entities whose observations changed since their client's devices were joined.
            "CREATE TABLE device_stale (
                organisation_id $uuid NOT NULL,
                connection_id $uuid NOT NULL,
                entity_id $uuid NOT NULL,
                PRIMARY KEY (organisation_id, connection_id, entity_id),
                FOREIGN KEY (organisation_id, connection_id)
                    REFERENCES connection (organisation_id, id) ON DELETE CASCADE
            )",
        ];
        dialect.run(manager, &made).await?;
        // What is stored already is joined by the next sync of each connection. The rules of PostgreSQL hold for the
        // owner of the tables too.
        let stored = "INSERT INTO device_stale (organisation_id, connection_id, entity_id)
            SELECT organisation_id, connection_id, id FROM entity WHERE client_id IS NOT NULL AND device_count > 0";
        if manager.get_database_backend() == DatabaseBackend::Postgres {
            let (on, off) = ("SET panelone.across = 'on'", "RESET panelone.across");
            dialect.run(manager, &[on, stored, off]).await?;
        } else {
            dialect.run(manager, &[stored]).await?;
        }
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
