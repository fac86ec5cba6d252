//! The directory: clients, mappings of vendors' entities to them, imports, matching.
//!
//! An operation is a function `noun_verb(tx, …)`: it checks the rules, writes through the
//! transaction, and leaves ending it (commit or preview) to the caller. Nothing here sends or
//! commits, so every operation can be previewed by running it and rolling back.
//!
//! **A new operation**: a function in the file of its noun, with its rules named in the doc comment,
//! and its tests in `tests/suite/`.

mod clients;
mod devices;
mod imports;
mod mappings;
pub mod matching;
mod typed;

pub use clients::{ClientSaved, Deletion, client_create, client_delete, client_update};
pub use devices::{device_join, device_split};
pub use imports::{ImportAction, ImportChoice, ImportRow, ImportWish, import_apply};
pub use mappings::{MappingChoice, MappingSuggestion, Target, mapping_save, mapping_suggest};
pub use typed::{Typed, mapping_type, typed_remove};
