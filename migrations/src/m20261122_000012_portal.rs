//! ClientOne: how it is set up for each client, its accounts, their sessions, and the devices assigned to them.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 5] = ["portal_device", "portal_session", "portal_user", "portal_config", "portal_branding"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            // The MSP's own look, for clients that have none.
            "CREATE TABLE portal_branding (
                organisation_id $uuid PRIMARY KEY,
                branding text NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL
            )",
            "CREATE TABLE portal_config (
                organisation_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                enabled boolean NOT NULL,
                settings text NOT NULL,
                branding text NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, client_id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE INDEX portal_config_enabled ON portal_config (organisation_id, client_id) WHERE enabled",
            // `link_hash` is that of the one link under way: an invitation, or after it the reset of a password.
            "CREATE TABLE portal_user (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                email text NOT NULL,
                email_key $text NOT NULL,
                name text NOT NULL,
                name_key $text NOT NULL,
                phone text,
                role $text NOT NULL,
                state $text NOT NULL,
                password_hash text,
                link_hash $bytes,
                link_made_at $time,
                accepted_at $time,
                deactivated_at $time,
                signed_in_at $time,
                created_at $time NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX portal_user_email ON portal_user (organisation_id, email_key)",
            "CREATE UNIQUE INDEX portal_user_link ON portal_user (organisation_id, link_hash)
                WHERE link_hash IS NOT NULL",
            "CREATE INDEX portal_user_client ON portal_user (organisation_id, client_id, email_key)",
            "CREATE TABLE portal_session (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                portal_user_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                token_hash $bytes NOT NULL,
                user_agent text,
                address text,
                created_at $time NOT NULL,
                seen_at $time NOT NULL,
                expires_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, portal_user_id)
                    REFERENCES portal_user (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX portal_session_token ON portal_session (organisation_id, token_hash)",
            "CREATE INDEX portal_session_user ON portal_session (organisation_id, portal_user_id)",
            "CREATE INDEX portal_session_client ON portal_session (organisation_id, client_id)",
            "CREATE TABLE portal_device (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                portal_user_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                device_id $uuid NOT NULL,
                created_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, portal_user_id)
                    REFERENCES portal_user (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX portal_device_pair ON portal_device (organisation_id, portal_user_id, device_id)",
            "CREATE INDEX portal_device_device ON portal_device (organisation_id, device_id)",
            // What portal users did: the feed of one of them, and that of all.
            "CREATE INDEX journal_portal ON journal (organisation_id, actor_id, seq) WHERE actor_kind = 'portal_user'",
            "CREATE INDEX journal_portal_feed ON journal (organisation_id, seq) WHERE actor_kind = 'portal_user'",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let gone: Vec<&str> = ["DROP INDEX IF EXISTS journal_portal", "DROP INDEX IF EXISTS journal_portal_feed"]
            .into_iter()
            .chain(gone.iter().map(String::as_str))
            .collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
