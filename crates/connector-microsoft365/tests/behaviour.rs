//! Microsoft 365 as every connector must behave, and what is peculiar to it.

mod cases;

vendorkit::behaviours! {
    vendor: connector_microsoft365::Microsoft365,
    simulator: connector_microsoft365::simulator::Microsoft365Simulator,
}
