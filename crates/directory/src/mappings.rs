//! Mapping entities to clients, and suggesting how.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{AliasKind, ClientId, ConnectionId, Entity, EntityId, Error, MappingState, Problem, Result};
use persistence::{MappingWrite, Tx};
use serde::Deserialize;

use crate::{
    aliases::{evidence, learn},
    matching::{Candidate, Decision, Identifiers, LearnedName, Matcher, Subject, Suggestion},
    workbench::{Workbench, mapping_workbench},
};

/// Most entities that one save decides about.
pub const MOST: usize = 5_000;

/// What an entity is to belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// This client.
    Client(ClientId),
    /// Nobody, for now.
    Nobody,
    /// Nobody, deliberately: it is no longer suggested.
    Excluded,
}

/// A decision about one entity.
#[derive(Clone, Debug)]
pub struct MappingChoice {
    /// Which entity.
    pub entity_id: EntityId,
    /// What it is to belong to.
    pub target: Target,
    /// Why, in people's words; required for an exclusion.
    pub reason: Option<String>,
}

/// How an entity might be mapped.
#[derive(Clone, Debug)]
pub struct MappingSuggestion {
    /// The entity.
    pub entity: Entity,
    /// The likeliest clients, with reasons.
    pub suggestions: Vec<Suggestion>,
    /// What may be done without a person.
    pub decision: Decision,
}

/// What of an entity's body the matching reads.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Known {
    domains: Vec<String>,
    external_ids: BTreeMap<String, String>,
    tenant_id: Option<String>,
}

