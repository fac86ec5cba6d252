//! What every connector must do, and what only Hatz AI does.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod account;
mod lists;
mod records;
mod script;
mod simulated;

vendorkit::behaviours! { vendor: connector_hatz_ai::HatzAi, simulator: connector_hatz_ai::Simulator }
