//! What a contender process does.

use std::io::Write;

use anyhow::{Context, Result};
use clap::Subcommand;
use domain::OrganisationId;

use crate::{
    database::Engine,
    files,
    list::floor as list_floor,
    portal::floor as portal_floor,
    sync::{floor as sync_floor, product as sync_product, vendor},
};

/// The contenders.
#[derive(Subcommand)]
pub enum Which {
    /// The least program that lists clients
    ListFloor { engine: Engine, database: String, listen: String },
    /// The least program that answers as ClientOne does
    PortalFloor { engine: Engine, database: String, listen: String },
    /// The simulated NinjaOne
    Vendor { businesses: usize, devices: usize, latency: u64 },
    /// A worker, configured by its environment, that syncs one connection when told
    Worker { organisation: uuid::Uuid, connection: uuid::Uuid },
    /// The least program that imports and exports clients
    FilesFloor { engine: Engine, database: String, csv: String },
    /// The least program that fetches and stores devices
    SyncFloor { engine: Engine, database: String, base: String },
}

impl Which {
    /// Runs until killed or until its orders end.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::ListFloor { engine, database, listen } => list_floor::serve(engine, &database, &listen).await,
            Self::PortalFloor { engine, database, listen } => portal_floor::serve(engine, &database, &listen).await,
            Self::Vendor { businesses, devices, latency } => vendor::run(businesses, devices, latency).await,
            Self::Worker { organisation, connection } => {
                sync_product::run(OrganisationId(organisation), connection.into()).await
            }
            Self::FilesFloor { engine, database, csv } => files::floor(engine, &database, &csv).await,
            Self::SyncFloor { engine, database, base } => sync_floor::run(engine, &database, &base).await,
        }
    }
}

/// Orders, line by line.
pub struct Orders;

impl Orders {
    /// From the standard input.
    pub fn read() -> Self {
        Self
    }

    /// The next; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<String>> {
        let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next().transpose());
        line.await?.context("orders cannot be read")
    }
}

/// Answers an order.
pub fn answer(line: &str) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush().context("nobody listens")
}
