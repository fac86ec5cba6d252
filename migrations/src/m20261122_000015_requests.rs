//! Service requests with their types and steps; agreements with their versions and the clients' copies; the form for
//! tickets.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 6] = [
    "ticket_form",
    "agreement_instance",
    "agreement",
    "service_request_step",
    "service_request",
    "service_request_type",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "CREATE TABLE service_request_type (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                name text NOT NULL,
                name_key $text NOT NULL,
                description text NOT NULL,
                fields text NOT NULL,
                active boolean NOT NULL,
                created_at $time NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX service_request_type_name ON service_request_type (organisation_id, name_key)",
            "CREATE TABLE service_request (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                requester_id $uuid NOT NULL,
                type_id $uuid NOT NULL,
                type_name text NOT NULL,
                description text NOT NULL,
                answers text NOT NULL,
                state $text NOT NULL,
                rejected_because text,
                created_at $time NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id),
                FOREIGN KEY (organisation_id, requester_id) REFERENCES portal_user (organisation_id, id),
                FOREIGN KEY (organisation_id, type_id) REFERENCES service_request_type (organisation_id, id)
            )",
            "CREATE INDEX service_request_client ON service_request (organisation_id, client_id, id)",
            "CREATE INDEX service_request_requester ON service_request (organisation_id, requester_id, id)",
            "CREATE INDEX service_request_state ON service_request (organisation_id, state, id)",
            "CREATE INDEX service_request_of_type ON service_request (organisation_id, type_id, id)",
            "CREATE TABLE service_request_step (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                request_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                number integer NOT NULL,
                at $time NOT NULL,
                portal_user_id $uuid,
                staff_id $uuid,
                act $text,
                state $text NOT NULL,
                note text,
                internal_note text,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, request_id) REFERENCES service_request (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX service_request_step_of
                ON service_request_step (organisation_id, request_id, number)",
            "CREATE TABLE ticket_form (
                organisation_id $uuid PRIMARY KEY,
                form text NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL
            )",
            "CREATE TABLE agreement (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                series_id $uuid NOT NULL,
                number integer NOT NULL,
                title text NOT NULL,
                text text NOT NULL,
                managers_only boolean NOT NULL,
                sent_at $time,
                created_at $time NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX agreement_number ON agreement (organisation_id, series_id, number)",
            "CREATE TABLE agreement_instance (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                agreement_id $uuid NOT NULL,
                series_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                addressee_id $uuid,
                state $text NOT NULL,
                sent_at $time NOT NULL,
                viewed_at $time,
                ended_at $time,
                reason text,
                signature text,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, agreement_id) REFERENCES agreement (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id),
                FOREIGN KEY (organisation_id, addressee_id) REFERENCES portal_user (organisation_id, id)
            )",
            "CREATE INDEX agreement_instance_client ON agreement_instance (organisation_id, client_id, id)",
            "CREATE INDEX agreement_instance_series ON agreement_instance (organisation_id, series_id, state)",
            // A client has one copy of a version that waits or is signed.
            "CREATE UNIQUE INDEX agreement_instance_one ON agreement_instance (organisation_id, agreement_id, client_id)
                WHERE state IN ('pending', 'viewed', 'signed')",
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
