use std::collections::BTreeSet;

use domain::{Client, Error, Outcome, PageRequest};
use persistence::{Apply, JournalFilter, Verification};
use testkit::{TestDb, both_databases};

async fn rename(
    db: &TestDb,
    organisation: domain::OrganisationId,
    id: domain::ClientId,
    name: &str,
) -> domain::ChangeSet {
    let tx = db.store.begin(db.context(organisation)).await.expect("begins");
    let before = tx.client(id).await.expect("finds");
    tx.client_update(&before, Client { name: name.into(), ..before.clone() }).await.expect("updates");
    tx.commit("client_update", Some("test")).await.expect("commits")
}

async fn verify(db: &TestDb, organisation: domain::OrganisationId) -> Verification {
    let tx = db.store.read(db.context(organisation)).await.expect("reads");
    tx.journal_verify(None).await.expect("verifies")
}

both_databases! {
    async fn every_change_leaves_an_entry_and_an_unchanged_save_none(db: TestDb) {
        let organisation = db.organisation("Entries").await;
        let id = db.client(organisation, "Before").await;
        let set = rename(&db, organisation, id, "After").await;
        assert_eq!(set.changes.len(), 1);
        assert!(set.entry.is_some());
        let same = rename(&db, organisation, id, "After").await;
        assert!(same.changes.is_empty() && same.entry.is_none());
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        let page = PageRequest { limit: 10, after: None };
        let listed = tx.journal_list(&JournalFilter { client: Some(id), ..Default::default() }, &page).await.expect("lists");
        let actions: Vec<_> = listed.items.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["client_update", "client_create"]);
        let change = &listed.items[0].changes[0];
        assert_eq!(change.before.as_ref().map(|v| v["name"].clone()), Some("Before".into()));
        assert_eq!(change.after.as_ref().map(|v| v["name"].clone()), Some("After".into()));
        assert_eq!(verify(&db, organisation).await.faults, []);
    }

    async fn a_preview_writes_nothing_and_agrees_with_its_apply(db: TestDb) {
        let organisation = db.organisation("Preview").await;
        let make = async |apply: Apply| {
            let tx = db.store.begin(db.context(organisation)).await.expect("begins");
            let client = Client {
                id: tx.new_id(), name: "New".into(), status: Default::default(), notes: None, contact_email: None,
                phone: None, address: None, created_at: tx.now(), updated_at: tx.now(), archived_at: None, deleted_at: None, tags: Vec::new(), version: 1,
                device_count: 0, user_count: 0,
            };
            tx.client_insert(&client).await.expect("inserts");
            tx.finish("client_create", &apply).await
        };
        let preview = make(Apply { dry_run: true, ..Apply::default() }).await.expect("previews");
        let totals = db.store.read(db.context(organisation)).await.expect("reads").client_totals().await.expect("counts");
        assert_eq!(totals.total(), 0);
        db.clock.advance(60);
        let moved = make(Apply { expect: Some("0".repeat(64)), ..Apply::default() }).await;
        assert!(matches!(moved, Err(Error::Moved(_))));
        let applied = make(Apply { expect: Some(preview.digest.clone()), ..Apply::default() }).await.expect("applies");
        assert_eq!(applied.digest, preview.digest);
        assert!(applied.entry.is_some());
    }

    async fn any_tampering_with_the_journal_is_found(db: TestDb) {
        let organisation = db.organisation("Tamper").await;
        let id = db.client(organisation, "C0").await;
        for n in 1..8 {
            rename(&db, organisation, id, &format!("C{n}")).await;
        }
        let sound = verify(&db, organisation).await;
        assert_eq!((sound.entries, sound.faults.len()), (8, 0));
        let save = ["CREATE TABLE saved_journal AS SELECT * FROM journal", "CREATE TABLE saved_head AS SELECT * FROM journal_head"];
        for statement in save {
            db.tamper(statement).await.expect("saves");
        }
        let tamperings = [
            ("edited", "UPDATE journal SET reason = 'forged' WHERE seq = 3"),
            ("edited actor", "UPDATE journal SET actor = '{\"kind\":\"worker\"}' WHERE seq = 4"),
            ("edited approver", "UPDATE journal SET approved_by = id WHERE seq = 2"),
            ("edited changes", "UPDATE journal SET changes = '[]' WHERE seq = 5"),
            ("deleted", "DELETE FROM journal WHERE seq = 4"),
            ("first deleted", "DELETE FROM journal WHERE seq = 1"),
            ("cut off", "DELETE FROM journal WHERE seq >= 6"),
            ("cut off with the head set back", "DELETE FROM journal WHERE seq = 8; UPDATE journal_head SET seq = 7, hash = (SELECT hash FROM journal WHERE seq = 7)"),
            ("inserted", "INSERT INTO journal SELECT organisation_id, 9, id, at, actor, actor_kind, actor_id, acted_for, source_address, request_id, action, outcome, reason, changes, digest, reverts, hash, change_set, approved_by FROM saved_journal WHERE seq = 8 AND 0 = (SELECT count(*) FROM journal WHERE seq = 9)"),
            ("reordered", "UPDATE journal SET seq = 100 WHERE seq = 3; UPDATE journal SET seq = 3 WHERE seq = 4; UPDATE journal SET seq = 4 WHERE seq = 100"),
            ("all deleted", "DELETE FROM journal"),
            ("all and the head deleted", "DELETE FROM journal; DELETE FROM journal_head"),
        ];
        db.tamper("DROP INDEX journal_id").await.expect("drops");
        for (name, statement) in tamperings {
            for part in statement.split(';') {
                db.tamper(part).await.unwrap_or_else(|why| panic!("{name}: {why}"));
            }
            let found = verify(&db, organisation).await;
            assert!(!found.faults.is_empty(), "{name} was not found");
            for part in ["DELETE FROM journal", "INSERT INTO journal SELECT * FROM saved_journal", "DELETE FROM journal_head", "INSERT INTO journal_head SELECT * FROM saved_head"] {
                db.tamper(part).await.expect("restores");
            }
            assert_eq!(verify(&db, organisation).await.faults, [], "after restoring from: {name}");
        }
        // The whole chain and its sealed end set back to an earlier state: only an anchor can tell.
        let anchor = verify(&db, organisation).await.head;
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        let parsed = Verification::parse_anchor(&anchor).expect("parses");
        assert_eq!(tx.journal_verify(Some(parsed)).await.expect("verifies").faults, []);
        assert!(!tx.journal_verify(Some((9, parsed.1))).await.expect("verifies").faults.is_empty());
        assert!(!tx.journal_verify(Some((7, parsed.1))).await.expect("verifies").faults.is_empty());
    }

    async fn reverting_restores_and_refuses_what_changed_since(db: TestDb) {
        let organisation = db.organisation("Revert").await;
        let id = db.client(organisation, "One").await;
        let first = rename(&db, organisation, id, "Two").await.entry.expect("entry");
        rename(&db, organisation, id, "Three").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let refused = tx.journal_revert(first, &BTreeSet::new()).await;
        assert!(matches!(&refused, Err(Error::Invalid(problems)) if problems[0].pointer == id.to_string()), "{refused:?}");
        tx.rollback().await.expect("rolls back");
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        tx.journal_revert(first, &[id.0].into()).await.expect("reverts");
        let set = tx.commit("journal_revert", None).await.expect("commits");
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        assert_eq!(tx.client(id).await.expect("finds").name, "One");
        let entry = tx.journal_entry(set.entry.expect("entry")).await.expect("finds");
        assert_eq!(entry.reverts, Some(first));
        assert_eq!(verify(&db, organisation).await.faults, []);
    }

    async fn attempts_leave_entries_too(db: TestDb) {
        let organisation = db.organisation("Attempts").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        tx.commit_attempt("client_delete", Outcome::Denied, "viewer").await.expect("commits");
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        let page = PageRequest::first();
        let listed = tx.journal_list(&JournalFilter { outcome: Some(Outcome::Denied), ..Default::default() }, &page).await.expect("lists");
        assert_eq!(listed.total, 1);
        assert_eq!(verify(&db, organisation).await.faults, []);
    }
}
