//! What the binaries share: settings, logging, the way to vendors, and running jobs.
//!
//! * `settings.rs`: everything an operator can set, checked at start.
//! * `dial.rs`: one budget for each connection, over one HTTP client.
//! * `telemetry.rs`: log lines.
//!
//! **A new setting**: a field in `settings.rs` with its check, and a row in the README's table.

mod dial;
mod settings;
mod telemetry;

pub use dial::VendorDial;
pub use settings::Settings;
pub use telemetry::log_to_stderr;

use std::sync::Arc;

use persistence::{Store, StoreOptions};

/// Opens the store that the settings name.
pub async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    let keys = settings.keys().map_err(anyhow::Error::msg)?;
    let mut options = StoreOptions::new(&settings.database_url, keys);
    options.connections = settings.database_connections;
    Ok(Store::connect(options).await?)
}

/// The engine over a store, with the way to vendors that the settings allow.
pub fn engine(settings: &Settings, store: Store) -> anyhow::Result<Arc<sync::Engine>> {
    let dial = VendorDial::new(&settings.exceptions(), settings.vendor_requests_per_second)?;
    Ok(Arc::new(sync::Engine { store, entries: registry::ALL, dial: Arc::new(dial) }))
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
