//! What else ClientOne keeps: files of tickets, addresses that are to be confirmed, where the portal is,
//! and what staff are told of it.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 6] =
    ["ticket_attachment", "portal_email_change", "portal_origin", "desk_notice", "desk_notice_setting", "desk_reader"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "CREATE TABLE ticket_attachment (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                ticket_id $uuid NOT NULL,
                message_id $uuid NOT NULL,
                message_number integer NOT NULL,
                name $text NOT NULL,
                media_type $text NOT NULL,
                bytes bigint NOT NULL,
                sha256 $text NOT NULL,
                content_id $uuid NOT NULL,
                public boolean NOT NULL,
                portal_user_id $uuid,
                staff_id $uuid,
                created_at $time NOT NULL,
                removed_at $time,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, ticket_id) REFERENCES portal_ticket (organisation_id, id),
                FOREIGN KEY (organisation_id, message_id) REFERENCES portal_ticket_message (organisation_id, id)
            )",
            "CREATE INDEX ticket_attachment_ticket ON ticket_attachment (organisation_id, ticket_id, message_number)",
            "CREATE UNIQUE INDEX ticket_attachment_message ON ticket_attachment (organisation_id, message_id)",
            "CREATE INDEX ticket_attachment_client ON ticket_attachment (organisation_id, client_id, id)",
            "CREATE INDEX ticket_attachment_by ON ticket_attachment (organisation_id, portal_user_id, created_at)",
            // The id is that of the portal user: there is one change at a time.
            "CREATE TABLE portal_email_change (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                email $text NOT NULL,
                link_hash $bytes NOT NULL,
                made_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, id) REFERENCES portal_user (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX portal_email_change_link ON portal_email_change (organisation_id, link_hash)",
            "CREATE TABLE portal_origin (
                organisation_id $uuid NOT NULL PRIMARY KEY,
                origin $text,
                version integer NOT NULL
            )",
            "CREATE TABLE desk_notice (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                kind $text NOT NULL,
                subject_id $uuid NOT NULL,
                note_key $text NOT NULL,
                title text NOT NULL,
                created_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX desk_notice_occasion ON desk_notice (organisation_id, note_key)",
            "CREATE INDEX desk_notice_kind ON desk_notice (organisation_id, kind, id)",
            "CREATE INDEX desk_notice_client ON desk_notice (organisation_id, client_id, id)",
            "CREATE INDEX desk_notice_time ON desk_notice (organisation_id, created_at)",
            // The ids of both are those of staff users.
            "CREATE TABLE desk_notice_setting (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                hidden text NOT NULL,
                unmailed text NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE TABLE desk_reader (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                read_until $uuid,
                mailed_until $uuid,
                PRIMARY KEY (organisation_id, id)
            )",
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
