//! Random histories: whatever people confirm, take back, merge, delete and revert, an alias belongs to a client that lives.

use std::collections::BTreeSet;

use directory::{ImportChoice, ImportWish, Target, import_apply, matching::Decision};
use domain::{AliasKind, ClientAlias, ClientId, EntityId, Error};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use testkit::TestDb;

use crate::{
    aliases::{merge, person, save, suggested},
    house::{House, Source},
};

/// Names that are the same for the matching, two by two.
const NAMES: [&str; 6] = ["Kite Marine", "KITE MARINE PTY LTD", "Crane Dental", "crane dental", "Osprey", "Osprey Ltd"];

/// Whether an alias is one of the two ways in which this name is written.
fn is_of(alias: &ClientAlias, at: usize) -> bool {
    alias.alias == NAMES[at] || alias.alias == NAMES[at ^ 1]
}

/// One step. Numbers choose among what there is, modulo.
#[derive(Clone, Debug)]
enum Step {
    Create { entity: usize },
    Confirm { entities: Vec<usize>, client: usize },
    Unmap { entities: Vec<usize> },
    Exclude { entity: usize },
    Link { entity: usize, client: usize },
    Merge { from: usize, into: usize },
    Delete { client: usize },
    Revert { entry: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let some = || {
        proptest::collection::btree_set(0..NAMES.len(), 1..4).prop_map(|set| set.into_iter().collect::<Vec<usize>>())
    };
    let entity = || 0..NAMES.len();
    let one = || 0..1_000_usize;
    prop_oneof![
        2 => entity().prop_map(|entity| Step::Create { entity }),
        5 => (some(), one()).prop_map(|(entities, client)| Step::Confirm { entities, client }),
        3 => some().prop_map(|entities| Step::Unmap { entities }),
        1 => entity().prop_map(|entity| Step::Exclude { entity }),
        2 => (entity(), one()).prop_map(|(entity, client)| Step::Link { entity, client }),
        3 => (one(), one()).prop_map(|(from, into)| Step::Merge { from, into }),
        1 => one().prop_map(|client| Step::Delete { client }),
        5 => one().prop_map(|entry| Step::Revert { entry }),
    ]
}

/// Whose each alias is.
type Places = BTreeSet<(ClientId, AliasKind, String)>;

struct Play<'a> {
    house: House<'a>,
    source: Source,
    entities: Vec<EntityId>,
    clients: Vec<ClientId>,
    /// Entries, with what was known before each.
    entries: Vec<(domain::EntryId, Places)>,
}

impl<'a> Play<'a> {
    async fn new(db: &'a TestDb) -> Self {
        let house = House::new(db).await;
        let source = house.ninja().await;
        let entities = house.entities(source, &NAMES).await;
        let clients = vec![house.client("Blue Harbour").await, house.client("Red Mountain").await];
        Self { house, source, entities, clients, entries: Vec::new() }
    }

    async fn aliases(&self) -> Vec<ClientAlias> {
        self.house.read().await.aliases().await.expect("lists")
    }

    async fn places(&self) -> Places {
        self.aliases().await.into_iter().map(|alias| (alias.client_id, alias.kind, alias.key)).collect()
    }

    async fn living(&self) -> Vec<ClientId> {
        let living = self.house.read().await.clients_by_id(&self.clients).await.expect("lists");
        living.into_iter().map(|client| client.id).collect()
    }

