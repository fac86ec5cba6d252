//! The network: the one crate that sends anything to a vendor.
//!
//! * [`HttpTransport`] sends one request over HTTPS: bounded in time, bytes and headers, without
//!   redirects, cookies or proxies, and only to addresses that its [`AddressPolicy`] admits.
//! * [`Patient`] wraps any transport with a connection's [`Budget`] and with retries that wait as
//!   long as the vendor asks.
//!
//! * [`Outward`] posts the product's own events to addresses that customers named: the same policy, and nothing kept of
//!   an answer but its status and its beginning.
//!
//! A connection has **one** [`Budget`], shared by everything in the process that talks to that
//! vendor account: the sync engine through [`Patience::BACKGROUND`], a waiting person through
//! [`Patience::INTERACTIVE`], which alone may use the share kept in reserve.
//!
//! No text that leaves this crate (errors, log lines) holds a query, a header or a body.
//!
//! **To change what may be reached**, see the two tables in `address.rs`; their cases are in
//! `tests/suite/address.rs`. **To name another network failure**, see `failure.rs`.

mod address;
mod budget;
mod client;
mod failure;
mod guard;
mod outward;
mod patient;

pub use address::{AddressPolicy, InvalidException};
pub use budget::{Budget, Pace, Pause, TokioPause, Waiting};
pub use client::{Clock, HttpTransport, Limits, SetupError};
pub use guard::{Lookup, SystemLookup};
pub use outward::{Heard, Outward};
pub use patient::{Chance, Patience, Patient};
