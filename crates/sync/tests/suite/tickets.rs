//! Tickets of ClientOne at PSAs: they get there once, whatever breaks on the way, and what the PSA tells comes back
//! without an echo.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    ClientId, Entity, FieldAnswer, FieldKind, PortalTicket, PortalTicketId, PortalTicketMessage, PortalTicketState,
    Result, TicketLink, TicketMessageKind, TicketSending, TicketSendingAct, TicketSendingKind as Kind,
    TicketSendingState as State, ticket_mark,
};
use integration::KeptNote;
use persistence::{SendingChange, Tx};
use sync::{TicketTaker, TicketTold};
use testkit::{TestDb, both_databases};
use vendorkit::{Fault, Plan, WorldSize, world::TicketState};

use crate::stage::{CONNECTWISE, HALOPSA, Stage, stage};

const SIZE: WorldSize = WorldSize { businesses: 4, devices: 0, people: 8 };

/// Keeps what PSAs tell, as ClientOne does.
struct Taker;

#[async_trait]
impl TicketTaker for Taker {
    async fn take(&self, tx: &Tx, ticket: PortalTicketId, told: TicketTold) -> Result<()> {
        let mut ticket = tx.portal_ticket(ticket).await?;
        if let Some(open) = told.open {
            let state = if open { PortalTicketState::Open } else { PortalTicketState::Closed };
            ticket = tx.portal_ticket_save(&ticket, PortalTicket { state, ..ticket.clone() }).await?;
        }
        for KeptNote { id, text, public, .. } in told.notes {
            let kind = if public { TicketMessageKind::Reply } else { TicketMessageKind::Note };
            let message = message(tx, &ticket, kind, &text).await;
            tx.portal_ticket_message_insert(&PortalTicketMessage { vendor_note_id: Some(id), ..message }).await?;
        }
        if let Some(status) = told.status {
            let message = message(tx, &ticket, TicketMessageKind::Act, &status).await;
            tx.portal_ticket_message_insert(&message).await?;
        }
        Ok(())
    }
}

async fn message(tx: &Tx, ticket: &PortalTicket, kind: TicketMessageKind, text: &str) -> PortalTicketMessage {
    PortalTicketMessage {
        id: tx.new_id(),
        ticket_id: ticket.id,
        client_id: ticket.client_id,
        number: tx.portal_ticket_message_count(ticket.id).await.expect("counts") + 1,
        at: tx.now(),
        kind,
        portal_user_id: None,
        staff_id: None,
        author: None,
        act: None,
        state: ticket.state,
        text: Some(text.to_owned()),
        vendor_note_id: None,
    }
}

/// A PSA whose first company is mapped to a client.
struct Counter {
    stage: Stage,
    client: ClientId,
    company: Entity,
}

async fn counter(db: TestDb, vendor: &str) -> Counter {
    let mut stage = stage(db, vendor, SIZE).await;
    stage.worker = stage.worker.clone().taking(Arc::new(Taker));
    stage.work().await;
    let company = stage.companies().await.remove(0);
    let client = stage.new_client(&company.name).await;
    stage.map(company.id, client).await;
    Counter { stage, client, company }
}

impl Counter {
    async fn begin(&self) -> Tx {
        self.stage.db.store.begin(self.stage.context()).await.expect("begins")
    }

    /// A ticket that is to reach the PSA.
    async fn make(&self, subject: &str) -> PortalTicket {
        let tx = self.begin().await;
        let desk = self.stage.engine.ticket_desk(&tx, self.client).await.expect("looks");
        assert_eq!(desk, Some((self.stage.connection, self.company.id)));
        let priority = FieldAnswer {
            key: "priority".to_owned(),
            label: "Priority".to_owned(),
            kind: FieldKind::Choice,
            value: "Low".to_owned(),
        };
        let ticket = PortalTicket {
            id: tx.new_id(),
            client_id: self.client,
            number: tx.portal_ticket_next_number().await.expect("counts"),
            subject: subject.to_owned(),
            description: "Since this morning.".to_owned(),
            answers: vec![priority],
            requester: None,
            made_by: None,
            state: PortalTicketState::Open,
            assignee: None,
            service_request_id: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            version: 1,
        };
        tx.portal_ticket_insert(&ticket).await.expect("makes");
        let link = TicketLink {
            ticket_id: ticket.id,
            client_id: self.client,
            connection_id: self.stage.connection,
            entity_id: self.company.id,
            record_id: None,
            number: None,
            status: None,
            open: None,
            notes_read_at: None,
        };
        tx.ticket_link_insert(&link).await.expect("links");
        self.queue(&tx, &ticket, Kind::Create, None).await;
        tx.commit("portal_ticket_create", None).await.expect("commits");
        ticket
    }

