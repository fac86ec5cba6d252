//! What every connector must do, and what is odd about Sophos Central.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod account;
mod actions;
mod hosts;
mod paging;
mod records;
mod stage;

vendorkit::behaviours! { vendor: connector_sophos::Sophos, simulator: connector_sophos::Simulator }
