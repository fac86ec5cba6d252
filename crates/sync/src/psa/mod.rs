//! Two-way sync with PSAs. A pass over one connection holds each company against the client it is mapped to, takes what
//! the PSA changed, sends what we changed, and leaves to a person what neither side may decide alone (the rules are in
//! `domain::psa`). It is a job of its own: after each sync of companies, and after each change of a client.
//!
//! * `values.rs`: the fields as texts. `look.rs`: one company against its client, pure.
//! * `pass.rs`: the pass: reading (`read.rs`), then everything taken in one change set, then what is sent.
//! * `send.rs`: one company changed at the PSA, as any act of `act/` is. `make.rs`: clients of new companies, and
//!   companies of new clients.
//! * `people.rs`: what people do: settings, and deciding what waits.
//!
//! A pass that is cut off is begun again: what it has done it does not find to do. What was sent and had no answer is
//! read again before anything more is sent.

mod look;
mod make;
mod pass;
mod people;
mod read;
mod send;
mod values;

use async_trait::async_trait;
use domain::{Client, ClientId, Entity, EntityId, Result};
use persistence::Tx;

pub use people::{
    ConflictChoice, ConflictTake, MOST_CHOICES, PsaPatch, PsaView, psa_conflict_current, psa_conflict_resolve,
    psa_settings_get, psa_settings_update,
};

/// A likeness that keeps a client or a company from being made a second time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Like<I> {
    /// What it is like.
    pub id: I,
    /// Its name.
    pub name: String,
    /// What the likeness rests on, in words.
    pub because: String,
}

/// Finds what a new company or client may be already. The matching of clients lives beside this crate, so whoever
/// builds a worker hands it in; without one nothing is made by itself.
#[async_trait]
pub trait Likeness: Send + Sync {
    /// For each company, the client that it may be.
    async fn clients_like(&self, tx: &Tx, companies: &[Entity]) -> Result<Vec<Option<Like<ClientId>>>>;

    /// For each client, the company among these that may be it.
    async fn companies_like(
        &self,
        tx: &Tx,
        clients: &[Client],
        companies: &[Entity],
    ) -> Result<Vec<Option<Like<EntityId>>>>;
}
