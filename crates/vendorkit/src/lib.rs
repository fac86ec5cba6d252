//! The shared world and the ways to stand in for a vendor. For tests and the demo only.
//!
//! * [`World`]: one deterministic fictional MSP with its businesses, devices, people and
//!   subscriptions. Each vendor's [`Simulator`] renders its own view of it, with that vendor's
//!   paging, auth, limits, errors and name noise. The world can change between two runs.
//! * [`Simulated`] answers in process; [`serve`] puts simulators behind loopback HTTP.
//! * [`Faulty`] breaks any transport on purpose; [`Replay`] plays exchanges, strict both ways.
//! * [`behaviours!`] is the suite that every connector must pass.
//!
//! **To add a vendor's simulator**: implement [`Simulator`] in the connector's `simulator.rs`,
//! behind its feature `simulator`.

pub mod behaviours;
pub mod faulty;
pub mod replay;
mod serve;
mod simulated;
mod simulator;
pub mod world;

pub use faulty::{Fault, Faulty, Plan};
pub use replay::Replay;
pub use serve::{ServeOptions, Served, serve};
pub use simulated::Simulated;
pub use simulator::{SharedWorld, Simulator};
pub use world::{World, WorldSize};

/// The instant at which tests begin, where nothing else is said: Tuesday, 6 October 2026, 09:00 UTC.
pub fn a_tuesday() -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(1_791_277_200, 0).unwrap_or_default()
}
