//! Clients and their companies at a PSA, kept alike: edits of either side, of both, refused ones, and lost answers.

use std::sync::Arc;

use domain::{Error, PsaConflictKind as Kind, PsaDirection, PsaField, PsaOwner};
use integration::{Request, Response};
use sync::{ConflictTake, PsaPatch};
use testkit::{TestDb, both_databases};
use vendorkit::{Fault, Plan};

use crate::{
    psa_house::{ACTIVE, either, psa},
    stage::{AUTOTASK, CONNECTWISE, HALOPSA},
};

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Edits of each side reach the other and come to rest there.
async fn edits_are_carried_both_ways(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, either()).await;
    let (company, client) = stage.pair().await;
    // The blanks of the new client are filled.
    assert!(client.phone.is_some() && client.address.is_some(), "{client:?}");
    assert_eq!(stage.open().await, []);
    stage.simulated.clear_log();
    stage
        .edit(client.id, |client| {
            client.name = "Renamed Here Ltd".to_owned();
            client.address = some("7 New Quay\nLeith, Fife 1234");
        })
        .await;
    stage.settle().await;
    let there = stage.there(&company).await;
    assert_eq!(there.name, "Renamed Here Ltd");
    let address = there.address.expect("has an address");
    assert_eq!((address.street.as_deref(), address.city.as_deref()), (Some("7 New Quay"), Some("Leith")));
    // What we sent comes back, and is no news; nor is it sent again.
    let (entries, written) = (stage.journal("psa_sync").await, stage.written());
    for _ in 0..2 {
        stage.sync_and_settle().await;
    }
    assert_eq!((stage.journal("psa_sync").await, stage.written()), (entries, written), "an echo");
    stage.edit_there(&company, |business| business.phone = "+44 20 0000 1111".to_owned());
    assert!(stage.simulated.change(|world| world.rename_business(stage.key(&company), "Renamed There Ltd")));
    stage.sync_and_settle().await;
    let (told, now) = (stage.there(&company).await, stage.client(client.id).await);
    assert_eq!((now.name, now.phone), (told.name, some("+44 20 0000 1111")));
    assert_eq!(stage.journal("psa_sync").await, entries + 1, "one change set for all of it");
    stage.sync_and_settle().await;
    assert_eq!((stage.open().await, stage.written()), (Vec::new(), written));
}

/// Both edit one field: nobody wins until a person says so.
async fn both_edits_wait_for_a_person(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, either()).await;
    let (company, client) = stage.pair().await;
    let differ = async |ours: &str, theirs: &str| {
        stage.simulated.change(|world| world.rename_business(stage.key(&company), theirs));
        stage.advance(1);
        stage.edit(client.id, |client| client.name = ours.to_owned()).await;
        stage.sync_and_settle().await;
        let there = stage.there(&company).await.name;
        let mut open = stage.open().await;
        assert_eq!(open.len(), 1, "{open:?}");
        let item = open.remove(0);
        assert_eq!((item.kind, item.field), (Kind::BothChanged, Some(PsaField::Name)));
        assert_eq!((item.ours.as_deref(), item.theirs.as_deref()), (Some(ours), Some(there.as_str())));
        assert_eq!(stage.client(client.id).await.name, ours, "theirs won by being last");
        assert!(item.ours_by.as_deref() == Some("operator") && item.theirs_at.is_some(), "{item:?}");
        item
    };
    // Ours is sent, over what was seen.
    let item = differ("First Here Ltd", "First There Ltd").await;
    stage.decide(&item, ConflictTake::Ours).await.expect("decides");
    stage.settle().await;
    assert_eq!(stage.there(&company).await.name, "First Here Ltd");
    assert_eq!(stage.open().await, []);
    // Theirs is taken at once, and can be taken back.
    let item = differ("Second Here Ltd", "Second There Ltd").await;
    let entry = stage.decide(&item, ConflictTake::Theirs).await.expect("decides").expect("an entry");
    assert_eq!(Some(stage.client(client.id).await.name), item.theirs);
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    tx.journal_revert(entry, &Default::default()).await.expect("reverts");
    tx.commit("journal_revert", None).await.expect("commits");
    stage.settle().await;
    assert_eq!(stage.client(client.id).await.name, "Second Here Ltd");
    let item = stage.open().await.remove(0);
    // A typed value goes to both.
    stage.decide(&item, ConflictTake::Value("Third Ltd".to_owned())).await.expect("decides");
    stage.settle().await;
    assert_eq!(
        (stage.client(client.id).await.name.as_str(), stage.there(&company).await.name.as_str()),
        ("Third Ltd", "Third Ltd")
    );
    // They may also differ, and nobody asks again until one of them changes.
    let item = differ("Fourth Here Ltd", "Fourth There Ltd").await;
    stage.decide(&item, ConflictTake::Leave).await.expect("decides");
    stage.sync_and_settle().await;
    assert_eq!((stage.open().await.len(), stage.client(client.id).await.name.as_str()), (0, "Fourth Here Ltd"));
}

