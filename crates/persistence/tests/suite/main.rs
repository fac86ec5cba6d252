//! The store against real databases.

mod clients;
mod isolation;
mod jobs;
mod journal;
mod mail;
mod opening;
mod sealing;
