//! What every connector must do, and what only CIPP does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exchanges;
mod records;
mod script;
mod shapes;
mod sign_in;

vendorkit::behaviours! { vendor: connector_cipp::Cipp, simulator: connector_cipp::Simulator }
