//! What every connector must do, and what only NinjaOne does.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod account;
mod alerts;
mod contacts;
mod custom_fields;
mod documents;
mod errors;
mod live;
mod paging;
mod records;
mod rights;
mod stand_ins;

vendorkit::behaviours! { vendor: connector_ninjaone::NinjaOne, simulator: connector_ninjaone::Simulator }
