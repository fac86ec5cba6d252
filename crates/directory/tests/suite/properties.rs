//! Random histories against a model in memory.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use directory::{
    Deletion, ImportAction, MappingChoice, Target, client_create, client_delete, client_update, import_apply,
    mapping_save,
};
use domain::{
    ChangeSet, ClientId, ClientPatch, ClientStatus, EntityId, Error, IntegrationFilter, MappingState, Range, SortOrder,
};
use persistence::{Apply, ClientFilter, ClientSort, Tx};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use testkit::TestDb;

use crate::{
    house::{House, PAGE, Source, draft, problems},
    model::{Model, ModelClient, Place, Row},
};

/// Names that match, nearly match and do not match one another.
const NAMES: [&str; 7] = [
    "Kite Marine",
    "KITE MARINE PTY LTD",
    "Kite Marine Cork",
    "Osprey Legal",
    "Legal Osprey",
    "Zebra Foundry",
    "Crane Dental",
];
/// Entities by connection (two of NinjaOne, one of Microsoft 365), name and number of devices.
const ENTITIES: [(usize, usize, usize); 9] =
    [(0, 0, 1), (0, 3, 2), (0, 5, 0), (0, 6, 3), (1, 1, 1), (1, 4, 0), (1, 4, 2), (2, 0, 4), (2, 5, 1)];

/// One step. Numbers choose among what there is, modulo.
#[derive(Clone, Debug)]
enum Step {
    Create { name: usize, entities: Vec<usize> },
    Rename { client: usize, name: usize },
    Toggle { client: usize },
    Map { entities: Vec<usize>, client: usize },
    Unmap { entities: Vec<usize> },
    Exclude { entity: usize },
    Delete { client: usize, cascade: bool },
    Revert { entry: usize },
    Import { connection: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let some = || proptest::collection::vec(0..ENTITIES.len(), 1..4);
    let one = 0..1_000_usize;
    prop_oneof![
        3 => (0..NAMES.len(), proptest::collection::vec(0..ENTITIES.len(), 0..3))
            .prop_map(|(name, entities)| Step::Create { name, entities }),
        2 => (one.clone(), 0..NAMES.len()).prop_map(|(client, name)| Step::Rename { client, name }),
        1 => one.clone().prop_map(|client| Step::Toggle { client }),
        4 => (some(), one.clone()).prop_map(|(entities, client)| Step::Map { entities, client }),
        2 => some().prop_map(|entities| Step::Unmap { entities }),
        1 => (0..ENTITIES.len()).prop_map(|entity| Step::Exclude { entity }),
        2 => (one.clone(), any::<bool>()).prop_map(|(client, cascade)| Step::Delete { client, cascade }),
        4 => one.prop_map(|entry| Step::Revert { entry }),
        2 => (0..3_usize).prop_map(|connection| Step::Import { connection }),
    ]
}

/// The product beside its model.
struct Play<'a> {
    house: House<'a>,
    sources: [Source; 3],
    entities: Vec<EntityId>,
    model: Model,
    setup: i64,
}

impl<'a> Play<'a> {
    async fn new(db: &'a TestDb) -> Self {
        let house = House::new(db).await;
        let sources = [house.ninja().await, house.ninja().await, house.microsoft().await];
        let mut entities = Vec::new();
        let mut model = Model::default();
        for (connection, name, devices) in ENTITIES {
            let id = house.entity(sources[connection], NAMES[name]).await;
            house.records(sources[connection], id, devices, 1).await;
            entities.push(id);
            model.entities.insert(id, Place { client: None, state: MappingState::Unmapped, reason: None });
        }
        let setup = house.entries().await;
        Self { house, sources, entities, model, setup }
    }

    fn devices(&self, client: ClientId) -> i32 {
        let of = |(id, (_, _, devices)): (&EntityId, &(usize, usize, usize))| {
            if self.model.entities[id].client == Some(client) { *devices as i32 } else { 0 }
        };
        self.entities.iter().zip(&ENTITIES).map(of).sum()
    }

