//! Onboarding: templates by version, the clients' onboardings, and the steps of each.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 3] = ["onboarding_step", "onboarding", "onboarding_template"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "CREATE TABLE onboarding_template (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                series_id $uuid NOT NULL,
                number integer NOT NULL,
                name text NOT NULL,
                description text NOT NULL,
                stalled_after_days integer NOT NULL,
                steps text NOT NULL,
                state $text NOT NULL,
                published_at $time,
                retired_at $time,
                created_at $time NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX onboarding_template_number
                ON onboarding_template (organisation_id, series_id, number)",
            "CREATE TABLE onboarding (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                template_id $uuid NOT NULL,
                series_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                name text NOT NULL,
                stalled_after_days integer NOT NULL,
                state $text NOT NULL,
                total integer NOT NULL,
                settled integer NOT NULL,
                current_step text,
                started_at $time NOT NULL,
                moved_at $time NOT NULL,
                stalled_at $time NOT NULL,
                reminded_at $time,
                ended_at $time,
                reason text,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, template_id) REFERENCES onboarding_template (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE INDEX onboarding_client ON onboarding (organisation_id, client_id, id)",
            "CREATE INDEX onboarding_template_of ON onboarding (organisation_id, template_id, id)",
            "CREATE INDEX onboarding_stalled ON onboarding (organisation_id, state, stalled_at)",
            // A client has one of a template, whatever its version, that is under way.
            "CREATE UNIQUE INDEX onboarding_one ON onboarding (organisation_id, series_id, client_id)
                WHERE state = 'active'",
            "CREATE TABLE onboarding_step (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                onboarding_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                number integer NOT NULL,
                title text NOT NULL,
                content text NOT NULL,
                state $text NOT NULL,
                settled_at $time,
                portal_user_id $uuid,
                staff_id $uuid,
                answers text NOT NULL,
                reason text,
                credentials $bytes,
                credentials_at $time,
                credentials_reads integer NOT NULL,
                credentials_read_at $time,
                credentials_read_by $uuid,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, onboarding_id) REFERENCES onboarding (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX onboarding_step_of ON onboarding_step (organisation_id, onboarding_id, number)",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
