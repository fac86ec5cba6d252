//! The engine over simulated vendors, on a real SQLite and a real PostgreSQL.

mod acts;
mod bench;
mod changes;
mod connections;
mod desk;
mod faults;
mod fleet;
mod frozen;
mod grants;
mod held;
mod letters;
mod life;
mod outage;
mod post;
mod progress;
mod quantity;
mod replay;
mod resume;
mod shapes;
mod snapshots;
mod stage;
mod tenants;
mod toy;
mod vanish;
mod worker;
