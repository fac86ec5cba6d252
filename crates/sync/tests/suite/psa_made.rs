//! Clients made of new companies and companies of new clients, never a second time; and tickets, which come back.

use domain::{Counts, MappingState, PsaConflictKind as Kind, PsaDirection, RunState, Trigger};
use integration::{RecordKind, TicketDraft, TicketNote};
use persistence::{Apply, Listing, MappingWrite, RunProgress, RunStart};
use sync::{Acting, Asking, ConflictTake, PsaPatch, TicketCreate, TicketNoteAdd, TicketUpdate};
use testkit::{TestDb, both_databases};
use vendorkit::{Fault, Plan, world::TicketState};

use crate::{
    psa_house::{either, psa},
    stage::{AUTOTASK, CONNECTWISE, HALOPSA, Stage},
};

fn making() -> PsaPatch {
    PsaPatch { create_clients: Some(true), create_companies: Some(true), ..either() }
}

async fn clients(stage: &Stage) -> Vec<String> {
    let tx = stage.db.store.read(stage.context()).await.expect("reads");
    let mut names: Vec<String> = tx.client_names().await.expect("reads").into_iter().map(|(_, name)| name).collect();
    names.sort_unstable();
    names
}

async fn new_ones_are_made_on_the_other_side_once(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, making()).await;
    let before = clients(&stage).await;
    let known = stage.companies().await.len();
    assert_eq!(before.len(), known - 1, "a company that was there before is for the import");
    stage.advance(1);
    stage.simulated.change(|world| world.add_business("Newcomer Widgets Ltd", &[vendor]));
    stage.sync_and_settle().await;
    stage.sync_and_settle().await;
    assert_eq!(clients(&stage).await.len(), before.len() + 1);
    // Of a new client; Autotask wants a telephone with it.
    let id = stage.new_client("Freshly Founded Ltd").await;
    stage.edit(id, |client| client.phone = Some("+44 20 1234 5678".to_owned())).await;
    stage.settle().await;
    stage.sync_and_settle().await;
    let companies = stage.companies().await;
    let made: Vec<_> = companies.iter().filter(|row| row.client_id == Some(id)).collect();
    assert_eq!((companies.len(), made.len()), (known + 2, 1), "{companies:?}");
    assert_eq!(made[0].name, "Freshly Founded Ltd");
    assert_eq!(stage.open().await, []);
    // And it is kept in step from then on.
    stage.edit(id, |client| client.name = "Freshly Renamed Ltd".to_owned()).await;
    stage.settle().await;
    assert_eq!(stage.there(made[0]).await.name, "Freshly Renamed Ltd");
}

/// A client that a person deletes does not come again, nor is its company made a second time.
async fn a_deleted_client_stays_away(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, making()).await;
    let (before, earlier) = (clients(&stage).await, stage.companies().await);
    stage.advance(1);
    stage.simulated.change(|world| world.add_business("Not Our Client Ltd", &[vendor]));
    stage.sync_and_settle().await;
    assert_eq!(clients(&stage).await.len(), before.len() + 1);
    let known = stage.companies().await;
    let company = known.iter().find(|row| earlier.iter().all(|old| old.id != row.id)).expect("is listed");
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    let unmapped = MappingWrite { client: None, state: MappingState::Unmapped, reason: None };
    tx.mapping_write(company.id, &unmapped).await.expect("unmaps");
    let made = tx.client(company.client_id.expect("is mapped")).await.expect("was made");
    let deleted = domain::Client { deleted_at: Some(tx.now()), ..made.clone() };
    tx.client_update(&made, deleted).await.expect("deletes");
    tx.commit("client_delete", None).await.expect("commits");
    for _ in 0..2 {
        stage.sync_and_settle().await;
    }
    assert_eq!((clients(&stage).await, stage.companies().await.len()), (before, known.len()), "it came back");
}

