//! Tickets as ClientOne keeps them: what was said, who has read how far, where they are at a PSA, and what is to reach
//! it.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 5] =
    ["ticket_sending", "ticket_link", "portal_ticket_reading", "portal_ticket_message", "portal_ticket"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "CREATE TABLE portal_ticket (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                number integer NOT NULL,
                subject text NOT NULL,
                subject_key $text NOT NULL,
                description text NOT NULL,
                answers text NOT NULL,
                requester_id $uuid,
                made_by $uuid,
                state $text NOT NULL,
                assignee_id $uuid,
                service_request_id $uuid,
                created_at $time NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id),
                FOREIGN KEY (organisation_id, requester_id) REFERENCES portal_user (organisation_id, id),
                FOREIGN KEY (organisation_id, service_request_id) REFERENCES service_request (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX portal_ticket_number ON portal_ticket (organisation_id, number)",
            "CREATE INDEX portal_ticket_client ON portal_ticket (organisation_id, client_id, id)",
            "CREATE INDEX portal_ticket_requester ON portal_ticket (organisation_id, requester_id, id)",
            "CREATE INDEX portal_ticket_state ON portal_ticket (organisation_id, state, id)",
            "CREATE INDEX portal_ticket_assignee ON portal_ticket (organisation_id, assignee_id, id)",
            // A service request is turned into one ticket.
            "CREATE UNIQUE INDEX portal_ticket_request ON portal_ticket (organisation_id, service_request_id)
                WHERE service_request_id IS NOT NULL",
            "CREATE TABLE portal_ticket_message (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                ticket_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                number integer NOT NULL,
                at $time NOT NULL,
                kind $text NOT NULL,
                portal_user_id $uuid,
                staff_id $uuid,
                author text,
                act $text,
                state $text NOT NULL,
                text text,
                vendor_note_id $text,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, ticket_id) REFERENCES portal_ticket (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX portal_ticket_message_of
                ON portal_ticket_message (organisation_id, ticket_id, number)",
            "CREATE UNIQUE INDEX portal_ticket_message_came
                ON portal_ticket_message (organisation_id, ticket_id, vendor_note_id)
                WHERE vendor_note_id IS NOT NULL",
            "CREATE INDEX portal_ticket_message_by
                ON portal_ticket_message (organisation_id, portal_user_id, at)",
            "CREATE TABLE portal_ticket_reading (
                organisation_id $uuid NOT NULL,
                ticket_id $uuid NOT NULL,
                reader_kind $text NOT NULL,
                reader_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                number integer NOT NULL,
                read_at $time NOT NULL,
                PRIMARY KEY (organisation_id, ticket_id, reader_kind, reader_id),
                FOREIGN KEY (organisation_id, ticket_id) REFERENCES portal_ticket (organisation_id, id)
            )",
            "CREATE TABLE ticket_link (
                organisation_id $uuid NOT NULL,
                ticket_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                connection_id $uuid NOT NULL,
                entity_id $uuid NOT NULL,
                record_id $uuid,
                number text,
                status text,
                open boolean,
                notes_read_at $time,
                PRIMARY KEY (organisation_id, ticket_id),
                FOREIGN KEY (organisation_id, ticket_id) REFERENCES portal_ticket (organisation_id, id)
            )",
            "CREATE INDEX ticket_link_connection ON ticket_link (organisation_id, connection_id, ticket_id)",
            "CREATE INDEX ticket_link_record ON ticket_link (organisation_id, record_id)",
            "CREATE TABLE ticket_sending (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                ticket_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                connection_id $uuid NOT NULL,
                kind $text NOT NULL,
                message_id $uuid,
                state $text NOT NULL,
                queued_at $time NOT NULL,
                tried_at $time,
                sent_at $time,
                problem text,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, ticket_id) REFERENCES portal_ticket (organisation_id, id)
            )",
            "CREATE INDEX ticket_sending_ticket ON ticket_sending (organisation_id, ticket_id, id)",
            "CREATE INDEX ticket_sending_waiting ON ticket_sending (organisation_id, connection_id, state, id)",
            "ALTER TABLE service_request ADD COLUMN ticket_id $uuid",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let mut gone: Vec<&str> = gone.iter().map(String::as_str).collect();
        gone.push("ALTER TABLE service_request DROP COLUMN ticket_id");
        Dialect::of(manager).run(manager, &gone).await
    }
}
