//! Benchmarks of the product against floors: the least programs that do the same work, measured in the same
//! run, round by round, in turn. Quote ratios, never absolutes: the machine is shared.
//!
//! * `portal/`: ClientOne over HTTP, signed in.
//! * `list/`: the client list over HTTP, signed in. `sync/`: syncs of a simulated NinjaOne over loopback HTTP.
//!   `cold.rs`: from starting the API to its first answer. `files.rs`: clients from CSV and to XLSX.
//! * Every contender is a process of its own (`contender.rs`, `process.rs`).
//!
//! `cargo xtask bench list --scale small --database sqlite`.
#![expect(clippy::print_stdout, reason = "a command line tool")]

mod cold;
mod contender;
mod database;
mod files;
mod list;
mod load;
mod portal;
mod process;
mod report;
mod sync;

use clap::{Args, Parser, Subcommand, ValueEnum};
use database::Engine;

#[derive(Parser)]
#[command(name = "bench", version, about = "Measures the product against floors")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The client list: with counts, search, search and status, filter on counts
    List(Options),
    /// ClientOne: its first page and the list of devices; small: 1,000 clients, full: 10,000 with 250,000 devices and
    /// 50,000 portal users
    Portal(Options),
    /// Syncs: first, 1 % changed, nothing changed
    Sync {
        #[command(flatten)]
        options: Options,
        /// Milliseconds that every answer of the vendor takes
        #[arg(long, default_value_t = 0)]
        latency: u64,
    },
    /// Clients as files: importing CSV, exporting XLSX
    Files(Options),
    /// Starting the API until its first answer
    ColdStart(Options),
    /// One contender, started by the others
    #[command(hide = true)]
    Contender {
        #[command(subcommand)]
        which: contender::Which,
    },
}

/// How much is measured.
#[derive(Args, Clone)]
struct Options {
    /// small: 10,000 clients, 50,000 devices to sync; full: ten times that
    #[arg(long, value_enum, default_value = "small")]
    scale: Scale,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Databases; PostgreSQL is found at PANELONE_TEST_POSTGRES
    #[arg(long, value_enum, default_value = "both")]
    database: Databases,
    /// Milliseconds that each load lasts
    #[arg(long, default_value_t = 700)]
    cell: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scale {
    Small,
    Full,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Databases {
    Sqlite,
    Postgres,
    Both,
}

impl Options {
    fn engines(&self) -> Vec<Engine> {
        match self.database {
            Databases::Sqlite => vec![Engine::Sqlite],
            Databases::Postgres => vec![Engine::Postgres],
            Databases::Both => vec![Engine::Sqlite, Engine::Postgres],
        }
    }

    fn scale(&self) -> &'static str {
        if self.scale == Scale::Small { "small" } else { "full" }
    }

    fn clients(&self) -> u32 {
        if self.scale == Scale::Small { 10_000 } else { 100_000 }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::List(options) => list::measure(&options).await,
        What::Portal(options) => portal::measure(&options).await,
        What::Sync { options, latency } => sync::measure(&options, latency).await,
        What::Files(options) => files::measure(&options).await,
        What::ColdStart(options) => cold::measure(&options).await,
        What::Contender { which } => which.run().await,
    }
}

/// Says what is being done.
fn say(text: &str) {
    println!("{text}");
}
