use directory::{Merge, Merged, MergedField, client_archive, client_merge, client_restore, mapping_type};
use domain::{Archived, ClientId, ClientPatch, ClientScope, ClientStatus, Error, MappingState, Result, SortOrder};
use persistence::{ClientFilter, ClientSort};
use testkit::both_databases;

use crate::house::{House, PAGE, conflict, problems};

fn merge(from: ClientId, into: ClientId) -> Merge {
    Merge { from, into, take: Vec::new() }
}

/// A client with a telephone, an address and notes of its own name.
async fn told(house: &House<'_>, name: &str, phone: Option<&str>, notes: Option<&str>) -> ClientId {
    let id = house.client(name).await;
    let patch = ClientPatch {
        phone: phone.map(|text| Some(text.to_owned())),
        notes: notes.map(|text| Some(text.to_owned())),
        ..ClientPatch::default()
    };
    let tx = house.begin().await;
    directory::client_update(&tx, id, patch, None).await.expect("updates");
    tx.commit("client_update", None).await.expect("commits");
    id
}

async fn tried(house: &House<'_>, scope: ClientScope, merge: &Merge) -> Result<Merged> {
    client_merge(&house.scoped(scope).await, merge, None).await
}

/// Ids of the clients that a list holds.
async fn listed(house: &House<'_>, filter: &ClientFilter) -> Vec<ClientId> {
    let tx = house.read().await;
    let page = tx.client_list(filter, ClientSort::Name, SortOrder::Ascending, &PAGE).await.expect("lists");
    assert_eq!(page.total, page.items.len() as i64);
    let exported = tx.clients_exported(filter, None, 1_000).await.expect("exports");
    let ids: Vec<ClientId> = page.items.iter().map(|one| one.client.id).collect();
    assert_eq!(exported.iter().map(|one| one.client.id).collect::<Vec<_>>(), ids, "list and export differ");
    ids
}

