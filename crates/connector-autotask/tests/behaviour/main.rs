//! What every connector must do, and what only Autotask does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exchanges;
mod hooks;
mod manners;
mod stand_ins;
mod writes;

vendorkit::behaviours! { vendor: connector_autotask::Autotask, simulator: connector_autotask::Simulator }
