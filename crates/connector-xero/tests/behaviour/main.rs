//! What every connector must do, by both ways of connecting, and what only Xero does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod consent;
mod custom;
mod exchanges;
mod records;
mod rotation;
mod stage;

/// With consent at Xero's page.
mod web_app {
    vendorkit::behaviours! { vendor: connector_xero::Xero, simulator: connector_xero::Simulator }
}
