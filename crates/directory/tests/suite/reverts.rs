use directory::{Target, client_create};
use domain::{ClientPatch, ClientStatus};
use testkit::both_databases;

use crate::house::{House, conflict, draft, problems};

both_databases! {
    async fn a_revert_can_be_reverted(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let entities = house.entities(source, &["Kite North", "Kite South"]).await;
        house.records(source, entities[0], 3, 0).await;
        let tx = house.begin().await;
        let kite = client_create(&tx, draft("Kite"), &entities).await.expect("creates").client.id;
        let made = tx.commit("client_create", None).await.expect("commits");
        let undone = house.revert(made.entry, &[]).await.expect("reverts");
        assert_eq!(house.read().await.client_totals().await.expect("counts").total(), 0);
        house.revert(undone.entry, &[]).await.expect("reverts the revert");
        assert_eq!((house.devices(kite).await, house.about(entities[1]).await.client_id), ((3, 3), Some(kite)));
        assert_eq!(house.about(entities[0]).await.mapping_reason.as_deref(), Some("chosen when the client was created"));
        let twice = problems(house.revert(undone.entry, &[]).await);
        assert_eq!(twice.len(), 3, "it was undone already: {twice:?}");
        house.entries().await;
    }

    async fn undoing_a_restoration_leaves_no_entity_with_a_deleted_client(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let kite = house.client("Kite").await;
        let deleted = house.delete(kite).await;
        let restored = house.revert(deleted.entry, &[]).await.expect("reverts");
        let entity = house.mapped(source, "Kite", 2, kite).await;
        assert_eq!(problems(house.revert(restored.entry, &[]).await), [(kite.to_string(), "changed_since")]);
        assert_eq!(house.devices(kite).await, (2, 2));
        house.revert(restored.entry, &[kite.0]).await.expect("reverts");
        assert_eq!(house.about(entity).await.client_id, None);
        assert_eq!(house.read().await.client_totals().await.expect("counts").total(), 0);
    }

    async fn a_client_is_brought_back_for_thirty_days(db: TestDb) {
        let house = House::new(&db).await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let (gone, late) = (house.delete(kite).await, house.delete(crane).await);
        db.clock.advance(30 * 86_400);
        house.revert(gone.entry, &[]).await.expect("on the thirtieth day");
        db.clock.advance(1);
        let refused = problems(house.revert(late.entry, &[]).await);
        assert_eq!(refused, [(crane.to_string(), "too_old")]);
        assert_eq!(problems(house.revert(late.entry, &[crane.0]).await), refused, "no word of a person makes it younger");
    }

    async fn what_was_decided_again_since_is_named(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let entity = house.entity(source, "Kite").await;
        let kite = house.client("Kite").await;
        let mapped = house.map(&[entity], kite).await;
        let tx = house.begin().await;
        let choice = directory::MappingChoice { entity_id: entity, target: Target::Client(kite), reason: Some("seen on the invoice".to_owned()) };
        directory::mapping_save(&tx, &[choice], |_| true).await.expect("saves");
        let explained = tx.commit("mapping_save", None).await.expect("commits");
        assert_eq!(problems(house.revert(mapped.entry, &[]).await), [(entity.to_string(), "changed_since")]);
        house.revert(explained.entry, &[]).await.expect("reverts");
        house.revert(mapped.entry, &[]).await.expect("reverts");
        assert_eq!(house.about(entity).await.client_id, None);
    }

    async fn a_client_deleted_with_entities_mapped_elsewhere_since(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let stayed = house.mapped(source, "Kite North", 1, kite).await;
        let moved = house.mapped(source, "Kite South", 2, kite).await;
        let deleted = house.delete(kite).await;
        house.map(&[moved], crane).await;
        assert_eq!(problems(house.revert(deleted.entry, &[]).await), [(moved.to_string(), "changed_since")]);
        assert_eq!(house.about(stayed).await.client_id, None, "nothing was written");
        house.revert(deleted.entry, &[moved.0]).await.expect("reverts");
        assert_eq!((house.devices(kite).await, house.devices(crane).await), ((3, 3), (0, 0)));
    }

    async fn an_entity_that_is_gone_with_its_connection_is_named_and_can_be_left_out(db: TestDb) {
        let house = House::new(&db).await;
        let (source, other) = (house.ninja().await, house.microsoft().await);
        let kite = house.client("Kite").await;
        let kept = house.mapped(source, "Kite Org", 2, kite).await;
        let lost = house.mapped(other, "kite.example", 1, kite).await;
        let deleted = house.delete(kite).await;
        let tx = house.begin().await;
        let connection = tx.connection(other.id).await.expect("finds");
        tx.connection_delete(&connection).await.expect("deletes");
        let forgotten = tx.commit("connection_delete", None).await.expect("commits");
        assert_eq!(conflict(house.revert(forgotten.entry, &[]).await).0, "not_revertible");
        assert_eq!(problems(house.revert(deleted.entry, &[]).await), [(lost.to_string(), "gone")]);
        house.revert(deleted.entry, &[lost.0]).await.expect("reverts");
        assert_eq!((house.devices(kite).await, house.about(kept).await.client_id), ((2, 2), Some(kite)));
        house.entries().await;
    }

    async fn edits_are_undone_one_by_one_and_totals_follow(db: TestDb) {
        let house = House::new(&db).await;
        let kite = house.client("Kite").await;
        let edit = async |patch: ClientPatch| {
            let tx = house.begin().await;
            directory::client_update(&tx, kite, patch, None).await.expect("saves");
            tx.commit("client_update", None).await.expect("commits")
        };
        let full = ClientPatch { phone: Some(Some("+49 1".to_owned())), notes: Some(Some("old".to_owned())), ..ClientPatch::default() };
        edit(full).await;
        let before = house.now(kite).await;
        let off = edit(ClientPatch { status: Some(ClientStatus::Inactive), notes: Some(None), ..ClientPatch::default() }).await;
        house.revert(off.entry, &[]).await.expect("reverts");
        let after = house.now(kite).await;
        assert_eq!(domain::Client { version: before.version, ..after.clone() }, before);
        assert_eq!(after.version, before.version + 2, "versions only ever go up");
        let totals = house.read().await.client_totals().await.expect("counts");
        assert_eq!((totals.active, totals.inactive), (1, 0));
        let deleted = house.delete(kite).await;
        assert_eq!(problems(house.revert(off.entry, &[]).await), [(kite.to_string(), "changed_since")]);
        house.revert(deleted.entry, &[]).await.expect("reverts");
        assert_eq!(house.now(kite).await.phone.as_deref(), Some("+49 1"));
    }
}
