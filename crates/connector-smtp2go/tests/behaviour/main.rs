//! What every connector must do, and what only SMTP2GO does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exchanges;
mod oddities;

vendorkit::behaviours! { vendor: connector_smtp2go::Smtp2go, simulator: connector_smtp2go::Simulator }
