//! The outbox of transactional mail; invitations to the team, links for forgotten passwords, and removal.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 3] = ["mail", "staff_invitation", "password_reset"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            // A letter. Its body is sealed, and deleted once it was sent or given up.
            "CREATE TABLE mail (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                kind $text NOT NULL,
                recipient text NOT NULL,
                mail_key $text NOT NULL,
                state $text NOT NULL,
                body $bytes,
                attempts integer NOT NULL,
                last_error text,
                send_before $time,
                created_at $time NOT NULL,
                finished_at $time,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX mail_once ON mail (organisation_id, mail_key)",
            "CREATE INDEX mail_age ON mail (organisation_id, created_at)",
            // Whom the team has no more keeps their row: the journal keeps their name.
            "ALTER TABLE staff ADD COLUMN removed_at $time",
            "CREATE TABLE staff_invitation (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                email text NOT NULL,
                email_key $text NOT NULL,
                name text NOT NULL,
                role $text NOT NULL,
                allow_clients text,
                deny_clients text NOT NULL,
                token_hash $bytes NOT NULL,
                sent integer NOT NULL,
                created_at $time NOT NULL,
                created_by $uuid,
                expires_at $time NOT NULL,
                accepted_at $time,
                revoked_at $time,
                staff_id $uuid,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX staff_invitation_open ON staff_invitation (organisation_id, email_key)
                WHERE accepted_at IS NULL AND revoked_at IS NULL",
            "CREATE UNIQUE INDEX staff_invitation_token ON staff_invitation (organisation_id, token_hash)",
            "CREATE INDEX staff_invitation_age ON staff_invitation (organisation_id, created_at)",
            // One for each staff user: asking again replaces the link.
            "CREATE TABLE password_reset (
                organisation_id $uuid NOT NULL,
                staff_id $uuid NOT NULL,
                token_hash $bytes NOT NULL,
                created_at $time NOT NULL,
                expires_at $time NOT NULL,
                PRIMARY KEY (organisation_id, staff_id),
                FOREIGN KEY (organisation_id, staff_id) REFERENCES staff (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX password_reset_token ON password_reset (organisation_id, token_hash)",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let more = ["ALTER TABLE staff DROP COLUMN removed_at"];
        let gone: Vec<&str> = gone.iter().map(String::as_str).chain(more).collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
