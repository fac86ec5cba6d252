//! What every connector must do, and what only Datto RMM does.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod access;
mod errors;
mod paging;
mod records;
mod stand_ins;

vendorkit::behaviours! { vendor: connector_datto_rmm::DattoRmm, simulator: connector_datto_rmm::Simulator }
