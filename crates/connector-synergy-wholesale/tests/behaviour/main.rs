//! What every connector must do, and what only Synergy Wholesale does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod errors;
mod items;
mod script;
mod simulated;

vendorkit::behaviours! {
    vendor: connector_synergy_wholesale::SynergyWholesale,
    simulator: connector_synergy_wholesale::Simulator,
}
