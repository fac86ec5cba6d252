//! What every connector must do, in both ways to connect, and what only UniFi does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod console;
mod records;
mod shared;
mod stage;

mod through_site_manager {
    vendorkit::behaviours! { vendor: connector_unifi::Unifi, simulator: connector_unifi::Simulator }
}

mod one_console {
    vendorkit::behaviours! { vendor: connector_unifi::Unifi, simulator: crate::stage::OneConsole }
}
