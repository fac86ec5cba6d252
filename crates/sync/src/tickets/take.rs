//! What a PSA tells of tickets: how they stand by the last sync, and the notes that were made there.

use std::collections::BTreeSet;

use domain::{Error, PortalTicket, PortalTicketId, Record, Result, TicketLink, ticket_mark};
use integration::{KeptNote, Ticket};
use persistence::Tx;

use super::{TicketTaker, TicketTold, pass::Pass, send::found};
use crate::trouble::{self, Halt};

/// Tickets of one page.
const PAGE: u64 = 200;
/// Tickets whose notes are read in one pass: those read longest ago first.
const NOTES: usize = 200;

/// A ticket with what its PSA said last.
struct Told {
    link: TicketLink,
    record: Record,
    now: Ticket,
}

impl Told {
    /// How it stands otherwise than when it was last looked at.
    fn state(&self) -> TicketTold {
        let Self { link, now, .. } = self;
        let news = |status: &Option<String>| status.is_some() && *status != link.status;
        TicketTold {
            status: now.status.clone().filter(|_| news(&now.status)),
            // That it is open is no news of one that was just made.
            open: now.open.filter(|open| Some(*open) != link.open && !(link.open.is_none() && *open)),
            notes: Vec::new(),
        }
    }

    /// Whether there may be notes that are not known: not every PSA says of a ticket that one was made.
    fn asks_for_notes(&self) -> bool {
        let changed = self.link.notes_read_at.is_none_or(|read| read <= self.record.changed_at);
        self.now.open != Some(false) || changed
    }
}

impl Pass<'_> {
    /// Takes what is new.
    pub(super) async fn take(&self, taker: &dyn TicketTaker) -> Result<(), Halt> {
        let (mut after, mut asking) = (None, Vec::new());
        loop {
            self.going_on()?;
            let tx = self.read().await?;
            let links = tx.ticket_links_of(self.connection.id, after, PAGE).await?;
            after = links.last().map(|link| link.ticket_id);
            let mut told = Vec::with_capacity(links.len());
            for link in links {
                let Some(id) = link.record_id else { continue };
                // Gone there, or of another client by now: what we have stays as it is.
                let Some(record) = found(tx.client_record(link.client_id, id, "ticket").await)? else { continue };
                let now: Ticket = serde_json::from_str(&record.body).map_err(Error::internal)?;
                told.push(Told { link, record, now });
            }
            tx.rollback().await?;
            for one in told {
                if one.asks_for_notes() {
                    asking.push(one);
                } else {
                    self.give(taker, &one, one.state(), false).await?;
                }
            }
            if after.is_none() {
                break;
            }
        }
        asking.sort_by_key(|one| (one.link.notes_read_at, one.link.ticket_id));
        for (at, one) in asking.iter().enumerate() {
            self.going_on()?;
            let notes = if at < NOTES { self.notes(one).await? } else { None };
            let read = notes.is_some();
            let told = TicketTold { notes: notes.unwrap_or_default(), ..one.state() };
            self.give(taker, one, told, read).await?;
        }
        Ok(())
    }

    /// The notes of a ticket that are neither ours nor known; `None` where they cannot be read.
    async fn notes(&self, one: &Told) -> Result<Option<Vec<KeptNote>>, Halt> {
        let notes = match self.writes()?.notes(&one.record.vendor_id).await {
            Ok(Some(notes)) => notes,
            Ok(None) => return Ok(None),
            Err(error) if trouble::passes(&error) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(ticket = %one.link.ticket_id, %error, "the notes of a ticket cannot be read");
                return Ok(None);
            }
        };
        let tx = self.read().await?;
        let known = tx.portal_ticket_notes_known(one.link.ticket_id).await?;
        let Some(ticket) = found(tx.portal_ticket(one.link.ticket_id).await)? else { return Ok(None) };
        let whos = whos(&tx, &ticket).await?;
        tx.rollback().await?;
        // What we send begins with who said it; somebody who quotes us begins with words of their own.
        let begins = |text: &str| whos.iter().any(|who| text.trim_start().starts_with(who.as_str()));
        let ours = |note: &KeptNote| is_ours(&note.text, ticket.number) && begins(&note.text);
        Ok(Some(notes.into_iter().filter(|note| !known.contains(&note.id) && !ours(note)).collect()))
    }

    async fn give(&self, taker: &dyn TicketTaker, one: &Told, told: TicketTold, notes_read: bool) -> Result<(), Halt> {
        let Told { link, record, now } = one;
        let tx = self.begin().await?;
        let after = TicketLink {
            number: now.number.clone().or_else(|| link.number.clone()),
            status: now.status.clone().or_else(|| link.status.clone()),
            open: now.open.or(link.open),
            notes_read_at: if notes_read { Some(tx.now().max(record.changed_at)) } else { link.notes_read_at },
            ..link.clone()
        };
        if told == TicketTold::default() {
            if after == *link {
                return Ok(());
            }
            tx.ticket_link_save(&after).await?;
            return Ok(tx.commit_unjournalled().await?);
        }
        // The look was a moment ago: someone may have sent something since, and then this is looked at once more.
        let unmoved = tx.ticket_links(&[link.ticket_id]).await?.pop().is_some_and(|now| now == *link);
        if !unmoved {
            return Ok(());
        }
        let id: PortalTicketId = link.ticket_id;
        match taker.take(&tx, id, told).await {
            Ok(()) => {}
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        tx.ticket_link_save(&after).await?;
        let reason = format!("told by {}", self.connection.name);
        tx.commit("portal_ticket_take", Some(&reason)).await?;
        Ok(())
    }
}

/// Whoever said something in a ticket, as what is sent begins.
async fn whos(tx: &Tx, ticket: &PortalTicket) -> Result<Vec<String>> {
    let messages = tx.portal_ticket_messages(ticket.id).await?;
    let users: BTreeSet<_> =
        messages.iter().filter_map(|message| message.portal_user_id).chain(ticket.requester).collect();
    let staff: BTreeSet<_> = messages.iter().filter_map(|message| message.staff_id).chain(ticket.made_by).collect();
    let mut whos = vec!["ClientOne".to_owned()];
    for id in users {
        whos.extend(found(tx.portal_user(id).await)?.map(|row| format!("{} ({})", row.name, row.email)));
    }
    for id in staff {
        whos.extend(found(tx.staff(id).await)?.map(|row| row.name));
    }
    Ok(whos)
}

/// Whether a note carries a mark of this ticket.
fn is_ours(text: &str, number: i32) -> bool {
    text.contains(&ticket_mark(number, None)) || text.contains(&format!("[ClientOne #{number}-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marks_of_the_ticket_itself_are_ours() {
        assert!(is_ours("Sam:\n\nHello\n\n[ClientOne #1-2]", 1) && is_ours("x [ClientOne #1]", 1));
        assert!(!is_ours("see [ClientOne #12-2] and [ClientOne #12]", 1));
    }
}