async fn a_likeness_is_asked_about(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, making()).await;
    let (known, before) = (stage.companies().await, clients(&stage).await);
    stage.advance(1);
    // A new company with the name of a client, and a new client with the name of the company that nobody has.
    stage.simulated.change(|world| world.add_business("Twin Widgets Ltd", &[vendor]));
    let listed = stage.truth().await;
    let entities = listed.iter().filter(|((kind, ..), _)| kind == "entity");
    let mut new = entities.filter(|((.., id), _)| known.iter().all(|row| row.vendor_id != *id));
    let twin = new.next().expect("is new").1.0.clone();
    let taken = stage.pair().await.1.id;
    stage.edit(taken, |client| client.name.clone_from(&twin)).await;
    let lonely = known.iter().find(|row| row.client_id.is_none()).expect("the last");
    let id = stage.new_client(&lonely.name).await;
    stage.sync_and_settle().await;
    let open = stage.open().await;
    let of = |kind: Kind| open.iter().find(|one| one.kind == kind).unwrap_or_else(|| panic!("{kind:?}: {open:?}"));
    let (company, client) = (of(Kind::LikeCompany), of(Kind::LikeClient));
    assert_eq!((company.client_id, company.entity_id), (Some(id), Some(lonely.id)));
    assert_eq!(client.client_id, Some(taken));
    assert_eq!(stage.companies().await.len(), known.len() + 1, "a twin was made there");
    assert_eq!(clients(&stage).await.len(), before.len() + 1, "a twin was made here");
    stage.decide(company, ConflictTake::Link).await.expect("links");
    stage.decide(client, ConflictTake::Create).await.expect("creates");
    stage.settle().await;
    assert_eq!(clients(&stage).await.iter().filter(|name| **name == twin).count(), 2);
    let mapped = stage.companies().await.into_iter().find(|row| row.id == lonely.id).expect("is listed");
    assert_eq!(mapped.client_id, Some(id));
    let left: Vec<_> = stage.open().await.into_iter().filter(|one| one.field.is_none()).collect();
    assert_eq!(left, []);
}

/// A client that a PSA makes a company of, and whose answer is lost.
async fn made_unheard(stage: &Stage) -> domain::ClientId {
    stage.faulty.set(Plan::Writes(Fault::AnswerLost));
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    let client = domain::Client { phone: Some("+44 20 1234 5678".to_owned()), id: tx.new_id(), ..stage.pair().await.1 };
    let client = domain::Client { name: "Only One Ltd".to_owned(), created_at: tx.now(), version: 1, ..client };
    tx.client_insert(&client).await.expect("inserts");
    tx.commit("client_create", None).await.expect("commits");
    stage.work().await;
    stage.faulty.set(Plan::Never);
    client.id
}

/// The PSA made it and nobody heard: the listing tells, and there is one.
async fn a_lost_answer_makes_no_second_company(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, making()).await;
    let known = stage.companies().await.len();
    stage.advance(1);
    let client = made_unheard(&stage).await;
    stage.sync_and_settle().await;
    stage.sync_and_settle().await;
    let companies = stage.companies().await;
    assert_eq!(companies.len(), known + 1, "{companies:?}");
    assert_eq!(companies.iter().filter(|row| row.client_id == Some(client)).count(), 1);
}

/// A sync that had read its page before the company was made, and ends after that, proves nothing.
async fn a_sync_across_a_lost_answer_makes_no_second_company(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, making()).await;
    let known = stage.companies().await.len();
    stage.advance(1);
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    let kind = RecordKind::Entity.as_str().to_owned();
    let run = RunStart { id: tx.new_id(), connection_id: stage.connection, kind, trigger: Trigger::Schedule };
    tx.run_start(&run).await.expect("starts");
    tx.commit_unjournalled().await.expect("commits");
    stage.advance(1);
    let client = made_unheard(&stage).await;
    stage.advance(1);
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    let ended = RunProgress {
        state: RunState::Complete,
        counts: Counts::default(),
        pages: 1,
        expected: None,
        checkpoint: None,
        code: None,
        message: None,
        finished_at: Some(tx.now()),
    };
    tx.run_progress(run.id, &ended).await.expect("ends");
    let listings = tx.listings(&[stage.connection]).await.expect("lists");
    let listing = listings.into_iter().find(|one| one.kind == run.kind).expect("was listed");
    tx.listing_write(&Listing { complete_at: Some(tx.now()), ..listing }).await.expect("is noted");
    tx.commit_unjournalled().await.expect("commits");
    for _ in 0..4 {
        stage.advance(300);
        stage.work().await;
    }
    stage.sync_and_settle().await;
    stage.sync_and_settle().await;
    let companies = stage.companies().await;
    assert_eq!(companies.len(), known + 1, "{companies:?}");
    assert_eq!(companies.iter().filter(|row| row.client_id == Some(client)).count(), 1);
}

