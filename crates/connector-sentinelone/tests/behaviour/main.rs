//! What every connector must do, and what is odd about SentinelOne.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod account;
mod actions;
mod records;
mod stage;

vendorkit::behaviours! { vendor: connector_sentinelone::SentinelOne, simulator: connector_sentinelone::Simulator }
