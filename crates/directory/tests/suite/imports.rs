use std::collections::BTreeMap;

use directory::{ImportAction, ImportChoice, ImportRow, ImportWish, Target, import_apply};
use domain::{ChangeSet, ClientId, ConnectionId, EntityId, Error, MappingState, Result};
use persistence::Apply;
use testkit::both_databases;
use uuid::Uuid;

use crate::house::{House, Source, problems};

async fn import(
    house: &House<'_>,
    source: Source,
    wishes: Option<&[ImportWish]>,
    apply: Apply,
) -> Result<(Vec<ImportRow>, ChangeSet)> {
    let tx = house.begin().await;
    let rows = import_apply(&tx, source.id, wishes).await?;
    tx.finish("import_apply", &apply).await.map(|set| (rows, set))
}

async fn all(house: &House<'_>, source: Source) -> (Vec<ImportRow>, ChangeSet) {
    import(house, source, None, Apply::default()).await.expect("imports")
}

fn wish(entity_id: EntityId, choice: Option<ImportChoice>) -> ImportWish {
    ImportWish { entity_id, choice }
}

fn dry() -> Apply {
    Apply { dry_run: true, ..Apply::default() }
}

/// What is done with each entity, by name.
fn actions(rows: &[ImportRow]) -> BTreeMap<&str, &'static str> {
    rows.iter().map(|row| (row.entity.name.as_str(), row.action.as_str())).collect()
}

async fn totals(house: &House<'_>) -> i64 {
    house.read().await.client_totals().await.expect("counts").total()
}

