//! Writes that wait for somebody's approval: permissions of roles that are given with approval only, what was asked for,
//! and in the journal who approved what was done.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 2] = ["approval", "approval_client"];

const MADE: &[&str] = &[
    "ALTER TABLE custom_role ADD COLUMN with_approval text NOT NULL DEFAULT '[]'",
    "ALTER TABLE journal ADD COLUMN approved_by $uuid",
    // The request is sealed, for its body may hold secrets, and goes when nothing more can come of it.
    "CREATE TABLE approval (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        operation $text NOT NULL,
        method text NOT NULL,
        path text NOT NULL,
        permission $text NOT NULL,
        digest $text NOT NULL,
        changes text NOT NULL,
        beyond_clients boolean NOT NULL,
        actor text NOT NULL,
        actor_id $uuid,
        asked_by $uuid,
        acted_for $uuid,
        reason text,
        state $text NOT NULL,
        decided_by $uuid,
        decided_at $time,
        message text,
        entry_id $uuid,
        created_at $time NOT NULL,
        expires_at $time NOT NULL,
        finished_at $time,
        request $bytes,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, id)
    )",
    "CREATE INDEX approval_state ON approval (organisation_id, state, expires_at)",
    "CREATE INDEX approval_asked_by ON approval (organisation_id, asked_by, state)",
    // The clients that it touches: whoever does not see one of them does not see it.
    "CREATE TABLE approval_client (
        organisation_id $uuid NOT NULL,
        approval_id $uuid NOT NULL,
        client_id $uuid NOT NULL,
        PRIMARY KEY (organisation_id, approval_id, client_id),
        FOREIGN KEY (organisation_id, approval_id) REFERENCES approval (organisation_id, id) ON DELETE CASCADE
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
        let gone = [
            "DROP TABLE IF EXISTS approval_client",
            "DROP TABLE IF EXISTS approval",
            "ALTER TABLE journal DROP COLUMN approved_by",
            "ALTER TABLE custom_role DROP COLUMN with_approval",
        ];
        Dialect::of(manager).run(manager, &gone).await
    }
}
