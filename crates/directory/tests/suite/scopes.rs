use directory::{
    Deletion, ImportAction, MappingChoice, Target, client_delete, client_update, import_apply, mapping_save,
    mapping_suggest,
};
use domain::{ClientPatch, ClientScope, Error, SortOrder};
use persistence::{ClientFilter, ClientSort, JournalFilter};
use testkit::both_databases;

use crate::house::{House, PAGE, conflict, problems};

both_databases! {
    async fn a_limited_caller_reaches_nothing_of_other_clients(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (mine, other) = (house.client("Mine").await, house.client("Other").await);
        let own = house.mapped(source, "Mine", 1, mine).await;
        let foreign = house.mapped(source, "Other", 2, other).await;
        let open = house.entity(source, "Open").await;
        for scope in [ClientScope::Only([mine].into()), ClientScope::AllBut([other].into())] {
            let tx = house.scoped(scope).await;
            for refused in [
                client_update(&tx, other, ClientPatch::default(), None).await.map(drop),
                client_delete(&tx, other, None, Deletion::default()).await,
                tx.client(other).await.map(drop),
            ] {
                assert!(matches!(refused, Err(Error::NotFound { what: "client" })), "{refused:?}");
            }
            let to = |entity_id, target| MappingChoice { entity_id, target, reason: None };
            let choices = [
                to(own, Target::Client(other)),
                to(foreign, Target::Client(mine)),
                to(open, Target::Client(mine)),
            ];
            let refused = problems(mapping_save(&tx, &choices, |_| true).await);
            let pointers = ["/mappings/0/client_id", "/mappings/1/entity_id", "/mappings/2/entity_id"];
            assert_eq!(refused, pointers.map(|pointer| (pointer.to_owned(), "not_found")));
            let write = persistence::MappingWrite { client: Some(other), state: domain::MappingState::Mapped, reason: None };
            assert!(matches!(tx.mapping_write(own, &write).await, Err(Error::NotFound { what: "client" })));
            assert!(mapping_suggest(&tx, source.id, 0.9).await.expect("suggests").is_empty());
            let rows = import_apply(&tx, source.id, None).await.expect("imports");
            assert_eq!(rows.iter().map(|row| (row.entity.id, row.action)).collect::<Vec<_>>(), [(own, ImportAction::AlreadyMapped)]);
            let listed = tx.client_list(&ClientFilter::default(), ClientSort::Name, SortOrder::Ascending, &PAGE).await.expect("lists");
            assert_eq!((listed.total, listed.items.len(), listed.items[0].client.id), (1, 1, mine));
            assert!(tx.entities_of_client(other).await.expect("lists").is_empty());
            assert_eq!(tx.client_records(other, "device", None, &PAGE).await.expect("lists").total, 0);
            assert!(tx.changes().is_empty());
        }
        assert_eq!((house.devices(mine).await, house.devices(other).await), ((1, 1), (2, 2)));
    }

    async fn within_its_scope_a_limited_caller_maps_and_deletes(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (kite, crane, other) = (house.client("Kite").await, house.client("Crane").await, house.client("Other").await);
        let entity = house.mapped(source, "Kite", 3, kite).await;
        house.mapped(source, "Other", 1, other).await;
        let scope = ClientScope::Only([kite, crane].into());
        let tx = house.scoped(scope.clone()).await;
        let choice = MappingChoice { entity_id: entity, target: Target::Client(crane), reason: None };
        mapping_save(&tx, &[choice], |_| true).await.expect("saves");
        let moved = tx.commit("mapping_save", None).await.expect("commits");
        assert_eq!((house.devices(kite).await, house.devices(crane).await), ((0, 0), (3, 3)));
        let tx = house.scoped(scope.clone()).await;
        tx.journal_revert(moved.entry.expect("an entry"), &Default::default()).await.expect("reverts");
        tx.commit("journal_revert", None).await.expect("commits");
        assert_eq!(house.devices(kite).await, (3, 3));
        let tx = house.scoped(scope.clone()).await;
        client_delete(&tx, kite, None, Deletion::default()).await.expect("deletes");
        let deleted = tx.commit("client_delete", None).await.expect("commits");
        assert_eq!(house.about(entity).await.client_id, None);
        // What belongs to nobody is out of a limited scope: only an admin can put it back.
        let tx = house.scoped(scope).await;
        let refused = tx.journal_revert(deleted.entry.expect("an entry"), &Default::default()).await;
        assert_eq!(problems(refused), [(entity.to_string(), "gone")]);
        tx.rollback().await.expect("rolls back");
        house.revert(deleted.entry, &[]).await.expect("reverts");
        assert_eq!((house.devices(kite).await, house.devices(other).await), ((3, 3), (1, 1)));
        house.entries().await;
    }

    async fn a_re_mapping_across_the_border_shows_one_side_of_it(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (left, joined, third) = (house.client("Left").await, house.client("Joined").await, house.client("Third").await);
        let entity = house.mapped(source, "Wanderer", 1, left).await;
        let moved = house.map(&[entity], joined).await.entry.expect("an entry");
        for (client, other) in [(left, joined), (joined, left)] {
            let history = JournalFilter { client: Some(client), action: Some("mapping_save".to_owned()), ..JournalFilter::default() };
            let all = house.read().await.journal_list(&history, &PAGE).await.expect("lists");
            assert!(all.items.iter().any(|entry| entry.id == moved), "the history of both clients has it");
            let tx = house.scoped(ClientScope::Only([client].into())).await;
            let entry = tx.journal_entry(moved).await.expect("finds");
            assert_eq!(entry.changes.len(), 1);
            let text = format!("{:?}", entry.changes);
            assert!(text.contains(&entity.to_string()) && !text.contains(&other.to_string()), "{text}");
            let listed = tx.journal_list(&JournalFilter::default(), &PAGE).await.expect("lists");
            assert!(!format!("{listed:?}").contains(&other.to_string()));
            let refused = tx.journal_revert(moved, &Default::default()).await;
            assert_eq!(conflict(refused).0, "scope_limited");
        }
        let tx = house.scoped(ClientScope::Only([third].into())).await;
        assert!(matches!(tx.journal_entry(moved).await, Err(Error::NotFound { .. })));
        tx.rollback().await.expect("rolls back");
        assert_eq!(house.devices(joined).await, (1, 1));
    }

    async fn an_import_is_not_reverted_in_part(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        house.entities(source, &["Zebra Foundry", "Crane Dental"]).await;
        let tx = house.begin().await;
        let rows = import_apply(&tx, source.id, None).await.expect("imports");
        let set = tx.commit("import_apply", None).await.expect("commits");
        let hidden = rows[0].client_id.expect("made");
        let tx = house.scoped(ClientScope::AllBut([hidden].into())).await;
        let entry = tx.journal_entry(set.entry.expect("an entry")).await.expect("finds");
        assert!(entry.changes.len() == 2 && !format!("{entry:?}").contains(&hidden.to_string()));
        let refused = tx.journal_revert(entry.id, &Default::default()).await;
        assert_eq!(conflict(refused).0, "scope_limited");
        tx.rollback().await.expect("rolls back");
        assert_eq!(house.read().await.client_totals().await.expect("counts").total(), 2);
    }
}
