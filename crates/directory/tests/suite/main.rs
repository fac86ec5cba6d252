//! The directory against real databases.

mod clients;
mod devices;
mod house;
mod imports;
mod mappings;
mod model;
mod properties;
mod reverts;
mod scopes;
