use directory::{Deletion, Target, client_create, client_delete, client_update};
use domain::{ClientDraft, ClientId, ClientPatch, ClientScope, ClientStatus, EntityId, Error, MappingState, SortOrder};
use persistence::{Apply, ClientFilter, ClientSort};
use testkit::both_databases;
use uuid::Uuid;

use crate::house::{House, PAGE, conflict, draft, problems};

/// Names that trip careless code, each a client's nevertheless.
fn strange_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "x",
        "🦷 Zahnärzte 👩‍👩‍👧‍👦",
        "شركة الميناء لطب الأسنان",
        "מרפאת שיניים (חיפה)",
        "Robert'); DROP TABLE client;--",
        "' OR 1=1 --",
        "=HYPERLINK(\"http://kite.example\",\"Kite\")",
        "+1+1",
        "-2+3",
        "@SUM(A1:A9)",
        "100% _under_ back\\slash",
        "<script>alert(1)</script> & \"quotes\"",
        "null",
        "İstanbul Straße ẞ",
    ]
    .map(str::to_owned)
    .into();
    names.extend(["n".repeat(255), "ä".repeat(255), "🪁".repeat(255)]);
    names
}

both_databases! {
    async fn any_name_of_1_to_255_characters_is_kept_as_typed(db: TestDb) {
        let house = House::new(&db).await;
        for name in strange_names() {
            let id = house.client(&format!("  {name}\t")).await;
            assert_eq!(house.now(id).await.name, name);
            let filter = ClientFilter { search: Some(name.clone()), ..ClientFilter::default() };
            let tx = house.read().await;
            let found = tx.client_list(&filter, ClientSort::Name, SortOrder::Ascending, &PAGE).await.expect("lists");
            assert!(found.items.iter().any(|listed| listed.client.id == id), "search does not find {name}");
            assert_eq!(tx.clients_beginning(&name.to_uppercase(), 9).await.expect("finds").len(), usize::from(name != "İstanbul Straße ẞ"));
        }
        assert_eq!(house.read().await.client_totals().await.expect("counts").active, strange_names().len() as i64);
        for (name, code) in [
            (String::new(), "required"),
            (" \t ".to_owned(), "required"),
            ("n".repeat(256), "too_long"),
            ("🪁".repeat(300), "too_long"),
            ("two\nlines".to_owned(), "control_character"),
            ("nul\0".to_owned(), "control_character"),
        ] {
            let tx = house.begin().await;
            assert_eq!(problems(client_create(&tx, draft(&name), &[]).await), [("/name".to_owned(), code)]);
            assert!(tx.changes().is_empty());
        }
    }

    async fn every_mistake_of_a_new_client_is_named_at_once(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let entity = house.entity(source, "Kite").await;
        let unknown = EntityId(Uuid::from_u128(5));
        let wrong = ClientDraft {
            name: String::new(),
            notes: Some("n".repeat(10_001)),
            contact_email: Some("nobody".to_owned()),
            phone: Some("1".repeat(101)),
            address: Some("a\0b".to_owned()),
            ..ClientDraft::default()
        };
        let tx = house.begin().await;
        let refused = client_create(&tx, wrong, &[unknown, entity, entity]).await;
        let mut named = problems(refused);
        named.sort();
        let expected = [
            ("/address", "control_character"),
            ("/contact_email", "not_an_email"),
            ("/entities/0", "not_found"),
            ("/entities/2", "twice"),
            ("/name", "required"),
            ("/notes", "too_long"),
            ("/phone", "too_long"),
        ];
        assert_eq!(named, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        let many = vec![entity; 5_001];
        assert_eq!(problems(client_create(&tx, draft("Kite"), &many).await), [("/entities".to_owned(), "too_many")]);
        assert!(tx.changes().is_empty());
    }

    async fn a_new_client_takes_its_entities_and_their_records_with_it(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let entities = house.entities(source, &["Kite North", "Kite South"]).await;
        house.records(source, entities[0], 3, 2).await;
        house.records(source, entities[1], 1, 0).await;
        let before = house.entries().await;
        let tx = house.begin().await;
        let full = ClientDraft {
            contact_email: Some(" Office@KITE.example ".to_owned()),
            notes: Some("  ".to_owned()),
            status: ClientStatus::Inactive,
            ..draft("Kite")
        };
        let saved = client_create(&tx, full, &entities).await.expect("creates").client;
        let set = tx.commit("client_create", None).await.expect("commits");
        assert_eq!((set.changes.len(), house.entries().await), (3, before + 1));
        assert_eq!((saved.device_count, saved.user_count), (4, 2));
        assert_eq!(saved, house.now(saved.id).await);
        assert_eq!((saved.contact_email.as_deref(), saved.notes.as_deref()), (Some("Office@kite.example"), None));
        assert_eq!(house.devices(saved.id).await, (4, 4));
        let totals = house.read().await.client_totals().await.expect("counts");
        assert_eq!((totals.active, totals.inactive), (0, 1));
    }

    async fn another_client_of_the_same_name_is_told_not_refused(db: TestDb) {
        let house = House::new(&db).await;
        let first = house.client("Kite & Co").await;
        let gone = house.client("Gone").await;
        house.delete(gone).await;
        let tx = house.begin().await;
        let second = client_create(&tx, draft(" KITE  &  co"), &[]).await.expect("creates");
        assert_eq!(second.same_name, [first]);
        let third = client_create(&tx, draft("Gone"), &[]).await.expect("creates");
        assert!(third.same_name.is_empty(), "a deleted client's name is free");
        let renamed = ClientPatch { name: Some("kite & co".to_owned()), ..ClientPatch::default() };
        let told = client_update(&tx, third.client.id, renamed, None).await.expect("updates");
        let mut both = told.same_name;
        both.sort();
        let mut expected = [first, second.client.id];
        expected.sort();
        assert_eq!(both, expected);
        let own = ClientPatch { name: Some("Kites".to_owned()), ..ClientPatch::default() };
        assert!(client_update(&tx, first, own, None).await.expect("updates").same_name.is_empty());
    }

    async fn the_legal_form_does_not_make_another_name(db: TestDb) {
        let house = House::new(&db).await;
        let first = house.client("Harbour Dental Pty Ltd").await;
        let other = house.client("Harbour Dental Supplies Pty Ltd").await;
        let tx = house.begin().await;
        for name in ["HARBOUR DENTAL", "Harbour, Dental", "Harbour Dental GmbH", "harbour dental (Pty) Ltd."] {
            let told = client_create(&tx, draft(name), &[]).await.expect("creates");
            assert!(told.same_name.contains(&first) && !told.same_name.contains(&other), "{name}: {told:?}");
        }
        assert!(client_create(&tx, draft("Harbour"), &[]).await.expect("creates").same_name.is_empty());
    }

    async fn an_entity_of_another_client_is_a_conflict_that_names_it(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let owner = house.client("Owner").await;
        let taken = house.mapped(source, "Kite Org", 2, owner).await;
        let tx = house.begin().await;
        let (code, message) = conflict(client_create(&tx, draft("Other"), &[taken]).await);
        assert_eq!(code, "entity_mapped");
        assert!(message.contains("“Kite Org”") && message.contains("“Owner”"), "{message}");
        assert!(tx.changes().is_empty());
        tx.rollback().await.expect("rolls back");
        assert_eq!(house.devices(owner).await, (2, 2));
    }

    async fn someone_of_chosen_clients_makes_none_and_someone_of_all_but_some_does(db: TestDb) {
        let house = House::new(&db).await;
        let kite = house.client("Kite").await;
        let tx = house.scoped(ClientScope::Only([kite].into())).await;
        assert_eq!(conflict(client_create(&tx, draft("New"), &[]).await).0, "scope_limited");
        tx.rollback().await.expect("rolls back");
        let tx = house.scoped(ClientScope::AllBut([kite].into())).await;
        let made = client_create(&tx, draft("Kite"), &[]).await.expect("creates");
        assert!(made.same_name.is_empty(), "a client outside the scope is not told");
        assert_eq!(tx.client(made.client.id).await.expect("finds").name, "Kite");
    }

    async fn an_unchanged_save_writes_nothing(db: TestDb) {
        let house = House::new(&db).await;
        let id = house.client("Kite").await;
        let entries = house.entries().await;
        let before = house.now(id).await;
        db.clock.advance(60);
        for patch in [
            ClientPatch::default(),
            ClientPatch {
                name: Some("  Kite ".to_owned()),
                status: Some(ClientStatus::Active),
                notes: Some(None),
                contact_email: Some(Some(" ".to_owned())),
                ..ClientPatch::default()
            },
        ] {
            let tx = house.begin().await;
            let saved = client_update(&tx, id, patch, Some(1)).await.expect("saves");
            assert_eq!(saved.client, before);
            assert_eq!(tx.commit("client_update", None).await.expect("commits").entry, None);
        }
        assert_eq!((house.now(id).await, house.entries().await), (before, entries));
    }

    async fn a_change_moves_the_version_and_a_stale_one_is_refused(db: TestDb) {
        let house = House::new(&db).await;
        let id = house.client("Kite").await;
        let rename = async |name: &str, version| {
            let tx = house.begin().await;
            let patch = ClientPatch { name: Some(name.to_owned()), ..ClientPatch::default() };
            let saved = client_update(&tx, id, patch, version).await?;
            tx.commit("client_update", None).await.map(|_| saved.client)
        };
        db.clock.advance(60);
        let saved = rename("Kite One", Some(1)).await.expect("saves");
        assert_eq!((saved.version, saved.updated_at), (2, db.now()));
        assert!(matches!(rename("Kite Two", Some(1)).await, Err(Error::Stale { what: "client" })));
        assert_eq!(rename("Kite Three", None).await.expect("saves").version, 3);
        let tx = house.begin().await;
        let stale = client_delete(&tx, id, Some(2), Deletion::default()).await;
        assert!(matches!(stale, Err(Error::Stale { what: "client" })));
    }

    async fn fields_are_left_set_or_cleared_and_every_mistake_is_named(db: TestDb) {
        let house = House::new(&db).await;
        let id = house.client("Kite").await;
        let save = async |patch| {
            let tx = house.begin().await;
            let saved = client_update(&tx, id, patch, None).await?;
            tx.commit("client_update", None).await.map(|_| saved.client)
        };
        let text = |text: &str| Some(Some(text.to_owned()));
        let all = ClientPatch { notes: text("line\nline"), contact_email: text("jo@kite.example"), phone: text("+49 1"), address: text("Quay 1"), ..ClientPatch::default() };
        save(all).await.expect("saves");
        let some = ClientPatch { notes: Some(None), phone: text("  "), ..ClientPatch::default() };
        let saved = save(some).await.expect("saves");
        assert_eq!((saved.notes, saved.phone), (None, None));
        assert_eq!((saved.contact_email.as_deref(), saved.address.as_deref()), (Some("jo@kite.example"), Some("Quay 1")));
        let wrong = ClientPatch {
            name: Some(" ".to_owned()),
            notes: Some(Some("n".repeat(10_001))),
            contact_email: text("jo"),
            phone: Some(Some("1".repeat(101))),
            address: Some(Some("a".repeat(1_001))),
            ..ClientPatch::default()
        };
        let pointers: Vec<String> = problems(save(wrong).await).into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(pointers, ["/name", "/notes", "/contact_email", "/phone", "/address"]);
        assert_eq!(house.now(id).await.name, "Kite");
    }

    async fn toggling_keeps_all_data(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let id = house.client("Kite").await;
        let entity = house.mapped(source, "Kite", 3, id).await;
        for (status, active) in [(ClientStatus::Inactive, 0), (ClientStatus::Active, 1)] {
            let tx = house.begin().await;
            let patch = ClientPatch { status: Some(status), ..ClientPatch::default() };
            client_update(&tx, id, patch, None).await.expect("saves");
            tx.commit("client_update", None).await.expect("commits");
            assert_eq!(house.devices(id).await, (3, 3));
            assert_eq!(house.about(entity).await.client_id, Some(id));
            let totals = house.read().await.client_totals().await.expect("counts");
            assert_eq!((totals.active, totals.total()), (active, 1));
        }
    }

    async fn deleting_unmaps_in_one_change_set_and_keeps_what_vendors_said(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (kite, other) = (house.client("Kite").await, house.client("Other").await);
        let entities = [house.mapped(source, "Kite A", 3, kite).await, house.mapped(source, "Kite B", 2, kite).await];
        house.mapped(source, "Other", 1, other).await;
        let entries = house.entries().await;
        let tx = house.begin().await;
        client_delete(&tx, kite, None, Deletion::default()).await.expect("deletes");
        let set = tx.commit("client_delete", None).await.expect("commits");
        assert_eq!((set.changes.len(), house.entries().await), (3, entries + 1));
        for entity in entities {
            let entity = house.about(entity).await;
            assert_eq!((entity.client_id, entity.mapping_state, entity.mapping_reason), (None, MappingState::Unmapped, None));
        }
        assert_eq!(house.about(entities[0]).await.device_count, 3);
        let tx = house.read().await;
        assert!(matches!(tx.client(kite).await, Err(Error::NotFound { what: "client" })));
        assert!(tx.client_even_deleted(kite).await.expect("is kept").deleted_at.is_some());
        assert_eq!(tx.client_totals().await.expect("counts").total(), 1);
        drop(tx);
        assert_eq!(house.devices(other).await, (1, 1));

        house.revert(set.entry, &[]).await.expect("reverts");
        assert_eq!(house.devices(kite).await, (5, 5));
        assert_eq!(house.now(kite).await.user_count, 2);
        for entity in entities {
            assert_eq!(house.about(entity).await.client_id, Some(kite));
        }
        assert_eq!(house.read().await.client_totals().await.expect("counts").active, 2);
        house.entries().await;
    }

    async fn tenants_hold_up_a_deletion_until_it_was_previewed(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let kite = house.client("Kite").await;
        let device = house.mapped(ninja, "Kite Org", 2, kite).await;
        let tenant = house.mapped(microsoft, "kite.example", 0, kite).await;
        let delete = async |how: Deletion, apply: Apply| {
            let tx = house.begin().await;
            client_delete(&tx, kite, None, how).await?;
            tx.finish("client_delete", &apply).await
        };
        let (code, message) = conflict(delete(Deletion::default(), Apply::default()).await);
        assert!(code == "has_tenants" && message.contains("kite.example"), "{message}");
        let unseen = Deletion { cascade: true, previewed: false };
        assert_eq!(conflict(delete(unseen, Apply::default()).await).0, "preview_first");
        assert_eq!(house.devices(kite).await, (2, 2));

        let seen = Deletion { cascade: true, previewed: true };
        let preview = delete(seen, Apply { dry_run: true, ..Apply::default() }).await.expect("previews");
        assert_eq!(preview.changes.len(), 3);
        assert_eq!(house.devices(kite).await, (2, 2));
        house.decide(&[device], Target::Nobody).await;
        db.clock.advance(30);
        let expecting = Apply { expect: Some(preview.digest), ..Apply::default() };
        let Err(Error::Moved(moved)) = delete(seen, expecting).await else { panic!("the world moved") };
        assert_eq!(moved.changes.len(), 2);
        let applied = delete(seen, Apply { expect: Some(moved.digest), ..Apply::default() }).await.expect("deletes");
        assert_eq!(house.about(tenant).await.client_id, None);
        house.revert(applied.entry, &[]).await.expect("reverts");
        assert_eq!(house.about(tenant).await.client_id, Some(kite));
        assert_eq!(house.about(device).await.client_id, None);
        assert_eq!(house.devices(kite).await, (0, 0));
    }

    async fn a_client_of_another_organisation_is_as_absent_as_a_random_one(db: TestDb) {
        let (house, theirs) = (House::new(&db).await, House::new(&db).await);
        let foreign = theirs.client("Theirs").await;
        let gone = house.client("Gone").await;
        house.delete(gone).await;
        for id in [foreign, gone, ClientId(Uuid::from_u128(7))] {
            let tx = house.begin().await;
            let updated = client_update(&tx, id, ClientPatch::default(), Some(9)).await.map(drop);
            let deleted = client_delete(&tx, id, Some(9), Deletion::default()).await;
            for refused in [updated, deleted] {
                assert!(matches!(refused, Err(Error::NotFound { what: "client" })), "{refused:?}");
            }
        }
        assert_eq!(theirs.now(foreign).await.name, "Theirs");
    }
}
