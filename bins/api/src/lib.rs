//! The HTTP API. A request takes two hops to read (endpoint → `Tx`) and three to write (endpoint →
//! operation → `Tx`).
//!
//! * `routes/`: one file for each resource; a handler parses, asks, and turns rows into views.
//! * `auth.rs`: who calls. `write.rs`: the one shape of a write (idempotency, preview, commit).
//! * `problem.rs`: the only place with HTTP statuses; `malformed.rs` finds where a body does not fit.
//! * `contents.rs`: contents of files on their way in and out of the store.
//! * `freshness.rs`: the age of vendors' figures.
//! * `server.rs`: routes and what surrounds them. `commands.rs`: the operator's subcommands.
//!
//! **A new operation**: a method in the file of its resource with `operation_id = "noun_verb"`; run
//! `cargo xtask openapi`; the isolation suite in `tests/` fails until it knows the operation.

pub mod acting;
pub mod app;
mod approving;
mod asking;
pub mod auth;
pub mod changes;
mod checkpoint_file;
pub mod commands;
mod contents;
mod csv_body;
mod document;
mod examples;
mod freshness;
mod kept;
mod known;
mod legacy;
mod malformed;
mod match_csv;
mod merged;
pub mod outside;
mod page;
pub mod portal_auth;
mod problem;
mod proof;
mod rate;
mod request_id;
mod routes;
pub mod server;
mod sheet;
mod watch;
mod write;