    async fn step(&mut self, step: &Step) {
        let before = self.places().await;
        let living = self.living().await;
        let mut owners = Vec::new();
        for entity in &self.entities {
            owners.push(self.house.about(*entity).await.client_id);
        }
        let chosen = |client: usize| living.get(client % living.len().max(1)).copied();
        let of = |at: &usize| self.entities[*at];
        let set = match step {
            Step::Create { entity } => {
                let made = self.house.client(NAMES[*entity]).await;
                self.clients.push(made);
                return;
            }
            Step::Confirm { entities, client } => {
                let Some(client) = chosen(*client) else { return };
                let choices: Vec<_> = entities.iter().map(|at| (of(at), Target::Client(client))).collect();
                save(&self.house, &choices).await
            }
            Step::Unmap { entities } => {
                let choices: Vec<_> = entities.iter().map(|at| (of(at), Target::Nobody)).collect();
                save(&self.house, &choices).await
            }
            Step::Exclude { entity } => save(&self.house, &[(of(entity), Target::Excluded)]).await,
            Step::Link { entity, client } => {
                let Some(client) = chosen(*client) else { return };
                let tx = person(&self.house).await;
                let wish = ImportWish { entity_id: of(entity), choice: Some(ImportChoice::Link(client)) };
                import_apply(&tx, self.source.id, Some(&[wish])).await.expect("imports");
                tx.commit("import_apply", None).await.expect("commits")
            }
            Step::Merge { from, into } => match (chosen(*from), chosen(*into)) {
                (Some(from), Some(into)) if from != into => merge(&self.house, from, into).await,
                _ => return,
            },
            Step::Delete { client } => {
                let Some(client) = chosen(*client) else { return };
                self.house.delete(client).await
            }
            Step::Revert { entry } => {
                let entries = self.entries.len();
                if entries == 0 {
                    return;
                }
                // Late ones mostly: the early ones are nearly always overtaken.
                let back = entry % entries.min(4);
                let (id, known_then) = self.entries[entries - 1 - back].clone();
                match self.house.revert(Some(id), &[]).await {
                    Ok(set) => {
                        if back == 0 {
                            assert_eq!(self.places().await, known_then, "all as before the last entry");
                        }
                        set
                    }
                    Err(refused) => {
                        assert!(back > 0, "the last entry cannot be undone: {refused:?}");
                        assert!(matches!(refused, Error::Invalid(_)), "{refused:?}");
                        assert_eq!(self.places().await, before, "a refused revert wrote");
                        return;
                    }
                }
            }
        };
        self.entries.extend(set.entry.map(|entry| (entry, before)));
        self.learned(step, &owners).await;
    }

    /// What was just said is known, and what was just taken back is not.
    async fn learned(&self, step: &Step, owners: &[Option<ClientId>]) {
        let aliases = self.aliases().await;
        let knows =
            |client: ClientId, at: usize| aliases.iter().any(|alias| alias.client_id == client && is_of(alias, at));
        match step {
            Step::Confirm { entities, .. } => {
                for at in entities {
                    let owner = self.house.about(self.entities[*at]).await.client_id.expect("was confirmed");
                    assert!(knows(owner, *at), "{} taught nothing", NAMES[*at]);
                }
            }
            Step::Unmap { entities } => {
                for (at, owner) in entities.iter().filter_map(|at| Some((*at, owners[*at]?))) {
                    assert!(!knows(owner, at), "{} was taken back and is known", NAMES[at]);
                }
            }
            _ => {}
        }
    }

    async fn check(&self) {
        let aliases = self.aliases().await;
        let living = self.living().await;
        for alias in &aliases {
            assert!(living.contains(&alias.client_id), "{alias:?} belongs to a client that is gone");
        }
        let places: Places = aliases.iter().map(|alias| (alias.client_id, alias.kind, alias.key.clone())).collect();
        assert_eq!(places.len(), aliases.len(), "a client has an alias twice");
        // Whatever is known by two clients is accepted for neither.
        for found in suggested(&self.house, self.source, 0.5).await {
            let Decision::Accept(client) = found.decision else { continue };
            assert!(living.contains(&client));
            let at = NAMES.iter().position(|name| *name == found.entity.name).expect("one of ours");
            let known = aliases.iter().filter(|alias| is_of(alias, at));
            let owners: BTreeSet<ClientId> = known.map(|alias| alias.client_id).collect();
            assert!(owners.len() <= 1, "{} was accepted although {owners:?} are known by it", found.entity.name);
        }
    }
}

/// 32 histories of 20 steps; `PANELONE_CASES` asks for more.
#[test]
fn no_history_leaves_an_alias_with_a_client_that_is_gone() {
    let cases = std::env::var("PANELONE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(32);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let db = runtime.block_on(testkit::sqlite());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new(config)
        .run(&proptest::collection::vec(step(), 20), |history| {
            runtime.block_on(async {
                let mut play = Play::new(&db).await;
                for step in &history {
                    db.clock.advance(1);
                    play.step(step).await;
                    play.check().await;
                }
                play.house.entries().await;
            });
            Ok(())
        })
        .unwrap_or_else(|why| panic!("{why}"));
}