/// Saves decisions, all of them or none. Records under the entities follow at once, and what a person decides is learned
/// for later suggestions (`aliases.rs`). `may` says whether the caller may map entities of an integration.
pub async fn mapping_save(tx: &Tx, choices: &[MappingChoice], may: impl Fn(&str) -> bool) -> Result<Vec<Entity>> {
    if choices.len() > MOST {
        return Err(Error::invalid("/mappings", "too_many", format!("must be at most {MOST} in one save")));
    }
    let ids: Vec<EntityId> = choices.iter().map(|choice| choice.entity_id).collect();
    let mut entities: HashMap<EntityId, Entity> =
        tx.entities_by_id(&ids).await?.into_iter().map(|entity| (entity.id, entity)).collect();
    let targets = choices.iter().filter_map(|choice| match choice.target {
        Target::Client(client) => Some(client),
        Target::Nobody | Target::Excluded => None,
    });
    let touched: HashSet<ClientId> = entities.values().filter_map(|entity| entity.client_id).chain(targets).collect();
    let clients = tx.clients_by_id(&Vec::from_iter(touched)).await?;
    let clients: HashSet<ClientId> = clients.into_iter().map(|client| client.id).collect();
    let mut problems = Vec::new();
    let mut twice = HashSet::new();
    let mut decided = Vec::with_capacity(choices.len());
    for (at, choice) in choices.iter().enumerate() {
        let mut wrong = |field: &str, code, message: String| {
            problems.push(Problem::new(format!("/mappings/{at}/{field}"), code, message));
        };
        if !twice.insert(choice.entity_id) {
            wrong("entity_id", "twice", "is decided about twice in this save".to_owned());
            continue;
        }
        let Some(entity) = entities.remove(&choice.entity_id) else {
            wrong("entity_id", "not_found", "there is no such entity".to_owned());
            continue;
        };
        if !may(&entity.integration) {
            wrong("entity_id", "forbidden", format!("your role may not map entities of {}", entity.integration));
        }
        let reason = choice.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        if reason.is_some_and(|reason| reason.chars().count() > 500) {
            wrong("reason", "too_long", "must have at most 500 characters".to_owned());
        }
        let (client, state) = match choice.target {
            Target::Client(client) => {
                if !clients.contains(&client) {
                    wrong("client_id", "not_found", "there is no such client".to_owned());
                }
                (Some(client), MappingState::Mapped)
            }
            Target::Nobody => (None, MappingState::Unmapped),
            Target::Excluded => {
                if reason.is_none() {
                    wrong("reason", "required", "must say why the entity is excluded".to_owned());
                }
                (None, MappingState::Excluded)
            }
        };
        // Deciding the same again without a word is no change: the reason given before stands.
        let same = entity.client_id == client && entity.mapping_state == state;
        let reason = reason.map(str::to_owned).or_else(|| entity.mapping_reason.clone().filter(|_| same));
        decided.push((entity, MappingWrite { client, state, reason }));
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let writes: Vec<(EntityId, MappingWrite)> =
        decided.iter().map(|(entity, write)| (entity.id, write.clone())).collect();
    let saved = tx.mappings_write(&writes).await?;
    let lessons: Vec<(Entity, Option<ClientId>)> =
        decided.into_iter().map(|(entity, write)| (entity, write.client)).collect();
    learn(tx, &lessons).await?;
    Ok(saved)
}

/// Suggests clients for every entity of a connection that nobody has decided about.
pub async fn mapping_suggest(tx: &Tx, connection: ConnectionId, threshold: f64) -> Result<Vec<MappingSuggestion>> {
    let wanted = Workbench { threshold, ..Workbench::default() };
    mapping_workbench(tx, connection, &wanted, None).await.map(|listed| listed.items)
}

/// What identifies an entity besides its name.
pub(crate) fn identifiers(entity: &Entity) -> Identifiers {
    let known = known(entity);
    Identifiers::of_subject(&Subject {
        name: &entity.name,
        domains: &known.domains,
        tenant_id: known.tenant_id.as_deref(),
        external_ids: &known.external_ids,
    })
}

/// The likeliest clients for one entity.
pub(crate) fn suggest(matcher: &Matcher, entity: &Entity, best: usize) -> Vec<Suggestion> {
    let known = known(entity);
    let subject = Subject {
        name: &entity.name,
        domains: &known.domains,
        tenant_id: known.tenant_id.as_deref(),
        external_ids: &known.external_ids,
    };
    matcher.suggest(&subject, best)
}

fn known(entity: &Entity) -> Known {
    serde_json::from_str(&entity.body).unwrap_or_default()
}

/// An entity as if it were a client, for finding others like it.
pub(crate) fn candidate(entity: &Entity) -> Candidate {
    let known = known(entity);
    Candidate {
        client_id: ClientId(entity.id.0),
        names: vec![entity.name.clone()],
        domains: known.domains,
        tenant_ids: known.tenant_id.into_iter().collect(),
        external_ids: known.external_ids.into_iter().collect(),
        aliases: Vec::new(),
    }
}

/// A matcher over the clients in scope, taught by the entities already mapped to them and by what people decided.
pub(crate) async fn matcher(tx: &Tx) -> Result<Matcher> {
    let mut candidates: HashMap<ClientId, Candidate> =
        tx.client_names().await?.into_iter().map(|(id, name)| (id, Candidate::named(id, vec![name]))).collect();
    for entity in tx.entities_mapped().await? {
        let Some(candidate) = entity.client_id.and_then(|client| candidates.get_mut(&client)) else { continue };
        let known = known(&entity);
        if !candidate.names.contains(&entity.name) {
            candidate.names.push(entity.name);
        }
        candidate.domains.extend(known.domains);
        candidate.tenant_ids.extend(known.tenant_id);
        candidate.external_ids.extend(known.external_ids);
    }
    for alias in tx.aliases().await? {
        let Some(candidate) = candidates.get_mut(&alias.client_id) else { continue };
        let evidence = evidence(&alias);
        match alias.kind {
            AliasKind::Domain => candidate.domains.push(alias.alias),
            AliasKind::Name => {
                if !candidate.names.contains(&alias.alias) {
                    candidate.names.push(alias.alias.clone());
                }
                candidate.aliases.push(LearnedName { name: alias.alias, evidence });
            }
        }
    }
    let mut candidates: Vec<Candidate> = candidates.into_values().collect();
    candidates.sort_by_key(|candidate| candidate.client_id);
    Ok(Matcher::new(candidates))
}
