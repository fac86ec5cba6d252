//! The project's own commands: `cargo xtask <command>`.
//!
//! Depends on none of our crates, so it starts at once and works while they do not compile.
//!
//! **A new command**: a variant of [`Task`], a line in `main`, a module. If CI is to run it, a step in
//! `ci.rs` too.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod ci;
mod connectors;
mod document;
mod layers;
mod new_connector;
mod postgres;
mod scratch;
mod shell;
mod soak;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "PanelOne's own commands")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check who imports whom, and that every crate takes versions and lints from the workspace
    Layers,
    /// Write a crate for a new vendor and its lines in the registry
    NewConnector {
        /// Vendor id and end of the crate's name: lower case, digits and hyphens, such as "acme-backup"
        slug: String,
        /// Name in people's words, such as "Acme Backup"; without it, the slug's words
        #[arg(long)]
        name: Option<String>,
    },
    /// Write openapi/*.json as the API describes itself
    Openapi {
        /// Change nothing; fail when a file is not as the API describes itself
        #[arg(long)]
        check: bool,
    },
    /// Run all tests, those against PostgreSQL on a throwaway server
    Test {
        /// Passed to `cargo nextest run`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        nextest: Vec<String>,
    },
    /// Run a benchmark, optimised; `connectors` times the connectors' own tests, as they are built for tests
    Bench {
        /// Its name and arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Kill, freeze, break and take away, many times over, and print how often that failed
    Soak {
        /// Cases of each kind, at least; when left out, as many as make each figure worth quoting
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        rounds: Option<u32>,
        /// On which database
        #[arg(long, value_enum, default_value_t = soak::Database::Both)]
        database: soak::Database,
    },
    /// Run what CI runs, in the same order
    Ci,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Layers => layers::run(),
        Task::NewConnector { slug, name } => new_connector::run(&slug, name.as_deref()),
        Task::Openapi { check } => document::run(check),
        Task::Test { nextest } => test::run(&nextest),
        Task::Bench { arguments } if arguments.first().is_some_and(|name| name == "connectors") => {
            connectors::run(&arguments[1..])
        }
        Task::Bench { arguments } => {
            // It measures the API as it is delivered.
            shell::run(&mut shell::cargo(["build", "--release", "-p", "api"]))
                .and_then(|()| shell::run(shell::cargo(["run", "--release", "-p", "bench", "--"]).args(arguments)))
        }
        Task::Soak { rounds, database } => soak::run(rounds, database),
        Task::Ci => ci::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