/// A ticket made here is one ticket, and says what the desk made of it.
async fn a_ticket_made_here_comes_back_once(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, PsaPatch { direction: Some(PsaDirection::Both), ..PsaPatch::default() }).await;
    let (company, client) = stage.pair().await;
    let tickets = async || {
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        tx.records_under(&[company.id], RecordKind::Ticket.as_str()).await.expect("reads")
    };
    let act = async |act: std::sync::Arc<dyn sync::Act>| {
        let asking = Asking { client: client.id, apply: Apply::default(), key: None };
        match stage.engine.act(&stage.context(), act, asking).await.expect("is done") {
            Acting::Acted(acted) => acted.record.expect("is stored"),
            Acting::Repeated { .. } => panic!("nothing was repeated"),
        }
    };
    let before = tickets().await.len();
    let draft = TicketDraft {
        title: Some("Printer on fire".into()),
        description: Some("It burns.".into()),
        ..TicketDraft::default()
    };
    let made = act(std::sync::Arc::new(TicketCreate { entity: company.id, contact: None, draft })).await;
    let note = TicketNote { text: "Sent water.".to_owned(), public: true };
    act(std::sync::Arc::new(TicketNoteAdd { id: made.id, note })).await;
    stage.sync_and_settle().await;
    assert_eq!(tickets().await.len(), before + 1, "it came back a second time");
    let number: u64 = made.vendor_id.parse().expect("a number");
    let noted = stage.simulated.read(|world| world.ticket(number).expect("is there").1.notes.clone());
    assert!(noted.iter().any(|(text, _)| text.contains("Sent water.")), "{noted:?}");
    // The desk closes it: the next sync shows that.
    stage.simulated.change(|world| {
        let now = world.now;
        world.change_ticket(number, |ticket| {
            (ticket.state, ticket.closed, ticket.updated) = (TicketState::Closed, Some(now), now)
        })
    });
    stage.sync_and_settle().await;
    let stored = tickets().await.into_iter().find(|one| one.id == made.id).expect("is there");
    let read: integration::Ticket = serde_json::from_str(&stored.body).expect("a ticket");
    assert_eq!((read.title.as_str(), read.open), ("Printer on fire", Some(false)), "{read:?}");
    // And what is changed here is changed there.
    let draft = TicketDraft { title: Some("Printer was on fire".into()), ..TicketDraft::default() };
    act(std::sync::Arc::new(TicketUpdate { id: made.id, contact: None, draft })).await;
    stage.sync_and_settle().await;
    assert_eq!(
        stage.simulated.read(|world| world.ticket(number).expect("is there").1.title.clone()),
        "Printer was on fire"
    );
    assert_eq!(tickets().await.len(), before + 1);
}

macro_rules! at_each_psa {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            use super::*;
            both_databases! {
                async fn connectwise(db: TestDb) {
                    super::$name(db, CONNECTWISE).await;
                }
                async fn autotask(db: TestDb) {
                    super::$name(db, AUTOTASK).await;
                }
                async fn halopsa(db: TestDb) {
                    super::$name(db, HALOPSA).await;
                }
            }
        }
    )+ };
}

at_each_psa!(
    new_ones_are_made_on_the_other_side_once,
    a_deleted_client_stays_away,
    a_likeness_is_asked_about,
    a_lost_answer_makes_no_second_company,
    a_sync_across_a_lost_answer_makes_no_second_company,
    a_ticket_made_here_comes_back_once,
);
