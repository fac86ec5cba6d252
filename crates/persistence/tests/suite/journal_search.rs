//! Searching the journal, proving it stretch by stretch, and signing it.

use std::collections::BTreeSet;

use domain::{Actor, ClientScope, Context, Error, OrganisationId, Outcome, PageRequest, StaffId};
use persistence::{Checkpoint, JournalEntry, JournalFilter};
use testkit::{TestDb, both_databases};
use uuid::Uuid;

async fn search(db: &TestDb, context: Context, filter: JournalFilter) -> (Vec<String>, i64) {
    let tx = db.store.read(context).await.expect("reads");
    let page = PageRequest { limit: 100, after: None };
    let found = tx.journal_list(&filter, &page).await.expect("lists");
    (found.items.into_iter().map(|entry| entry.action).collect(), found.total)
}

async fn note(db: &TestDb, context: Context, action: &str, outcome: Outcome) {
    let tx = db.store.begin(context).await.expect("begins");
    tx.commit_attempt(action, outcome, "told").await.expect("commits");
}

fn staff(db: &TestDb, organisation: OrganisationId, id: u128, request: &str) -> Context {
    let actor = Actor::Staff { id: StaffId(Uuid::from_u128(id)) };
    Context { actor, request_id: request.to_owned(), ..db.context(organisation) }
}

fn by(change: impl FnOnce(&mut JournalFilter)) -> JournalFilter {
    let mut filter = JournalFilter::default();
    change(&mut filter);
    filter
}

