//! What the binaries share: settings, logging, the way to vendors, and running jobs.
//!
//! * `settings.rs`: everything an operator can set, checked at start.
//! * `dial.rs`: one budget for each connection, over one HTTP client.
//! * `likeness.rs`: the directory's matching, for what is made by itself.
//! * `files.rs`: where contents of files are, and the daily round that removes what nobody needs.
//! * `likeness.rs`: the directory's matching, for what is made by itself. `desk.rs`: ClientOne's tickets, for what PSAs
//!   tell of them.
//! * `fleet.rs`: what operators see of all workers, and do with jobs that were given up.
//! * `parcels.rs`: files of tickets, for PSAs.
//! * `post.rs`: the way letters leave. `herald.rs`: the way events leave.
//! * `telemetry.rs`: log lines.
//!
//! **A new setting**: a field in `settings.rs` with its check, and a row in the README's table.

mod desk;
mod dial;
mod files;
pub mod fleet;
mod herald;
mod likeness;
mod parcels;
pub mod post;
mod settings;
mod telemetry;

pub use desk::Desk;
pub use dial::VendorDial;
pub use files::{file_limits, files_round, storage};
pub use herald::{HttpHerald, webhook_address_problem};
pub use likeness::Matching;
pub use parcels::Parcels;
pub use settings::Settings;
pub use telemetry::log_to_stderr;

use std::sync::Arc;

use persistence::{Store, StoreOptions};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Opens the store that the settings name.
pub async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    let keys = settings.keys().map_err(anyhow::Error::msg)?;
    let mut options = StoreOptions::new(&settings.database_url, keys);
    options.connections = settings.database_connections;
    let store = Store::connect(options).await?;
    store.reached_at(settings.origin());
    Ok(store)
}

/// The engine over a store, with the way to vendors that the settings allow.
pub fn engine(settings: &Settings, store: Store) -> anyhow::Result<sync::Engine> {
    let dial = VendorDial::new(&settings.exceptions(), settings.vendor_requests_per_second, store.clock().clone())?;
    Ok(sync::Engine { store, entries: registry::ALL, dial: Arc::new(dial) })
}

/// Runs jobs in this process until `stop`. The notifier wakes it at once.
pub fn spawn(
    settings: &Settings,
    engine: &sync::Engine,
    stop: CancellationToken,
) -> (Arc<Notify>, tokio::task::JoinHandle<()>) {
    let options = sync::WorkerOptions { slots: settings.worker_slots, ..sync::WorkerOptions::default() };
    let worker = sync::Worker::new(engine.clone(), options).named(&name()).matching(Arc::new(Matching));
    let worker = worker.doing(Arc::new(bulk::BulkChore::new(engine.store.clone(), engine.entries)));
    let worker = worker.taking(Arc::new(Desk));
    // The settings were checked at start; what still fails here (a file that has gone) leaves letters to others.
    let worker = match post::carrier(settings, engine.dial.as_ref()) {
        Ok(carrier) => worker.posting(carrier),
        Err(why) => {
            tracing::error!(%why, "this worker carries no mail");
            worker
        }
    };
    let policy = settings.webhook_policy().map_err(anyhow::Error::msg);
    let worker = match policy.and_then(HttpHerald::new) {
        Ok(herald) => worker.heralding(Arc::new(herald)),
        Err(why) => {
            tracing::error!(%why, "this worker sends no webhooks");
            worker
        }
    };
    let worker = match storage(settings) {
        Ok(storage) => {
            let worker = worker.reading(Arc::new(Parcels(storage.clone())));
            drop(tokio::spawn(files::tidy(engine.store.clone(), storage, stop.clone())));
            worker
        }
        Err(why) => {
            tracing::error!(%why, "this worker reads and removes no files");
            worker
        }
    };
    let wake = worker.wake();
    (wake, tokio::spawn(async move { worker.run(stop).await }))
}

/// Machine and process, as `worker status` shows them.
fn name() -> String {
    let machine =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    let machine = machine.ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    format!("{}:{}", machine.as_deref().unwrap_or("localhost"), std::process::id())
}

/// Ends when the process is told to stop: SIGTERM, or Ctrl-C.
pub async fn told_to_stop() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
