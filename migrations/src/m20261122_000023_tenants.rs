//! Tenants: connecting one step by step, leaving one alone and letting one in that no listing has; and where a client
//! went that was merged into another.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 2] = ["tenant_connect", "client_redirect"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            // Where a client went that was merged into another; its id is the id of the row.
            "CREATE TABLE client_redirect (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                into_id $uuid NOT NULL,
                merged_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, id) REFERENCES client (organisation_id, id),
                FOREIGN KEY (organisation_id, into_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE INDEX client_redirect_into ON client_redirect (organisation_id, into_id)",
            // Since when nothing is asked about the tenant any more.
            "ALTER TABLE tenant_setting ADD COLUMN disconnected_at $time",
            // The connection that the tenant's own administrator let in: it stays although no listing has it.
            "ALTER TABLE tenant_setting ADD COLUMN admitted_by $uuid",
            "CREATE INDEX tenant_setting_admitted ON tenant_setting (organisation_id, admitted_by)
                WHERE admitted_by IS NOT NULL",
            "CREATE TABLE tenant_connect (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                connection_id $uuid NOT NULL,
                tenant_key $text NOT NULL,
                domain text,
                state $text NOT NULL,
                state_reason text,
                links integer NOT NULL,
                link_hash $bytes,
                begun_by $uuid,
                created_at $time NOT NULL,
                expires_at $time NOT NULL,
                connected_at $time,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id),
                FOREIGN KEY (organisation_id, connection_id)
                    REFERENCES connection (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE INDEX tenant_connect_made ON tenant_connect (organisation_id, created_at, id)",
            "CREATE INDEX tenant_connect_client ON tenant_connect (organisation_id, client_id)",
            "CREATE INDEX tenant_connect_connection ON tenant_connect (organisation_id, connection_id)",
            // Who connects a tenant is told of another who does.
            "CREATE INDEX tenant_connect_tenant ON tenant_connect (organisation_id, tenant_key)",
            "CREATE UNIQUE INDEX tenant_connect_link ON tenant_connect (organisation_id, link_hash)
                WHERE link_hash IS NOT NULL",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = [
            "DROP TABLE IF EXISTS client_redirect",
            "DROP TABLE IF EXISTS tenant_connect",
            "DROP INDEX IF EXISTS tenant_setting_admitted",
            "ALTER TABLE tenant_setting DROP COLUMN admitted_by",
            "ALTER TABLE tenant_setting DROP COLUMN disconnected_at",
        ];
        Dialect::of(manager).run(manager, &gone).await
    }
}
