//! What every connector must do, and what only Syncro does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod listings;
mod records;
mod writes;

use std::sync::Arc;

use connector_syncro::{Credentials, Syncro};
use integration::{CredentialsForm, Transport, Vendor};
use serde_json::{Map, Value};
use vendorkit::Replay;

vendorkit::behaviours! { vendor: Syncro, simulator: connector_syncro::Simulator }

/// A connector with the example credentials over these exchange files.
fn replay(files: &[&str]) -> (Syncro, Arc<Replay>) {
    let replay = Arc::new(Replay::files("tests/vendor", files).unwrap());
    (connected(&[], replay.clone()), replay)
}

/// A connector with the example credentials, but for these; an empty one is left out.
fn connected(changes: &[(&str, &str)], transport: Arc<dyn Transport>) -> Syncro {
    let mut values: Map<String, Value> = Credentials::example();
    for (name, value) in changes {
        values.insert((*name).to_owned(), (*value).into());
    }
    Syncro::connect(Credentials::parse(&values).unwrap(), transport)
}
