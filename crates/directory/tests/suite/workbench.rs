//! The list in which people map, and how far the matching is trusted.

use directory::{
    ImportAction, MappingSuggestion, MatchingPatch, Target, Workbench, WorkbenchSort, WorkbenchState, import_apply,
    mapping_suggest, mapping_type, mapping_workbench, matching::Decision, matching_settings_get,
    matching_settings_update, typed_list,
};
use domain::{
    ClientScope, ConnectionId, Context, Error, PageRequest, Permission, Permissions, Result, Role, SortOrder, Threshold,
};
use persistence::MatchingSettingsRow;
use testkit::both_databases;
use uuid::Uuid;

use crate::house::{House, Source, problems};

async fn rows(house: &House<'_>, source: Source, wanted: &Workbench) -> Vec<MappingSuggestion> {
    let listed = mapping_workbench(&house.read().await, source.id, wanted, None).await.expect("lists");
    assert_eq!((listed.total, listed.next), (listed.items.len() as i64, None));
    listed.items
}

fn names(rows: &[MappingSuggestion]) -> Vec<&str> {
    rows.iter().map(|row| row.entity.name.as_str()).collect()
}

fn wanted(state: WorkbenchState) -> Workbench {
    Workbench { state, threshold: 0.95, ..Workbench::default() }
}

/// Saves a threshold, as one entry.
async fn trust(house: &House<'_>, threshold: f64) -> Result<MatchingSettingsRow> {
    let tx = house.begin().await;
    let row = matching_settings_update(&tx, MatchingPatch { threshold: Some(threshold), version: None }).await?;
    tx.commit("matching_settings_update", None).await?;
    Ok(row)
}

