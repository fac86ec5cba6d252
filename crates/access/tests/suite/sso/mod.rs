//! Signing in through identity providers, against one that says whatever a test wants.

mod admin;
mod flow;
mod forged;
mod forged_entra;
mod portal;
mod provider;
mod staff;
