//! What is peculiar to Microsoft.

mod admission;
mod answers;
mod changes;
mod exchanges;
mod links;
mod refusals;
mod tenants;
mod world;
