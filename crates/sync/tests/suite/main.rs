//! The engine over simulated vendors, on a real SQLite and a real PostgreSQL.

mod changes;
mod faults;
mod resume;
mod stage;
mod vanish;