both_databases! {
    async fn everything_moves_and_a_revert_makes_two_of_them_again(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let old = told(&house, "Kite Ltd", Some("1"), Some("Old notes")).await;
        let new = told(&house, "Kite", None, Some("New notes")).await;
        let moved = house.mapped(ninja, "Kite North", 2, old).await;
        let tenant = house.mapped(microsoft, "kite.example", 1, old).await;
        let stayed = house.mapped(ninja, "Kite South", 3, new).await;
        let tx = house.begin().await;
        mapping_type(&tx, old, "sophos", "typed-1").await.expect("types");
        tx.share_insert(ninja.id, old).await.expect("shares");
        tx.share_insert(ninja.id, new).await.expect("shares");
        tx.share_insert(microsoft.id, old).await.expect("shares");
        tx.commit("furnish", None).await.expect("commits");
        let before = (house.now(old).await, house.now(new).await);

        let tx = house.begin().await;
        let Merged { client: merged, access_differs, .. } = client_merge(&tx, &merge(old, new), None).await.expect("merges");
        assert!(access_differs.is_empty(), "{access_differs:?}");
        let set = tx.commit("client_merge", None).await.expect("commits");
        assert_eq!((merged.name.as_str(), merged.phone.as_deref()), ("Kite", Some("1")));
        assert_eq!(merged.notes.as_deref(), Some("New notes\n\n“Kite Ltd”:\nOld notes"));
        assert_eq!((merged.device_count, house.devices(new).await), (6, (6, 6)));
        for entity in [moved, tenant, stayed] {
            let about = house.about(entity).await;
            assert_eq!((about.client_id, about.mapping_state), (Some(new), MappingState::Mapped));
        }
        let tx = house.read().await;
        assert!(matches!(tx.client(old).await, Err(Error::NotFound { .. })));
        assert_eq!(tx.unverified_of_client(new).await.expect("lists").len(), 1);
        assert_eq!(tx.unverified_of_client(old).await.expect("lists").len(), 0);
        assert_eq!((tx.shares_of_client(new).await.expect("lists").len(), tx.shares_of_client(old).await.expect("lists").len()), (2, 0));
        assert_eq!(tx.client_totals().await.expect("counts").total(), 1);
        drop(tx);

        house.revert(set.entry, &[]).await.expect("reverts");
        let stripped = |client: domain::Client| domain::Client { version: 0, updated_at: db.now(), ..client };
        assert_eq!(stripped(house.now(old).await), stripped(before.0));
        assert_eq!(stripped(house.now(new).await), stripped(before.1));
        assert_eq!((house.devices(old).await, house.devices(new).await), ((3, 3), (3, 3)));
        let tx = house.read().await;
        assert_eq!(tx.unverified_of_client(old).await.expect("lists").len(), 1);
        assert_eq!((tx.shares_of_client(new).await.expect("lists").len(), tx.shares_of_client(old).await.expect("lists").len()), (1, 2));
        assert_eq!(tx.client_totals().await.expect("counts").total(), 2);
        drop(tx);
        house.entries().await;
    }

    async fn what_was_done_since_a_merge_is_named_when_it_is_undone(db: TestDb) {
        let house = House::new(&db).await;
        let ninja = house.ninja().await;
        let (old, new) = (house.client("Old").await, house.client("New").await);
        let entity = house.mapped(ninja, "Old", 1, old).await;
        let tx = house.begin().await;
        mapping_type(&tx, old, "sophos", "typed-1").await.expect("types");
        let share = tx.share_insert(ninja.id, old).await.expect("shares");
        tx.commit("furnish", None).await.expect("commits");
        let tx = house.begin().await;
        client_merge(&tx, &merge(old, new), None).await.expect("merges");
        let set = tx.commit("client_merge", None).await.expect("commits");
        let other = house.client("Other").await;
        house.map(&[entity], other).await;
        let tx = house.begin().await;
        let typed = tx.unverified_of_client(new).await.expect("lists").remove(0);
        tx.unverified_delete(&typed).await.expect("deletes");
        let moved = tx.shares_of_client(new).await.expect("lists").remove(0);
        assert_eq!(moved.id, share.id);
        tx.share_delete(&moved).await.expect("deletes");
        tx.commit("decide", None).await.expect("commits");
        let mut named = problems(house.revert(set.entry, &[]).await);
        named.sort();
        let mut expected = [entity.0, typed.id.0, share.id.0].map(|id| (id.to_string(), "changed_since"));
        expected.sort();
        assert_eq!(named, expected);
        house.revert(set.entry, &[entity.0, typed.id.0, share.id.0]).await.expect("reverts");
        assert_eq!(house.about(entity).await.client_id, Some(old));
        let tx = house.read().await;
        assert_eq!(tx.unverified_of_client(old).await.expect("lists").len(), 1);
        assert_eq!(tx.shares_of_client(old).await.expect("lists").len(), 1);
    }

    async fn fields_are_chosen_and_no_notes_are_lost(db: TestDb) {
        let house = House::new(&db).await;
        let old = told(&house, "Old", Some("1"), Some(&"o".repeat(6_000))).await;
        let new = told(&house, "New", Some("2"), Some(&"n".repeat(6_000))).await;
        let all = ClientScope::All;
        assert_eq!(conflict(tried(&house, all.clone(), &merge(old, new)).await).0, "notes_too_long");
        let third = told(&house, "Third", Some("3"), None).await;
        let take = vec![MergedField::Name, MergedField::Phone, MergedField::Address, MergedField::Status];
        let merged = tried(&house, all.clone(), &Merge { from: third, into: old, take }).await.expect("merges").client;
        assert_eq!((merged.name.as_str(), merged.phone.as_deref(), merged.status), ("Third", Some("3"), ClientStatus::Active));
        assert_eq!(merged.notes, Some("o".repeat(6_000)));
        assert_eq!(problems(tried(&house, all.clone(), &merge(old, old)).await), [("/into".to_owned(), "same")]);
        let stale = client_merge(&house.begin().await, &merge(third, new), Some(7)).await;
        assert!(matches!(stale, Err(Error::Stale { .. })));
        // Who does not see both sees neither.
        for scope in [ClientScope::Only([old].into()), ClientScope::Only([third].into()), ClientScope::AllBut([old].into())] {
            assert!(matches!(tried(&house, scope, &merge(third, old)).await, Err(Error::NotFound { .. })));
        }
        house.delete(third).await;
        assert!(matches!(tried(&house, all, &merge(old, third)).await, Err(Error::NotFound { .. })));
    }

    async fn an_archived_client_is_out_of_the_way_and_whole(db: TestDb) {
        let house = House::new(&db).await;
        let ninja = house.ninja().await;
        let (kite, lark) = (house.client("Kite").await, house.client("Lark").await);
        let entity = house.mapped(ninja, "Kite", 2, kite).await;
        let tx = house.begin().await;
        let archived = client_archive(&tx, kite, None).await.expect("archives");
        let set = tx.commit("client_archive", None).await.expect("commits");
        assert_eq!((archived.archived_at, archived.status), (Some(db.now()), ClientStatus::Active));
        let with = |archived, search: Option<&str>| ClientFilter { archived, search: search.map(str::to_owned), ..ClientFilter::default() };
        for search in [None, Some("k")] {
            assert_eq!(listed(&house, &with(Archived::Hidden, search)).await, [lark]);
            assert_eq!(listed(&house, &with(Archived::Only, search)).await, [kite]);
            assert_eq!(listed(&house, &with(Archived::Included, search)).await, [kite, lark]);
        }
        let active = ClientFilter { status: Some(ClientStatus::Active), ..ClientFilter::default() };
        assert_eq!(listed(&house, &active).await, [lark]);
        assert_eq!(house.read().await.client_totals().await.expect("counts").total(), 1);
        let scoped = domain::Context { scope: ClientScope::Only([kite].into()), ..db.context(house.organisation) };
        let tx = db.store.read(scoped).await.expect("reads");
        assert_eq!(tx.client_totals().await.expect("counts").total(), 0);
        drop(tx);
        // It is still there, and what vendors say still comes in.
        assert_eq!(house.read().await.client_listed(kite).await.expect("finds").client.id, kite);
        house.records(ninja, entity, 1, 0).await;
        assert_eq!(house.devices(kite).await, (3, 3));
        assert_eq!(house.read().await.clients_beginning("kite", 9).await.expect("finds").len(), 1);

        let tx = house.begin().await;
        client_archive(&tx, kite, None).await.expect("is archived");
        assert!(tx.changes().is_empty(), "archived twice is archived once");
        drop(tx);
        let tx = house.begin().await;
        assert!(matches!(client_restore(&tx, kite, Some(1)).await, Err(Error::Stale { .. })));
        client_restore(&tx, kite, Some(archived.version)).await.expect("restores");
        let restored = tx.commit("client_restore", None).await.expect("commits");
        assert_eq!(listed(&house, &ClientFilter::default()).await, [kite, lark]);
        assert_eq!(house.read().await.client_totals().await.expect("counts").active, 2);
        house.revert(restored.entry, &[]).await.expect("reverts");
        assert_eq!(house.now(kite).await.archived_at, archived.archived_at);
        house.revert(set.entry, &[kite.0]).await.expect("reverts");
        assert_eq!(listed(&house, &ClientFilter::default()).await, [kite, lark]);
        house.entries().await;
    }
}
