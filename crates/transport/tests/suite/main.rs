//! The transport against servers on loopback, and its patience against a clock that nobody waits for.

#![expect(clippy::unwrap_used, reason = "a test's helper fails the test")]

mod address;
mod client;
mod logs;
mod outward;
mod patient;
mod stand_ins;
