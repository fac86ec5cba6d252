//! Staff, sessions and keys against real databases.

mod api_keys;
mod custom_roles;
mod guessing;
mod house;
mod invitations;
mod letters;
mod machines;
mod passkeys;
mod passwords;
mod portal;
mod portal_email;
mod portal_factors;
mod resets;
mod second_factor;
mod security;
mod sessions;
mod sign_in;
mod sso;
mod staff;
mod team;
mod tokens;
