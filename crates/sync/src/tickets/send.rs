//! One thing sent: prepared by asking the PSA something harmless, taken in hand, sent as an act, and what came of it
//! noted.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    Error, PortalTicket, PortalTicketMessage, Record, RecordId, Result, TicketLink, TicketSending, TicketSendingAct,
    TicketSendingKind, Trigger, ticket_mark,
};
use integration::{Kind, RecordKind, Ticket, TicketDraft, TicketNote, WriteTickets};
use persistence::{Apply, SendingChange, Tx};

use super::{
    files::Parcel,
    pass::{Pass, Step},
};
use crate::{
    Act, Acting, Asking, SyncPayload, TicketCreate, TicketNoteAdd, TicketUpdate,
    act::lost,
    queue,
    trouble::{self, Halt},
};

/// Characters of a title: the least that a PSA takes.
const TITLE: usize = 100;
/// How long something waits that another holds up.
const SHORTLY: TimeDelta = TimeDelta::seconds(10);

/// What is known here of a ticket when something of it is sent.
pub(super) struct Known {
    pub ticket: PortalTicket,
    pub link: TicketLink,
    pub message: Option<PortalTicketMessage>,
    /// The stored record of it, where there is one.
    pub record: Option<Record>,
    /// Who said or did it.
    pub who: String,
}

/// What an act came to.
enum Came {
    Arrived(Option<Record>),
    PutBack(String),
    Lost(String),
    Refused(String),
}