    async fn queue(&self, tx: &Tx, ticket: &PortalTicket, kind: Kind, message: Option<&PortalTicketMessage>) {
        let sending = TicketSending {
            id: tx.new_id(),
            ticket_id: ticket.id,
            client_id: self.client,
            connection_id: self.stage.connection,
            kind,
            message_id: message.map(|message| message.id),
            state: State::Queued,
            queued_at: tx.now(),
            tried_at: None,
            sent_at: None,
            problem: None,
        };
        tx.ticket_sending_insert(&sending).await.expect("notes");
    }

    /// Something said or done here, that is to reach the PSA.
    async fn say(&self, ticket: &PortalTicket, kind: Kind, text: &str) -> i32 {
        self.stage.advance(1);
        let tx = self.begin().await;
        let said = if kind == Kind::Note { TicketMessageKind::Reply } else { TicketMessageKind::Act };
        let message = message(&tx, ticket, said, text).await;
        tx.portal_ticket_message_insert(&message).await.expect("says");
        self.queue(&tx, ticket, kind, Some(&message)).await;
        tx.commit("portal_ticket_reply", None).await.expect("commits");
        message.number
    }

    async fn sendings(&self, ticket: &PortalTicket) -> Vec<TicketSending> {
        let tx = self.stage.db.store.read(self.stage.context()).await.expect("reads");
        tx.ticket_sendings(&[ticket.id]).await.expect("lists")
    }

    async fn states(&self, ticket: &PortalTicket) -> Vec<State> {
        self.sendings(ticket).await.into_iter().map(|one| one.state).collect()
    }

    /// Kinds and texts of what was said and done.
    async fn said(&self, ticket: &PortalTicket) -> Vec<(TicketMessageKind, String)> {
        let tx = self.stage.db.store.read(self.stage.context()).await.expect("reads");
        let all = tx.portal_ticket_messages(ticket.id).await.expect("lists");
        all.into_iter().map(|one| (one.kind, one.text.unwrap_or_default())).collect()
    }

    async fn state(&self, ticket: &PortalTicket) -> PortalTicketState {
        let tx = self.stage.db.store.read(self.stage.context()).await.expect("reads");
        tx.portal_ticket(ticket.id).await.expect("is there").state
    }

    /// The world's tickets with the mark of this one.
    fn there(&self, ticket: &PortalTicket) -> Vec<vendorkit::world::Ticket> {
        let mark = ticket_mark(ticket.number, None);
        self.stage.simulated.read(|world| {
            let all = world.tickets_after(self.stage.vendor.id, 0).into_iter();
            all.filter(|(_, one)| one.title.ends_with(&mark)).map(|(_, one)| one.clone()).collect()
        })
    }

    fn notes_there(&self, ticket: &PortalTicket, mark: &str) -> usize {
        self.there(ticket).iter().flat_map(|one| &one.notes).filter(|(text, _)| text.contains(mark)).count()
    }

    /// Works until nothing waits that time alone brings further.
    async fn settle(&self) {
        for _ in 0..40 {
            self.stage.work().await;
            let tx = self.stage.db.store.read(self.stage.context()).await.expect("reads");
            if tx.ticket_sendings_waiting(self.stage.connection, 9).await.expect("lists").is_empty() {
                return;
            }
            tx.rollback().await.expect("ends");
            self.stage.advance(30);
        }
        panic!("something waits for ever");
    }
}

