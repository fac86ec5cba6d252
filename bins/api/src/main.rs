//! The API server and its operator's subcommands.

use std::process::ExitCode;

use clap::Parser;

// Requests and SQLite allocate in small pieces on many threads. Not in the worker: it took half as much memory again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a command line tool")]
async fn main() -> ExitCode {
    match api::commands::run(api::commands::Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("api: {why:#}");
            ExitCode::FAILURE
        }
    }
}
