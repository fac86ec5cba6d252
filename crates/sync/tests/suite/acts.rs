//! Everything that can be done at a vendor: previewed, noted, sent once, kept as the vendor answers it, and honest
//! when the answer is lost.

use domain::{ClientScope, Context, Error, Permissions, Role};
use integration::{ContactDraft, RecordKind as K, TicketDraft, TicketNote};
use persistence::{Apply, VendorWriteState};
use serde_json::json;
use sync::{
    Acting, ContactCreate, ContactRemove, ContactUpdate, CustomFieldsSet, DocumentArchive, InstallerLinkMake,
    ThreatAct, TicketCreate, TicketNoteAdd, TicketUpdate,
};
use testkit::both_databases;

use crate::{
    bench::{bench, text},
    desk::{ENTRIES, INSTALLER, Trouble},
};

both_databases! {
    async fn what_is_made_is_stored_as_a_sync_finds_it(db: TestDb) {
        let bench = bench(db).await;
        let made = bench.seen_and_done(bench.ticket()).await;
        let record = made.record.expect("is stored");
        assert_eq!(record.id, bench.id(K::Ticket, "made-1"));
        assert_eq!((record.title.as_str(), record.entity_id), ("No network", bench.entity));
        assert_eq!(made.set.changes[0].id, record.id.0);
        assert!(made.set.changes[0].before.is_none());
        assert_eq!(bench.at_vendor("ticket")[1]["contact_id"], "c1", "the vendor's own id of the contact");
        assert_eq!(bench.write_state(record.id).await, Some(VendorWriteState::Done));
        let location = Some(bench.id(K::Location, "l1"));
        let draft = ContactDraft { given_name: text("Cy"), family_name: text("Cole"), ..ContactDraft::default() };
        let made = bench.seen_and_done(ContactCreate { entity: bench.entity, location, draft }).await;
        assert_eq!(made.record.expect("is stored").title, "Cy Cole");
        let before = (bench.stored("ticket").await, bench.stored("contact").await);
        assert_eq!((bench.sync("ticket").await, bench.sync("contact").await), ((0, 0, 0), (0, 0, 0)));
        assert_eq!((bench.stored("ticket").await, bench.stored("contact").await), before);
    }

    async fn what_is_changed_is_stored_as_the_vendor_answers(db: TestDb) {
        let bench = bench(db).await;
        let (ticket, contact) = (bench.id(K::Ticket, "t1"), bench.id(K::Contact, "c1"));
        let draft = TicketDraft { status_id: text("done"), ..TicketDraft::default() };
        let update = TicketUpdate { id: ticket, contact: Some(contact), draft };
        let done = bench.seen_and_done(update.clone()).await;
        let change = &done.set.changes[0];
        let (before, after) = (change.before.clone().expect("was"), change.after.clone().expect("is"));
        assert_eq!((&before["status_id"], &after["status_id"], &after["contact_id"]), (&json!("new"), &json!("done"), &json!("c1")));
        // The same again is nothing, and nothing is sent.
        let again = bench.done(update).await;
        assert!(again.set.changes.is_empty() && again.record.is_some());
        let draft = ContactDraft { email: text("ada@new.example"), ..ContactDraft::default() };
        let done = bench.seen_and_done(ContactUpdate { id: contact, location: None, draft }).await;
        assert!(done.record.expect("is stored").body.contains("ada@new.example"));
        let note = TicketNote { text: "Called them.".to_owned(), public: true };
        let done = bench.seen_and_done(TicketNoteAdd { id: ticket, note }).await;
        assert_eq!(done.set.changes[0].after.as_ref().expect("is")["note"]["text"], "Called them.");
        let done = bench.seen_and_done(ThreatAct { id: bench.id(K::Threat, "h1"), action: "kill".to_owned() }).await;
        assert!(done.record.expect("is stored").body.contains("killed"), "it is read again at once");
        let archive = DocumentArchive { id: bench.id(K::Document, "d1"), archived: true };
        let done = bench.seen_and_done(archive).await;
        assert!(done.record.expect("is stored").body.contains("\"archived\":true"));
        assert!(bench.done(archive).await.set.changes.is_empty());
        assert_eq!(bench.writes().len(), 5, "{:?}", bench.writes());
        for kind in ["ticket", "contact", "threat", "document"] {
            assert_eq!(bench.sync(kind).await, (0, 0, 0), "{kind} differs from what was stored");
        }
        // What was stored as wanted follows the vendor all the same.
        bench.table.lock().expect("is whole").rows.get_mut("document").expect("rows")[0]["archived"] = false.into();
        assert_eq!(bench.sync("document").await, (0, 1, 0));
    }

    async fn what_is_removed_is_marked_removed(db: TestDb) {
        let bench = bench(db).await;
        let remove = ContactRemove { id: bench.id(K::Contact, "c1") };
        let done = bench.seen_and_done(remove).await;
        assert!(done.record.is_none() && done.set.changes[0].after.is_none());
        assert!(bench.stored("contact").await.is_empty());
        let error = bench.ask(remove, Apply::default(), None).await.expect_err("is gone");
        assert!(matches!(error, Error::NotFound { what: "contact" }), "{error}");
        assert_eq!(bench.sync("contact").await, (0, 0, 0));
        // The vendor has it again under another name: it is another one.
        bench.table.lock().expect("is whole").rows.get_mut("contact").expect("rows").push(json!({ "id": "c1", "site": "a", "name": "Ada" }));
        assert_eq!(bench.sync("contact").await, (1, 0, 0));
        bench.meanwhile("contact", "c1", "name", "Zed");
        let error = bench.ask(remove, Apply::default(), None).await.expect_err("is another one");
        assert!(matches!(error, Error::Conflict { code: "moved_at_vendor", .. }), "{error}");
        assert_eq!(bench.at_vendor("contact").len(), 2);
    }

    async fn a_key_is_worth_one_act(db: TestDb) {
        let bench = bench(db).await;
        let first = match bench.ask(bench.ticket(), Apply::default(), Some("k")).await.expect("makes") {
            Acting::Acted(acted) => acted.set.digest,
            Acting::Repeated { .. } => panic!("the key is new"),
        };
        match bench.ask(bench.ticket(), Apply::default(), Some("k")).await.expect("answers") {
            Acting::Repeated { status: 200, answer } => assert_eq!(answer, first),
            other => panic!("was done again: {other:?}"),
        }
        assert_eq!(bench.at_vendor("ticket").len(), 2);
    }

    async fn a_lost_answer_is_unknown_and_the_same_key_sends_nothing(db: TestDb) {
        let bench = bench(db).await;
        bench.trouble(Trouble::AnswerLost);
        let mut told = Vec::new();
        for _ in 0..2 {
            let error = bench.ask(bench.ticket(), Apply::default(), Some("k")).await.expect_err("is not known");
            let Error::Vendor { code: "outcome_unknown", message, .. } = error else { panic!("another error: {error}") };
            told.push(message);
        }
        assert_eq!(told[0], told[1]);
        assert!(told[0].contains("sync the connection"), "{told:?}");
        assert_eq!(bench.writes(), ["POST ticket"]);
        assert_eq!(bench.journal("ticket_create").await, vec![json!(["failed", "outcome_unknown", []])]);
        assert_eq!(bench.stored("ticket").await.len(), 1);
        assert_eq!(bench.sync("ticket").await, (1, 0, 0), "a sync tells");
    }

    async fn a_refusal_changes_nothing_and_frees_the_key(db: TestDb) {
        let bench = bench(db).await;
        let draft = TicketDraft { status_id: text("done"), ..TicketDraft::default() };
        let update = TicketUpdate { id: bench.id(K::Ticket, "t1"), contact: None, draft };
        bench.trouble(Trouble::Refused);
        let before = bench.stored("ticket").await;
        let error = bench.ask(update.clone(), Apply::default(), Some("k")).await.expect_err("is refused");
        assert!(matches!(error, Error::Vendor { code: "vendor_refused", .. }), "{error}");
        assert_eq!(bench.stored("ticket").await, before);
        assert_eq!(bench.write_state(update.id).await, Some(VendorWriteState::Refused));
        assert_eq!(bench.journal("ticket_update").await, vec![json!(["failed", "vendor_refused", []])]);
        assert_eq!(bench.journal("ticket_update_send").await.len(), 1, "it was announced");
        bench.ask(update, Apply::default(), Some("k")).await.expect("the key is free again");
        assert_eq!(bench.at_vendor("ticket")[0]["status_id"], "done");
    }

    async fn what_moved_meanwhile_is_not_overwritten(db: TestDb) {
        let bench = bench(db).await;
        bench.meanwhile("ticket", "t1", "status_id", "waiting");
        let draft = TicketDraft { status_id: text("done"), ..TicketDraft::default() };
        let update = TicketUpdate { id: bench.id(K::Ticket, "t1"), contact: None, draft };
        let error = bench.ask(update.clone(), Apply::default(), None).await.expect_err("moved");
        assert!(matches!(error, Error::Conflict { code: "moved_at_vendor", .. }), "{error}");
        assert!(bench.writes().is_empty());
        assert!(bench.stored("ticket").await[0].body.contains("waiting"), "what it is now is stored");
        // Something else of it moved: that is no reason.
        bench.meanwhile("ticket", "t1", "assignee", "Robin");
        bench.done(update.clone()).await;
        // Another customer's by now: not shown, not changed.
        bench.meanwhile("ticket", "t1", "site", "b");
        let draft = TicketDraft { status_id: text("new"), ..TicketDraft::default() };
        let error = bench.ask(TicketUpdate { draft, ..update }, Apply::default(), None).await.expect_err("moved away");
        assert!(matches!(error, Error::Conflict { code: "moved_at_vendor", .. }), "{error}");
        assert_eq!(bench.writes().len(), 1);
    }

    async fn what_is_foreign_is_not_there(db: TestDb) {
        let bench = bench(db).await;
        let other = bench.db.client(bench.organisation, "Other").await;
        let apply = || Apply { dry_run: true, ..Apply::default() };
        let note = TicketNote { text: "x".to_owned(), public: false };
        let nowhere = [
            // Nobody's entity, a contact of another entity, a record of another kind, another client.
            bench.ask(TicketCreate { entity: sync::entity_id(bench.connection, "b"), contact: None, ..bench.ticket() }, apply(), None).await,
            bench.ask(TicketCreate { contact: Some(bench.id(K::Contact, "c2")), ..bench.ticket() }, apply(), None).await,
            bench.ask(TicketNoteAdd { id: bench.id(K::Contact, "c1"), note: note.clone() }, apply(), None).await,
            bench.ask(ContactRemove { id: bench.id(K::Contact, "c2") }, apply(), None).await,
            bench.ask_as(&bench.context(), other, TicketNoteAdd { id: bench.id(K::Ticket, "t1"), note }, apply(), None).await,
            bench.ask_as(&bench.context(), other, bench.ticket(), apply(), None).await,
        ];
        for (at, answer) in nowhere.into_iter().enumerate() {
            assert!(matches!(answer, Err(Error::NotFound { .. })), "{at}: {answer:?}");
        }
        let hidden = Context { scope: ClientScope::AllBut([bench.client].into()), ..bench.context() };
        let answer = bench.ask_as(&hidden, bench.client, bench.ticket(), Apply::default(), None).await;
        assert!(matches!(answer, Err(Error::NotFound { .. })), "{answer:?}");
        for role in [Role::Viewer, Role::Finance] {
            let weak = Context { permissions: Permissions::of(role), ..bench.context() };
            let answer = bench.ask_as(&weak, bench.client, bench.ticket(), Apply::default(), None).await;
            assert!(matches!(answer, Err(Error::Forbidden { .. })), "{answer:?}");
        }
        assert!(bench.writes().is_empty());
    }

    async fn what_the_vendor_would_refuse_is_not_sent(db: TestDb) {
        let bench = bench(db).await;
        let threat = bench.id(K::Threat, "h1");
        for (action, code) in [("restore", "refused_by_vendor"), ("explode", "unknown_value")] {
            let error = bench.ask(ThreatAct { id: threat, action: action.to_owned() }, Apply::default(), None).await;
            let Err(Error::Invalid(problems)) = error else { panic!("another error: {error:?}") };
            assert_eq!((problems[0].pointer.as_str(), problems[0].code), ("/action", code));
        }
        let tx = bench.db.store.read(bench.context()).await.expect("reads");
        let listed = bench.engine.threat_action_list(&tx, bench.client, threat).await.expect("lists");
        drop(tx);
        let refused: Vec<_> = listed.iter().map(|one| (one.choice.id.as_str(), one.refusal.is_some())).collect();
        assert_eq!(refused, [("kill", false), ("restore", true)]);
        let tx = bench.db.store.begin(bench.context()).await.expect("begins");
        sync::connection_disconnect(&tx, ENTRIES, bench.connection).await.expect("disconnects");
        tx.commit("connection_disconnect", None).await.expect("commits");
        let error = bench.ask(bench.ticket(), Apply::default(), None).await.expect_err("is not connected");
        assert!(matches!(error, Error::Conflict { code: "not_connected", .. }), "{error}");
        assert!(bench.writes().is_empty());
    }

    async fn one_write_of_a_record_at_a_time(db: TestDb) {
        let bench = bench(db).await;
        let tx = bench.db.store.begin(bench.context()).await.expect("begins");
        let write = persistence::VendorWrite {
            id: tx.new_id(),
            connection_id: bench.connection,
            record_id: bench.id(K::Ticket, "t1"),
            action: "ticket_update".to_owned(),
            wanted: String::new(),
            state: VendorWriteState::Sending,
            code: None,
            message: None,
            created_at: tx.now(),
            finished_at: None,
        };
        tx.vendor_write_insert(&write).await.expect("notes");
        tx.commit_unjournalled().await.expect("commits");
        let note = TicketNote { text: "x".to_owned(), public: false };
        let error = bench.ask(TicketNoteAdd { id: write.record_id, note }, Apply::default(), None).await.expect_err("waits");
        assert!(matches!(error, Error::Conflict { code: "write_under_way", .. }), "{error}");
        // Another record, and something new, are free.
        bench.done(ContactRemove { id: bench.id(K::Contact, "c1") }).await;
        bench.done(TicketCreate { contact: None, ..bench.ticket() }).await;
    }

    async fn secrets_of_places_are_told_once_and_kept_nowhere(db: TestDb) {
        let bench = bench(db).await;
        let location = bench.id(K::Location, "l1");
        let values = vec![("door".to_owned(), text("4711-secret")), ("old".to_owned(), None)];
        let set = CustomFieldsSet { id: location, values };
        let done = bench.seen_and_done(set).await;
        assert_eq!(done.set.changes[0].after.as_ref().expect("is")["custom_fields"], json!({ "door": "set", "old": "emptied" }));
        assert_eq!(bench.table.lock().expect("is whole").bodies[0], json!({ "door": "4711-secret", "old": null }));
        let link = InstallerLinkMake { entity: bench.entity, location: Some(location), platform: "windows".to_owned() };
        let made = bench.seen_and_done(link).await;
        assert!(!format!("{made:?}").contains(INSTALLER));
        assert_eq!(made.installer.expect("is shown").url, INSTALLER);
        assert_eq!(made.set.changes[0].after.as_ref().expect("is")["platform"], "windows");
        let entries = json!([
            bench.journal("custom_fields_set").await, bench.journal("custom_fields_send").await,
            bench.journal("installer_link_make").await, bench.journal("installer_link_ask").await,
        ]);
        assert!(!entries.to_string().contains("4711") && !entries.to_string().contains("enrols"), "{entries}");
        assert_eq!(bench.sync("location").await, (0, 0, 0));
    }

    async fn what_is_read_live_is_asked_of_the_vendor(db: TestDb) {
        let bench = bench(db).await;
        let (engine, context) = (&bench.engine, bench.context());
        let choices = engine.ticket_choices_get(&context, bench.connection, Some("board")).await.expect("asks");
        assert_eq!((choices.statuses.len(), choices.queues[0].id.as_str()), (2, "board"));
        let fields = engine.custom_fields_get(&context, bench.client, bench.id(K::Location, "l1")).await.expect("asks");
        assert_eq!(fields[0].name, "door");
        let error = engine.custom_fields_get(&context, bench.client, bench.id(K::Location, "l2")).await;
        assert!(matches!(error, Err(Error::NotFound { .. })), "another entity's: {error:?}");
        let shelf = engine.template_list(&context, bench.connection, None).await.expect("asks");
        assert_eq!((shelf.shelf.as_str(), shelf.shelves.len(), shelf.templates.len()), ("roles", 2, 1));
        let error = engine.template_list(&context, bench.connection, Some("nowhere")).await;
        assert!(matches!(error, Err(Error::Invalid(_))), "{error:?}");
        assert!(bench.writes().is_empty());
    }
}
