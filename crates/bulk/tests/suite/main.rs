//! Bulk operations on a real SQLite and a real PostgreSQL.

mod approval;
mod house;
mod runs;
