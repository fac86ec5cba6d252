//! Staff, sessions and keys against real databases.

mod api_keys;
mod guessing;
mod house;
mod passwords;
mod portal;
mod sessions;
mod sign_in;
mod staff;
mod tokens;