/// There and back: the ticket, its state, notes of both kinds, replies; and nothing comes back that we sent.
async fn there_and_back(db: TestDb, vendor: &str) {
    let counter = counter(db, vendor).await;
    let stage = &counter.stage;
    let ticket = counter.make(&"A long subject about a printer ".repeat(6)).await;
    stage.work().await;
    assert_eq!(counter.states(&ticket).await, [State::Sent]);
    let there = counter.there(&ticket);
    assert_eq!(there.len(), 1);
    assert!(
        there[0].title.chars().count() <= 100 && there[0].title.starts_with("A long subject"),
        "{}",
        there[0].title
    );
    assert!(there[0].description.contains("Since this morning.") && there[0].description.contains("Priority: Low"));
    assert_eq!(stage.journal("ticket_create").await, 1);
    for _ in 0..2 {
        stage.sync().await;
    }
    assert_eq!(counter.said(&ticket).await, [], "an echo");
    // The engineer works on it, says something to the client, and something to nobody.
    let key = there[0].key;
    // An answer by e-mail quotes what was sent, mark and all: it is an answer all the same.
    let mark = ticket_mark(ticket.number, None);
    let answer = format!("We look at it. You wrote: Since this morning. {mark}");
    stage.simulated.change(|world| {
        world.change_ticket(key, |one| {
            one.state = TicketState::InProgress;
            one.notes.extend([(answer.clone(), true), ("A bad fuse.".to_owned(), false)]);
        })
    });
    stage.sync().await;
    let said = counter.said(&ticket).await;
    assert_eq!(said[..2], [(TicketMessageKind::Reply, answer), (TicketMessageKind::Note, "A bad fuse.".to_owned())]);
    assert_eq!((said.len(), said[2].0), (3, TicketMessageKind::Act), "{said:?}");
    assert_eq!(stage.journal("portal_ticket_take").await, 1, "one change set for all of it");
    // An answer goes there as a note for the client to see, and is no news.
    let number = counter.say(&ticket, Kind::Note, "It prints again.").await;
    stage.work().await;
    assert_eq!(counter.states(&ticket).await, [State::Sent; 2]);
    assert_eq!(counter.notes_there(&ticket, &ticket_mark(ticket.number, Some(number))), 1);
    let seen = counter.there(&ticket)[0].notes.last().cloned().expect("a note");
    assert!(seen.1 && seen.0.contains("It prints again."), "{seen:?}");
    stage.sync().await;
    assert_eq!(counter.said(&ticket).await.len(), 4, "an echo");
    // Closed there is closed here, and taken up again here is told there: as a state, or in words.
    stage.simulated.change(|world| {
        let now = world.now;
        world.change_ticket(key, |one| (one.state, one.closed) = (TicketState::Closed, Some(now)))
    });
    stage.sync().await;
    assert_eq!(counter.state(&ticket).await, PortalTicketState::Closed);
    counter.say(&ticket, Kind::Reopen, "").await;
    counter.settle().await;
    assert_eq!(counter.states(&ticket).await, [State::Sent; 3]);
    let one = &counter.there(&ticket)[0];
    let asked = one.notes.iter().any(|(text, _)| text.contains("wants this ticket taken up again"));
    assert!(one.state != TicketState::Closed || asked, "{one:?}");
}

/// A PSA that is away: what is for it waits, says since when and why, and gets there once when it is back.
async fn away(db: TestDb, vendor: &str) {
    let counter = counter(db, vendor).await;
    let stage = &counter.stage;
    stage.faulty.set(Plan::Always(Fault::Status(503)));
    let ticket = counter.make("No network").await;
    counter.say(&ticket, Kind::Note, "Still none.").await;
    let since = counter.sendings(&ticket).await[0].queued_at;
    for _ in 0..20 {
        stage.work().await;
        stage.advance(600);
    }
    let waiting = counter.sendings(&ticket).await;
    assert_eq!(waiting.iter().map(|one| one.state).collect::<Vec<_>>(), [State::Queued; 2]);
    assert!(waiting[0].queued_at == since && waiting.iter().all(|one| one.problem.is_some()), "{waiting:?}");
    assert!(counter.there(&ticket).is_empty());
    stage.faulty.set(Plan::Never);
    stage.advance(900);
    counter.settle().await;
    assert_eq!(counter.states(&ticket).await, [State::Sent; 2]);
    assert_eq!((counter.there(&ticket).len(), counter.notes_there(&ticket, "Still none.")), (1, 1));
}

/// Answers that are lost after the PSA acted, and requests that never came there: each thing is there once.
async fn lost(db: TestDb, vendor: &str) {
    for (fault, made) in [(Fault::AnswerLost, true), (Fault::Reset, false)] {
        let stage_db = testkit_again(&db).await;
        let counter = counter(stage_db, vendor).await;
        let stage = &counter.stage;
        stage.faulty.set(Plan::Writes(fault.clone()));
        let ticket = counter.make("No sound").await;
        stage.work().await;
        assert_eq!(counter.there(&ticket).len(), usize::from(made), "{fault:?}");
        if !made {
            assert_eq!(counter.states(&ticket).await, [State::Unknown], "{fault:?}");
        }
        stage.faulty.set(Plan::Never);
        stage.sync().await;
        counter.settle().await;
        assert_eq!((counter.states(&ticket).await, counter.there(&ticket).len()), (vec![State::Sent], 1), "{fault:?}");
        stage.faulty.set(Plan::Writes(fault.clone()));
        let number = counter.say(&ticket, Kind::Note, "Hello?").await;
        stage.work().await;
        if !made {
            assert_eq!(counter.states(&ticket).await[1], State::Unknown, "{fault:?}");
        }
        stage.faulty.set(Plan::Never);
        counter.settle().await;
        let mark = ticket_mark(ticket.number, Some(number));
        assert_eq!(
            (counter.states(&ticket).await[1], counter.notes_there(&ticket, &mark)),
            (State::Sent, 1),
            "{fault:?}"
        );
        stage.sync().await;
        assert_eq!(counter.said(&ticket).await.len(), 1, "an echo after {fault:?}");
    }
}

