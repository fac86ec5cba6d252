//! The directory: clients, mappings of vendors' entities to them, imports, matching.
//!
//! An operation is a function `noun_verb(tx, …)`: it checks the rules, writes through the
//! transaction, and leaves ending it (commit or preview) to the caller. Nothing here sends or
//! commits, so every operation can be previewed by running it and rolling back.
//!
//! **A new operation**: a function in the file of its noun, with its rules named in the doc comment,
//! and its tests in `tests/suite/`.

mod cells;
mod clients;
mod csv_import;
mod devices;
mod drift;
mod imports;
mod likeness;
mod mappings;
pub mod matching;
mod merge;
mod typed;

pub use cells::{guarded, unguarded};
pub use clients::{ClientSaved, Deletion, client_archive, client_create, client_delete, client_restore, client_update};
pub use csv_import::{
    CsvAction, CsvField, CsvMistake, CsvOutcome, CsvRow, CsvRules, MOST_ROWS, csv_import, field_names,
};
pub use devices::{device_join, device_split};
pub use drift::{DriftFilter, DriftFix, DriftItem, DriftWish, drift_dismiss, drift_fix, drift_get, drift_list};
pub use imports::{ImportAction, ImportChoice, ImportRow, ImportWish, THRESHOLD, import_apply};
pub use likeness::{clients_like, companies_like};
pub use mappings::{MappingChoice, MappingSuggestion, Target, mapping_save, mapping_suggest};
pub use merge::{Merge, Merged, MergedField, client_merge};
pub use typed::{Typed, mapping_type, typed_remove};
