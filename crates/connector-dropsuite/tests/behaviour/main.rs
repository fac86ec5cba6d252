//! What every connector must do, and what is odd about this one.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod account;
mod backups;
mod lists;
mod script;
mod simulated;
mod tenants;

vendorkit::behaviours! { vendor: connector_dropsuite::Dropsuite, simulator: connector_dropsuite::Simulator }
