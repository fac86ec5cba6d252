//! What every connector must do, and what only Pax8 does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exchanges;
mod listings;
mod quantity;
mod script;
mod simulated;
mod token;

vendorkit::behaviours! { vendor: connector_pax8::Pax8, simulator: connector_pax8::Simulator }
