//! The directory against real databases.

mod alias_histories;
mod aliases;
mod asked;
mod clients;
mod csv_import;
mod customers;
mod device_fields;
mod devices;
mod drift;
mod files;
mod furnished;
mod house;
mod imports;
mod kept;
mod library;
mod mappings;
mod merge_people;
mod merges;
mod model;
mod properties;
mod reverts;
mod scopes;
mod tenant_connects;
mod workbench;
