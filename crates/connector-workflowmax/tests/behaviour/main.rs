//! What every connector must do, and what only WorkflowMax does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod consent;
mod records;
mod rotation;

vendorkit::behaviours! { vendor: connector_workflowmax::Workflowmax, simulator: connector_workflowmax::Simulator }
