//! What every connector must do, and what only TeamViewer does.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod errors;
mod listings;
mod stand_ins;

vendorkit::behaviours! { vendor: connector_teamviewer::Teamviewer, simulator: connector_teamviewer::Simulator }
