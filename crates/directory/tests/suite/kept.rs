//! What people keep: contacts and notes of clients, filters of their own.

use directory::{
    ContactDraft, Merge, client_merge, client_note_create, client_note_delete, client_note_update,
    customer_contact_create, customer_contact_delete, customer_contact_update, customer_get, saved_filter_create,
    saved_filter_delete, saved_filter_list, saved_filter_update,
};
use domain::{
    Actor, ChangeSet, ClientContact, ClientId, ClientScope, Context, Error, PageRequest, Permissions, Result, Role,
    StaffId,
};
use persistence::{ClientFilter, ClientSort, KnownBy, StaffRow, Tx};
use testkit::both_databases;

use crate::house::{House, PAGE, conflict, problems};

fn draft(name: &str, email: Option<&str>, escalation: Option<i32>, primary: bool) -> ContactDraft {
    let email = email.map(str::to_owned);
    ContactDraft { name: name.to_owned(), email, escalation, primary, ..ContactDraft::default() }
}

async fn kept(house: &House<'_>, client: ClientId, draft: ContactDraft) -> (ClientContact, ChangeSet) {
    let tx = house.begin().await;
    let contact = customer_contact_create(&tx, client, draft).await.expect("creates");
    (contact, tx.commit("customer_contact_create", None).await.expect("commits"))
}

