//! The directory against real databases.

mod clients;
mod csv_import;
mod devices;
mod drift;
mod house;
mod imports;
mod mappings;
mod merges;
mod model;
mod properties;
mod reverts;
mod scopes;
