use directory::{
    MappingChoice, Target, mapping_save, mapping_suggest,
    matching::{Decision, SignalKind},
};
use domain::{ClientId, ConnectionId, EntityId, Error, MappingState};
use testkit::both_databases;
use uuid::Uuid;

use crate::house::{House, conflict, mistakes, problems};

fn to(entity_id: EntityId, target: Target) -> MappingChoice {
    MappingChoice { entity_id, target, reason: None }
}

both_databases! {
    async fn a_bulk_save_is_one_change_set_and_records_follow_at_once(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let entities = house.entities(source, &["One", "Two", "Three"]).await;
        for (at, entity) in entities.iter().enumerate() {
            house.records(source, *entity, at + 1, 1).await;
        }
        let entries = house.entries().await;
        let tx = house.begin().await;
        let choices = [to(entities[0], Target::Client(kite)), to(entities[1], Target::Client(kite)), to(entities[2], Target::Client(crane))];
        let saved = mapping_save(&tx, &choices, |_| true).await.expect("saves");
        let set = tx.commit("mapping_save", None).await.expect("commits");
        assert_eq!((set.changes.len(), house.entries().await), (3, entries + 1));
        let owners: Vec<_> = saved.iter().map(|entity| entity.client_id).collect();
        assert_eq!(owners, [Some(kite), Some(kite), Some(crane)]);
        assert_eq!(saved[0], house.about(entities[0]).await);
        assert_eq!((house.devices(kite).await, house.devices(crane).await), ((3, 3), (3, 3)));

        house.map(&[entities[1]], crane).await;
        assert_eq!((house.devices(kite).await, house.devices(crane).await), ((1, 1), (5, 5)));
        house.decide(&[entities[2]], Target::Nobody).await;
        assert_eq!(house.devices(crane).await, (2, 2));
        house.decide(&[entities[1]], Target::Excluded).await;
        assert_eq!((house.devices(crane).await, house.now(crane).await.user_count), ((0, 0), 0));
        let excluded = house.about(entities[1]).await;
        assert_eq!((excluded.mapping_state, excluded.mapping_reason.as_deref()), (MappingState::Excluded, Some("an internal test")));

        house.revert(set.entry, &[]).await.expect_err("two of three were changed since");
        house.revert(set.entry, &[entities[1].0, entities[2].0]).await.expect("reverts");
        assert_eq!((house.devices(kite).await, house.devices(crane).await), ((0, 0), (0, 0)));
    }

    async fn the_same_decision_again_changes_nothing(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let kite = house.client("Kite").await;
        let entity = house.entity(source, "Kite").await;
        let save = async |target: Target, reason: Option<&str>| {
            let tx = house.begin().await;
            let choice = MappingChoice { entity_id: entity, target, reason: reason.map(str::to_owned) };
            mapping_save(&tx, &[choice], |_| true).await.expect("saves");
            tx.commit("mapping_save", None).await.expect("commits").entry.is_some()
        };
        assert!(!save(Target::Nobody, None).await);
        assert!(save(Target::Client(kite), Some("  seen on the invoice ")).await);
        let saved = house.about(entity).await;
        db.clock.advance(60);
        assert!(!save(Target::Client(kite), None).await, "saying nothing is not taking the reason back");
        assert!(!save(Target::Client(kite), Some("seen on the invoice")).await);
        assert_eq!(house.about(entity).await, saved);
        assert!(save(Target::Client(kite), Some("another reason")).await);
        assert_eq!(house.about(entity).await.mapping_reason.as_deref(), Some("another reason"));
    }

    async fn every_wrong_choice_is_named_and_nothing_is_written(db: TestDb) {
        let (house, theirs) = (House::new(&db).await, House::new(&db).await);
        let source = house.ninja().await;
        let entities = house.entities(source, &["One", "Two", "Three", "Four", "Five", "Six"]).await;
        let foreign = theirs.entity(theirs.ninja().await, "Theirs").await;
        let (kite, gone) = (house.client("Kite").await, house.client("Gone").await);
        house.delete(gone).await;
        let foreign_client = theirs.client("Theirs").await;
        let random = Uuid::from_u128(9);
        let excluded = |entity_id, reason: &str| MappingChoice { entity_id, target: Target::Excluded, reason: Some(reason.to_owned()) };
        let choices = [
            to(EntityId(random), Target::Client(kite)),
            to(foreign, Target::Client(kite)),
            to(entities[0], Target::Client(ClientId(random))),
            to(entities[1], Target::Client(foreign_client)),
            to(entities[2], Target::Client(gone)),
            to(entities[3], Target::Excluded),
            excluded(entities[4], "  "),
            excluded(entities[5], &"r".repeat(501)),
            to(entities[5], Target::Client(kite)),
        ];
        let tx = house.begin().await;
        let found = mistakes(mapping_save(&tx, &choices, |_| true).await);
        let named: Vec<(String, &str)> = found.iter().map(|problem| (problem.pointer.clone(), problem.code)).collect();
        let expected = [
            ("/mappings/0/entity_id", "not_found"),
            ("/mappings/1/entity_id", "not_found"),
            ("/mappings/2/client_id", "not_found"),
            ("/mappings/3/client_id", "not_found"),
            ("/mappings/4/client_id", "not_found"),
            ("/mappings/5/reason", "required"),
            ("/mappings/6/reason", "required"),
            ("/mappings/7/reason", "too_long"),
            ("/mappings/8/entity_id", "twice"),
        ];
        assert_eq!(named, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!(found[0].message, found[1].message, "another organisation's id and a random one look alike");
        assert_eq!(found[2].message, found[3].message);
        assert_eq!(found[2].message, found[4].message);
        let refused = mapping_save(&tx, &[to(entities[0], Target::Client(kite))], |integration| integration != "ninjaone").await;
        assert_eq!(problems(refused), [("/mappings/0/entity_id".to_owned(), "forbidden")]);
        let many: Vec<MappingChoice> = (0..5_001).map(|n| to(EntityId(Uuid::from_u128(n)), Target::Nobody)).collect();
        assert_eq!(problems(mapping_save(&tx, &many, |_| true).await), [("/mappings".to_owned(), "too_many")]);
        assert!(tx.changes().is_empty());
    }

    async fn suggestions_are_for_undecided_entities_of_a_connection_that_exists(db: TestDb) {
        let (house, theirs) = (House::new(&db).await, House::new(&db).await);
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let (kite, crane) = (house.client("Kite Marine").await, house.client("Crane Dental").await);
        let with = |domain: &str| format!(r#"{{"name":"x","domains":["{domain}"],"tenant_id":null}}"#);
        let taught = house.entities_with(microsoft, &[("Crane", &with("crane-dental.example"))]).await;
        house.map(&taught, crane).await;
        let bodies = [with("crane-dental.example"), "not JSON at all".to_owned()];
        let entities = house
            .entities_with(ninja, &[("KITE MARINE PTY LTD", &bodies[1]), ("Crane Dental Group", &bodies[0]), ("Zebra Foundry", "{}"), ("Kite Marine", "{}"), ("Crane Dental", "{}")])
            .await;
        house.decide(&entities[3..4], Target::Excluded).await;
        house.map(&entities[4..], crane).await;
        let tx = house.read().await;
        let mut suggested = mapping_suggest(&tx, ninja.id, 0.85).await.expect("suggests");
        suggested.sort_by_key(|one| entities.iter().position(|id| *id == one.entity.id));
        let decisions: Vec<Decision> = suggested.iter().map(|one| one.decision).collect();
        assert_eq!(decisions, [Decision::Accept(kite), Decision::Accept(crane), Decision::None]);
        assert!(suggested[1].suggestions[0].signals.iter().any(|signal| signal.kind == SignalKind::Domain));
        for connection in [theirs.ninja().await.id, ConnectionId(Uuid::from_u128(3))] {
            let refused = mapping_suggest(&tx, connection, 0.9).await.map(drop);
            assert!(matches!(refused, Err(Error::NotFound { what: "connection" })), "{refused:?}");
        }
    }

    async fn counts_are_right_when_many_map_to_one_client_at_once(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let mut entities = Vec::new();
        for n in 0..6 {
            entities.push(house.mapped(source, &format!("Entity {n}"), n, kite).await);
        }
        let [a, b, c, d, e, f] = entities[..] else { panic!("six entities") };
        for (from, to) in [(kite, crane), (crane, kite)].repeat(3) {
            let moves = async |entity| drop(house.map(&[entity], to).await);
            tokio::join!(moves(a), moves(b), moves(c), moves(d), moves(e), moves(f));
            assert_eq!((house.devices(from).await, house.devices(to).await), ((0, 0), (15, 15)));
        }
    }

    async fn nobody_maps_to_a_client_while_it_is_being_deleted(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        for round in 0..6 {
            let kite = house.client("Kite").await;
            let entity = house.entity(source, &format!("Kite {round}")).await;
            let mapping = async {
                let tx = house.begin().await;
                mapping_save(&tx, &[to(entity, Target::Client(kite))], |_| true).await?;
                tx.commit("mapping_save", None).await
            };
            let (mapped, _) = tokio::join!(mapping, house.delete(kite));
            if let Err(refused) = mapped {
                assert!(matches!(refused, Error::Invalid(_) | Error::NotFound { .. }), "{refused:?}");
            }
            assert_eq!(house.about(entity).await.client_id, None, "mapped to a deleted client");
        }
    }

    async fn a_mapping_cannot_be_reverted_to_a_client_that_is_gone(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let entity = house.mapped(source, "Kite", 2, kite).await;
        let moved = house.map(&[entity], crane).await;
        let deleted = house.delete(kite).await;
        let refused = house.revert(moved.entry, &[]).await;
        assert_eq!(problems(refused), [(entity.to_string(), "client_deleted")]);
        house.revert(deleted.entry, &[]).await.expect("restores the client");
        house.revert(moved.entry, &[]).await.expect("reverts");
        assert_eq!((house.devices(kite).await, house.devices(crane).await), ((2, 2), (0, 0)));
        let nothing = house.begin().await.commit("mapping_save", None).await.expect("commits");
        assert_eq!(nothing.entry, None);
        let tx = house.begin().await;
        tx.commit_attempt("client_delete", domain::Outcome::Denied, "viewer").await.expect("commits");
        let tx = house.read().await;
        let attempt = tx.journal_list(&persistence::JournalFilter::default(), &crate::house::PAGE).await.expect("lists").items[0].id;
        drop(tx);
        assert_eq!(conflict(house.revert(Some(attempt), &[]).await).0, "nothing_to_revert");
    }
}