/// A database of the same kind, empty.
async fn testkit_again(db: &TestDb) -> TestDb {
    if db.store.is_postgres() { testkit::postgres().await.expect("was there before") } else { testkit::sqlite().await }
}

both_databases! {
    async fn a_ticket_goes_to_halopsa_and_comes_back(db: TestDb) {
        there_and_back(db, HALOPSA).await;
    }

    async fn a_ticket_goes_to_connectwise_and_comes_back(db: TestDb) {
        there_and_back(db, CONNECTWISE).await;
    }

    async fn a_psa_that_is_away_gets_everything_once_when_it_is_back(db: TestDb) {
        away(db, CONNECTWISE).await;
    }

    async fn lost_answers_double_nothing_at_halopsa(db: TestDb) {
        lost(db, HALOPSA).await;
    }

    async fn lost_answers_double_nothing_at_connectwise(db: TestDb) {
        lost(db, CONNECTWISE).await;
    }

    async fn what_is_refused_waits_for_a_person_and_what_a_dead_worker_sent_for_the_psa(db: TestDb) {
        let counter = counter(db, CONNECTWISE).await;
        let stage = &counter.stage;
        stage.faulty.set(Plan::Writes(Fault::Status(422)));
        let ticket = counter.make("No light").await;
        counter.say(&ticket, Kind::Note, "None at all.").await;
        stage.work().await;
        assert_eq!(counter.states(&ticket).await, [State::Refused, State::Queued]);
        stage.faulty.set(Plan::Never);
        stage.sync().await;
        assert_eq!(counter.states(&ticket).await, [State::Refused, State::Queued], "nobody wanted it again");
        let refused = counter.sendings(&ticket).await.remove(0);
        assert!(refused.problem.is_some());
        let tx = counter.begin().await;
        tx.ticket_sending_act(&refused, TicketSendingAct::Again, SendingChange::default()).await.expect("acts");
        tx.ticket_job_enqueue(stage.connection, Some(refused.id)).await.expect("queues");
        tx.commit_unjournalled().await.expect("commits");
        counter.settle().await;
        assert_eq!(counter.states(&ticket).await, [State::Sent; 2]);

        // Taken in hand by a worker that died: nobody sends it again before the PSA has told.
        let second = counter.make("No heat").await;
        let tx = counter.begin().await;
        let sending = tx.ticket_sendings(&[second.id]).await.expect("lists").remove(0);
        assert!(tx.ticket_sending_act(&sending, TicketSendingAct::Take, SendingChange::default()).await.expect("acts"));
        assert!(!tx.ticket_sending_act(&sending, TicketSendingAct::Take, SendingChange::default()).await.expect("acts"), "twice");
        tx.commit_unjournalled().await.expect("commits");
        stage.work().await;
        assert_eq!((counter.states(&second).await, counter.there(&second).len()), (vec![State::Sending], 0));
        stage.advance(601);
        stage.work().await;
        stage.sync().await;
        counter.settle().await;
        assert_eq!((counter.states(&second).await, counter.there(&second).len()), (vec![State::Sent], 1));
    }

    async fn a_client_that_no_psa_knows_has_no_desk(db: TestDb) {
        let counter = counter(db, HALOPSA).await;
        let other = counter.stage.new_client("Nobody's").await;
        let tx = counter.begin().await;
        assert_eq!(counter.stage.engine.ticket_desk(&tx, other).await.expect("looks"), None);
        let connection = tx.connection(counter.stage.connection).await.expect("is there");
        sync::connection_disconnect(&tx, crate::stage::ENTRIES, connection.id).await.expect("disconnects");
        assert_eq!(counter.stage.engine.ticket_desk(&tx, counter.client).await.expect("looks"), None);
    }
}
