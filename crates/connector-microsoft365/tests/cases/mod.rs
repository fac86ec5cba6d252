//! What is peculiar to Microsoft.

mod answers;
mod changes;
mod exchanges;
mod links;
mod refusals;
mod tenants;
mod world;
