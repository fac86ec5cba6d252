//! ClientOne against real databases.

mod agreements;
mod course;
mod house;
mod onboarding;
mod requests;
mod tickets;
