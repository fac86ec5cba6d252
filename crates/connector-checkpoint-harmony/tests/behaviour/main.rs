//! What every connector must do, and what only Check Point Harmony does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod computers;
mod events;
mod keys;
mod script;
mod tenants;

vendorkit::behaviours! {
    vendor: connector_checkpoint_harmony::CheckpointHarmony,
    simulator: connector_checkpoint_harmony::Simulator,
}
