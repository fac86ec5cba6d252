//! Bulk operations: one thing done to many clients, as a job with progress. It stands above the crates of clients, of
//! their portal and of connections, because what is done may be any one's.
//!
//! * `plan.rs`: what an operation does to each client, worked out from what is stored. The preview is this, and the run
//!   works it out anew for each client under lock: one that changed since is refused, not done otherwise.
//! * `start.rs`: preview, start, approval by a second person, cancelling, settings.
//! * `look.rs`: reading operations, and who sees which.
//! * `run.rs`: the job: chunk by chunk, each with its progress in one transaction, under the rights that whoever started
//!   it has by then. All chunks are one change set, which `journal_revert` takes back whole.
//!
//! **Another thing to do in bulk**: a variant of [`domain::BulkAction`], its lines in `plan.rs`, and how it is done in
//! `apply.rs`.

mod apply;
mod look;
mod plan;
mod run;
mod start;

pub use look::{bulk_get, bulk_item_list, bulk_list};
pub use plan::{BulkChange, BulkPlan, BulkRefusal, Prepared, Selection, bulk_prepare};
pub use run::BulkChore;
pub use start::{
    BulkSettingsPatch, bulk_approve, bulk_cancel, bulk_settings_get, bulk_settings_update, bulk_start, bulk_void,
};

/// Kind of the jobs of this crate.
pub const KIND: &str = "bulk";
