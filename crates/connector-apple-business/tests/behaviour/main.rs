//! What every connector must do, and what only Apple Business does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod keys;
mod paging;
mod records;
mod stage;
mod token;

vendorkit::behaviours! { vendor: connector_apple_business::AppleBusiness, simulator: connector_apple_business::Simulator }
