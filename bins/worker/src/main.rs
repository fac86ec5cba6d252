//! Runs syncs and other jobs. Any number of workers share one PostgreSQL.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use worker::Settings;

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
    /// Show jobs that wait, run or were given up
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
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
    if let Some(Command::Status { json }) = arguments.command {
        return status(&settings, json).await;
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
async fn status(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let store = worker::open_store(settings).await?;
    let jobs = store.across_read().await?.jobs().await?;
    if json {
        let rows: Vec<_> = jobs
            .iter()
            .map(|job| {
                serde_json::json!({
                    "organisation_id": job.organisation, "id": job.id, "kind": job.kind, "key": job.unique_key,
                    "state": job.state, "run_at": job.run_at, "attempts": job.attempts,
                    "max_attempts": job.max_attempts, "lease_until": job.lease_until, "last_error": job.last_error,
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    println!("{:<8} {:<8} {:<42} {:>5} {:<27} last error", "state", "kind", "key", "tries", "due");
    for job in jobs {
        let error = job.last_error.unwrap_or_default();
        println!(
            "{:<8} {:<8} {:<42} {:>2}/{:<2} {:<27} {error}",
            job.state,
            job.kind,
            job.unique_key,
            job.attempts,
            job.max_attempts,
            job.run_at.to_rfc3339()
        );
    }
    Ok(())
}
