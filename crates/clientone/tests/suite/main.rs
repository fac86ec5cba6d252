//! ClientOne against real databases.

mod agreements;
mod house;
mod requests;
