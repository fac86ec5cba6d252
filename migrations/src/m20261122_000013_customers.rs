//! The commercial face of clients: contacts of our own, notes, documents, what people say of tenants; and the filters
//! that people keep.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 6] =
    ["client_contact", "client_note", "saved_filter", "tenant_setting", "library_version", "library_document"];

const MADE: &[&str] = &[
    // Tenants are listed across connections.
    "CREATE INDEX entity_kind ON entity (organisation_id, kind, id)",
    "CREATE TABLE client_contact (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        client_id $uuid NOT NULL,
        name text NOT NULL,
        name_key $text NOT NULL,
        email text,
        phone text,
        title text,
        escalation integer,
        is_primary boolean NOT NULL,
        created_at $time NOT NULL,
        updated_at $time NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, id),
        FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
    )",
    "CREATE INDEX client_contact_client ON client_contact (organisation_id, client_id, name_key, id)",
    "CREATE UNIQUE INDEX client_contact_primary ON client_contact (organisation_id, client_id) WHERE is_primary",
    "CREATE TABLE client_note (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        client_id $uuid NOT NULL,
        body text NOT NULL,
        created_at $time NOT NULL,
        created_by $uuid,
        updated_at $time NOT NULL,
        updated_by $uuid,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, id),
        FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
    )",
    "CREATE INDEX client_note_client ON client_note (organisation_id, client_id, created_at, id)",
    "CREATE TABLE saved_filter (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        staff_id $uuid NOT NULL,
        name text NOT NULL,
        name_key $text NOT NULL,
        query text NOT NULL,
        created_at $time NOT NULL,
        updated_at $time NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, id),
        FOREIGN KEY (organisation_id, staff_id) REFERENCES staff (organisation_id, id) ON DELETE CASCADE
    )",
    "CREATE UNIQUE INDEX saved_filter_name ON saved_filter (organisation_id, staff_id, name_key)",
    // What people say of a tenant, whichever connection lists it. The client is the one that had it when that was
    // said: for the journal; whose it is says the mapping.
    "CREATE TABLE tenant_setting (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        tenant_key $text NOT NULL,
        client_id $uuid,
        display_name text,
        tags text NOT NULL,
        updated_at $time NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, id)
    )",
    "CREATE UNIQUE INDEX tenant_setting_key ON tenant_setting (organisation_id, tenant_key)",
    "CREATE TABLE library_document (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        library $text NOT NULL,
        client_id $uuid,
        title text NOT NULL,
        title_key $text NOT NULL,
        slug $text NOT NULL,
        category text,
        category_key $text,
        content text NOT NULL,
        content_hash $text NOT NULL,
        published_at $time,
        created_at $time NOT NULL,
        created_by $uuid,
        updated_at $time NOT NULL,
        updated_by $uuid,
        deleted_at $time,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, id),
        FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
    )",
    "CREATE UNIQUE INDEX library_document_slug ON library_document (organisation_id, library, slug)
        WHERE deleted_at IS NULL",
    "CREATE INDEX library_document_title ON library_document (organisation_id, title_key, id) WHERE deleted_at IS NULL",
    "CREATE INDEX library_document_client ON library_document (organisation_id, client_id)",
    // Every content that a document had, with its title.
    "CREATE TABLE library_version (
        organisation_id $uuid NOT NULL,
        document_id $uuid NOT NULL,
        version integer NOT NULL,
        title text NOT NULL,
        content text NOT NULL,
        content_hash $text NOT NULL,
        created_at $time NOT NULL,
        created_by $uuid,
        PRIMARY KEY (organisation_id, document_id, version),
        FOREIGN KEY (organisation_id, document_id) REFERENCES library_document (organisation_id, id) ON DELETE CASCADE
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
        let gone = TABLES.map(|table| format!("DROP TABLE IF EXISTS {table}"));
        let gone: Vec<&str> = gone.iter().map(String::as_str).chain(["DROP INDEX IF EXISTS entity_kind"]).collect();
        Dialect::of(manager).run(manager, &gone).await
    }
}
