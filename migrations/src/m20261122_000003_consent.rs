//! Consents under way: a person was sent to a vendor's page and is not back yet. A row lives for minutes.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "CREATE TABLE consent (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                connection_id $uuid NOT NULL,
                staff_id $uuid NOT NULL,
                session_id $uuid NOT NULL,
                state_hash $bytes NOT NULL,
                verifier $bytes NOT NULL,
                redirect_uri text NOT NULL,
                credentials_version integer NOT NULL,
                created_at $time NOT NULL,
                expires_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, connection_id)
                    REFERENCES connection (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, session_id) REFERENCES session (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX consent_state ON consent (organisation_id, state_hash)",
            "CREATE INDEX consent_connection ON consent (organisation_id, connection_id)",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &["consent"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Dialect::of(manager).run(manager, &["DROP TABLE IF EXISTS consent"]).await
    }
}
