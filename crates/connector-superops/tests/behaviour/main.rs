//! What every connector must do, and what only SuperOps does.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod errors;
mod records;
mod requests;
mod simulated;
mod stand_ins;

vendorkit::behaviours! { vendor: connector_superops::Superops, simulator: connector_superops::Simulator }
