//! The store against real databases.

mod clients;
mod isolation;
mod jobs;
mod journal;
mod journal_search;
mod mail;
mod migrating;
mod opening;
mod revision;
mod sealing;
mod throttle;
