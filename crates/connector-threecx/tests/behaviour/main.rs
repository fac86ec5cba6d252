//! What every connector must do, and what only 3CX does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;
mod manners;
mod script;
mod simulated;

vendorkit::behaviours! { vendor: connector_threecx::Threecx, simulator: connector_threecx::Simulator }
