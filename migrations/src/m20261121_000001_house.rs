//! The first schema: organisation and access, directory, what vendors said, journal and queue.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const ACCESS: &[&str] = &[
    // Facts about this installation: the sealed word by which a wrong key is noticed.
    "CREATE TABLE installation (name $text PRIMARY KEY, value $bytes NOT NULL)",
    "CREATE TABLE organisation (
        organisation_id $uuid PRIMARY KEY,
        name text NOT NULL,
        slug $text NOT NULL UNIQUE,
        journal_key $bytes NOT NULL,
        created_at $time NOT NULL
    )",
    "CREATE TABLE staff (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        email text NOT NULL,
        email_key $text NOT NULL,
        name text NOT NULL,
        role $text NOT NULL,
        password_hash text,
        allow_clients text,
        deny_clients text NOT NULL,
        suspended_at $time,
        created_at $time NOT NULL,
        updated_at $time NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, id)
    )",
    "CREATE UNIQUE INDEX staff_email ON staff (organisation_id, email_key)",
    "CREATE TABLE session (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        staff_id $uuid NOT NULL,
        token_hash $bytes NOT NULL,
        user_agent text,
        address text,
        created_at $time NOT NULL,
        seen_at $time NOT NULL,
        expires_at $time NOT NULL,
        PRIMARY KEY (organisation_id, id),
        FOREIGN KEY (organisation_id, staff_id) REFERENCES staff (organisation_id, id) ON DELETE CASCADE
    )",
    "CREATE UNIQUE INDEX session_token ON session (organisation_id, token_hash)",
    "CREATE INDEX session_staff ON session (organisation_id, staff_id)",
    "CREATE TABLE api_key (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        staff_id $uuid NOT NULL,
        name text NOT NULL,
        hint text NOT NULL,
        token_hash $bytes NOT NULL,
        key_scope $text NOT NULL,
        allow_clients text,
        created_at $time NOT NULL,
        expires_at $time NOT NULL,
        revoked_at $time,
        used_at $time,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, id),
        FOREIGN KEY (organisation_id, staff_id) REFERENCES staff (organisation_id, id) ON DELETE CASCADE
    )",
    "CREATE UNIQUE INDEX api_key_token ON api_key (organisation_id, token_hash)",
    "CREATE INDEX api_key_staff ON api_key (organisation_id, staff_id)",
    // Failed sign-ins by account and by address; both are hashed.
    "CREATE TABLE throttle (
        name $text PRIMARY KEY,
        failures integer NOT NULL,
        last_failure_at $time NOT NULL,
        locked_until $time
    )",
];

const DIRECTORY: &[&str] = &[
    "CREATE TABLE client (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        name text NOT NULL,
        name_key $text NOT NULL,
        status $text NOT NULL,
        notes text,
        contact_email text,
        phone text,
        address text,
        created_at $time NOT NULL,
        updated_at $time NOT NULL,
        deleted_at $time,
        version integer NOT NULL,
        device_count integer NOT NULL DEFAULT 0,
        user_count integer NOT NULL DEFAULT 0,
        PRIMARY KEY (organisation_id, id)
    )",
    "CREATE INDEX client_name ON client (organisation_id, name_key, id) WHERE deleted_at IS NULL",
    "CREATE INDEX client_status ON client (organisation_id, status, name_key, id) WHERE deleted_at IS NULL",
    "CREATE INDEX client_devices ON client (organisation_id, device_count, id) WHERE deleted_at IS NULL",
    "CREATE INDEX client_users ON client (organisation_id, user_count, id) WHERE deleted_at IS NULL",
    "CREATE INDEX client_created ON client (organisation_id, created_at, id) WHERE deleted_at IS NULL",
    "CREATE TABLE connection (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        integration $text NOT NULL,
        name text NOT NULL,
        state $text NOT NULL,
        state_reason text,
        account text,
        credentials $bytes,
        credentials_version integer NOT NULL,
        cadence_minutes integer NOT NULL,
        next_sync_at $time,
        last_synced_at $time,
        created_at $time NOT NULL,
        updated_at $time NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (organisation_id, id)
    )",
    "CREATE INDEX connection_integration ON connection (organisation_id, integration)",
    "CREATE TABLE entity (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        connection_id $uuid NOT NULL,
        integration $text NOT NULL,
        kind $text NOT NULL,
        vendor_id $text NOT NULL,
        name text NOT NULL,
        name_key $text NOT NULL,
        body text NOT NULL,
        raw $bytes NOT NULL,
        raw_hash $bytes NOT NULL,
        content_hash $bytes NOT NULL,
        first_seen_at $time NOT NULL,
        changed_at $time NOT NULL,
        removed_at $time,
        run_id $uuid NOT NULL,
        client_id $uuid,
        mapping_state $text NOT NULL,
        mapping_reason text,
        mapped_at $time,
        mapped_by $uuid,
        version integer NOT NULL,
        device_count integer NOT NULL DEFAULT 0,
        user_count integer NOT NULL DEFAULT 0,
        PRIMARY KEY (organisation_id, id),
        FOREIGN KEY (organisation_id, connection_id) REFERENCES connection (organisation_id, id) ON DELETE CASCADE,
        FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
    )",
    "CREATE UNIQUE INDEX entity_identity ON entity (organisation_id, connection_id, kind, vendor_id)",
    "CREATE INDEX entity_name ON entity (organisation_id, connection_id, name_key, id)",
    "CREATE INDEX entity_client ON entity (organisation_id, client_id, integration)",
];

