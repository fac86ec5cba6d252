//! Signing in through identity providers (OpenID Connect): the providers, whose account is linked to which identity, and
//! sign-ins under way.

use sea_orm_migration::prelude::*;

use crate::ddl::Dialect;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 3] = ["sso_attempt", "sso_link", "sso_provider"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = Dialect::of(manager);
        let made = [
            // Without a client it is the MSP's own: for its staff, or for the people of every client.
            "CREATE TABLE sso_provider (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                audience $text NOT NULL,
                client_id $uuid,
                name text NOT NULL,
                kind $text NOT NULL,
                issuer text NOT NULL,
                app_id text NOT NULL,
                secret $bytes,
                secret_version integer NOT NULL,
                enabled boolean NOT NULL,
                tenants text NOT NULL,
                domains $text NOT NULL,
                just_in_time boolean NOT NULL,
                trusts_mfa boolean NOT NULL,
                created_at $time NOT NULL,
                updated_at $time NOT NULL,
                version integer NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, client_id) REFERENCES client (organisation_id, id)
            )",
            "CREATE UNIQUE INDEX sso_provider_own ON sso_provider (organisation_id, audience) WHERE client_id IS NULL",
            "CREATE UNIQUE INDEX sso_provider_client ON sso_provider (organisation_id, client_id)
                WHERE client_id IS NOT NULL",
            // An identity is issuer, tenant and subject; the tenant is empty where the provider knows none.
            "CREATE TABLE sso_link (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                provider_id $uuid NOT NULL,
                staff_id $uuid,
                portal_user_id $uuid,
                client_id $uuid,
                issuer $text NOT NULL,
                tenant $text NOT NULL,
                subject $text NOT NULL,
                created_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, provider_id)
                    REFERENCES sso_provider (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, staff_id) REFERENCES staff (organisation_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organisation_id, portal_user_id)
                    REFERENCES portal_user (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX sso_link_identity
                ON sso_link (organisation_id, provider_id, issuer, tenant, subject)",
            "CREATE UNIQUE INDEX sso_link_staff ON sso_link (organisation_id, staff_id, provider_id)
                WHERE staff_id IS NOT NULL",
            "CREATE UNIQUE INDEX sso_link_portal ON sso_link (organisation_id, portal_user_id, provider_id)
                WHERE portal_user_id IS NOT NULL",
            // Someone was sent to their identity provider and is not back yet.
            "CREATE TABLE sso_attempt (
                organisation_id $uuid NOT NULL,
                id $uuid NOT NULL,
                provider_id $uuid NOT NULL,
                provider_version integer NOT NULL,
                state_hash $bytes NOT NULL,
                browser_hash $bytes NOT NULL,
                secrets $bytes NOT NULL,
                purpose $text NOT NULL,
                account_id $uuid,
                session_id $uuid,
                invitation_hash $bytes,
                redirect_uri text NOT NULL,
                address $text NOT NULL,
                created_at $time NOT NULL,
                expires_at $time NOT NULL,
                PRIMARY KEY (organisation_id, id),
                FOREIGN KEY (organisation_id, provider_id)
                    REFERENCES sso_provider (organisation_id, id) ON DELETE CASCADE
            )",
            "CREATE UNIQUE INDEX sso_attempt_state ON sso_attempt (organisation_id, state_hash)",
            "CREATE INDEX sso_attempt_age ON sso_attempt (organisation_id, expires_at)",
            "CREATE INDEX sso_attempt_address ON sso_attempt (organisation_id, address, created_at)",
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
