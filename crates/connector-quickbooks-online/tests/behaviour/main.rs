//! What every connector must do, and what only QuickBooks Online does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod canned;
mod changes;
mod consent;
mod errors;
mod listing;
mod records;

vendorkit::behaviours! { vendor: connector_quickbooks_online::QuickbooksOnline, simulator: connector_quickbooks_online::Simulator }
