//! ClientOne's tickets, handed to what carries them to PSAs and back.

use async_trait::async_trait;
use clientone::{PsaNews, PsaNote};
use domain::{PortalTicketId, Result};
use persistence::Tx;
use sync::{TicketTaker, TicketTold};

/// Takes what PSAs tell into ClientOne's tickets.
#[derive(Clone, Copy, Debug)]
pub struct Desk;

#[async_trait]
impl TicketTaker for Desk {
    async fn take(&self, tx: &Tx, ticket: PortalTicketId, told: TicketTold) -> Result<()> {
        let TicketTold { status, open, notes } = told;
        let note = |note: integration::KeptNote| PsaNote {
            id: note.id,
            text: note.text,
            public: note.public,
            author: note.author,
            at: note.at,
        };
        let news = PsaNews { status, open, notes: notes.into_iter().map(note).collect() };
        clientone::portal_ticket_take(tx, ticket, news).await.map(drop)
    }
}
