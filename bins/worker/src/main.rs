//! Runs syncs and other jobs. Any number of workers share one PostgreSQL.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use domain::JobId;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::{Settings, fleet::Fleet};

/// The PanelOne worker.
#[derive(Parser)]
#[command(name = "worker", version, about)]
struct Arguments {
    /// Configuration file (TOML); the environment goes over it
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run jobs until SIGTERM (the default)
    Run,
    /// Show the workers, what waits and for how long, what runs where, and what was given up
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Put a job that was given up on the queue again
    Retry {
        /// Its id, as `status` shows it
        job: Uuid,
    },
    /// Delete a job that was given up
    Drop {
        /// Its id, as `status` shows it
        job: Uuid,
    },
}

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a command line tool")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("worker: {why:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let settings = Settings::read(arguments.config.as_deref()).map_err(anyhow::Error::msg)?;
    if let Some(command) = arguments.command.filter(|command| !matches!(command, Command::Run)) {
        return look(&settings, command).await;
    }
    worker::log_to_stderr(&settings)?;
    let store = worker::open_store(&settings).await?;
    let engine = worker::engine(&settings, store)?;
    let stop = CancellationToken::new();
    let (_, jobs) = worker::spawn(&settings, &engine, stop.clone());
    tracing::info!(slots = settings.worker_slots, "working");
    worker::told_to_stop().await;
    tracing::info!("stopping: jobs come to the end of a page");
    stop.cancel();
    jobs.await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command line tool")]
async fn look(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let store = worker::open_store(settings).await?;
    match command {
        Command::Run => {}
        Command::Status { json: true } => {
            println!("{}", serde_json::to_string_pretty(&Fleet::read(&store).await?.json())?);
        }
        Command::Status { json: false } => println!("{}", Fleet::read(&store).await?.table()),
        Command::Retry { job } => {
            let row = worker::fleet::retry(&store, JobId(job)).await?;
            println!("{} {job} is on the queue again", row.kind);
        }
        Command::Drop { job } => {
            let row = worker::fleet::drop(&store, JobId(job)).await?;
            println!("{} {job} was dropped; it had failed with: {}", row.kind, row.last_error.unwrap_or_default());
        }
    }
    Ok(())
}