impl Pass<'_> {
    pub(super) fn writes(&self) -> Result<&dyn WriteTickets, Halt> {
        self.connector.ticket_writes().ok_or_else(|| Halt::Vendor(lost()))
    }

    /// What is known of something that waits; `None` where it is nothing to this connection any more.
    pub(super) async fn known(&self, tx: &Tx, sending: &TicketSending) -> Result<Option<Known>> {
        let ticket = match tx.portal_ticket(sending.ticket_id).await {
            Ok(ticket) => ticket,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(other) => return Err(other),
        };
        let Some(link) = tx.ticket_links(&[ticket.id]).await?.pop() else { return Ok(None) };
        let record = match link.record_id {
            Some(id) => found(tx.client_record(ticket.client_id, id, "ticket").await)?,
            None => None,
        };
        let messages = match sending.message_id {
            Some(_) => tx.portal_ticket_messages(ticket.id).await?,
            None => Vec::new(),
        };
        let message = messages.into_iter().find(|one| Some(one.id) == sending.message_id);
        let (user, staff) = match &message {
            Some(message) => (message.portal_user_id, message.staff_id),
            None => (ticket.requester, ticket.made_by),
        };
        let who = match (user, staff) {
            (Some(user), _) => found(tx.portal_user(user).await)?.map(|row| format!("{} ({})", row.name, row.email)),
            (None, Some(staff)) => found(tx.staff(staff).await)?.map(|row| row.name),
            (None, None) => None,
        };
        Ok(Some(Known { ticket, link, message, record, who: who.unwrap_or_else(|| "ClientOne".to_owned()) }))
    }

    /// Sends one thing that is queued.
    pub(super) async fn send(&self, sending: &TicketSending) -> Result<Step, Halt> {
        let tx = self.read().await?;
        let Some(known) = self.known(&tx, sending).await? else { return Ok(Step::On) };
        tx.rollback().await?;
        let acts = match sending.kind {
            TicketSendingKind::Create => vec![self.create(&known).await?],
            TicketSendingKind::Note
            | TicketSendingKind::Close
            | TicketSendingKind::Reopen
            | TicketSendingKind::Attachment => {
                let Some(record) = known.record.clone() else {
                    // Before the ticket itself is there nothing of it goes; what was there and is gone takes nothing.
                    if known.link.record_id.is_none() {
                        return Ok(Step::Wait(None));
                    }
                    return self.refuse(sending, format!("{} no longer lists this ticket.", self.vendor)).await;
                };
                if sending.kind == TicketSendingKind::Attachment {
                    match self.parcel(sending, &known, &record).await? {
                        Parcel::Acts(acts) => acts,
                        Parcel::Wait(step) => return Ok(step),
                        Parcel::Refuse(why) => return self.refuse(sending, why).await,
                    }
                } else {
                    match self.about(sending, &known, &record).await? {
                        Some(acts) => acts,
                        None => return self.arrived_already(sending, &known, &record).await,
                    }
                }
            }
        };
        let tx = self.begin().await?;
        if !tx.ticket_sending_act(sending, TicketSendingAct::Take, SendingChange::default()).await? {
            return Ok(Step::Wait(None));
        }
        tx.commit_unjournalled().await?;
        let mut came = Came::Refused("nothing was to be sent".to_owned());
        let (last, mut remark) = (acts.len().saturating_sub(1), None);
        for (at, act) in acts.into_iter().enumerate() {
            // Of a file only words are sent, which say that it stayed here.
            if at == last && sending.kind == TicketSendingKind::Attachment {
                let why = if let (Came::Refused(why), true) = (&came, at > 0) { Some(why.as_str()) } else { None };
                remark = Some(self.stayed(why));
            }
            came = self.act(&known, act).await;
            // A state that the PSA does not take is asked for in words instead.
            if !matches!(came, Came::Refused(_)) {
                break;
            }
        }
        self.note(sending, &known, came, remark).await
    }

    /// The ticket itself, with the PSA's own priority of that name and the contact of that address.
    async fn create(&self, known: &Known) -> Result<Arc<dyn Act>, Halt> {
        let Known { ticket, link, .. } = known;
        let choices = match self.writes()?.choices(None).await {
            Ok(choices) => choices,
            Err(error) if trouble::passes(&error) || error.kind == Kind::Credentials => return Err(error.into()),
            // It takes tickets without them.
            Err(_) => Default::default(),
        };
        let wanted = ticket.answer("priority").unwrap_or_default().trim().to_lowercase();
        let priority = choices.priorities.into_iter().find(|one| one.label.trim().to_lowercase() == wanted);
        let tx = self.read().await?;
        let email = match ticket.requester {
            Some(requester) => found(tx.portal_user(requester).await)?.map(|row| row.email.trim().to_lowercase()),
            None => None,
        };
        let mut contact: Option<RecordId> = None;
        if let Some(email) = email {
            for record in tx.records_under(&[link.entity_id], RecordKind::Contact.as_str()).await? {
                let read: integration::Contact = serde_json::from_str(&record.body).map_err(Error::internal)?;
                if read.email.is_some_and(|one| one.trim().to_lowercase() == email) {
                    contact = Some(record.id);
                    break;
                }
            }
        }
        tx.rollback().await?;
        let draft = TicketDraft {
            title: Some(title(ticket)),
            description: Some(description(known)),
            priority_id: priority.map(|one| one.id),
            ..TicketDraft::default()
        };
        Ok(Arc::new(TicketCreate { entity: link.entity_id, contact, draft }))
    }

    /// What is sent about a ticket that the PSA has, in order of preference; `None` where it has it already.
    async fn about(
        &self,
        sending: &TicketSending,
        known: &Known,
        record: &Record,
    ) -> Result<Option<Vec<Arc<dyn Act>>>, Halt> {
        let fresh = match self.writes()?.fetch(&record.vendor_id).await {
            Ok(raw) => self.read_ticket(&raw),
            Err(error) if trouble::passes(&error) || error.kind == Kind::Credentials => return Err(error.into()),
            // What it says to the note itself is what counts.
            Err(_) => None,
        };
        let note = |text: String, public| -> Arc<dyn Act> {
            Arc::new(TicketNoteAdd { id: record.id, note: TicketNote { text, public } })
        };
        let (open, words) = match sending.kind {
            TicketSendingKind::Close => (false, "wants this ticket closed"),
            TicketSendingKind::Reopen => (true, "wants this ticket taken up again"),
            TicketSendingKind::Note | TicketSendingKind::Create | TicketSendingKind::Attachment => {
                let Some(message) = &known.message else { return Ok(None) };
                return Ok(Some(vec![note(said(known, message), message.kind.is_public())]));
            }
        };
        if fresh.as_ref().is_some_and(|ticket| ticket.open == Some(open)) {
            return Ok(None);
        }
        let mut acts: Vec<Arc<dyn Act>> = Vec::new();
        if let Some(status) = self.status_of(known, fresh.as_ref(), open).await? {
            let draft = TicketDraft { status_id: Some(status), ..TicketDraft::default() };
            acts.push(Arc::new(TicketUpdate { id: record.id, contact: None, draft }));
        }
        let mark = ticket_mark(known.ticket.number, known.message.as_ref().map(|message| message.number));
        acts.push(note(format!("{} {words}.\n\n{mark}", known.who), true));
        Ok(Some(acts))
    }

    /// The state that the PSA gives to tickets of this client that are closed, or open: of the same queue first. PSAs do
    /// not say which of their states close a ticket, but their tickets do.
    async fn status_of(&self, known: &Known, fresh: Option<&Ticket>, open: bool) -> Result<Option<String>> {
        let tx = self.read().await?;
        let records = tx.records_under(&[known.link.entity_id], RecordKind::Ticket.as_str()).await?;
        tx.rollback().await?;
        let queue = fresh.and_then(|ticket| ticket.queue.as_deref());
        let mut found: Vec<(bool, Option<domain::Timestamp>, String)> = Vec::new();
        for record in records {
            let ticket: Ticket = serde_json::from_str(&record.body).map_err(Error::internal)?;
            if ticket.open == Some(open)
                && let Some(status) = ticket.status_id
            {
                found.push((ticket.queue.as_deref() == queue, ticket.updated_at, status));
            }
        }
        Ok(found.into_iter().max().map(|(_, _, status)| status))
    }

    fn read_ticket(&self, raw: &[u8]) -> Option<Ticket> {
        let listings = self.connector.listings();
        let listing = listings.iter().find(|listing| listing.kind() == RecordKind::Ticket)?;
        serde_json::from_str(&listing.read(raw).ok()?.body).ok()
    }

    async fn act(&self, known: &Known, act: Arc<dyn Act>) -> Came {
        const FOR_GOOD: [&str; 6] = [
            "vendor_refused",
            "vendor_forbidden",
            "vendor_not_found",
            "vendor_unreadable",
            "vendor_limit",
            "vendor_not_offered",
        ];
        let reason = format!("carries the ticket #{} to {}", known.ticket.number, self.connection.name);
        let apply = Apply { reason: Some(reason), ..Apply::default() };
        let asking = Asking { client: known.ticket.client_id, apply, key: None };
        match self.engine.act(&self.context(), act, asking).await {
            Ok(Acting::Acted(acted)) => Came::Arrived(acted.record),
            Ok(Acting::Repeated { .. }) => Came::Lost("the answer of another time came".to_owned()),
            Err(Error::Vendor { code: "outcome_unknown", message, .. })
            | Err(Error::Conflict { code: "not_stored", message }) => Came::Lost(message),
            Err(Error::Vendor { code, message, .. }) if FOR_GOOD.contains(&code) => Came::Refused(message),
            Err(Error::Vendor { message, .. }) => Came::PutBack(message),
            Err(Error::Conflict { code: "not_supported" | "not_listed", message }) => Came::Refused(message),
            Err(Error::Conflict { message, .. }) => Came::PutBack(message),
            Err(Error::NotFound { .. }) => {
                Came::Refused(format!("The client and this company at {} no longer belong together.", self.vendor))
            }
            Err(error @ (Error::Invalid(_) | Error::Forbidden { .. })) => Came::Refused(error.to_string()),
            // Nobody knows how far it came.
            Err(error) => Came::Lost(error.to_string()),
        }
    }

    /// Notes what came of sending something.
    async fn note(
        &self,
        sending: &TicketSending,
        known: &Known,
        came: Came,
        remark: Option<String>,
    ) -> Result<Step, Halt> {
        let tx = self.begin().await?;
        let sending = tx.ticket_sending(sending.id).await?;
        let (act, problem, step) = match &came {
            Came::Arrived(Some(record)) => {
                link_to(&tx, &known.link, record).await?;
                (TicketSendingAct::Arrive, remark, Step::On)
            }
            // It was made, but as what is only told by the listing.
            Came::Arrived(None) if sending.kind == TicketSendingKind::Create => {
                (TicketSendingAct::Lose, Some("its answer could not be read".to_owned()), Step::Wait(None))
            }
            Came::Arrived(None) => (TicketSendingAct::Arrive, remark, Step::On),
            Came::PutBack(why) => (TicketSendingAct::PutBack, Some(why.clone()), Step::Wait(Some(SHORTLY))),
            Came::Lost(why) => (TicketSendingAct::Lose, Some(why.clone()), Step::Wait(Some(TimeDelta::seconds(60)))),
            Came::Refused(why) => (TicketSendingAct::Refuse, Some(why.clone()), refused_step(sending.kind)),
        };
        tx.ticket_sending_act(&sending, act, SendingChange { problem }).await?;
        if act == TicketSendingAct::Lose {
            // The next listing of tickets tells.
            let kinds = Some(vec![RecordKind::Ticket]);
            let connection_id = self.connection.id;
            let payload = SyncPayload { connection_id, trigger: Trigger::Webhook, kinds, release: None };
            queue::enqueue(&tx, &payload).await?;
        }
        tx.commit_unjournalled().await?;
        Ok(step)
    }

    async fn refuse(&self, sending: &TicketSending, why: String) -> Result<Step, Halt> {
        let tx = self.begin().await?;
        if tx.ticket_sending_act(sending, TicketSendingAct::Take, SendingChange::default()).await? {
            let taken = tx.ticket_sending(sending.id).await?;
            tx.ticket_sending_act(&taken, TicketSendingAct::Refuse, SendingChange { problem: Some(why) }).await?;
        }
        tx.commit_unjournalled().await?;
        Ok(refused_step(sending.kind))
    }

    /// The PSA has it as it is wanted, without our doing.
    async fn arrived_already(&self, sending: &TicketSending, known: &Known, record: &Record) -> Result<Step, Halt> {
        let tx = self.begin().await?;
        if tx.ticket_sending_act(sending, TicketSendingAct::Take, SendingChange::default()).await? {
            let taken = tx.ticket_sending(sending.id).await?;
            tx.ticket_sending_act(&taken, TicketSendingAct::Arrive, SendingChange::default()).await?;
            if matches!(sending.kind, TicketSendingKind::Close | TicketSendingKind::Reopen) {
                let open = Some(sending.kind == TicketSendingKind::Reopen);
                let record_id = Some(record.id);
                tx.ticket_link_save(&TicketLink { open, record_id, ..known.link.clone() }).await?;
            }
        }
        tx.commit_unjournalled().await?;
        Ok(Step::On)
    }
}

