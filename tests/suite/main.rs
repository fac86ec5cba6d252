//! Journeys through the real HTTP API, on a real SQLite and a real PostgreSQL, with every vendor simulated
//! behind loopback HTTP.
//!
//! * `harness.rs`: a server of its own for each test. `house.rs`: an organisation with a caller of each kind.
//! * `operations.rs`: one row for each operation of the document. **A new operation needs a row there**, or
//!   `isolation.rs` fails; `permissions_by_operation.txt` is then rewritten with `UPDATE=1` for the review.
//! * `portal.rs`: people of clients; `portal_isolation.rs` has the rows of ClientOne's own document.
//! * `main_job.rs`: what an MSP does from connecting to a quantity changed. The other files attack.

mod acting;
mod agreements_journey;
mod approvals;
mod attachments;
mod bad_input;
mod bulk;
mod consent;
mod customers;
mod disk_full;
mod document;
mod documents_journey;
mod drift;
mod dump;
mod faults;
mod files;
mod fleet;
mod harness;
mod house;
mod isolation;
mod kept_answers;
mod kept_files;
mod kill;
mod kill_migration;
mod life;
mod logos;
mod machines;
mod mail;
mod main_job;
mod matching;
mod oidc;
mod onboarding_journey;
mod operations;
mod passkeys_journey;
mod portal;
mod portal_isolation;
mod portal_journey;
mod provenance;
mod records;
mod requests;
mod requests_journey;
mod sign_in;
mod sso;
mod staff_life;
mod tenants;
mod tickets_journey;
mod webhooks;
mod writes;
mod writes_at_vendors;