both_databases! {
    async fn every_filter_finds_its_own_and_nothing_else(db: TestDb) {
        let organisation = db.organisation("Search").await;
        let stranger = db.organisation("Stranger").await;
        let client = db.client(organisation, "Kite \"quoted\" 100% Ébène").await;
        db.clock.advance(10_000);
        let start = db.now();
        note(&db, staff(&db, organisation, 1, "r-1"), "one", Outcome::Done).await;
        db.clock.advance(10_000);
        let middle = db.now();
        let acting = Context { acted_for: Some(client), ..staff(&db, organisation, 2, "r-2") };
        note(&db, acting, "two", Outcome::Denied).await;
        note(&db, staff(&db, stranger, 1, "r-1"), "strange", Outcome::Done).await;
        let whole = || db.context(organisation);
        let cases = [
            (by(|f| f.actor = Some(Uuid::from_u128(1))), vec!["one"]),
            (by(|f| f.actor_kind = Some("staff".to_owned())), vec!["two", "one"]),
            (by(|f| f.request_id = Some("r-2".to_owned())), vec!["two"]),
            (by(|f| f.outcome = Some(Outcome::Denied)), vec!["two"]),
            (by(|f| f.acted_for = Some(client)), vec!["two"]),
            (by(|f| f.action = Some("one".to_owned())), vec!["one"]),
            // Also what was done for it, whatever that touched.
            (by(|f| f.client = Some(client)), vec!["two", "client_create"]),
            (by(|f| f.record = Some(client.0)), vec!["client_create"]),
            (by(|f| f.record = Some(Uuid::from_u128(9))), vec![]),
            (by(|f| f.since = Some(start)), vec!["two", "one"]),
            (by(|f| f.until = Some(middle)), vec!["one", "client_create"]),
            (by(|f| (f.since, f.until) = (Some(start), Some(middle))), vec!["one"]),
            (by(|f| f.text = Some("kite \"QUOTED\" 100%".to_owned())), vec!["client_create"]),
            (by(|f| f.text = Some("100_ ".to_owned())), vec![]),
            (by(|f| f.text = Some("Ébène".to_owned())), vec!["client_create"]),
        ];
        for (filter, expected) in cases {
            let (mut found, total) = search(&db, whole(), filter.clone()).await;
            assert_eq!(total, found.len() as i64, "{filter:?}");
            // What made the organisation is not of this test.
            found.retain(|action| ["one", "two", "client_create"].contains(&action.as_str()));
            assert_eq!(found, expected, "{filter:?}");
        }
        let (_, total) = search(&db, whole(), JournalFilter::default()).await;
        assert_eq!(total, db.store.read(whole()).await.expect("reads").journal_end().await.expect("reads"));
    }

    async fn who_sees_some_clients_finds_nothing_of_the_others(db: TestDb) {
        let organisation = db.organisation("Scopes").await;
        let (mine, hidden) = (db.client(organisation, "Mine").await, db.client(organisation, "Hidden").await);
        let scope = ClientScope::Only(BTreeSet::from([mine]));
        let scoped = || Context { scope: scope.clone(), ..db.context(organisation) };
        for (filter, expected) in [
            (by(|f| f.record = Some(hidden.0)), 0),
            (by(|f| f.text = Some("Hidden".to_owned())), 0),
            (by(|f| f.client = Some(hidden)), 0),
            (by(|f| f.record = Some(mine.0)), 1),
            (by(|f| f.text = Some("Mine".to_owned())), 1),
        ] {
            assert_eq!(search(&db, scoped(), filter.clone()).await.0.len(), expected, "{filter:?}");
        }
    }

    async fn pages_follow_one_another_without_gap_or_overlap(db: TestDb) {
        let organisation = db.organisation("Pages").await;
        for at in 0..23 {
            note(&db, staff(&db, organisation, at % 2, "r"), "step", Outcome::Done).await;
        }
        let filter = by(|f| f.actor = Some(Uuid::from_u128(1)));
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        let (mut seen, mut before) = (Vec::<JournalEntry>::new(), None);
        loop {
            let page = tx.journal_page(&filter, before, 4).await.expect("lists");
            assert!(page.items.len() <= 4);
            seen.extend(page.items);
            match page.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        assert_eq!(seen.len(), 11);
        assert!(seen.windows(2).all(|pair| pair[0].seq > pair[1].seq));
        // A cursor that nobody was given finds nothing, and breaks nothing.
        let text = by(|f| f.text = Some("step".to_owned()));
        for wild in [i64::MIN, 0, i64::MAX] {
            tx.journal_page(&text, Some(wild), 4).await.expect("lists");
        }
    }

    async fn stretches_prove_what_the_whole_does(db: TestDb) {
        let organisation = db.organisation("Stretches").await;
        for _ in 0..520 {
            note(&db, db.context(organisation), "step", Outcome::Done).await;
        }
        let prove = async || {
            let tx = db.store.read(db.context(organisation)).await.expect("reads");
            let (mut from, mut entries, mut faults, mut stretches) = (1, 0, Vec::new(), 0);
            loop {
                let found = tx.journal_verify_range(from, Some(500), None).await.expect("verifies");
                entries += found.entries;
                faults.extend(found.faults);
                stretches += 1;
                match found.next {
                    Some(next) => from = next,
                    None => break,
                }
            }
            let whole = tx.journal_verify(None).await.expect("verifies");
            assert_eq!((entries, &faults), (whole.entries, &whole.faults));
            (stretches, faults)
        };
        let (stretches, faults) = prove().await;
        assert!(stretches >= 2 && faults.is_empty(), "{stretches} {faults:?}");
        db.tamper("UPDATE journal SET reason = 'forged' WHERE seq = 400").await.expect("tampers");
        let (_, faults) = prove().await;
        assert_eq!(faults.iter().map(|fault| fault.seq).collect::<Vec<_>>(), [400]);
        db.tamper("DELETE FROM journal WHERE seq = 501").await.expect("tampers");
        assert!(prove().await.1.iter().any(|fault| fault.seq == 501));
    }

    async fn a_checkpoint_vouches_for_what_was_there(db: TestDb) {
        let organisation = db.organisation("Signed").await;
        db.client(organisation, "One").await;
        let sign = async || {
            db.store.read(db.context(organisation)).await.expect("reads").journal_checkpoint_prove().await?;
            let tx = db.store.begin(db.context(organisation)).await.expect("begins");
            let made = tx.journal_checkpoint_create().await?;
            tx.commit("journal_checkpoint_create", None).await?;
            Ok::<_, Error>(made)
        };
        let holds = async |checkpoint: &Checkpoint| {
            let tx = db.store.read(db.context(organisation)).await.expect("reads");
            tx.journal_checkpoint_holds(checkpoint).await
        };
        let first = sign().await.expect("signs");
        assert_eq!(sign().await.expect("answers"), first, "nothing new but its own entry");
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        assert_eq!(tx.journal_checkpoint(first.id).await.expect("finds"), first, "as it was signed");
        drop(tx);
        first.check(Some(&first.public_key.to_uppercase())).expect("is sound");
        assert!(first.check(Some(&"00".repeat(32))).is_err(), "another key");
        let mut forged = first.clone();
        forged.seq += 1;
        assert!(forged.check(None).is_err(), "another place");
        forged = first.clone();
        forged.hash = "00".repeat(32);
        assert!(forged.check(None).is_err() && holds(&forged).await.is_err(), "another hash");
        db.client(organisation, "Two").await;
        let second = sign().await.expect("signs");
        assert!(second.seq > first.seq && second.public_key == first.public_key);
        holds(&first).await.expect("holds");
        holds(&second).await.expect("holds");
        let other = db.organisation("Other").await;
        let tx = db.store.read(db.context(other)).await.expect("reads");
        assert!(tx.journal_checkpoint_holds(&first).await.is_err(), "another organisation's");
        assert!(matches!(tx.journal_checkpoint(first.id).await, Err(Error::NotFound { .. })));
        drop(tx);
        let cut = format!("DELETE FROM journal WHERE seq >= {}", second.seq);
        db.tamper(&cut).await.expect("tampers");
        assert!(holds(&second).await.is_err(), "cut off");
        holds(&first).await.expect("what is before is there still");
        assert!(matches!(sign().await, Err(Error::Conflict { code: "journal_unsound", .. })));
    }
}
