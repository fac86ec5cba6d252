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

pub mod world;
pub use world::World;
