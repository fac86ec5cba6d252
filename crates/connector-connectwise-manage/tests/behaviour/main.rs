//! What every connector must do, and what only ConnectWise does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callbacks;
mod exchanges;
mod manners;
mod stand_ins;
mod writes;

vendorkit::behaviours! { vendor: connector_connectwise_manage::ConnectwiseManage, simulator: connector_connectwise_manage::Simulator }
