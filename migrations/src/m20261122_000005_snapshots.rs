//! What each client had on a day: devices, users, licences and subscriptions, to be held against one another.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "CREATE TABLE snapshot (
                organisation_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                day $text NOT NULL,
                body text NOT NULL,
                taken_at $time NOT NULL,
                PRIMARY KEY (organisation_id, client_id, day),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE INDEX snapshot_day ON snapshot (organisation_id, day)",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &["snapshot"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Dialect::of(manager).run(manager, &["DROP TABLE IF EXISTS snapshot"]).await
    }
}
