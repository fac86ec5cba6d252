//! Tickets of ClientOne at PSAs. What is said and done with a ticket is noted for its PSA in the transaction that does it
//! (`persistence::portal_ticket_sendings`); a job of each connection carries it there, and brings back what the PSA tells.
//!
//! * `pass.rs`: the job: what is to be sent in order, then what is to be taken. After each sync of tickets, and whenever
//!   something is to be sent.
//! * `send.rs`: one thing sent, as any act of `act/` is: announced before, never twice on a guess.
//! * `files.rs`: what is sent of a file that was attached.
//! * `settle.rs`: what became of something whose answer never came. `take.rs`: what the PSA tells.
//!
//! Everything that we send carries a mark (`domain::ticket_mark`): by it a ticket or note is known again when no answer
//! came, and is not taken for news when it is listed. A PSA is asked something harmless before anything is sent: while
//! it is away, what waits is queued and nothing is unknown.

mod files;
mod pass;
mod send;
mod settle;
mod take;

pub use files::{FileSource, FileTrouble};

use async_trait::async_trait;
use domain::{ClientId, ConnectionId, ConnectionState, EntityId, PortalTicketId, Result};
use integration::KeptNote;
use persistence::Tx;

use crate::Engine;

/// What a PSA tells of a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketTold {
    /// Its state in the PSA's words, where that changed.
    pub status: Option<String>,
    /// Whether it is open there, where that changed.
    pub open: Option<bool>,
    /// Notes that are new and not ours, in order.
    pub notes: Vec<KeptNote>,
}

/// Takes what PSAs tell of tickets. Tickets live in ClientOne, beside this crate, so whoever builds a worker hands it in;
/// without one nothing is taken, and what a PSA tells waits.
#[async_trait]
pub trait TicketTaker: Send + Sync {
    /// Takes it, within the transaction.
    async fn take(&self, tx: &Tx, ticket: PortalTicketId, told: TicketTold) -> Result<()>;
}

impl Engine {
    /// Where tickets of a client are worked on: its company at a PSA. None where no PSA knows it. One that does not work
    /// just now is named all the same: what is for it waits.
    pub async fn ticket_desk(&self, tx: &Tx, client: ClientId) -> Result<Option<(ConnectionId, EntityId)>> {
        let mut found = Vec::new();
        for entity in tx.entities_of_client(client).await? {
            if entity.removed_at.is_some() {
                continue;
            }
            let connection = tx.connection(entity.connection_id).await?;
            let waits = matches!(connection.state, ConnectionState::ReauthRequired | ConnectionState::Paused);
            if !connection.state.syncs() && !waits {
                continue;
            }
            // A vendor that this version does not have takes nothing.
            let Ok(connector) = self.silent(&connection.integration, tx.now()) else { continue };
            if connector.ticket_writes().is_some() {
                // Of several the one that keeps companies too, then the one that was mapped first.
                let rank = (connector.company_writes().is_none(), entity.mapped_at, entity.id);
                found.push((rank, connection.id, entity.id));
            }
        }
        found.sort_unstable();
        Ok(found.into_iter().next().map(|(_, connection, entity)| (connection, entity)))
    }
}
