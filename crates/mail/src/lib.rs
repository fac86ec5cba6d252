//! Mail: how a [`domain::Letter`] looks, and the ways it leaves the house.
//!
//! * `compose.rs`: a letter as subject, text and HTML. Everything in the HTML is escaped by askama; nothing is loaded
//!   from elsewhere.
//! * `smtp.rs`, `mailbox.rs`: the carriers, a mail server or a folder of `.eml` files. A vendor that sends mail is one
//!   too: `sync::VendorPost`.
//!
//! A crate of its own, beside `integration` and `transport`: it knows the outside world (a mail server) and nothing of
//! organisations or the store. The outbox is a table (`persistence::mail`); `sync` runs its jobs, as it runs all.
//!
//! **Another letter**: a variant of `domain::Letter` and its branch in `compose.rs`. **Another way to send**: a file here
//! that implements [`Carrier`].

mod compose;
mod mailbox;
mod message;
mod smtp;

pub use compose::{Composed, compose};
pub use mailbox::Mailbox;
pub use message::{Outgoing, Sender};
pub use smtp::{Security, Smtp, SmtpOptions};

use async_trait::async_trait;

/// Why a letter was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Whether trying again is of no use: the recipient was refused, or the letter cannot be written.
    pub permanent: bool,
    /// What was said, on one line; no secrets.
    pub message: String,
}

/// A way for letters to leave.
#[async_trait]
pub trait Carrier: Send + Sync {
    /// Hands a letter over. The same letter again carries the same Message-ID.
    async fn carry(&self, letter: &Outgoing) -> Result<(), Undelivered>;
}
