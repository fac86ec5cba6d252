//! The kit itself: the world, the transports, and that the behaviour suite catches what it should.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod caught;
mod changing;
mod faulty;
mod generated;
mod names;
mod replay;
mod served;
mod toy;

vendorkit::behaviours! { vendor: toy::Toy<toy::Sound>, simulator: toy::ToySimulator }
