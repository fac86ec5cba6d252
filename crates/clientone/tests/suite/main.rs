//! ClientOne against real databases.

mod agreements;
mod course;
mod house;
mod notifications;
mod onboarding;
mod requests;
mod tickets;
