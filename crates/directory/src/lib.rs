//! The directory: clients, mappings of vendors' entities to them, imports, matching.
//!
//! An operation is a function `noun_verb(tx, …)`: it checks the rules, writes through the
//! transaction, and leaves ending it (commit or preview) to the caller. Nothing here sends or
//! commits, so every operation can be previewed by running it and rolling back.
//!
//! **A new operation**: a function in the file of its noun, with its rules named in the doc comment,
//! and its tests in `tests/suite/`.

mod aliases;
mod cells;
mod client_contacts;
mod client_notes;
mod clients;
mod csv_import;
mod customers;
mod device_fields;
mod devices;
mod drift;
mod files;
mod imports;
mod library;
mod likeness;
mod mappings;
pub mod matching;
mod matching_settings;
mod merge;
mod merge_people;
mod news;
mod saved_filters;
mod tenant_connects;
mod tenants;
mod typed;
mod workbench;

pub use aliases::alias_delete;
pub use cells::{guarded, tags_cell, unguarded};
pub use client_contacts::{ContactDraft, customer_contact_create, customer_contact_delete, customer_contact_update};
pub use client_notes::{client_note_create, client_note_delete, client_note_update};
pub use clients::{ClientSaved, Deletion, client_archive, client_create, client_delete, client_restore, client_update};
pub use csv_import::{
    CsvAction, CsvField, CsvMistake, CsvOutcome, CsvRow, CsvRules, MOST_ROWS, csv_import, field_names,
};
pub use customers::{
    Customer, customer_delete, customer_get, customer_tenant_associate, customer_tenant_dissociate, customers_of,
};
pub use device_fields::{
    DeviceFact, Teller, device_facts, device_lock, device_precedence_check, device_precedence_effect,
    device_precedence_get, device_precedence_set, device_unlock,
};
pub use devices::{device_join, device_split};
pub use drift::{DriftFilter, DriftFix, DriftItem, DriftWish, drift_dismiss, drift_fix, drift_get, drift_list};
pub use files::{
    FileDraft, FileLimits, FilePatch, NewContent, Publishing, file_content, file_place, file_publish, file_remove,
    file_replace, file_restore, file_unpublish, file_update, file_upload,
};
pub use imports::{ImportAction, ImportChoice, ImportRow, ImportWish, THRESHOLD, import_apply};
pub use library::{
    LibraryCopy, LibraryDraft, LibraryPatch, library_document_at, library_document_copy, library_document_create,
    library_document_delete, library_document_update,
};
pub use likeness::{clients_like, companies_like};
pub use mappings::{MappingChoice, MappingSuggestion, Target, mapping_save, mapping_suggest};
pub use matching_settings::{MatchingPatch, matching_settings_get, matching_settings_update};
pub use merge::{Merge, Merged, MergedField, client_merge};
pub use merge_people::MergedPeople;
pub use saved_filters::{saved_filter_create, saved_filter_delete, saved_filter_list, saved_filter_update};
pub use tenant_connects::{
    NewTenantConnect, tenant_connect_cancel, tenant_connect_done, tenant_connect_fail, tenant_connect_link,
    tenant_connect_link_of, tenant_connect_start,
};
pub use tenants::{
    Can, Licences, Tenant, TenantFilter, TenantPatch, TenantSort, tenant_get, tenant_list, tenant_update, tenants_of,
};
pub use tenants::{MOST_TENANTS, Tagged, tenant_disconnect, tenant_reconnect, tenants_connections, tenants_tag};
pub use typed::{Typed, mapping_type, typed_remove};
pub use workbench::{Workbench, WorkbenchSort, WorkbenchState, mapping_workbench, typed_list};