both_databases! {
    async fn every_filter_of_the_workbench_holds(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let kite = house.client("Kite Marine").await;
        for name in ["Osprey Legal", "osprey  legal", "Crane Dental"] {
            house.client(name).await;
        }
        let all = ["Zebra Foundry", "KITE MARINE PTY LTD", "Osprey Legal", "Crane Dental Group", "Internal", "An Old One"];
        let entities = house.entities(source, &all).await;
        house.decide(&entities[4..5], Target::Excluded).await;
        house.map(&entities[5..], kite).await;
        let open = rows(&house, source, &wanted(WorkbenchState::Unmapped)).await;
        assert_eq!(names(&open), ["Crane Dental Group", "KITE MARINE PTY LTD", "Osprey Legal", "Zebra Foundry"]);
        assert_eq!(open[1].decision, Decision::Accept(kite));
        let suggested = mapping_suggest(&house.read().await, source.id, 0.95).await.expect("suggests");
        assert_eq!(names(&suggested), names(&open), "what is open is the usual list");
        let ambiguous = rows(&house, source, &wanted(WorkbenchState::Ambiguous)).await;
        assert_eq!((names(&ambiguous), ambiguous[0].decision), (vec!["Osprey Legal"], Decision::Ambiguous));
        let excluded = rows(&house, source, &wanted(WorkbenchState::Excluded)).await;
        assert_eq!(names(&excluded), ["Internal"]);
        assert_eq!(excluded[0].entity.mapping_reason.as_deref(), Some("an internal test"));
        let mapped = rows(&house, source, &wanted(WorkbenchState::Mapped)).await;
        assert_eq!((names(&mapped), mapped[0].entity.client_id), (vec!["An Old One"], Some(kite)));
        for row in excluded.iter().chain(&mapped) {
            assert!(row.suggestions.is_empty() && row.decision == Decision::None);
        }
        let every = rows(&house, source, &wanted(WorkbenchState::All)).await;
        assert_eq!(names(&every), ["An Old One", "Crane Dental Group", "Internal", "KITE MARINE PTY LTD", "Osprey Legal", "Zebra Foundry"]);
        assert_eq!(every.iter().filter(|row| !row.suggestions.is_empty()).count(), 3, "only what is open is scored");

        for (search, found) in [("DENT", vec!["Crane Dental Group"]), ("%", vec![]), ("  ", names(&open)), ("internal", vec![])] {
            let filter = Workbench { search: Some(search.to_owned()), ..wanted(WorkbenchState::Unmapped) };
            assert_eq!(names(&rows(&house, source, &filter).await), found, "{search:?}");
        }
        let likely = Workbench { min_score: Some(0.95), ..wanted(WorkbenchState::All) };
        assert_eq!(names(&rows(&house, source, &likely).await), ["KITE MARINE PTY LTD"]);
        let any = Workbench { min_score: Some(0.0), ..wanted(WorkbenchState::All) };
        assert_eq!(rows(&house, source, &any).await.len(), 6);
        let sorted = Workbench { sort: WorkbenchSort::Score, order: SortOrder::Descending, ..wanted(WorkbenchState::All) };
        let sorted = rows(&house, source, &sorted).await;
        let score = |row: &MappingSuggestion| row.suggestions.first().map_or(0.0, |best| best.score);
        assert!(sorted.iter().map(score).is_sorted_by(|a, b| a >= b), "{sorted:?}");
        assert_eq!(names(&sorted)[0], "KITE MARINE PTY LTD");
        // At a lower threshold more is accepted, and what is ambiguous is not.
        let low = Workbench { threshold: 0.5, ..wanted(WorkbenchState::Ambiguous) };
        assert_eq!(names(&rows(&house, source, &low).await), ["Osprey Legal"]);
        let refused = mapping_workbench(&house.read().await, ConnectionId(Uuid::from_u128(3)), &low, None).await;
        assert!(matches!(refused, Err(Error::NotFound { what: "connection" })));
        let hidden = house.scoped(ClientScope::AllBut([kite].into())).await;
        let seen = mapping_workbench(&hidden, source.id, &wanted(WorkbenchState::All), None).await.expect("lists");
        assert!(seen.items.is_empty(), "what belongs to nobody, or to others, is not theirs to see");
    }

    async fn pages_of_the_workbench_are_the_whole_list(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        for name in ["Kite 1", "Kite 2", "Kite Marine"] {
            house.client(name).await;
        }
        let named: Vec<String> = (0..17).map(|n| format!("Kite {}", n % 5)).collect();
        house.entities(source, &named.iter().map(String::as_str).collect::<Vec<_>>()).await;
        for sort in [WorkbenchSort::Name, WorkbenchSort::Score] {
            for order in [SortOrder::Ascending, SortOrder::Descending] {
                let filter = Workbench { sort, order, ..wanted(WorkbenchState::All) };
                let whole = rows(&house, source, &filter).await;
                let (mut paged, mut after) = (Vec::new(), None);
                loop {
                    let page = PageRequest { limit: 4, after };
                    let listed = mapping_workbench(&house.read().await, source.id, &filter, Some(&page)).await.expect("lists");
                    assert_eq!(listed.total, 17);
                    paged.extend(listed.items);
                    after = listed.next;
                    if after.is_none() {
                        break;
                    }
                }
                let ids = |rows: &[MappingSuggestion]| rows.iter().map(|row| row.entity.id).collect::<Vec<_>>();
                assert_eq!((ids(&paged), paged.len()), (ids(&whole), 17), "{sort:?} {order:?}");
                assert!(paged.iter().zip(&whole).all(|(one, other)| one.suggestions == other.suggestions));
            }
        }
    }

    async fn ids_typed_by_hand_wait_in_the_workbench(db: TestDb) {
        let house = House::new(&db).await;
        let (kite, gone) = (house.client("Kite").await, house.client("Gone").await);
        let tx = house.begin().await;
        for (client, integration, id) in [(kite, "ninjaone", "B-2"), (kite, "ninjaone", "a-1"), (gone, "ninjaone", "c-3"), (kite, "sophos", "d-4")] {
            mapping_type(&tx, client, integration, id).await.expect("types");
        }
        tx.commit("mapping_type", None).await.expect("commits");
        let listed = async |search: Option<&str>, page: Option<&PageRequest>| {
            typed_list(&house.read().await, "ninjaone", search, page).await.expect("lists")
        };
        let ids = |typed: &[domain::UnverifiedMapping]| typed.iter().map(|one| one.vendor_id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&listed(None, None).await.items), ["a-1", "B-2", "c-3"]);
        house.delete(gone).await;
        let all = listed(None, None).await;
        assert_eq!((ids(&all.items), all.total), (vec!["a-1".to_owned(), "B-2".to_owned()], 2));
        assert_eq!(ids(&listed(Some(" b-"), None).await.items), ["B-2"]);
        let first = listed(None, Some(&PageRequest { limit: 1, after: None })).await;
        assert_eq!((ids(&first.items), first.total), (vec!["a-1".to_owned()], 2));
        let second = listed(None, Some(&PageRequest { limit: 1, after: first.next })).await;
        assert_eq!((ids(&second.items), second.next), (vec!["B-2".to_owned()], None));
        let hidden = house.scoped(ClientScope::AllBut([kite].into())).await;
        assert!(typed_list(&hidden, "ninjaone", None, None).await.expect("lists").items.is_empty());
    }

    async fn imports_link_by_themselves_from_the_threshold_on(db: TestDb) {
        let (house, other) = (House::new(&db).await, House::new(&db).await);
        let source = house.ninja().await;
        for name in ["Penhaligon Dental", "Kite Marine", "Crane Works", "Osprey Legal", "osprey  legal"] {
            house.client(name).await;
        }
        house.entities(source, &["Penhaligno Dental", "KITE MARINE PTY LTD", "Crane Works", "Osprey Legal"]).await;
        let linked = async || {
            let tx = house.begin().await;
            let rows = import_apply(&tx, source.id, None).await.expect("imports");
            assert!(rows.iter().all(|row| row.action == ImportAction::Link || row.action == ImportAction::Conflict));
            let linked = rows.iter().filter(|row| row.action == ImportAction::Link);
            let mut linked: Vec<String> = linked.map(|row| row.entity.name.clone()).collect();
            linked.sort();
            linked
        };
        assert_eq!(linked().await, ["Crane Works", "KITE MARINE PTY LTD"]);
        for (threshold, expected) in [
            (0.5, vec!["Crane Works", "KITE MARINE PTY LTD", "Penhaligno Dental"]),
            (0.85, vec!["Crane Works", "KITE MARINE PTY LTD", "Penhaligno Dental"]),
            (0.98, vec!["Crane Works"]),
            (1.0, vec![]),
        ] {
            assert_eq!(trust(&house, threshold).await.expect("saves").threshold.score(), threshold);
            assert_eq!(linked().await, expected, "{threshold}");
        }
        assert_eq!(other.read().await.matching_settings().await.expect("reads"), MatchingSettingsRow::default());
        let settings = house.read().await.matching_settings().await.expect("reads");
        assert_eq!((settings.threshold.hundredths(), settings.version), (100, 4));
        house.entries().await;
    }

    async fn settings_are_checked_versioned_and_for_those_who_may(db: TestDb) {
        let house = House::new(&db).await;
        let usual = matching_settings_get(&house.read().await).await.expect("reads");
        assert_eq!(usual, MatchingSettingsRow { threshold: Threshold::USUAL, version: 0 });
        assert_eq!(usual.threshold.score(), directory::THRESHOLD);
        for (threshold, code) in [(0.494, "out_of_range"), (0.955, "not_a_step"), (f64::NAN, "out_of_range")] {
            assert_eq!(problems(trust(&house, threshold).await), [("/threshold".to_owned(), code)]);
        }
        let entries = house.entries().await;
        assert_eq!(trust(&house, 0.95).await.expect("is so already").version, 0);
        assert_eq!(house.entries().await, entries, "an unchanged save writes nothing");
        assert_eq!(trust(&house, 0.9).await.expect("saves").version, 1);
        let tx = house.begin().await;
        let stale = matching_settings_update(&tx, MatchingPatch { threshold: Some(0.8), version: Some(0) }).await;
        assert!(matches!(stale, Err(Error::Stale { .. })), "{stale:?}");
        let kept = matching_settings_update(&tx, MatchingPatch { threshold: None, version: Some(1) }).await.expect("keeps");
        assert_eq!((kept.threshold.hundredths(), tx.changes().len()), (90, 0));
        drop(tx);
        let permission = Permission::MatchingManage;
        for (role, scope) in [(Role::Engineer, ClientScope::All), (Role::Finance, ClientScope::All), (Role::Owner, ClientScope::Only([].into()))] {
            let context = Context { permissions: Permissions::of(role), scope, ..db.context(house.organisation) };
            let tx = db.store.begin(context).await.expect("begins");
            let refused = matching_settings_update(&tx, MatchingPatch { threshold: Some(0.5), version: None }).await;
            assert!(matches!(refused, Err(Error::Forbidden { permission: lacking }) if lacking == permission), "{refused:?}");
            assert!(matching_settings_get(&tx).await.is_err());
        }
        // Two who set it first are one after another.
        let fresh = House::new(&db).await;
        let (one, two) = tokio::join!(trust(&fresh, 0.7), trust(&fresh, 0.8));
        let mut versions = [one.expect("saves").version, two.expect("saves").version];
        versions.sort_unstable();
        assert_eq!(versions, [1, 2]);
    }
}
