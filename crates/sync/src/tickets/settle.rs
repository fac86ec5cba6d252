//! What became of something whose answer never came: the PSA is asked, and until it tells nothing is sent again.

use chrono::TimeDelta;
use domain::{Record, Result, TicketSending, TicketSendingAct, TicketSendingKind, TicketSendingState, ticket_mark};
use integration::RecordKind;
use persistence::{SendingChange, Tx};

use super::{
    pass::{Pass, Step},
    send::{Known, link_to},
};
use crate::trouble::{self, Halt};

/// After how long no answer comes any more to whoever sent it.
const ANSWERS_WITHIN: TimeDelta = TimeDelta::minutes(10);
/// Companies whose tickets are looked through at a time.
const ENTITIES: usize = 500;
/// After how long a note that is not listed is not there.
const LISTED_WITHIN: TimeDelta = TimeDelta::seconds(60);

impl Pass<'_> {
    /// Finds out what became of something that was sent.
    pub(super) async fn settle(&self, sending: &TicketSending) -> Result<Step, Halt> {
        let tx = self.begin().await?;
        let since = sending.tried_at.map_or(TimeDelta::zero(), |at| tx.now() - at);
        let mut sending = sending.clone();
        if sending.state == TicketSendingState::Sending {
            if since < ANSWERS_WITHIN {
                return Ok(Step::Wait(Some(ANSWERS_WITHIN - since)));
            }
            // Whoever sent it has died.
            tx.ticket_sending_act(&sending, TicketSendingAct::Lose, SendingChange::default()).await?;
            sending = tx.ticket_sending(sending.id).await?;
        }
        let Some(known) = self.known(&tx, &sending).await? else { return Ok(Step::On) };
        if sending.kind == TicketSendingKind::Create {
            let step = self.made(&tx, &sending, &known).await?;
            tx.commit_unjournalled().await?;
            return Ok(step);
        }
        tx.commit_unjournalled().await?;
        self.noted(&sending, &known, since).await
    }

    /// Whether the listing of tickets tells that one was made: it carries our mark.
    async fn made(&self, tx: &Tx, sending: &TicketSending, known: &Known) -> Result<Step> {
        let (tickets, sent_at) = (RecordKind::Ticket.as_str(), sending.tried_at.unwrap_or(sending.queued_at));
        let mark = ticket_mark(known.ticket.number, None);
        if let Some(record) = &self.marked(tx, known, &mark).await? {
            link_to(tx, &known.link, record).await?;
            tx.ticket_sending_act(sending, TicketSendingAct::Arrive, SendingChange::default()).await?;
            return Ok(Step::On);
        }
        let listings = tx.listings_of(&[self.connection.id], &[tickets], &Default::default()).await?;
        let listed_at = listings.first().and_then(|one| one.complete_at);
        let unfinished = tx.run_unfinished(self.connection.id, tickets).await?;
        // A sync that began before may have read the page before the ticket was there.
        let across = tx.run_during(self.connection.id, tickets, sent_at).await?;
        let since = across.and_then(|run| run.finished_at).unwrap_or(sent_at);
        // Of what could not be read it may be one.
        let clean = listings.first().is_some_and(|one| one.code.is_none());
        let still = unfinished.is_some_and(|run| run.started_at <= sent_at);
        if !still && clean && listed_at.is_some_and(|at| at > since) {
            let problem = Some(format!("{} tells that it was not made", self.vendor));
            tx.ticket_sending_act(sending, TicketSendingAct::PutBack, SendingChange { problem }).await?;
            return Ok(Step::Wait(Some(TimeDelta::zero())));
        }
        // The sync that tells puts this on the queue again.
        Ok(Step::Wait(None))
    }

    /// The listed ticket that carries a mark. Whoever sorts tickets at the PSA may have renamed it, or moved it to another
    /// company.
    async fn marked(&self, tx: &Tx, known: &Known, mark: &str) -> Result<Option<Record>> {
        let tickets = RecordKind::Ticket.as_str();
        let ends = |record: &Record| record.title.trim_end().ends_with(mark);
        let own = tx.records_under(&[known.link.entity_id], tickets).await?;
        let found = own.iter().find(|one| ends(one)).or_else(|| own.iter().find(|one| one.title.contains(mark)));
        if let Some(found) = found {
            return Ok(Some(found.clone()));
        }
        let all: Vec<_> = tx.entities_of(self.connection.id).await?.into_iter().map(|one| one.id).collect();
        for some in all.chunks(ENTITIES) {
            if let Some(found) = tx.records_under(some, tickets).await?.into_iter().find(ends) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Whether the notes of a ticket tell that one was added: it carries our mark.
    async fn noted(&self, sending: &TicketSending, known: &Known, since: TimeDelta) -> Result<Step, Halt> {
        let (Some(record), Some(message)) = (&known.record, &known.message) else { return Ok(Step::On) };
        let notes = match self.writes()?.notes(&record.vendor_id).await {
            Ok(notes) => notes,
            Err(error) if trouble::passes(&error) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(ticket = %known.ticket.id, %error, "the notes of a ticket cannot be read");
                None
            }
        };
        let mark = ticket_mark(known.ticket.number, Some(message.number));
        let there = notes.as_ref().map(|notes| notes.iter().any(|note| note.text.contains(&mark)));
        let mut remark = None;
        let there = match sending.kind {
            TicketSendingKind::Attachment if self.writes()?.takes_files().is_some() => {
                match (self.file_there(record, &mark).await?, there) {
                    // The file was refused before, and then named in a note.
                    (Some(false) | None, Some(true)) => {
                        remark = Some(self.stayed(None));
                        Some(true)
                    }
                    (listed, _) => listed,
                }
            }
            TicketSendingKind::Attachment => {
                remark = there.filter(|there| *there).map(|_| self.stayed(None));
                there
            }
            _ => there,
        };
        let wanted = match sending.kind {
            TicketSendingKind::Close => Some(false),
            TicketSendingKind::Reopen => Some(true),
            TicketSendingKind::Create | TicketSendingKind::Note | TicketSendingKind::Attachment => None,
        };
        let as_wanted = wanted.is_some()
            && serde_json::from_str::<integration::Ticket>(&record.body).is_ok_and(|ticket| ticket.open == wanted);
        let act = match there {
            _ if as_wanted => TicketSendingAct::Arrive,
            Some(true) => TicketSendingAct::Arrive,
            Some(false) if since >= LISTED_WITHIN => TicketSendingAct::PutBack,
            Some(false) => return Ok(Step::Wait(Some(LISTED_WITHIN - since))),
            // Nothing tells: it stays unknown, and is shown so. What comes after it goes on.
            None => return Ok(Step::On),
        };
        let tx = self.begin().await?;
        if as_wanted {
            link_to(&tx, &known.link, record).await?;
        }
        tx.ticket_sending_act(sending, act, SendingChange { problem: remark }).await?;
        tx.commit_unjournalled().await?;
        Ok(if act == TicketSendingAct::Arrive { Step::On } else { Step::Wait(Some(TimeDelta::zero())) })
    }
}
