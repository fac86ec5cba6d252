//! What every connector must do, and what only Gorelo does.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod errors;
mod records;
mod requests;
mod simulated;
mod stand_ins;

vendorkit::behaviours! { vendor: connector_gorelo::Gorelo, simulator: connector_gorelo::Simulator }
