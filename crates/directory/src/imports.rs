//! Importing a connection's entities as clients. The preview is the import itself, rolled back.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{
    ClientDraft, ClientId, ClientStatus, ConnectionId, Entity, EntityId, Error, MappingState, Problem, Result,
    valid_name,
};
use persistence::{MappingWrite, Tx};

use crate::{
    aliases::learn,
    client_create,
    mappings::{MOST, candidate, matcher, suggest},
    matching::{Decision, Matcher, SignalKind, Suggestion, decide},
};

/// What a caller wants for one entity.
#[derive(Clone, Debug)]
pub struct ImportWish {
    /// Which entity.
    pub entity_id: EntityId,
    /// What to do with it; left out, what the matching advises.
    pub choice: Option<ImportChoice>,
}

/// A caller's own decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportChoice {
    /// Make a client, under this name or the entity's.
    Create(Option<String>),
    /// Map it to this client.
    Link(ClientId),
    /// Leave it alone.
    Skip,
}

/// What is done with an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportAction {
    /// A client is made and mapped.
    Create,
    /// It is mapped to a client that exists.
    Link,
    /// It was mapped before: nothing is done.
    AlreadyMapped,
    /// A person must decide: nothing is done.
    Conflict,
    /// Nothing is done, as asked.
    Skip,
}

impl ImportAction {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Link => "link",
            Self::AlreadyMapped => "already_mapped",
            Self::Conflict => "conflict",
            Self::Skip => "skip",
        }
    }
}

/// One entity of an import.
#[derive(Clone, Debug)]
pub struct ImportRow {
    /// The entity.
    pub entity: Entity,
    /// What is done with it.
    pub action: ImportAction,
    /// The client it belongs to afterwards.
    pub client_id: Option<ClientId>,
    /// Why, in people's words.
    pub reason: String,
    /// The likeliest clients, for a person who must decide.
    pub suggestions: Vec<Suggestion>,
}

/// Score from which the matching's advice is taken without a person, where no organisation says otherwise.
pub const THRESHOLD: f64 = 0.95;

/// Imports entities of a connection: all that it lists, or those wished for. Rows in conflict are
/// left alone and named; everything else is written.
pub async fn import_apply(tx: &Tx, connection: ConnectionId, wishes: Option<&[ImportWish]>) -> Result<Vec<ImportRow>> {
    let from = tx.connection(connection).await?;
    let listed = tx.listings(&[connection]).await?;
    if listed.iter().all(|listing| listing.kind != "entity" || listing.complete_at.is_none()) {
        return Err(Error::conflict(
            "never_synced",
            format!("{} has not been listed whole yet: sync it first.", from.name),
        ));
    }
    let (chosen, twins) = choose(tx, connection, wishes).await?;
    let matcher = matcher(tx).await?;
    let threshold = tx.matching_settings().await?.threshold.score();
    let mut planned = Vec::with_capacity(chosen.len());
    let mut lessons = Vec::new();
    for (entity, choice) in chosen {
        if let (MappingState::Unmapped | MappingState::Excluded, Some(ImportChoice::Link(client))) =
            (entity.mapping_state, &choice)
        {
            lessons.push((entity.clone(), Some(*client)));
        }
        let suggestions = match (entity.mapping_state, &choice) {
            (MappingState::Unmapped, None) => suggest(&matcher, &entity, 5),
            _ => Vec::new(),
        };
        let plan = plan(&entity, choice, &suggestions, threshold, &twins);
        planned.push((entity, plan, suggestions));
    }
    let targets: BTreeSet<ClientId> = planned.iter().filter_map(|(_, plan, _)| plan.target()).collect();
    tx.clients_by_id(&Vec::from_iter(targets)).await?;
    let mut rows = Vec::with_capacity(planned.len());
    for (entity, plan, suggestions) in planned {
        let (action, client_id, reason) = carry_out(tx, &entity, plan).await?;
        rows.push(ImportRow { entity, action, client_id, reason, suggestions });
    }
    learn(tx, &lessons).await?;
    Ok(rows)
}