/// Someone of the team.
async fn staff(house: &House<'_>, name: &str) -> StaffId {
    let tx = house.begin().await;
    let row = StaffRow {
        organisation: house.organisation,
        id: tx.new_id(),
        email: format!("{name}@msp.example"),
        name: name.to_owned(),
        custom_role: None,
        role: Role::Viewer,
        password_hash: None,
        allow_clients: None,
        deny_clients: std::collections::BTreeSet::new(),
        suspended_at: None,
        removed_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.staff_insert(&row).await.expect("inserts");
    tx.commit("staff_create", None).await.expect("commits");
    row.id
}

async fn acting(house: &House<'_>, staff: StaffId) -> Tx {
    let context = Context {
        actor: Actor::Staff { id: staff },
        permissions: Permissions::of(Role::Viewer),
        ..house.db.context(house.organisation)
    };
    house.db.store.begin(context).await.expect("begins")
}

fn no_capability(_: &str, _: &str) -> bool {
    false
}

both_databases! {
    async fn one_contact_is_primary_and_its_address_is_the_clients(db: TestDb) {
        let house = House::new(&db).await;
        let client = house.client("Kite").await;
        let (ana, set) = kept(&house, client, draft(" Ana ", Some("Ana@KITE.example"), Some(2), true)).await;
        assert_eq!(set.changes.iter().map(|change| change.kind.as_str()).collect::<Vec<_>>(), ["client_contact", "client"]);
        assert_eq!(house.now(client).await.contact_email.as_deref(), Some("Ana@kite.example"));
        let (bo, set) = kept(&house, client, draft("Bo", Some("bo@kite.example"), Some(1), true)).await;
        assert_eq!(set.changes.len(), 3, "Ana steps down, Bo comes, the client's address follows");
        kept(&house, client, draft("Aaron", None, None, false)).await;
        let listed = house.read().await.client_contacts(client).await.expect("lists");
        let shown: Vec<(&str, bool)> = listed.iter().map(|one| (one.name.as_str(), one.primary)).collect();
        assert_eq!(shown, [("Bo", true), ("Ana", false), ("Aaron", false)], "by escalation, then by name");
        let found = customer_get(&house.read().await, client, &no_capability).await.expect("finds");
        assert_eq!(found.contact, (Some("Bo".to_owned()), Some("bo@kite.example".to_owned())));
        // All of it at once is undone at once.
        house.revert(set.entry, &[]).await.expect("reverts");
        let tx = house.read().await;
        assert!(tx.client_contact(client, ana.id).await.expect("finds").primary);
        assert!(matches!(tx.client_contact(client, bo.id).await, Err(Error::NotFound { what: "contact" })));
        assert_eq!(house.now(client).await.contact_email.as_deref(), Some("Ana@kite.example"));
    }

    async fn contacts_are_checked_changed_and_forgotten(db: TestDb) {
        let house = House::new(&db).await;
        let (client, other) = (house.client("Kite").await, house.client("Crane").await);
        let tx = house.begin().await;
        let wrong = ContactDraft { phone: Some("1".repeat(101)), ..draft(" ", Some("nobody"), Some(0), false) };
        let mut found = problems(customer_contact_create(&tx, client, wrong).await);
        found.sort();
        let expected = [("/email", "not_an_email"), ("/escalation", "out_of_range"), ("/name", "required"), ("/phone", "too_long")];
        assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        drop(tx);
        let (ana, _) = kept(&house, client, draft("Ana", Some("ana@kite.example"), None, false)).await;
        let tx = house.begin().await;
        let refused = customer_contact_update(&tx, other, ana.id, draft("Ana", None, None, false), None).await;
        assert!(matches!(refused, Err(Error::NotFound { what: "contact" })), "another client's");
        let refused = customer_contact_update(&tx, client, ana.id, draft("Ana", None, None, false), Some(2)).await;
        assert!(matches!(refused, Err(Error::Stale { what: "contact" })));
        let same = customer_contact_update(&tx, client, ana.id, draft("Ana", Some("ana@kite.example"), None, false), Some(1)).await;
        assert_eq!((same.expect("updates").version, tx.changes().len()), (1, 0));
        let changed = customer_contact_update(&tx, client, ana.id, draft("Anna", None, Some(3), false), Some(1)).await.expect("updates");
        assert_eq!((changed.version, changed.email, changed.escalation), (2, None, Some(3)));
        customer_contact_delete(&tx, client, ana.id, Some(2)).await.expect("deletes");
        tx.commit("customer_contact_delete", None).await.expect("commits");
        assert!(house.read().await.client_contacts(client).await.expect("lists").is_empty());
    }

    async fn notes_are_several_dated_and_signed(db: TestDb) {
        let house = House::new(&db).await;
        let client = house.client("Kite").await;
        let (ana, bo) = (staff(&house, "ana").await, staff(&house, "bo").await);
        let mut ids = Vec::new();
        for text in ["first", " second ", "third"] {
            db.clock.advance(60);
            let tx = acting(&house, ana).await;
            ids.push(client_note_create(&tx, client, text.to_owned()).await.expect("creates").id);
            tx.commit("client_note_create", None).await.expect("commits");
        }
        let tx = acting(&house, bo).await;
        let edited = client_note_update(&tx, client, ids[0], "first, again".to_owned(), Some(1)).await.expect("updates");
        assert_eq!((edited.created_by, edited.updated_by, edited.version), (Some(ana), Some(bo), 2));
        assert_eq!(problems(client_note_update(&tx, client, ids[0], "  ".to_owned(), None).await), [("/text".to_owned(), "required")]);
        let refused = client_note_delete(&tx, client, ids[0], Some(1)).await;
        assert!(matches!(refused, Err(Error::Stale { what: "note" })));
        tx.commit("client_note_update", None).await.expect("commits");
        let mut page = PageRequest { limit: 2, after: None };
        let tx = house.read().await;
        let first = tx.client_notes(client, &page).await.expect("lists");
        page.after = first.next.clone();
        let rest = tx.client_notes(client, &page).await.expect("lists");
        let texts: Vec<&str> = first.items.iter().chain(&rest.items).map(|note| note.text.as_str()).collect();
        assert_eq!((texts, first.total, rest.next), (vec!["third", "second", "first, again"], 3, None));
        let tx = house.begin().await;
        client_note_delete(&tx, client, ids[1], None).await.expect("deletes");
        let set = tx.commit("client_note_delete", None).await.expect("commits");
        house.revert(set.entry, &[]).await.expect("reverts");
        assert_eq!(house.read().await.client_note(client, ids[1]).await.expect("finds").text, "second");
    }

    async fn contacts_and_notes_go_with_a_merge_and_come_back(db: TestDb) {
        let house = House::new(&db).await;
        let (old, new) = (house.client("Kite Ltd").await, house.client("Kite").await);
        let (going, _) = kept(&house, old, draft("Ana", None, None, true)).await;
        let (staying, _) = kept(&house, new, draft("Bo", None, None, true)).await;
        let tx = house.begin().await;
        let note = client_note_create(&tx, old, "Old note".to_owned()).await.expect("creates").id;
        tx.commit("client_note_create", None).await.expect("commits");
        let tx = house.begin().await;
        client_merge(&tx, &Merge { from: old, into: new, take: Vec::new() }, None).await.expect("merges");
        let set = tx.commit("client_merge", None).await.expect("commits");
        let tx = house.read().await;
        assert!(!tx.client_contact(new, going.id).await.expect("moved").primary, "the other stays the primary one");
        assert!(tx.client_contact(new, staying.id).await.expect("stays").primary);
        assert_eq!(tx.client_note(new, note).await.expect("moved").text, "Old note");
        drop(tx);
        house.revert(set.entry, &[]).await.expect("reverts");
        let tx = house.read().await;
        assert!(tx.client_contact(old, going.id).await.expect("is back").primary);
        assert_eq!(tx.client_note(old, note).await.expect("is back").client_id, old);
        assert_eq!(tx.client_contacts(new).await.expect("lists").len(), 1);
    }

    async fn filters_are_each_persons_own(db: TestDb) {
        let house = House::new(&db).await;
        let (ana, bo) = (staff(&house, "ana").await, staff(&house, "bo").await);
        let tx = acting(&house, ana).await;
        let made = saved_filter_create(&tx, " Mine ", "status=active".to_owned()).await.expect("creates");
        assert_eq!(conflict(saved_filter_create(&tx, "MINE", String::new()).await).0, "name_taken");
        let other = saved_filter_create(&tx, "Another", String::new()).await.expect("creates");
        assert_eq!(conflict(saved_filter_update(&tx, other.id, Some("mine"), None, None).await).0, "name_taken");
        tx.commit("saved_filter_create", None).await.expect("commits");
        let tx = acting(&house, bo).await;
        assert!(saved_filter_list(&tx).await.expect("lists").is_empty());
        let gone = |refused: Result<_>| matches!(refused, Err(Error::NotFound { what: "saved filter" }));
        assert!(gone(saved_filter_update(&tx, made.id, Some("Taken"), None, None).await));
        assert!(gone(saved_filter_delete(&tx, made.id, None).await));
        saved_filter_create(&tx, "Mine", String::new()).await.expect("a name is taken for its owner only");
        drop(tx);
        let tx = acting(&house, ana).await;
        let renamed = saved_filter_update(&tx, made.id, Some("mine"), None, Some(1)).await.expect("its own name");
        assert_eq!((renamed.name.as_str(), renamed.query.as_str(), renamed.version), ("mine", "status=active", 2));
        assert!(matches!(saved_filter_delete(&tx, made.id, Some(1)).await, Err(Error::Stale { .. })));
        saved_filter_delete(&tx, made.id, Some(2)).await.expect("deletes");
        assert_eq!(saved_filter_list(&tx).await.expect("lists").len(), 1);
        drop(tx);
        let nobody = saved_filter_create(&house.begin().await, "x", String::new()).await;
        assert_eq!(conflict(nobody).0, "nobody", "an operator keeps none");
    }

    async fn unknown_figures_can_be_asked_for(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let (none, counted, users) = (house.client("None").await, house.client("Counted").await, house.client("Users").await);
        house.mapped(ninja, "Counted", 0, counted).await;
        house.mapped(microsoft, "users.example", 0, users).await;
        let by = |integration: &str, known| Some(KnownBy { integrations: vec![integration.to_owned()], known });
        let zero = domain::Range { min: Some(0), max: Some(0) };
        for (filter, expected) in [
            (ClientFilter { devices: zero, ..ClientFilter::default() }, vec![counted, none, users]),
            (ClientFilter { devices: zero, devices_known: by("ninjaone", true), ..ClientFilter::default() }, vec![counted]),
            (ClientFilter { devices_known: by("ninjaone", false), ..ClientFilter::default() }, vec![none, users]),
            (ClientFilter { users_known: by("microsoft365", true), ..ClientFilter::default() }, vec![users]),
            (ClientFilter { search: Some("n".into()), users_known: by("microsoft365", false), ..ClientFilter::default() }, vec![counted, none]),
        ] {
            let tx = house.read().await;
            let listed = tx.client_list(&filter, ClientSort::Name, domain::SortOrder::Ascending, &PAGE).await.expect("lists");
            let ids: Vec<ClientId> = listed.items.iter().map(|one| one.client.id).collect();
            assert_eq!((ids, listed.total), (expected.clone(), expected.len() as i64), "{filter:?}");
        }
    }

    async fn a_limited_caller_keeps_nothing_at_other_clients(db: TestDb) {
        let house = House::new(&db).await;
        let (mine, hidden) = (house.client("Mine").await, house.client("Hidden").await);
        let (contact, _) = kept(&house, hidden, draft("Ana", None, None, true)).await;
        let tx = house.begin().await;
        let note = client_note_create(&tx, hidden, "secret".to_owned()).await.expect("creates").id;
        tx.commit("client_note_create", None).await.expect("commits");
        let tx = house.scoped(ClientScope::Only([mine].into())).await;
        for refused in [
            customer_contact_create(&tx, hidden, draft("Bo", None, None, false)).await.map(drop),
            customer_contact_update(&tx, hidden, contact.id, draft("Bo", None, None, false), None).await.map(drop),
            customer_contact_delete(&tx, hidden, contact.id, None).await.map(drop),
            client_note_create(&tx, hidden, "x".to_owned()).await.map(drop),
            client_note_update(&tx, hidden, note, "x".to_owned(), None).await.map(drop),
            client_note_delete(&tx, hidden, note, None).await.map(drop),
            customer_contact_delete(&tx, mine, contact.id, None).await.map(drop),
            client_note_delete(&tx, mine, note, None).await.map(drop),
        ] {
            assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
        }
        assert!(tx.client_contacts(hidden).await.expect("lists").is_empty());
        assert_eq!(tx.client_notes(hidden, &PAGE).await.expect("lists").total, 0);
        assert!(tx.primary_contacts(&[hidden]).await.expect("finds").is_empty());
        assert!(tx.changes().is_empty());
    }
}
