//! The product's own events: who is told of them, what is on its way, and how each try went; and what portal users are
//! told in ClientOne.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 6] = [
    "notification_setting",
    "notification",
    "webhook_attempt",
    "webhook_delivery",
    "product_event",
    "webhook_subscription",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            "CREATE TABLE webhook_subscription (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                url text NOT NULL,
                description text NOT NULL,
                events text NOT NULL,
                clients text,
                enabled boolean NOT NULL,
                disabled_reason text,
                failing_since $time,
                secret $bytes NOT NULL,
                secret_version integer NOT NULL,
                old_secret $bytes,
                old_secret_until $time,
                created_at $time NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            // What happened, as it is told: once, however many are told of it.
            "CREATE TABLE product_event (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                kind $text NOT NULL,
                client_id $uuid,
                body text NOT NULL,
                created_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE INDEX product_event_age ON product_event (organisation_id, created_at)",
            // Without a key to the subscription: checking it would make every write of an organisation wait for whoever
            // holds that row, who may wait for the journal that the write holds.
            "CREATE TABLE webhook_delivery (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                subscription_id $uuid NOT NULL,
                event_id $uuid NOT NULL,
                kind $text NOT NULL,
                client_id $uuid,
                state $text NOT NULL,
                attempts integer NOT NULL,
                tries integer NOT NULL,
                next_at $time,
                status integer,
                error text,
                created_at $time NOT NULL,
                finished_at $time,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, event_id) REFERENCES product_event (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX webhook_delivery_once
                ON webhook_delivery (organisation_id, event_id, subscription_id)",
            "CREATE INDEX webhook_delivery_list ON webhook_delivery (organisation_id, subscription_id, state, id)",
            "CREATE INDEX webhook_delivery_due
                ON webhook_delivery (organisation_id, subscription_id, next_at) WHERE state = 'queued'",
            "CREATE INDEX webhook_delivery_age ON webhook_delivery (organisation_id, finished_at)",
            "CREATE TABLE webhook_attempt (
                organisation_id $uuid NOT NULL,
                delivery_id $uuid NOT NULL,
                number integer NOT NULL,
                at $time NOT NULL,
                status integer,
                ms bigint NOT NULL,
                error text,
                answer text,
                PRIMARY KEY (organisation_id, delivery_id, number),
                FOREIGN KEY (organisation_id, delivery_id)
                    REFERENCES webhook_delivery (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE TABLE notification (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                portal_user_id $uuid NOT NULL,
                kind $text NOT NULL,
                subject_id $uuid NOT NULL,
                note_key $text NOT NULL,
                title text NOT NULL,
                body text NOT NULL,
                page text NOT NULL,
                created_at $time NOT NULL,
                read_at $time,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, portal_user_id)
                    REFERENCES portal_user (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX notification_once ON notification (organisation_id, portal_user_id, note_key)",
            "CREATE INDEX notification_list ON notification (organisation_id, portal_user_id, id)",
            "CREATE INDEX notification_unread
                ON notification (organisation_id, portal_user_id, kind) WHERE read_at IS NULL",
            "CREATE INDEX notification_age ON notification (organisation_id, created_at)",
            "CREATE TABLE notification_setting (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                in_app boolean NOT NULL,
                ticket_status boolean NOT NULL,
                ticket_reply boolean NOT NULL,
                invoice_overdue boolean NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, id) REFERENCES portal_user (organisation_id, id) ON DELETE CASCADE
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
