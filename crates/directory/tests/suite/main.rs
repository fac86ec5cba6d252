//! The directory against real databases.

mod clients;
mod drift;
mod csv_import;
mod house;
mod imports;
mod mappings;
mod merges;
mod model;
mod properties;
mod reverts;
mod scopes;
