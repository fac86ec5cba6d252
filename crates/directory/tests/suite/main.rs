//! The directory against real databases.

mod clients;
mod house;
mod imports;
mod mappings;
mod properties;
mod reverts;
mod scopes;