/// A company that is deleted there leaves its client alone.
async fn a_deleted_company_deletes_no_client(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, either()).await;
    let (company, client) = stage.pair().await;
    assert!(stage.simulated.change(|world| world.forget(stage.vendor.id, stage.key(&company))));
    // Before a sync has noticed: what is to be sent has nowhere to go.
    stage.edit(client.id, |client| client.name = "Still Ours Ltd".to_owned()).await;
    stage.settle().await;
    stage.sync_and_settle().await;
    let tx = stage.db.store.read(stage.context()).await.expect("reads");
    let gone = tx.entity(company.id).await.expect("is kept");
    assert!(gone.removed_at.is_some() && gone.client_id == Some(client.id), "it is for drift to say: {gone:?}");
    assert_eq!(stage.client(client.id).await.name, "Still Ours Ltd");
}

/// A PSA that is away keeps our edit waiting, and gets it once when it is back.
async fn what_cannot_be_sent_waits(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, either()).await;
    let (company, client) = stage.pair().await;
    for (at, plan) in [Plan::Always(Fault::Status(503)), Plan::Always(Fault::Throttled(60))].into_iter().enumerate() {
        let name = format!("Sent Later {at} Ltd");
        stage.simulated.clear_log();
        stage.faulty.set(plan);
        stage.edit(client.id, |client| client.name.clone_from(&name)).await;
        stage.work().await;
        assert!(stage.problem().await.is_some(), "it does not say that it waits");
        assert_eq!(stage.written(), 0);
        stage.faulty.set(Plan::Never);
        stage.settle().await;
        assert_eq!((stage.there(&company).await.name, stage.problem().await), (name, None));
        assert_eq!(stage.written(), 1);
    }
}

/// One company that the PSA will not give holds up no other, and what is to be sent to it waits for a person.
async fn a_company_that_is_withheld_stops_no_other(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, either()).await;
    let mut companies = stage.companies().await;
    companies.retain(|row| row.client_id.is_some());
    let withheld = companies[0].clone();
    let alone = format!("/{}", withheld.vendor_id);
    let alter = move |request: &Request, mut response: Response| {
        let path = request.url.path();
        if path.ends_with(&alone) && !path.contains("/Site/") {
            response.status = 403;
        }
        response
    };
    stage.faulty.set(Plan::Always(Fault::Alter(Arc::new(alter))));
    let name = |at: usize| format!("Renamed {at} Ltd");
    for (at, row) in companies.iter().enumerate() {
        stage.edit(row.client_id.expect("is mapped"), |client| client.name = name(at)).await;
    }
    stage.settle().await;
    for (at, row) in companies.iter().enumerate().skip(1) {
        assert_eq!(stage.there(row).await.name, name(at));
    }
    let open = stage.open().await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!((open[0].kind, open[0].entity_id), (Kind::Refused, Some(withheld.id)));
    assert!(open[0].message.is_some());
    // Decided for once more, it is sent as soon as the PSA gives it again.
    stage.faulty.set(Plan::Never);
    stage.decide(&open[0], ConflictTake::Ours).await.expect("decides");
    stage.settle().await;
    assert_eq!(stage.there(&withheld).await.name, name(0));
    assert_eq!((stage.open().await, stage.problem().await), (Vec::new(), None));
}

/// An answer that was lost is settled by reading, not by sending again.
async fn a_lost_answer_is_read_again(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, either()).await;
    let (company, client) = stage.pair().await;
    stage.simulated.clear_log();
    let before = stage.faulty.broken();
    stage.faulty.set(Plan::Writes(Fault::AnswerLost));
    stage.edit(client.id, |client| client.name = "Once And Once Only Ltd".to_owned()).await;
    stage.work().await;
    assert_eq!(stage.faulty.broken() - before, 1, "one write, one lost answer");
    stage.faulty.set(Plan::Never);
    stage.settle().await;
    stage.sync_and_settle().await;
    assert_eq!(stage.there(&company).await.name, "Once And Once Only Ltd");
    assert_eq!(stage.written(), 1, "{:?}", stage.simulated.log());
    assert_eq!(
        (stage.open().await, stage.client(client.id).await.name.as_str()),
        (Vec::new(), "Once And Once Only Ltd")
    );
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
    edits_are_carried_both_ways,
    both_edits_wait_for_a_person,
    a_deleted_company_deletes_no_client,
    what_cannot_be_sent_waits,
    a_lost_answer_is_read_again,
);

