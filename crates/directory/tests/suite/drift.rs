//! What vendors do after a person decided: one item for each cause, fixed in one entry, and nothing by itself.

use std::collections::BTreeSet;

use directory::{DriftFilter, DriftFix, DriftItem, DriftWish, drift_dismiss, drift_fix, drift_list};
use domain::{ChangeSet, ClientScope, DriftId, DriftKind, Error, MappingState, PageRequest};
use persistence::{Apply, Tx};
use testkit::both_databases;

use crate::house::{House, PAGE, conflict, problems};

async fn listed(tx: &Tx, filter: DriftFilter) -> Vec<DriftItem> {
    let page = drift_list(tx, &filter, &PAGE).await.expect("lists");
    assert_eq!((page.total, page.next), (page.items.len() as i64, None));
    page.items
}

async fn items(house: &House<'_>) -> Vec<DriftItem> {
    listed(&house.read().await, DriftFilter::default()).await
}

/// The only item there is.
async fn only(house: &House<'_>, kind: DriftKind) -> DriftItem {
    let mut items = items(house).await;
    assert_eq!(items.iter().map(|item| item.kind).collect::<Vec<_>>(), [kind], "{items:?}");
    items.pop().expect("one")
}

fn wish(fix: Option<DriftFix>) -> DriftWish {
    DriftWish { fix, ..DriftWish::default() }
}

async fn fix(house: &House<'_>, id: DriftId, wish: DriftWish) -> Result<ChangeSet, Error> {
    let preview = house.begin().await;
    drift_fix(&preview, id, &wish, |_| Ok(())).await?;
    let planned = preview.preview().await?;
    let tx = house.begin().await;
    drift_fix(&tx, id, &wish, |_| Ok(())).await?;
    let done = tx.finish("drift_fix", &Apply { expect: Some(planned.digest.clone()), ..Apply::default() }).await?;
    assert_eq!(done.changes.len(), planned.changes.len());
    Ok(done)
}

async fn dismiss(house: &House<'_>, id: DriftId, why: Option<&str>) -> Result<ChangeSet, Error> {
    let tx = house.begin().await;
    drift_dismiss(&tx, id, why, |_| Ok(())).await?;
    tx.commit("drift_dismiss", why).await
}