both_databases! {
    async fn a_preview_writes_nothing_and_is_what_the_import_does(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let kite = house.client("Kite Marine").await;
        let entities = house.entities(source, &["KITE MARINE PTY LTD", "Zebra Foundry", "Crane Dental"]).await;
        house.records(source, entities[1], 2, 1).await;
        let entries = house.entries().await;
        let (planned, preview) = import(&house, source, None, dry()).await.expect("previews");
        assert_eq!((totals(&house).await, house.entries().await), (1, entries));
        for entity in &entities {
            assert_eq!(house.about(*entity).await.mapping_state, MappingState::Unmapped);
        }
        db.clock.advance(3_600);
        let expecting = Apply { expect: Some(preview.digest.clone()), ..Apply::default() };
        let (rows, set) = import(&house, source, None, expecting).await.expect("imports");
        assert_eq!((set.digest, actions(&rows)), (preview.digest, actions(&planned)));
        assert_eq!(set.changes.len(), 5, "two clients and three mappings");
        assert_eq!((totals(&house).await, house.entries().await), (3, entries + 1));
        let linked = house.about(entities[0]).await;
        assert_eq!(linked.client_id, Some(kite));
        let reason = linked.mapping_reason.expect("a reason");
        assert!(reason.starts_with("import: ") && reason.contains("same after normalising"), "{reason}");
        let made = house.about(entities[1]).await.client_id.expect("mapped");
        assert_eq!((house.now(made).await.name.as_str(), house.devices(made).await), ("Zebra Foundry", (2, 2)));

        let (again, second) = all(&house, source).await;
        assert!(second.changes.is_empty() && second.entry.is_none());
        assert!(again.iter().all(|row| row.action == ImportAction::AlreadyMapped && row.client_id == row.entity.client_id));
        assert_eq!(house.entries().await, entries + 1);
    }

    async fn an_import_that_is_no_longer_what_was_previewed_is_refused(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        house.entities(source, &["Zebra Foundry", "Crane Dental"]).await;
        let (_, preview) = import(&house, source, None, dry()).await.expect("previews");
        house.client("Zebra Foundry").await;
        let expecting = |digest| Apply { expect: Some(digest), ..Apply::default() };
        let Err(Error::Moved(moved)) = import(&house, source, None, expecting(preview.digest)).await else {
            panic!("the world moved")
        };
        assert_eq!((moved.changes.len(), totals(&house).await), (3, 1));
        let (rows, _) = import(&house, source, None, expecting(moved.digest)).await.expect("imports");
        assert_eq!(actions(&rows), [("Crane Dental", "create"), ("Zebra Foundry", "link")].into());
    }

    async fn what_is_uncertain_is_left_for_a_person_with_the_reason(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        for name in ["Kite Marine", "Osprey Legal", "osprey  legal", "Harbour Dental Sydney"] {
            house.client(name).await;
        }
        let long = "n".repeat(300);
        let names = ["Kite Marine", "Osprey Legal", "Harbour Dental", "Twin Pines", "TWIN PINES PTY LTD", long.as_str(), " ", "Internal", "Zebra Foundry"];
        let entities = house.entities(source, &names).await;
        house.decide(&entities[7..8], Target::Excluded).await;
        let (rows, set) = all(&house, source).await;
        let expected = [
            ("Kite Marine", "link"),
            ("Osprey Legal", "conflict"),
            ("Harbour Dental", "conflict"),
            ("Twin Pines", "conflict"),
            ("TWIN PINES PTY LTD", "conflict"),
            (long.as_str(), "conflict"),
            (" ", "conflict"),
            ("Internal", "skip"),
            ("Zebra Foundry", "create"),
        ];
        assert_eq!(actions(&rows), expected.into());
        assert_eq!(set.changes.len(), 3);
        let why = |name: &str| rows.iter().find(|row| row.entity.name == name).expect("a row");
        assert!(why("Osprey Legal").reason.contains("several clients fit"));
        assert_eq!(why("Osprey Legal").suggestions.len(), 2);
        assert!(why("Harbour Dental").reason.contains("looks similar"));
        assert!(why("Twin Pines").reason.contains("another that looks the same"));
        assert!(why(&long).reason.contains("at most 255 characters"), "{}", why(&long).reason);
        assert!(why(" ").reason.contains("must not be empty"));
        assert_eq!(why("Internal").reason, "excluded from mapping");
        assert!(rows.iter().filter(|row| row.action == ImportAction::Conflict).all(|row| row.client_id.is_none()));
        let (again, second) = all(&house, source).await;
        assert!(second.changes.is_empty(), "a conflict stays one: {:?}", actions(&again));
    }

    async fn twins_in_one_connection_are_never_taken_for_one_client_by_name(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        house.client("Kite Marine").await;
        let known = r#"{"domains":["kite-marine.example"]}"#;
        let taught = house.entities_with(house.microsoft().await, &[("Crane", known)]).await;
        let crane = house.client("Crane Dental").await;
        house.map(&taught, crane).await;
        let entities = house.entities_with(source, &[("Kite Marine", "{}"), ("Kite Marine Ltd", "{}"), ("Crane Dental", known), ("Crane Dental", "{}")]).await;
        let (rows, _) = all(&house, source).await;
        let conflicts = rows.iter().filter(|row| row.action == ImportAction::Conflict).count();
        assert_eq!(conflicts, 3, "an identifier tells twins apart, a name does not");
        assert_eq!(house.about(entities[2]).await.client_id, Some(crane));
        // The vendor made it anew under another id: nothing is attributed by itself.
        let first = house.entities(source, &["Zebra Foundry"]).await;
        all(&house, source).await;
        let again = house.entities(source, &["Zebra Foundry"]).await;
        let (_, set) = all(&house, source).await;
        assert!(set.changes.is_empty());
        assert!(house.about(first[0]).await.client_id.is_some() && house.about(again[0]).await.client_id.is_none());
        // A twin that is skipped by the caller does not hold the other up.
        let wishes = [wish(entities[0], Some(ImportChoice::Skip)), wish(entities[1], None)];
        let (rows, _) = import(&house, source, Some(&wishes), Apply::default()).await.expect("imports");
        assert_eq!(actions(&rows), [("Kite Marine", "skip"), ("Kite Marine Ltd", "link")].into());
    }

    async fn a_persons_choices_come_first(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let (kite, crane) = (house.client("Kite Marine").await, house.client("Crane Dental").await);
        let names = ["Kite Marine", "Zebra Foundry", "Twin Pines", "TWIN PINES", "Internal", "Crane Dental"];
        let entities = house.entities(source, &names).await;
        house.decide(&entities[4..5], Target::Excluded).await;
        house.map(&entities[5..], kite).await;
        let wishes = [
            wish(entities[0], Some(ImportChoice::Create(Some("  Kite Marine (Cork) ".to_owned())))),
            wish(entities[1], Some(ImportChoice::Link(crane))),
            wish(entities[2], Some(ImportChoice::Create(None))),
            wish(entities[3], Some(ImportChoice::Skip)),
            wish(entities[4], Some(ImportChoice::Link(crane))),
            wish(entities[5], Some(ImportChoice::Link(crane))),
        ];
        let (rows, set) = import(&house, source, Some(&wishes), Apply::default()).await.expect("imports");
        let done: Vec<_> = rows.iter().map(|row| (row.entity.id, row.action.as_str())).collect();
        let expected = ["create", "link", "create", "skip", "link", "already_mapped"];
        assert_eq!(done, entities.iter().copied().zip(expected).collect::<Vec<_>>(), "in the order of the wishes");
        assert_eq!(set.changes.len(), 6);
        let made = rows[0].client_id.expect("made");
        assert_eq!(house.now(made).await.name, "Kite Marine (Cork)");
        assert_eq!(house.about(entities[1]).await.mapping_reason.as_deref(), Some("import: chosen by you"));
        assert_eq!(house.about(entities[5]).await.client_id, Some(kite), "re-mapping is not importing");
        let (_, second) = import(&house, source, Some(&wishes), Apply::default()).await.expect("imports");
        assert!(second.changes.is_empty());
        let (_, none) = import(&house, source, Some(&[]), Apply::default()).await.expect("imports");
        assert!(none.changes.is_empty());
    }

    async fn every_wrong_wish_is_named_and_nothing_is_written(db: TestDb) {
        let (house, theirs) = (House::new(&db).await, House::new(&db).await);
        let source = house.ninja().await;
        let entities = house.entities(source, &["One", "Two", "Three", "Four"]).await;
        let elsewhere = house.entity(house.microsoft().await, "Elsewhere").await;
        let foreign = theirs.ninja().await;
        let foreign_entity = theirs.entity(foreign, "Theirs").await;
        let foreign_client = theirs.client("Theirs").await;
        let random = Uuid::from_u128(11);
        let wishes = [
            wish(entities[0], None),
            wish(EntityId(random), None),
            wish(foreign_entity, None),
            wish(elsewhere, None),
            wish(entities[0], Some(ImportChoice::Skip)),
            wish(entities[1], Some(ImportChoice::Link(ClientId(random)))),
            wish(entities[2], Some(ImportChoice::Link(foreign_client))),
            wish(entities[3], Some(ImportChoice::Create(Some("n".repeat(256))))),
        ];
        let refused = import(&house, source, Some(&wishes), Apply::default()).await;
        let expected = [
            ("/entities/1/entity_id", "not_found"),
            ("/entities/2/entity_id", "not_found"),
            ("/entities/3/entity_id", "not_found"),
            ("/entities/4/entity_id", "not_found"),
            ("/entities/5/client_id", "not_found"),
            ("/entities/6/client_id", "not_found"),
            ("/entities/7/name", "too_long"),
        ];
        assert_eq!(problems(refused), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        let many = vec![wish(entities[0], None); 5_001];
        let refused = import(&house, source, Some(&many), Apply::default()).await;
        assert_eq!(problems(refused), [("/entities".to_owned(), "too_many")]);
        for id in [foreign.id, ConnectionId(random)] {
            let refused = import(&house, Source { id, ..source }, None, Apply::default()).await;
            assert!(matches!(refused, Err(Error::NotFound { what: "connection" })));
        }
        assert_eq!(totals(&house).await, 0);
    }

    async fn an_import_is_one_entry_and_reverts_whole(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let kite = house.client("Kite Marine").await;
        let entities = house.entities(source, &["Kite Marine", "Zebra Foundry", "Crane Dental", "Osprey Legal"]).await;
        for entity in &entities {
            house.records(source, *entity, 2, 1).await;
        }
        let (rows, set) = all(&house, source).await;
        assert_eq!((totals(&house).await, house.devices(kite).await), (4, (2, 2)));
        let entries = house.entries().await;
        house.revert(set.entry, &[]).await.expect("reverts");
        assert_eq!((totals(&house).await, house.entries().await), (1, entries + 1));
        assert_eq!(house.devices(kite).await, (0, 0));
        for row in &rows {
            let entity = house.about(row.entity.id).await;
            assert_eq!((entity.client_id, entity.mapping_state), (None, MappingState::Unmapped));
            assert_eq!(entity.device_count, 2);
        }
        let (again, _) = all(&house, source).await;
        assert_eq!(actions(&again), actions(&rows), "as if it had never been");
        assert_eq!(totals(&house).await, 4);
    }

    async fn what_changed_since_an_import_is_named_before_it_is_undone(db: TestDb) {
        let house = House::new(&db).await;
        let (source, microsoft) = (house.ninja().await, house.microsoft().await);
        let kite = house.client("Kite Marine").await;
        let names = ["Zebra Foundry", "Crane Dental", "Osprey Legal", "Maple Bakery"];
        let entities = house.entities(source, &names).await;
        house.records(source, entities[1], 4, 0).await;
        let (rows, set) = all(&house, source).await;
        let made = |name: &str| rows.iter().find(|row| row.entity.name == name).and_then(|row| row.client_id).expect("made");
        // Zebra is renamed, Crane's entity moves to Kite, Osprey takes a tenant, Maple stays.
        let tx = house.begin().await;
        let patch = domain::ClientPatch { name: Some("Zebra Works".to_owned()), ..domain::ClientPatch::default() };
        directory::client_update(&tx, made("Zebra Foundry"), patch, None).await.expect("saves");
        tx.commit("client_update", None).await.expect("commits");
        house.map(&[entities[1]], kite).await;
        let tenant = house.mapped(microsoft, "osprey.example", 0, made("Osprey Legal")).await;
        let entries = house.entries().await;

        let mut named = problems(house.revert(set.entry, &[]).await);
        named.sort();
        let ids = [made("Zebra Foundry").0, entities[1].0, made("Osprey Legal").0];
        let mut expected = ids.map(|id| (id.to_string(), "changed_since"));
        expected.sort();
        assert_eq!(named, expected);
        assert_eq!((totals(&house).await, house.entries().await, house.devices(kite).await), (5, entries, (4, 4)));
        let some = problems(house.revert(set.entry, &ids[..2]).await);
        assert_eq!(some, [(ids[2].to_string(), "changed_since")], "all or nothing");
        assert_eq!(house.now(made("Zebra Foundry")).await.name, "Zebra Works");

        house.revert(set.entry, &ids).await.expect("reverts what was named");
        assert_eq!((totals(&house).await, house.devices(kite).await), (1, (0, 0)));
        assert_eq!(house.about(tenant).await.client_id, None);
        house.entries().await;
    }
}

/// No step of an import may grow with what was imported before it: five times the entities take
/// about five times as long. The bound is loose, for a busy machine; quadratic would be 25.
#[tokio::test]
async fn an_import_takes_time_in_step_with_its_size() {
    let db = testkit::sqlite().await;
    let mut took = Vec::new();
    for (round, size) in [200_usize, 1_000].into_iter().enumerate() {
        let house = House::new(&db).await;
        let source = house.ninja().await;
        let names: Vec<String> = (0..size).map(|n| distinct(round, n)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        house.entities(source, &names).await;
        let start = std::time::Instant::now();
        let (rows, set) = all(&house, source).await;
        took.push(start.elapsed());
        assert!(rows.iter().all(|row| row.action == ImportAction::Create));
        assert_eq!((set.changes.len(), totals(&house).await), (2 * size, size as i64));
        all(&house, source).await;
    }
    let factor = took[1].as_secs_f64() / took[0].as_secs_f64();
    assert!(factor < 15.0, "five times the entities took {factor:.1} times as long: {took:?}");
}

/// A name that is like no other.
fn distinct(round: usize, n: usize) -> String {
    let mut seed = (round * 1_000_000 + n + 1) as u64;
    let mut word = || {
        let letters = (0..9).map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + (seed >> 33) as u8 % 26)
        });
        letters.collect::<String>()
    };
    format!("{} {}", word(), word())
}
