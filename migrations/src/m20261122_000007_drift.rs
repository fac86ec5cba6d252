//! What drift is told by: the name under which a person knew an entity, the domains that entities told, and what people
//! decided about an item. The items themselves are found by looking.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 2] = ["entity_domain", "drift_decision"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        // Row-level security would hide every row from the one who moves the data.
        let known = "UPDATE entity SET known_name = name WHERE client_id IS NOT NULL";
        let known = match manager.get_database_backend() {
            DatabaseBackend::Postgres => format!(
                "SELECT set_config('panelone.across', 'on', false); {known};
                 SELECT set_config('panelone.across', '', false)"
            ),
            _ => known.to_owned(),
        };
        let made = [
            // The name that a person saw when they mapped the entity, or acknowledged a new one.
            "ALTER TABLE entity ADD COLUMN known_name text",
            known.as_str(),
            "CREATE INDEX entity_renamed ON entity (organisation_id, connection_id, id) WHERE known_name <> name",
            "CREATE INDEX entity_vanished ON entity (organisation_id, connection_id, id)
                WHERE client_id IS NOT NULL AND removed_at IS NOT NULL",
            "CREATE INDEX entity_open ON entity (organisation_id, connection_id, mapping_state, first_seen_at)",
            // Which entity tells which domain, and which told it once.
            "CREATE TABLE entity_domain (
                organisation_id $uuid NOT NULL,
                domain $text NOT NULL,
                entity_id $uuid NOT NULL,
                told_at $time NOT NULL,
                gone_at $time,
                PRIMARY KEY (organisation_id, domain, entity_id),
                FOREIGN KEY (organisation_id, entity_id) REFERENCES entity (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE INDEX entity_domain_gone ON entity_domain (organisation_id, domain) WHERE gone_at IS NOT NULL",
            "CREATE INDEX entity_domain_entity ON entity_domain (organisation_id, entity_id)",
            // An item that a person wants to see no more; its id is made of its cause.
            "CREATE TABLE drift_decision (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                entity_id $uuid NOT NULL,
                client_id $uuid,
                kind $text NOT NULL,
                decision $text NOT NULL,
                reason text,
                decided_at $time NOT NULL,
                decided_by $uuid,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, entity_id) REFERENCES entity (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE INDEX drift_decision_entity ON drift_decision (organisation_id, entity_id)",
        ];
        dialect.run(manager, &made).await?;
        dialect.lock_rows(manager, &TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = [
            "DROP TABLE IF EXISTS drift_decision",
            "DROP TABLE IF EXISTS entity_domain",
            "DROP INDEX IF EXISTS entity_open",
            "DROP INDEX IF EXISTS entity_vanished",
            "DROP INDEX IF EXISTS entity_renamed",
            "ALTER TABLE entity DROP COLUMN known_name",
        ];
        Dialect::of(manager).run(manager, &gone).await
    }
}