    fn integrations(&self, client: ClientId) -> BTreeSet<&'static str> {
        let mine =
            self.entities.iter().zip(&ENTITIES).filter(|(id, _)| self.model.entities[*id].client == Some(client));
        mine.map(|(_, (connection, ..))| self.sources[*connection].integration).collect()
    }

    /// Ends a step: its change set is the model's rows, and one entry if there are any.
    async fn end(&mut self, tx: Tx, action: &str, rows: Vec<Row>) {
        let set = tx.commit(action, None).await.expect("commits");
        self.entered(&set, rows);
    }

    fn entered(&mut self, set: &ChangeSet, rows: Vec<Row>) {
        let ids = |row: &Row| match row {
            Row::Client(id, before, _) => (id.0, before.is_none()),
            Row::Mapping(id, ..) => (id.0, false),
        };
        let mut expected: Vec<_> = rows.iter().map(ids).collect();
        let mut found: Vec<_> = set.changes.iter().map(|change| (change.id, change.before.is_none())).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "the change set is what the model changed");
        assert_eq!(set.entry.is_some(), !rows.is_empty());
        self.model.entries.extend(set.entry.map(|entry| (entry, rows)));
    }

    async fn step(&mut self, step: &Step) {
        let living = self.model.living();
        let chosen = |client: usize| living.get(client % living.len().max(1)).copied();
        match step {
            Step::Create { name, entities } => self.create(NAMES[*name], entities).await,
            Step::Rename { client, name } => {
                let Some(id) = chosen(*client) else { return };
                let after = ModelClient { name: NAMES[*name].to_owned(), ..self.model.clients[&id].clone() };
                let patch = ClientPatch { name: Some(after.name.clone()), ..ClientPatch::default() };
                self.update(id, patch, after).await;
            }
            Step::Toggle { client } => {
                let Some(id) = chosen(*client) else { return };
                let before = self.model.clients[&id].clone();
                let status = if before.active { ClientStatus::Inactive } else { ClientStatus::Active };
                let patch = ClientPatch { status: Some(status), ..ClientPatch::default() };
                self.update(id, patch, ModelClient { active: !before.active, ..before }).await;
            }
            Step::Map { entities, client } => {
                let Some(id) = chosen(*client) else { return };
                self.decide(entities, Target::Client(id)).await;
            }
            Step::Unmap { entities } => self.decide(entities, Target::Nobody).await,
            Step::Exclude { entity } => self.decide(&[*entity], Target::Excluded).await,
            Step::Delete { client, cascade } => {
                let Some(id) = chosen(*client) else { return };
                self.delete(id, *cascade).await;
            }
            Step::Revert { entry } => self.revert(*entry).await,
            Step::Import { connection } => self.import(self.sources[*connection]).await,
        }
    }

    async fn create(&mut self, name: &str, chosen: &[usize]) {
        let ids: Vec<EntityId> = BTreeSet::from_iter(chosen.iter().map(|at| self.entities[*at])).into_iter().collect();
        let tx = self.house.begin().await;
        let made = client_create(&tx, draft(name), &ids).await;
        if ids.iter().any(|id| self.model.entities[id].client.is_some()) {
            assert!(matches!(made, Err(Error::Conflict { code: "entity_mapped", .. })), "{made:?}");
            return;
        }
        let made = made.expect("creates");
        let bare = |name: &str| name.to_lowercase().trim_end_matches(" pty ltd").to_owned();
        let same =
            |(_, client): &(&ClientId, &ModelClient)| client.deleted.is_none() && bare(&client.name) == bare(name);
        let expected: BTreeSet<ClientId> = self.model.clients.iter().filter(same).map(|(id, _)| *id).collect();
        if expected.len() <= 10 {
            assert_eq!(BTreeSet::from_iter(made.same_name), expected);
        }
        let mut rows = Vec::new();
        self.model.client(
            made.client.id,
            ModelClient { name: name.to_owned(), active: true, deleted: None },
            &mut rows,
        );
        for id in ids {
            let reason = Some("chosen when the client was created");
            self.model.place(id, Some(made.client.id), MappingState::Mapped, reason, &mut rows);
        }
        self.end(tx, "client_create", rows).await;
    }

    async fn update(&mut self, id: ClientId, patch: ClientPatch, after: ModelClient) {
        let tx = self.house.begin().await;
        client_update(&tx, id, patch, None).await.expect("updates");
        let mut rows = Vec::new();
        self.model.client(id, after, &mut rows);
        self.end(tx, "client_update", rows).await;
    }

    async fn decide(&mut self, chosen: &[usize], target: Target) {
        let reason = (target == Target::Excluded).then_some("not a client");
        let choices: Vec<MappingChoice> = chosen
            .iter()
            .map(|at| MappingChoice {
                entity_id: self.entities[*at],
                target: target.clone(),
                reason: reason.map(str::to_owned),
            })
            .collect();
        let tx = self.house.begin().await;
        let saved = mapping_save(&tx, &choices, |_| true).await;
        if BTreeSet::from_iter(chosen).len() < chosen.len() {
            assert!(problems(saved).iter().all(|(_, code)| *code == "twice"));
            return;
        }
        saved.expect("saves");
        let (client, state) = match target {
            Target::Client(client) => (Some(client), MappingState::Mapped),
            Target::Nobody => (None, MappingState::Unmapped),
            Target::Excluded => (None, MappingState::Excluded),
        };
        let mut rows = Vec::new();
        for at in chosen {
            let id = self.entities[*at];
            let before = self.model.entities[&id].clone();
            let kept = before.reason.as_deref().filter(|_| (before.client, before.state) == (client, state));
            self.model.place(id, client, state, reason.or(kept), &mut rows);
        }
        self.end(tx, "mapping_save", rows).await;
    }

    async fn delete(&mut self, id: ClientId, cascade: bool) {
        let tx = self.house.begin().await;
        let deleted = client_delete(&tx, id, None, Deletion { cascade, previewed: cascade }).await;
        if !cascade && self.integrations(id).contains("microsoft365") {
            assert!(matches!(deleted, Err(Error::Conflict { code: "has_tenants", .. })), "{deleted:?}");
            return;
        }
        deleted.expect("deletes");
        let mut rows = Vec::new();
        for entity in self.model.of(id) {
            self.model.unmapped(entity, &mut rows);
        }
        let after = ModelClient { deleted: Some(tx.now()), ..self.model.clients[&id].clone() };
        self.model.client(id, after, &mut rows);
        self.end(tx, "client_delete", rows).await;
    }

    async fn revert(&mut self, entry: usize) {
        let entries = self.model.entries.len();
        if entries == 0 {
            return;
        }
        // Late ones mostly: the early ones are nearly always overtaken.
        let (entry, rows) = self.model.entries[entries - 1 - entry % entries.min(4)].clone();
        let mut undone = self.model.clone();
        match undone.undo(&rows, self.house.db.now()) {
            Ok(rows) => {
                let set = self.house.revert(Some(entry), &[]).await.expect("reverts");
                self.model = undone;
                self.entered(&set, rows);
            }
            Err(conflicts) => {
                let refused = problems(self.house.revert(Some(entry), &[]).await);
                assert_eq!(BTreeSet::from_iter(refused.into_iter().map(|(pointer, _)| pointer)), conflicts);
            }
        }
    }

    async fn import(&mut self, source: Source) {
        let preview = {
            let tx = self.house.begin().await;
            import_apply(&tx, source.id, None).await.expect("imports");
            tx.preview().await.expect("previews").digest
        };
        let tx = self.house.begin().await;
        let imported = import_apply(&tx, source.id, None).await.expect("imports");
        let apply = Apply { expect: Some(preview), ..Apply::default() };
        let mut rows = Vec::new();
        for row in &imported {
            let before = self.model.entities[&row.entity.id].clone();
            assert_eq!(row.action == ImportAction::AlreadyMapped, before.state == MappingState::Mapped);
            assert_eq!(row.action == ImportAction::Skip, before.state == MappingState::Excluded);
            let client = row.client_id;
            match row.action {
                ImportAction::Create => {
                    let made = ModelClient { name: row.entity.name.clone(), active: true, deleted: None };
                    self.model.client(client.expect("made"), made, &mut rows);
                }
                ImportAction::Link => assert!(self.model.clients[&client.expect("linked")].deleted.is_none()),
                ImportAction::AlreadyMapped | ImportAction::Conflict | ImportAction::Skip => {
                    assert_eq!(client, before.client);
                    continue;
                }
            }
            let reason = format!("import: {}", row.reason);
            self.model.place(row.entity.id, client, MappingState::Mapped, Some(&reason), &mut rows);
        }
        let set = tx.finish("import_apply", &apply).await.expect("is what was previewed");
        self.entered(&set, rows);
        let tx = self.house.begin().await;
        import_apply(&tx, source.id, None).await.expect("imports");
        assert_eq!(tx.changes(), [], "a second import changes nothing");
    }

    /// Everything that can be seen is as the model has it.
    async fn check(&self) {
        let tx = self.house.read().await;
        for (id, place) in &self.model.entities {
            let entity = tx.entity(*id).await.expect("finds");
            let found = Place { client: entity.client_id, state: entity.mapping_state, reason: entity.mapping_reason };
            assert_eq!(found, *place, "the entity {}", entity.name);
            assert_eq!(place.client.is_some(), place.state == MappingState::Mapped);
            let living = place.client.is_none_or(|client| self.model.clients[&client].deleted.is_none());
            assert!(living, "{} is mapped to a deleted client", entity.name);
        }
        let living = self.model.living();
        let listed = self.list(&tx, ClientFilter::default()).await;
        assert_eq!(listed, BTreeSet::from_iter(living.iter().copied()));
        for client in tx.clients_by_id(&living).await.expect("finds") {
            let model = &self.model.clients[&client.id];
            assert_eq!((&client.name, client.status == ClientStatus::Active), (&model.name, model.active));
            let users = self.model.of(client.id).len() as i32;
            assert_eq!(
                (client.device_count, client.user_count),
                (self.devices(client.id), users),
                "counts of {}",
                client.name
            );
            let records = tx.client_records(client.id, "device", None, &PAGE).await.expect("lists");
            assert_eq!(records.total, i64::from(client.device_count));
        }
        let active = living.iter().filter(|id| self.model.clients[*id].active).count() as i64;
        let totals = tx.client_totals().await.expect("counts");
        assert_eq!((totals.active, totals.total()), (active, living.len() as i64));
        self.check_filters(&tx, &living).await;
    }

    async fn check_filters(&self, tx: &Tx, living: &[ClientId]) {
        let where_ =
            |wanted: &dyn Fn(ClientId) -> bool| BTreeSet::from_iter(living.iter().copied().filter(|id| wanted(*id)));
        for names in [&["ninjaone"][..], &["microsoft365"], &["ninjaone", "microsoft365"], &["pax8"]] {
            let all: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let has =
                ClientFilter { integrations: Some(IntegrationFilter::Has(all.clone())), ..ClientFilter::default() };
            let missing =
                ClientFilter { integrations: Some(IntegrationFilter::Missing(all)), ..ClientFilter::default() };
            let mapped = |id: ClientId| names.iter().all(|name| self.integrations(id).contains(name));
            assert_eq!(self.list(tx, has).await, where_(&mapped), "has {names:?}");
            assert_eq!(self.list(tx, missing).await, where_(&|id| !mapped(id)), "missing {names:?}");
        }
        for (min, max) in [(Some(0), Some(0)), (Some(1), None), (None, Some(2)), (Some(2), Some(4))] {
            let devices = Range { min, max };
            let within = |id: ClientId| {
                let devices = self.devices(id);
                min.is_none_or(|min| devices >= min) && max.is_none_or(|max| devices <= max)
            };
            let filter = ClientFilter { devices, status: Some(ClientStatus::Active), ..ClientFilter::default() };
            let wanted = |id: ClientId| self.model.clients[&id].active && within(id);
            assert_eq!(self.list(tx, filter).await, where_(&wanted), "devices {min:?} to {max:?}");
        }
    }

    async fn list(&self, tx: &Tx, filter: ClientFilter) -> BTreeSet<ClientId> {
        let listed = tx.client_list(&filter, ClientSort::Devices, SortOrder::Descending, &PAGE).await.expect("lists");
        let ids: BTreeSet<ClientId> = listed.items.iter().map(|listed| listed.client.id).collect();
        assert_eq!((ids.len() as i64, listed.next), (listed.total, None));
        ids
    }
}

/// 32 histories of 25 steps; `PANELONE_CASES` asks for more.
#[test]
fn any_history_agrees_with_the_model() {
    let cases = std::env::var("PANELONE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(32);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let db = runtime.block_on(testkit::sqlite());
    let steps = AtomicU64::new(0);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let histories = proptest::collection::vec(step(), 25);
    TestRunner::new(config)
        .run(&histories, |history| {
            runtime.block_on(async {
                let mut play = Play::new(&db).await;
                for step in &history {
                    db.clock.advance(1);
                    play.step(step).await;
                    play.check().await;
                    steps.fetch_add(1, Ordering::Relaxed);
                }
                assert_eq!(play.house.entries().await, play.setup + play.model.entries.len() as i64);
            });
            Ok(())
        })
        .unwrap_or_else(|why| panic!("{why}"));
    assert!(steps.into_inner() >= u64::from(cases) * 25);
}
