//! Clients within a range of counts, in the order of names, found in an index alone: SQLite looks at the column of a
//! partial index's condition too, so that stands in it.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let made = [
            "CREATE INDEX client_devices_name ON client (organisation_id, device_count, name_key, id, deleted_at)
                WHERE deleted_at IS NULL",
            "CREATE INDEX client_users_name ON client (organisation_id, user_count, name_key, id, deleted_at)
                WHERE deleted_at IS NULL",
        ];
        Dialect::of(manager).run(manager, &made).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        Dialect::of(manager).run(manager, &["DROP INDEX client_devices_name", "DROP INDEX client_users_name"]).await
    }
}
