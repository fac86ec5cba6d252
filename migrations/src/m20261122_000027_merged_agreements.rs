//! Of two clients that were made one, each may have signed the same version of an agreement: both copies are kept. One
//! that waits is still one. And clients that were deleted, by when: those that can still come back.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let made = [
            "DROP INDEX agreement_instance_one",
            "CREATE UNIQUE INDEX agreement_instance_one ON agreement_instance (organisation_id, agreement_id, client_id)
                WHERE state IN ('pending', 'viewed')",
            "CREATE INDEX client_deleted ON client (organisation_id, deleted_at, id) WHERE deleted_at IS NOT NULL",
        ];
        Dialect::of(manager).run(manager, &made).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let made = [
            "DROP INDEX client_deleted",
            "DROP INDEX agreement_instance_one",
            "CREATE UNIQUE INDEX agreement_instance_one ON agreement_instance (organisation_id, agreement_id, client_id)
                WHERE state IN ('pending', 'viewed', 'signed')",
        ];
        Dialect::of(manager).run(manager, &made).await
    }
}
