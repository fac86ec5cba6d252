//! What is known of the fleet: which workers live, which of them has a job, for which connection a job is, and until
//! when it waits for its vendor.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A worker is no organisation's: like `throttle`, and unlike everything else, it has none.
        let made = [
            "CREATE TABLE worker (
                id $uuid PRIMARY KEY,
                name $text NOT NULL,
                started_at $time NOT NULL,
                seen_at $time NOT NULL,
                slots integer NOT NULL,
                running integer NOT NULL
            )",
            "ALTER TABLE job ADD COLUMN connection_id $uuid",
            "ALTER TABLE job ADD COLUMN worker_id $uuid",
            "ALTER TABLE job ADD COLUMN waits_until $time",
            "CREATE INDEX job_connection ON job (organisation_id, connection_id)",
            "CREATE INDEX job_state ON job (organisation_id, state, id)",
        ];
        Dialect::of(manager).run(manager, &made).await?;
        // Jobs that wait, run or were given up say whose they are from now on; the ids stand in their keys.
        let moved: &[&str] = match manager.get_database_backend() {
            DatabaseBackend::Postgres => &[
                "SELECT set_config('panelone.across', 'on', false)",
                "UPDATE job SET connection_id = substring(unique_key from 6 for 36)::uuid \
                 WHERE unique_key LIKE 'sync:%' OR unique_key LIKE 'hear:%'",
                "SELECT set_config('panelone.across', 'off', false)",
            ],
            _ => &["UPDATE job SET connection_id = unhex(replace(substr(unique_key, 6, 36), '-', '')) \
                    WHERE unique_key LIKE 'sync:%' OR unique_key LIKE 'hear:%'"],
        };
        for statement in moved {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = [
            "DROP INDEX IF EXISTS job_state",
            "DROP INDEX IF EXISTS job_connection",
            "ALTER TABLE job DROP COLUMN waits_until",
            "ALTER TABLE job DROP COLUMN worker_id",
            "ALTER TABLE job DROP COLUMN connection_id",
            "DROP TABLE IF EXISTS worker",
        ];
        Dialect::of(manager).run(manager, &gone).await
    }
}
