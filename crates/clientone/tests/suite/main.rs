//! ClientOne against real databases.

mod agreements;
mod course;
mod desk_notices;
mod house;
mod notifications;
mod onboarding;
mod requests;
mod tickets;