/// What is to be imported; the entities are locked, so that none is mapped meanwhile.
type Chosen = Vec<(Entity, Option<ImportChoice>)>;

async fn choose(tx: &Tx, connection: ConnectionId, wishes: Option<&[ImportWish]>) -> Result<(Chosen, Twins)> {
    if wishes.is_some_and(|wishes| wishes.len() > MOST) {
        return Err(Error::invalid("/entities", "too_many", format!("must be at most {MOST} in one import")));
    }
    let all = tx.entities_of(connection).await?;
    let ids: Vec<EntityId> = match wishes {
        Some(wishes) => wishes.iter().map(|wish| wish.entity_id).collect(),
        None => all.iter().map(|entity| entity.id).collect(),
    };
    let locked = tx.entities_by_id(&ids).await?.into_iter();
    let mut locked: HashMap<EntityId, Entity> = locked
        .filter(|entity| entity.connection_id == connection && entity.removed_at.is_none())
        .map(|entity| (entity.id, entity))
        .collect();
    let skipped = wishes.unwrap_or_default().iter().filter(|wish| wish.choice == Some(ImportChoice::Skip));
    let skipped: HashSet<EntityId> = skipped.map(|wish| wish.entity_id).collect();
    let wanted = |e: &&Entity| e.mapping_state != MappingState::Excluded && !skipped.contains(&e.id);
    let twins = Twins::among(all.iter().filter(wanted));
    let Some(wishes) = wishes else {
        let chosen = ids.iter().filter_map(|id| locked.remove(id)).map(|entity| (entity, None));
        return Ok((chosen.collect(), twins));
    };
    let clients: HashSet<ClientId> = if wishes.iter().any(|wish| matches!(wish.choice, Some(ImportChoice::Link(_)))) {
        tx.client_names().await?.into_iter().map(|(id, _)| id).collect()
    } else {
        HashSet::new()
    };
    let mut problems = Vec::new();
    let mut chosen = Vec::with_capacity(wishes.len());
    for (at, wish) in wishes.iter().enumerate() {
        let mut wrong = |field: &str, code, message| {
            problems.push(Problem::new(format!("/entities/{at}/{field}"), code, message));
        };
        match &wish.choice {
            Some(ImportChoice::Link(client)) if !clients.contains(client) => {
                wrong("client_id", "not_found", "there is no such client".to_owned());
            }
            Some(ImportChoice::Create(Some(name))) => {
                if let Err(problem) = valid_name("/name", name) {
                    wrong("name", problem.code, problem.message);
                }
            }
            _ => {}
        }
        match locked.remove(&wish.entity_id) {
            Some(entity) => chosen.push((entity, wish.choice.clone())),
            None => wrong(
                "entity_id",
                "not_found",
                "there is no such entity in this connection, or it stands here twice".to_owned(),
            ),
        }
    }
    if problems.is_empty() { Ok((chosen, twins)) } else { Err(Error::Invalid(problems)) }
}

/// The entities of a connection, to find those that look like one business: the vendor holds them
/// apart, so a person must say whether they are one client or two.
struct Twins(Matcher);

impl Twins {
    fn among<'a>(entities: impl Iterator<Item = &'a Entity>) -> Self {
        Self(Matcher::new(entities.map(candidate).collect()))
    }

    /// Whether another entity of the connection looks the same by name, or nearly.
    fn has_one(&self, entity: &Entity) -> bool {
        let alike = suggest(&self.0, entity, 5);
        let Some(other) = alike.iter().find(|other| other.client_id.0 != entity.id.0) else { return false };
        other.score >= THRESHOLD
            || other.signals.iter().any(|signal| SAME_NAME.contains(&signal.kind))
                && other.against.iter().all(|signal| signal.kind != SignalKind::OtherCountry)
    }
}

const SAME_NAME: [SignalKind; 4] =
    [SignalKind::SameName, SignalKind::ExactName, SignalKind::WordOrder, SignalKind::Spacing];
