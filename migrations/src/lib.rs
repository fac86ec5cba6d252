//! The schema, step by step, for SQLite and PostgreSQL from one source.
//!
//! A step is a list of statements with a few words that differ between the two databases (see
//! [`ddl::Dialect`]). Rules: every table's primary key and every index starts with
//! `organisation_id` (the queue's due index is the one exception: workers claim across
//! organisations), so that the data can be sharded by it; all foreign keys stand in `CREATE TABLE`.
//!
//! **The next change**: a new file `m<date>_<number>_<what>.rs`, one line below. Expand first (old
//! code must still run), move data, contract in a later release. Never edit a step that shipped.

mod ddl;
mod m20261121_000001_house;
mod m20261122_000002_counts_by_name;
mod m20261122_000003_consent;
mod m20261122_000004_connection_life;
mod m20261122_000005_snapshots;
mod m20261122_000006_devices;
mod m20261122_000007_drift;
mod m20261122_000008_fleet;
mod m20261122_000009_archive;
mod m20261122_000010_staff_and_mail;
mod m20261122_000011_sign_in;
mod m20261122_000012_portal;
mod m20261122_000013_customers;
mod m20261122_000014_psa;
mod m20261122_000015_requests;
mod m20261122_000016_onboarding;
mod m20261122_000017_aliases;
mod m20261122_000018_sso;
mod m20261122_000019_tickets;
mod m20261122_000020_files;
mod m20261122_000021_events;
mod m20261122_000022_machines;
mod m20261122_000023_tenants;
mod m20261122_000024_bulk;
mod m20261122_000025_passkeys;
mod m20261122_000026_provenance;
mod m20261122_000027_merged_agreements;
mod m20261122_000028_portal_more;
mod m20261122_000029_approvals;

use sea_orm_migration::prelude::*;

/// All steps in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let steps: Vec<Box<dyn MigrationTrait>> = vec![
            Box::new(m20261121_000001_house::Migration),
            Box::new(m20261122_000002_counts_by_name::Migration),
            Box::new(m20261122_000003_consent::Migration),
            Box::new(m20261122_000004_connection_life::Migration),
            Box::new(m20261122_000005_snapshots::Migration),
            Box::new(m20261122_000006_devices::Migration),
            Box::new(m20261122_000007_drift::Migration),
            Box::new(m20261122_000008_fleet::Migration),
            Box::new(m20261122_000009_archive::Migration),
            Box::new(m20261122_000010_staff_and_mail::Migration),
            Box::new(m20261122_000011_sign_in::Migration),
            Box::new(m20261122_000012_portal::Migration),
            Box::new(m20261122_000013_customers::Migration),
            Box::new(m20261122_000014_psa::Migration),
            Box::new(m20261122_000015_requests::Migration),
            Box::new(m20261122_000016_onboarding::Migration),
            Box::new(m20261122_000017_aliases::Migration),
            Box::new(m20261122_000018_sso::Migration),
            Box::new(m20261122_000019_tickets::Migration),
            Box::new(m20261122_000020_files::Migration),
            Box::new(m20261122_000021_events::Migration),
            Box::new(m20261122_000022_machines::Migration),
            Box::new(m20261122_000023_tenants::Migration),
            Box::new(m20261122_000024_bulk::Migration),
            Box::new(m20261122_000025_passkeys::Migration),
            Box::new(m20261122_000026_provenance::Migration),
            Box::new(m20261122_000027_merged_agreements::Migration),
            Box::new(m20261122_000028_portal_more::Migration),
            Box::new(m20261122_000029_approvals::Migration),
        ];
        steps.into_iter().map(|step| Box::new(Whole(step)) as Box<dyn MigrationTrait>).collect()
    }
}

/// A step that is taken whole or not at all: one that a killed process left half done could be taken by no other. (Left
/// alone, only PostgreSQL would run it in a transaction.)
struct Whole(Box<dyn MigrationTrait>);

impl MigrationName for Whole {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Whole {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.up(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.down(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