/// What was refused holds up nothing but what needs the ticket to be there, which waits for a person.
fn refused_step(kind: TicketSendingKind) -> Step {
    if kind == TicketSendingKind::Create { Step::Wait(None) } else { Step::On }
}

/// What was looked for, if it is there.
pub(super) fn found<T>(row: Result<T>) -> Result<Option<T>> {
    match row {
        Ok(row) => Ok(Some(row)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Notes that a ticket is this record, as it is now: what we did ourselves is no news.
pub(super) async fn link_to(tx: &Tx, link: &TicketLink, record: &Record) -> Result<()> {
    let ticket: Ticket = serde_json::from_str(&record.body).map_err(Error::internal)?;
    let link = TicketLink {
        record_id: Some(record.id),
        number: ticket.number,
        status: ticket.status.or_else(|| link.status.clone()),
        open: ticket.open.or(link.open),
        ..link.clone()
    };
    tx.ticket_link_save(&link).await
}

/// The title at the PSA: ours as far as there is room, with the mark.
fn title(ticket: &PortalTicket) -> String {
    let mark = ticket_mark(ticket.number, None);
    let room = TITLE - mark.chars().count() - 1;
    let subject: String = ticket.subject.chars().take(room).collect();
    format!("{} {mark}", subject.trim_end())
}

/// The description at the PSA: who asks, what is the matter, and what the form asked.
fn description(known: &Known) -> String {
    let Known { ticket, who, .. } = known;
    let answers: String = ticket.answers.iter().map(|one| format!("\n{}: {}", one.label, one.value)).collect();
    format!("{who}:\n\n{}\n{answers}\n\n{}", ticket.description, ticket_mark(ticket.number, None))
}

/// A message as it stands at the PSA.
fn said(known: &Known, message: &PortalTicketMessage) -> String {
    let mark = ticket_mark(known.ticket.number, Some(message.number));
    format!("{}:\n\n{}\n\n{mark}", known.who, message.text.as_deref().unwrap_or_default())
}