const IDENTIFIED: [SignalKind; 3] = [SignalKind::Tenant, SignalKind::ExternalId, SignalKind::Domain];

enum Plan {
    Create(String, String),
    Link(ClientId, String),
    Nothing(ImportAction, Option<ClientId>, String),
}

impl Plan {
    fn target(&self) -> Option<ClientId> {
        match self {
            Self::Link(client, _) => Some(*client),
            Self::Create(..) | Self::Nothing(..) => None,
        }
    }
}

fn plan(
    entity: &Entity,
    choice: Option<ImportChoice>,
    suggestions: &[Suggestion],
    threshold: f64,
    twins: &Twins,
) -> Plan {
    let nothing = |action, reason: &str| Plan::Nothing(action, entity.client_id, reason.to_owned());
    match (entity.mapping_state, choice) {
        (MappingState::Mapped, _) => nothing(ImportAction::AlreadyMapped, "mapped before"),
        (_, Some(ImportChoice::Skip)) => nothing(ImportAction::Skip, "left out by you"),
        (_, Some(ImportChoice::Link(client))) => Plan::Link(client, "chosen by you".to_owned()),
        (_, Some(ImportChoice::Create(name))) => {
            create(name.as_deref().unwrap_or(&entity.name), "chosen by you".to_owned(), entity)
        }
        (MappingState::Excluded, None) => nothing(ImportAction::Skip, "excluded from mapping"),
        (MappingState::Unmapped, None) => advise(entity, suggestions, threshold, twins),
    }
}

fn advise(entity: &Entity, suggestions: &[Suggestion], threshold: f64, twins: &Twins) -> Plan {
    let conflict = |reason: &str| Plan::Nothing(ImportAction::Conflict, None, reason.to_owned());
    let decision = decide(suggestions, threshold);
    let best = suggestions.first();
    let identified = best.is_some_and(|best| best.signals.iter().any(|signal| IDENTIFIED.contains(&signal.kind)));
    match decision {
        Decision::Ambiguous => conflict("several clients fit alike: choose one, or create"),
        Decision::Review => conflict("a client looks similar: link it, or create"),
        // Equal names within one connection tell nothing, whether a client has the name or not.
        Decision::Accept(_) | Decision::None if !identified && twins.has_one(entity) => {
            conflict("the connection holds another that looks the same: choose for each")
        }
        Decision::Accept(client) => {
            let reasons: Vec<&str> =
                best.into_iter().flat_map(|best| &best.signals).map(|signal| signal.detail.as_str()).collect();
            Plan::Link(client, reasons.join("; "))
        }
        Decision::None => create(&entity.name, "no client fits".to_owned(), entity),
    }
}

fn create(name: &str, reason: String, entity: &Entity) -> Plan {
    match valid_name("/name", name) {
        Ok(name) => Plan::Create(name, reason),
        Err(problem) => Plan::Nothing(
            ImportAction::Conflict,
            entity.client_id,
            format!("its name cannot be a client's: it {}; create it under a name of your own", problem.message),
        ),
    }
}

async fn carry_out(tx: &Tx, entity: &Entity, plan: Plan) -> Result<(ImportAction, Option<ClientId>, String)> {
    let map = async |client: ClientId, reason: &str| {
        let reason = format!("import: {reason}").chars().take(500).collect();
        let write = MappingWrite { client: Some(client), state: MappingState::Mapped, reason: Some(reason) };
        tx.mapping_write(entity.id, &write).await
    };
    match plan {
        Plan::Nothing(action, client, reason) => Ok((action, client, reason)),
        Plan::Link(client, reason) => {
            map(client, &reason).await?;
            Ok((ImportAction::Link, Some(client), reason))
        }
        Plan::Create(name, reason) => {
            let draft = ClientDraft { name, status: ClientStatus::Active, ..ClientDraft::default() };
            let made = client_create(tx, draft, &[]).await?.client.id;
            map(made, &reason).await?;
            Ok((ImportAction::Create, Some(made), reason))
        }
    }
}
