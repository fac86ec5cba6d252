//! Files that the MSP keeps of clients, and where contents are in the store.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 4] = ["file_client", "file_version", "file", "content"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            // A content in the store: announced before it is written, kept with the row that it is of, released when
            // nothing needs it any more. Its key is sealed.
            "CREATE TABLE content (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                purpose text NOT NULL,
                secret $bytes NOT NULL,
                bytes bigint NOT NULL,
                created_at $time NOT NULL,
                kept_at $time,
                released_at $time,
                PRIMARY KEY (organisation_id, id)
            )",
            "CREATE INDEX content_announced ON content (organisation_id, created_at) WHERE kept_at IS NULL",
            "CREATE INDEX content_released ON content (organisation_id, released_at) WHERE released_at IS NOT NULL",
            "CREATE TABLE file (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                client_id $uuid,
                title text NOT NULL,
                title_key $text NOT NULL,
                category text,
                category_key $text,
                description text,
                name text NOT NULL,
                media_type text NOT NULL,
                bytes bigint NOT NULL,
                sha256 text NOT NULL,
                content_id $uuid NOT NULL,
                number integer NOT NULL,
                published_at $time,
                reach text,
                chosen text NOT NULL,
                managers_only boolean NOT NULL,
                created_at $time NOT NULL,
                created_by $uuid,
                updated_at $time NOT NULL,
                updated_by $uuid,
                removed_at $time,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id),
                FOREIGN KEY (organisation_id, content_id) REFERENCES content (organisation_id, id)
            )",
            "CREATE INDEX file_title ON file (organisation_id, title_key, id)",
            "CREATE INDEX file_of_client ON file (organisation_id, client_id, title_key, id)",
            "CREATE INDEX file_removed ON file (organisation_id, removed_at) WHERE removed_at IS NOT NULL",
            "CREATE TABLE file_version (
                organisation_id $uuid NOT NULL,
                file_id $uuid NOT NULL,
                number integer NOT NULL,
                content_id $uuid NOT NULL,
                name text NOT NULL,
                media_type text NOT NULL,
                bytes bigint NOT NULL,
                sha256 text NOT NULL,
                created_at $time NOT NULL,
                created_by $uuid,
                PRIMARY KEY (organisation_id, file_id, number),
                FOREIGN KEY (organisation_id, file_id) REFERENCES file (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, content_id) REFERENCES content (organisation_id, id)
            )",
            // To whom a file of the MSP is published: what the file's `chosen` says, to be searched.
            "CREATE TABLE file_client (
                organisation_id $uuid NOT NULL,
                file_id $uuid NOT NULL,
                client_id $uuid NOT NULL,
                PRIMARY KEY (organisation_id, file_id, client_id),
                FOREIGN KEY (organisation_id, file_id) REFERENCES file (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE INDEX file_client_client ON file_client (organisation_id, client_id, file_id)",
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