const VENDOR: &[&str] = &[
    "CREATE TABLE record (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        connection_id $uuid NOT NULL,
        entity_id $uuid NOT NULL,
        kind $text NOT NULL,
        vendor_id $text NOT NULL,
        title text NOT NULL,
        title_key $text NOT NULL,
        body text NOT NULL,
        raw $bytes NOT NULL,
        raw_hash $bytes NOT NULL,
        content_hash $bytes NOT NULL,
        first_seen_at $time NOT NULL,
        changed_at $time NOT NULL,
        removed_at $time,
        run_id $uuid NOT NULL,
        PRIMARY KEY (organisation_id, id)
    )",
    // What a sync loads at its start: which raw records are known.
    // In the order of ids, not of hashes: a first sync then writes it from left to right.
    "CREATE INDEX record_known ON record (organisation_id, connection_id, kind, id, raw_hash) WHERE removed_at IS NULL",
    "CREATE INDEX record_list ON record (organisation_id, entity_id, kind, title_key, id) WHERE removed_at IS NULL",
    "CREATE TABLE run (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        connection_id $uuid NOT NULL,
        kind $text NOT NULL,
        cause $text NOT NULL,
        state $text NOT NULL,
        listed bigint NOT NULL,
        added bigint NOT NULL,
        changed bigint NOT NULL,
        unchanged bigint NOT NULL,
        rejected bigint NOT NULL,
        repeated bigint NOT NULL,
        removed bigint NOT NULL,
        pages integer NOT NULL,
        expected bigint,
        checkpoint text,
        code $text,
        message text,
        started_at $time NOT NULL,
        finished_at $time,
        PRIMARY KEY (organisation_id, id),
        FOREIGN KEY (organisation_id, connection_id) REFERENCES connection (organisation_id, id) ON DELETE CASCADE
    )",
    "CREATE INDEX run_connection ON run (organisation_id, connection_id, started_at)",
    // What an unfinished run has seen, a row for each page: the raw hashes, one after the other.
    "CREATE TABLE run_page (
        organisation_id $uuid NOT NULL,
        run_id $uuid NOT NULL,
        page integer NOT NULL,
        seen $bytes NOT NULL,
        PRIMARY KEY (organisation_id, run_id, page),
        FOREIGN KEY (organisation_id, run_id) REFERENCES run (organisation_id, id) ON DELETE CASCADE
    )",
    // How far a listing is: one row for a connection and kind, or for each entity of it.
    "CREATE TABLE listing (
        organisation_id $uuid NOT NULL,
        connection_id $uuid NOT NULL,
        kind $text NOT NULL,
        entity $text NOT NULL,
        mark text,
        full_at $time,
        complete_at $time,
        code $text,
        message text,
        PRIMARY KEY (organisation_id, connection_id, kind, entity),
        FOREIGN KEY (organisation_id, connection_id) REFERENCES connection (organisation_id, id) ON DELETE CASCADE
    )",
    "CREATE TABLE vendor_write (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        connection_id $uuid NOT NULL,
        record_id $uuid NOT NULL,
        action $text NOT NULL,
        wanted text NOT NULL,
        state $text NOT NULL,
        code $text,
        message text,
        created_at $time NOT NULL,
        finished_at $time,
        PRIMARY KEY (organisation_id, id)
    )",
    "CREATE INDEX vendor_write_record ON vendor_write (organisation_id, record_id, created_at)",
];

