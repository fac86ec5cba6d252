//! What a connection's life needs: ids typed before a vendor is connected, connections shared with a client, the
//! secret of a vendor's webhooks, and which deliveries were heard.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 3] = ["unverified_mapping", "connection_share", "delivery"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "ALTER TABLE connection ADD COLUMN webhook_secret $bytes",
            "CREATE INDEX entity_vendor_id ON entity (organisation_id, integration, lower(vendor_id))",
            // An id that a person typed for a client, until a vendor lists it.
            "CREATE TABLE unverified_mapping (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                integration $text NOT NULL,
                vendor_id text NOT NULL,
                vendor_key $text NOT NULL,
                problem text,
                created_at $time NOT NULL,
                created_by $uuid,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX unverified_mapping_vendor
                ON unverified_mapping (organisation_id, integration, vendor_key)",
            "CREATE INDEX unverified_mapping_client ON unverified_mapping (organisation_id, client_id)",
            "CREATE TABLE connection_share (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                connection_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                created_at $time NOT NULL,
                created_by $uuid,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, connection_id)
                    REFERENCES connection (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX connection_share_pair
                ON connection_share (organisation_id, connection_id, client_id)",
            "CREATE INDEX connection_share_client ON connection_share (organisation_id, client_id)",
            // A delivery that was heard: the same again is not acted on.
            "CREATE TABLE delivery (
                organisation_id $uuid NOT NULL,
                connection_id $uuid NOT NULL,
                delivery_key $text NOT NULL,
                heard_at $time NOT NULL,
                PRIMARY KEY (organisation_id, connection_id, delivery_key),
                FOREIGN KEY (organisation_id, connection_id)
                    REFERENCES connection (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE INDEX delivery_age ON delivery (organisation_id, heard_at)",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let more = ["DROP INDEX IF EXISTS entity_vendor_id", "ALTER TABLE connection DROP COLUMN webhook_secret"];
        let gone: Vec<&str> = gone.iter().map(String::as_str).chain(more).collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