both_databases! {
    async fn a_company_that_connectwise_withholds_stops_no_other(db: TestDb) {
        a_company_that_is_withheld_stops_no_other(db, CONNECTWISE).await;
    }

    async fn a_company_that_halopsa_withholds_stops_no_other(db: TestDb) {
        a_company_that_is_withheld_stops_no_other(db, HALOPSA).await;
    }

    async fn an_edit_of_the_side_that_does_not_own_the_field_waits(db: TestDb) {
        let both = PsaPatch { direction: Some(PsaDirection::Both), ..PsaPatch::default() };
        let stage = psa(db, CONNECTWISE, both).await;
        let (company, client) = stage.pair().await;
        let name = company.name.clone();
        stage.edit(client.id, |client| client.name = "Not Ours To Say Ltd".to_owned()).await;
        stage.settle().await;
        let item = stage.open().await.remove(0);
        assert_eq!((item.kind, item.theirs.as_deref()), (Kind::NotOwned, Some(name.as_str())));
        assert_eq!(stage.there(&company).await.name, name);
        // Taken back by hand, it waits no longer.
        stage.edit(client.id, |client| client.name.clone_from(&name)).await;
        stage.settle().await;
        assert_eq!(stage.open().await, []);
        // The owner's value is the one that the owner has.
        stage.edit(client.id, |client| client.name = "Not Ours To Say Ltd".to_owned()).await;
        stage.settle().await;
        let item = stage.open().await.remove(0);
        stage.decide(&item, ConflictTake::Owner).await.expect("decides");
        assert_eq!(stage.client(client.id).await.name, name);
        // Where nothing is sent, ours cannot be decided for.
        stage.keep_in_step(PsaPatch { direction: Some(PsaDirection::FromPsa), ..PsaPatch::default() }).await;
        stage.edit(client.id, |client| client.name = "Not Ours To Say Ltd".to_owned()).await;
        stage.settle().await;
        let item = stage.open().await.remove(0);
        let refused = stage.decide(&item, ConflictTake::Ours).await.expect_err("cannot be sent");
        assert!(matches!(&refused, Error::Invalid(problems) if problems[0].code == "needs_both"), "{refused:?}");
        stage.simulated.clear_log();
        stage.sync_and_settle().await;
        assert_eq!(stage.written(), 0);
    }

    async fn an_edit_that_the_decider_did_not_see_stays(db: TestDb) {
        let stage = psa(db, CONNECTWISE, either()).await;
        let (company, client) = stage.pair().await;
        stage.simulated.change(|world| world.rename_business(stage.key(&company), "Seen There Ltd"));
        stage.edit(client.id, |client| client.name = "Seen Here Ltd".to_owned()).await;
        stage.sync_and_settle().await;
        let item = stage.open().await.remove(0);
        stage.edit(client.id, |client| client.name = "Not Seen Ltd".to_owned()).await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let current = sync::psa_conflict_current(&tx, std::slice::from_ref(&item)).await.expect("reads");
        assert_eq!((item.ours.as_deref(), current[&item.id].as_str()), (Some("Seen Here Ltd"), "Not Seen Ltd"));
        tx.rollback().await.expect("ends");
        for take in [ConflictTake::Theirs, ConflictTake::Value("Typed Ltd".to_owned())] {
            let refused = stage.decide(&item, take).await.expect_err("was not seen");
            assert!(matches!(&refused, Error::Invalid(problems) if problems[0].code == "moved"), "{refused:?}");
        }
        assert_eq!(stage.client(client.id).await.name, "Not Seen Ltd");
        // What was seen may differ; the edit since is carried like any other.
        stage.decide(&item, ConflictTake::Leave).await.expect("decides");
        stage.settle().await;
        assert_eq!(stage.there(&company).await.name, "Not Seen Ltd");
        assert_eq!(stage.open().await, []);
    }

    async fn nothing_is_sent_once_edits_only_come_from_the_psa(db: TestDb) {
        let stage = psa(db, CONNECTWISE, either()).await;
        let (company, client) = stage.pair().await;
        stage.simulated.change(|world| world.rename_business(stage.key(&company), "Named There Ltd"));
        stage.edit(client.id, |client| client.name = "Named Here Ltd".to_owned()).await;
        stage.sync_and_settle().await;
        let item = stage.open().await.remove(0);
        stage.decide(&item, ConflictTake::Ours).await.expect("decides");
        stage.keep_in_step(PsaPatch { direction: Some(PsaDirection::FromPsa), ..PsaPatch::default() }).await;
        stage.simulated.clear_log();
        stage.sync_and_settle().await;
        assert_eq!(stage.written(), 0, "{:?}", stage.simulated.log());
        assert_eq!(stage.open().await.len(), 1, "what cannot be sent any more is asked about again");
    }

    async fn values_that_never_agreed_and_blanks_wait(db: TestDb) {
        let stage = psa(db, CONNECTWISE, PsaPatch::default()).await;
        let (company, client) = stage.pair().await;
        stage.edit(client.id, |client| client.phone = some("our own number")).await;
        stage.keep_in_step(either()).await;
        stage.settle().await;
        let item = stage.open().await.remove(0);
        assert_eq!((item.kind, item.field), (Kind::NeverAgreed, Some(PsaField::Phone)));
        stage.decide(&item, ConflictTake::Theirs).await.expect("decides");
        // Theirs becomes blank: ours stays.
        stage.edit_there(&company, |business| business.phone = String::new());
        stage.sync_and_settle().await;
        let item = stage.open().await.remove(0);
        assert_eq!((item.kind, item.theirs.clone()), (Kind::Emptied, None));
        assert!(stage.client(client.id).await.phone.is_some(), "a blank went over a known value");
        stage.decide(&item, ConflictTake::Theirs).await.expect("decides");
        assert_eq!(stage.client(client.id).await.phone, None, "a person may empty it");
    }

    async fn what_the_psa_refuses_waits_with_its_words(db: TestDb) {
        let stage = psa(db, AUTOTASK, either()).await;
        let (company, client) = stage.pair().await;
        stage.faulty.set(Plan::Writes(Fault::Status(422)));
        stage.edit(client.id, |client| client.name = "Refused Ltd".to_owned()).await;
        stage.settle().await;
        stage.faulty.set(Plan::Never);
        let item = stage.open().await.remove(0);
        assert_eq!((item.kind, item.ours.as_deref()), (Kind::Refused, Some("Refused Ltd")));
        assert!(item.message.is_some());
        stage.simulated.clear_log();
        stage.sync_and_settle().await;
        assert_eq!(stage.written(), 0, "what was refused is not sent again by itself");
        stage.edit(client.id, |client| client.name = "Accepted Ltd".to_owned()).await;
        stage.settle().await;
        assert_eq!((stage.open().await, stage.there(&company).await.name.as_str()), (Vec::new(), "Accepted Ltd"));
    }

    async fn the_main_contact_and_the_status_are_carried_too(db: TestDb) {
        let stage = psa(db, CONNECTWISE, either()).await;
        let (company, client) = stage.pair().await;
        assert!(client.contact_email.is_some() && client.status == ACTIVE, "{client:?}");
        stage.edit(client.id, |client| client.contact_email = some("office@new.example")).await;
        stage.settle().await;
        let person = stage.simulated.read(|world| world.business(stage.key(&company)).expect("is there").people[0].clone());
        assert_eq!(person.email, "office@new.example");
        stage.edit(client.id, |client| client.status = domain::ClientStatus::Inactive).await;
        stage.settle().await;
        assert_eq!(stage.there(&company).await.active, Some(false));
        stage.simulated.change(|world| world.change_person(person.id, |person| person.email = "desk@new.example".to_owned()));
        stage.sync_and_settle().await;
        assert_eq!(stage.client(client.id).await.contact_email, some("desk@new.example"));
        assert_eq!(stage.open().await, []);
    }

    async fn nothing_is_asked_or_sent_while_it_is_off(db: TestDb) {
        let stage = psa(db, HALOPSA, PsaPatch::default()).await;
        let (_, client) = stage.pair().await;
        stage.edit(client.id, |client| client.name = "Nobody's Business Ltd".to_owned()).await;
        stage.simulated.clear_log();
        assert_eq!(stage.work().await, 0);
        let owners = std::iter::once((PsaField::Name, PsaOwner::Panelone)).collect();
        stage.keep_in_step(PsaPatch { owners, ..PsaPatch::default() }).await;
        assert_eq!((stage.work().await, stage.simulated.count()), (0, 0));
    }
}