const JOURNAL: &[&str] = &[
    "CREATE TABLE journal (
        organisation_id $uuid NOT NULL,
        seq bigint NOT NULL,
        id $uuid NOT NULL,
        at $time NOT NULL,
        actor text NOT NULL,
        actor_kind $text NOT NULL,
        actor_id $uuid,
        acted_for $uuid,
        source_address text,
        request_id text NOT NULL,
        action $text NOT NULL,
        outcome $text NOT NULL,
        reason text,
        changes text NOT NULL,
        digest $text NOT NULL,
        reverts $uuid,
        hash $bytes NOT NULL,
        PRIMARY KEY (organisation_id, seq)
    )",
    "CREATE UNIQUE INDEX journal_id ON journal (organisation_id, id)",
    "CREATE INDEX journal_action ON journal (organisation_id, action, seq)",
    // Which clients an entry touched, so that a client's history needs no scan.
    "CREATE TABLE journal_client (
        organisation_id $uuid NOT NULL,
        client_id $uuid NOT NULL,
        seq bigint NOT NULL,
        PRIMARY KEY (organisation_id, client_id, seq)
    )",
    // The end of each chain, with counters that move in step with it.
    "CREATE TABLE journal_head (
        organisation_id $uuid PRIMARY KEY,
        seq bigint NOT NULL,
        hash $bytes NOT NULL,
        seal $bytes NOT NULL,
        clients_active bigint NOT NULL,
        clients_inactive bigint NOT NULL
    )",
    "CREATE TABLE idempotency (
        organisation_id $uuid NOT NULL,
        key $text NOT NULL,
        caller $text NOT NULL,
        fingerprint $bytes NOT NULL,
        status integer NOT NULL,
        answer text,
        created_at $time NOT NULL,
        PRIMARY KEY (organisation_id, caller, key)
    )",
];

const QUEUE: &[&str] = &[
    "CREATE TABLE job (
        organisation_id $uuid NOT NULL,
        id $uuid NOT NULL,
        kind $text NOT NULL,
        payload text NOT NULL,
        unique_key $text NOT NULL,
        state $text NOT NULL,
        priority integer NOT NULL,
        run_at $time NOT NULL,
        attempts integer NOT NULL,
        max_attempts integer NOT NULL,
        lease_token $uuid,
        lease_until $time,
        last_error text,
        created_at $time NOT NULL,
        finished_at $time,
        PRIMARY KEY (organisation_id, id)
    )",
    "CREATE UNIQUE INDEX job_unique ON job (organisation_id, unique_key) WHERE state IN ('queued', 'running')",
    "CREATE INDEX job_due ON job (state, run_at) WHERE state IN ('queued', 'running')",
];

/// Every table with an organisation.
const OWNED: &[&str] = &[
    "organisation",
    "staff",
    "session",
    "api_key",
    "client",
    "connection",
    "entity",
    "record",
    "run",
    "run_page",
    "listing",
    "vendor_write",
    "journal",
    "journal_client",
    "journal_head",
    "idempotency",
    "job",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        for part in [ACCESS, DIRECTORY, VENDOR, JOURNAL, QUEUE] {
            dialect.run(manager, part).await?;
        }
        dialect.lock_rows(manager, OWNED).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in OWNED.iter().rev().chain(&["throttle", "installation"]) {
            manager.get_connection().execute_unprepared(&format!("DROP TABLE IF EXISTS {table}")).await?;
        }
        Ok(())
    }
}
