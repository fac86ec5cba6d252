//! The HTTP API. A request takes two hops to read (endpoint → `Tx`) and three to write (endpoint →
//! operation → `Tx`).
//!
//! * `routes/`: one file for each resource; a handler parses, asks, and turns rows into views.
//! * `auth.rs`: who calls. `write.rs`: the one shape of a write (idempotency, preview, commit).
//! * `problem.rs`: the only place with HTTP statuses; `malformed.rs` finds where a body does not fit.
//! * `freshness.rs`: the age of vendors' figures.
//! * `server.rs`: routes and what surrounds them. `commands.rs`: the operator's subcommands.
//!
//! **A new operation**: a method in the file of its resource with `operation_id = "noun_verb"`; run
//! `cargo xtask openapi`; the isolation suite in `tests/` fails until it knows the operation.

pub mod app;
pub mod auth;
pub mod changes;
pub mod commands;
mod csv_body;
mod document;
mod examples;
mod freshness;
mod malformed;
mod match_csv;
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
mod write;
