//! The engine over simulated vendors, on a real SQLite and a real PostgreSQL.

mod changes;
mod connections;
mod faults;
mod held;
mod quantity;
mod resume;
mod shapes;
mod stage;
mod tenants;
mod toy;
mod vanish;
mod worker;
