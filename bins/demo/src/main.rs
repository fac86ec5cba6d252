//! `cargo run --release --bin demo`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use demo::Arguments;
use tokio_util::sync::CancellationToken;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a command line tool")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        worker::told_to_stop().await;
        told.cancel();
    });
    let outcome = if arguments.once { once(&arguments, &stop).await } else { serve(&arguments, &stop).await };
    outcome.unwrap_or_else(|why| {
        eprintln!("demo: {why:#}");
        ExitCode::FAILURE
    })
}

#[expect(clippy::print_stdout, reason = "a command line tool")]
async fn once(arguments: &Arguments, stop: &CancellationToken) -> Result<ExitCode> {
    let report = demo::once(arguments, true, stop).await;
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]
async fn serve(arguments: &Arguments, stop: &CancellationToken) -> Result<ExitCode> {
    if let Some(running) = demo::start(arguments, true, stop).await? {
        if arguments.json {
            println!("{}", running.welcome.json());
        } else {
            print!("{}", running.welcome);
        }
        stop.cancelled().await;
        eprintln!("demo: stopping: what is under way ends");
        running.stop().await?;
    }
    Ok(ExitCode::SUCCESS)
}