both_databases! {
    async fn a_renamed_entity_is_told_until_a_person_knows_the_name(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (kite, own) = (house.client("Kite").await, house.client("Name Of Its Own").await);
        let entities = house.entities(source, &["Kite", "Crane", "Nobody's"]).await;
        house.map(&[entities[0]], kite).await;
        house.map(&[entities[1]], own).await;
        assert!(items(&house).await.is_empty());
        db.clock.advance(60);
        for (entity, name) in [(entities[0], "Kite & Sons"), (entities[1], "Heron"), (entities[2], "Still Nobody's")] {
            house.tell(source, entity, name, "{}").await;
        }
        let found = items(&house).await;
        let told: Vec<_> = found.iter().map(|item| (item.entity.name.as_str(), item.known_name.as_deref(), item.proposed)).collect();
        assert_eq!(told, [
            ("Heron", Some("Crane"), Some(DriftFix::Acknowledge)),
            ("Kite & Sons", Some("Kite"), Some(DriftFix::RenameClient)),
        ]);
        assert!(found.iter().all(|item| item.kind == DriftKind::Renamed && item.since == db.now()));
        assert_eq!(house.now(kite).await.name, "Kite", "a client was renamed by itself");

        let renamed = fix(&house, found[1].id, wish(None)).await.expect("fixes");
        assert_eq!(house.now(kite).await.name, "Kite & Sons");
        let left = only(&house, DriftKind::Renamed).await;
        fix(&house, left.id, wish(None)).await.expect("fixes");
        assert_eq!((house.now(own).await.name.as_str(), items(&house).await.len()), ("Name Of Its Own", 0));
        assert_eq!(conflict(fix(&house, left.id, wish(None)).await.map_err(|gone| match gone {
            Error::NotFound { what } => Error::conflict("gone", what),
            other => other,
        })), ("gone", "drift item".to_owned()));

        // Reverted whole: the client has its name again, and the item is back under its id.
        house.revert(renamed.entry, &[]).await.expect("reverts");
        assert_eq!(house.now(kite).await.name, "Kite");
        assert_eq!(only(&house, DriftKind::Renamed).await.id, found[1].id);
        // Another name is another cause, and the old name none.
        dismiss(&house, found[1].id, Some("they always write it so")).await.expect("dismisses");
        assert!(items(&house).await.is_empty());
        house.tell(source, entities[0], "Kite Holding", "{}").await;
        assert_eq!(only(&house, DriftKind::Renamed).await.known_name.as_deref(), Some("Kite"));
        house.tell(source, entities[0], "Kite", "{}").await;
        assert!(items(&house).await.is_empty());
    }

    async fn a_vanished_entity_keeps_its_client_until_a_person_says_otherwise(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let kite = house.client("Kite").await;
        let entity = house.mapped(source, "Kite", 3, kite).await;
        house.listed(source).await;
        house.vanish(source, entity).await;
        let item = only(&house, DriftKind::Vanished).await;
        assert_eq!((item.client_id, item.proposed, item.since), (Some(kite), Some(DriftFix::Unmap), db.now()));
        assert_eq!(house.about(entity).await.client_id, Some(kite), "it was unmapped by itself");
        assert_eq!(problems(fix(&house, item.id, wish(Some(DriftFix::RenameClient))).await), [("/fix".to_owned(), "not_a_fix")]);

        let unmapped = fix(&house, item.id, wish(None)).await.expect("fixes");
        assert_eq!((unmapped.changes.len(), items(&house).await.len()), (1, 0));
        assert_eq!(house.about(entity).await.mapping_state, MappingState::Unmapped);
        house.revert(unmapped.entry, &[]).await.expect("reverts");
        assert_eq!(only(&house, DriftKind::Vanished).await.id, item.id);

        // Kept, it is told no more; taking that back tells it again; that it comes back settles it.
        let kept = fix(&house, item.id, wish(Some(DriftFix::Acknowledge))).await.expect("fixes");
        assert!(items(&house).await.is_empty());
        let reverted = house.revert(kept.entry, &[]).await.expect("reverts");
        assert_eq!(only(&house, DriftKind::Vanished).await.id, item.id);
        house.revert(reverted.entry, &[]).await.expect("reverts the revert");
        assert!(items(&house).await.is_empty());
        db.clock.advance(60);
        house.tell(source, entity, "Kite", "{}").await;
        assert!(items(&house).await.is_empty());
        db.clock.advance(60);
        house.vanish(source, entity).await;
        assert_ne!(only(&house, DriftKind::Vanished).await.id, item.id, "that it was kept once hides it for good");
    }

    async fn a_recreated_entity_is_one_item_and_takes_the_place_of_the_old(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let body = r#"{"domains":["Crane.example"]}"#;
        let old = house.entities_with(source, &[("Kite", "{}"), ("Crane", body)]).await;
        house.map(&old[..1], kite).await;
        house.map(&old[1..], crane).await;
        house.listed(source).await;
        for entity in &old {
            house.vanish(source, *entity).await;
        }
        let new = house.entities_with(source, &[("kite", "{}"), ("The Crane Group", r#"{"domains":["crane.example"]}"#), ("Lark", "{}")]).await;
        let found = items(&house).await;
        let told: Vec<_> = found.iter().map(|item| (item.kind, item.entity.id, item.former.as_ref().map(|f| f.id), item.client_id)).collect();
        assert_eq!(told, [
            (DriftKind::Recreated, new[0], Some(old[0]), Some(kite)),
            (DriftKind::NewUnmapped, new[2], None, None),
            (DriftKind::Recreated, new[1], Some(old[1]), Some(crane)),
        ]);
        assert!(new.len() == 3 && house.about(new[0]).await.client_id.is_none(), "it was mapped by itself");
        let mapped = fix(&house, found[0].id, wish(None)).await.expect("fixes");
        assert_eq!(mapped.changes.len(), 2);
        assert_eq!((house.about(new[0]).await.client_id, house.about(old[0]).await.client_id), (Some(kite), None));
        assert_eq!(items(&house).await.len(), 2);
        house.revert(mapped.entry, &[]).await.expect("reverts");
        assert_eq!(items(&house).await.iter().map(|item| item.id).collect::<Vec<_>>(), found.iter().map(|item| item.id).collect::<Vec<_>>());
        // Only the old is given up: the new one is new then, and is told as that.
        fix(&house, found[2].id, wish(Some(DriftFix::Unmap))).await.expect("fixes");
        let kinds: Vec<_> = items(&house).await.iter().map(|item| item.kind).collect();
        assert_eq!(kinds, [DriftKind::Recreated, DriftKind::NewUnmapped, DriftKind::NewUnmapped]);
    }

    async fn what_came_after_the_first_listing_is_new_until_decided(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let kite = house.client("Kite Veterinary Clinic").await;
        house.entity(source, "There From The Start").await;
        db.clock.advance(60);
        assert!(items(&house).await.is_empty(), "nothing is new before there was a whole listing");
        house.listed(source).await;
        assert!(items(&house).await.is_empty());
        let new = house.entities(source, &["Kite Veterinary Clinic", "Zzyzx Unheard Of", "Our Own Tests"]).await;
        let found = items(&house).await;
        let told: Vec<_> = found.iter().map(|item| (item.entity.id, item.proposed)).collect();
        assert_eq!(told, [(new[0], Some(DriftFix::Map)), (new[2], None), (new[1], None)]);
        assert_eq!(found[0].suggestions[0].client_id, kite);

        fix(&house, found[0].id, wish(None)).await.expect("fixes");
        assert_eq!(house.about(new[0]).await.client_id, Some(kite));
        assert_eq!(conflict(fix(&house, found[1].id, wish(None)).await).0, "nothing_proposed");
        assert_eq!(problems(fix(&house, found[1].id, wish(Some(DriftFix::Map))).await), [("/client_id".to_owned(), "required")]);
        assert_eq!(problems(fix(&house, found[1].id, wish(Some(DriftFix::Exclude))).await), [("reason".to_owned(), "required")]);
        let excluded = DriftWish { fix: Some(DriftFix::Exclude), client: None, reason: Some(" ours ".to_owned()) };
        let excluded = fix(&house, found[1].id, excluded).await.expect("fixes");
        let named = DriftWish { fix: Some(DriftFix::Map), client: Some(kite), reason: None };
        fix(&house, found[2].id, named).await.expect("fixes");
        assert!(items(&house).await.is_empty());
        assert_eq!(house.about(new[2]).await.mapping_reason.as_deref(), Some("ours"));
        house.revert(excluded.entry, &[]).await.expect("reverts");
        assert_eq!(problems(dismiss(&house, found[1].id, Some("  ")).await), [("reason".to_owned(), "required")]);
        dismiss(&house, found[1].id, Some("later")).await.expect("dismisses");
        assert!(items(&house).await.is_empty());
    }

    async fn a_domain_that_changed_hands_is_told_once(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, tenants) = (house.ninja().await, house.microsoft().await);
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let tells = |domains: &[&str]| serde_json::json!({ "domains": domains }).to_string();
        let ours = house.entities_with(tenants, &[
            ("Kite", &tells(&["kite.example", "sold.example", "gmail.com"])),
            ("Crane", &tells(&["crane.example", "shared.example"])),
        ]).await;
        let other = house.entities_with(ninja, &[("Kite", &tells(&["shared.example"]))]).await[0];
        house.map(&[ours[0], other], kite).await;
        house.map(&ours[1..], crane).await;
        db.clock.advance(60);
        // Both tell it: nothing changed hands. One that gives up what another had as long: neither.
        house.tell(tenants, ours[1], "Crane", &tells(&["crane.example", "sold.example", "shared.example", "gmail.com"])).await;
        house.tell(ninja, other, "Kite", &tells(&[])).await;
        assert!(items(&house).await.is_empty());
        db.clock.advance(60);
        house.tell(tenants, ours[0], "Kite", &tells(&["kite.example"])).await;
        let item = only(&house, DriftKind::DomainMoved).await;
        assert_eq!(item.domain.as_deref(), Some("sold.example"));
        assert_eq!((item.entity.id, item.former.as_ref().map(|f| f.id), item.client_id), (ours[1], Some(ours[0]), Some(kite)));
        for client in [kite, crane] {
            let filter = DriftFilter { client: Some(client), ..DriftFilter::default() };
            assert_eq!(listed(&house.read().await, filter).await.len(), 1);
        }
        let filter = DriftFilter { connection: Some(ninja.id), ..DriftFilter::default() };
        assert!(listed(&house.read().await, filter).await.is_empty());

        let moved = fix(&house, item.id, wish(Some(DriftFix::Map))).await.expect("fixes");
        assert_eq!((house.about(ours[1]).await.client_id, items(&house).await.len()), (Some(kite), 0));
        house.revert(moved.entry, &[]).await.expect("reverts");
        fix(&house, item.id, wish(None)).await.expect("acknowledges");
        assert_eq!((house.about(ours[1]).await.client_id, items(&house).await.len()), (Some(crane), 0));
        // Told again by whoever had it, it has not changed hands; a tenant that vanishes loses what it told.
        house.tell(tenants, ours[0], "Kite", &tells(&["kite.example", "sold.example"])).await;
        db.clock.advance(60);
        house.vanish(tenants, ours[0]).await;
        house.tell(tenants, ours[1], "Crane", &tells(&["crane.example", "kite.example"])).await;
        let found = items(&house).await;
        let told: Vec<_> = found.iter().map(|item| (item.kind, item.domain.as_deref())).collect();
        assert_eq!(told, [(DriftKind::DomainMoved, Some("kite.example")), (DriftKind::Vanished, None)]);
    }

    async fn nobody_sees_drift_of_clients_out_of_scope(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let tells = r#"{"domains":["sold.example"]}"#;
        let entities = house.entities_with(source, &[("Kite", "{}"), ("Crane", tells), ("Kite Two", "{}")]).await;
        house.map(&[entities[0], entities[2]], kite).await;
        house.map(&entities[1..2], crane).await;
        house.listed(source).await;
        house.tell(source, entities[0], "Kite Anew", "{}").await;
        house.tell(source, entities[1], "Crane Anew", "{}").await;
        house.tell(source, entities[2], "Kite Two", tells).await;
        house.entity(source, "Brand New").await;
        let all = items(&house).await;
        assert_eq!(all.len(), 4, "{all:?}");
        for (scope, seen) in [
            (ClientScope::Only([kite].into()), vec!["Kite Anew"]),
            (ClientScope::AllBut([crane].into()), vec!["Kite Anew"]),
            (ClientScope::Only([].into()), vec![]),
        ] {
            let tx = house.scoped(scope).await;
            let names: Vec<_> = listed(&tx, DriftFilter::default()).await.into_iter().map(|item| item.entity.name).collect();
            assert_eq!(names, seen);
            for item in all.iter().filter(|item| !names.contains(&item.entity.name) || item.kind == DriftKind::DomainMoved) {
                let refused = drift_fix(&tx, item.id, &wish(Some(DriftFix::Acknowledge)), |_| Ok(())).await;
                assert!(matches!(refused, Err(Error::NotFound { what: "drift item" })), "{refused:?}");
                let refused = drift_dismiss(&tx, item.id, Some("why"), |_| Ok(())).await;
                assert!(matches!(refused, Err(Error::NotFound { what: "drift item" })), "{refused:?}");
            }
        }
        let foreign = House::new(&db).await;
        assert!(items(&foreign).await.is_empty());
    }

    async fn pages_hold_every_item_once(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        house.listed(source).await;
        let names: Vec<String> = (0..57).map(|n| format!("New {}", n % 20)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let made: BTreeSet<_> = house.entities(source, &names).await.into_iter().collect();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = PageRequest { limit: 10, after };
            let listed = drift_list(&house.read().await, &DriftFilter::default(), &page).await.expect("lists");
            assert_eq!(listed.total, 57);
            seen.extend(listed.items.iter().map(|item| item.entity.id));
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((seen.len(), seen.into_iter().collect::<BTreeSet<_>>()), (57, made));
        let filter = DriftFilter { kind: Some(DriftKind::Renamed), ..DriftFilter::default() };
        assert!(listed(&house.read().await, filter).await.is_empty());
    }
}
