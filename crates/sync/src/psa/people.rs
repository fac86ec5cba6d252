//! What people do: how a PSA is kept in step, and what is decided about what waits.

use std::collections::{HashMap, HashSet, hash_map};

use domain::{
    Client, ClientId, ConnectionId, Entity, EntityId, Error, MappingState, PageRequest, Permission, Problem,
    PsaConflict, PsaConflictId, PsaConflictKind, PsaConflictState, PsaDirection, PsaField, PsaOwner, PsaSettings,
    Result, psa::same,
};
use integration::Entry;
use persistence::{ConflictFilter, MappingWrite, PassNote, Tx};

use super::{
    look::agreed,
    values::{give, ours},
};
use crate::{engine, rights::allowed};

/// Most items that are decided at once.
pub const MOST_CHOICES: usize = 1_000;
/// Most states of companies that may be named, and how long each may be.
const STATES: (usize, usize) = (50, 100);

/// The settings of a connection with how the last pass went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PsaView {
    /// The settings.
    pub settings: PsaSettings,
    /// How the last pass went.
    pub pass: PassNote,
    /// Items that wait for a person.
    pub open: i64,
    /// States, or types, of companies that the PSA was seen to use, in its words.
    pub states: Vec<String>,
}

/// What of the settings is to change.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "as in the settings")]
pub struct PsaPatch {
    pub direction: Option<PsaDirection>,
    pub owners: HashMap<PsaField, PsaOwner>,
    /// Whether companies that are new from now on become clients by themselves.
    pub create_clients: Option<bool>,
    pub only_active: Option<bool>,
    pub only_states: Option<Vec<String>>,
    /// Whether clients that are new from now on become companies by themselves.
    pub create_companies: Option<bool>,
}

/// A connection whose vendor lets companies be made and changed.
async fn psa(tx: &Tx, entries: &'static [Entry], id: ConnectionId, right: Permission) -> Result<()> {
    let connection = tx.connection(id).await?;
    let entry = engine::entry(entries, &connection.integration)?;
    allowed(tx.context(), right, entry.category)?;
    if entry.capabilities().iter().any(|capability| capability.name == "company_writes") {
        return Ok(());
    }
    let message = format!("{} is no PSA whose companies can be changed from here.", entry.name);
    Err(Error::conflict("not_supported", message))
}

/// How a connection is kept in step with our clients.
pub async fn psa_settings_get(tx: &Tx, entries: &'static [Entry], id: ConnectionId) -> Result<PsaView> {
    psa(tx, entries, id, Permission::ConnectionsView).await?;
    view(tx, id).await
}

async fn view(tx: &Tx, id: ConnectionId) -> Result<PsaView> {
    let filter = ConflictFilter { connection: Some(id), state: Some(PsaConflictState::Open), client: None };
    let open = tx.psa_conflict_list(&filter, &PageRequest { limit: 1, after: None }).await?.total;
    let mut states: Vec<String> = Vec::new();
    for row in tx.entities_of(id).await? {
        let told: integration::Entity = serde_json::from_str(&row.body).unwrap_or_default();
        states.extend(told.status.filter(|state| !states.contains(state)));
    }
    states.sort_unstable();
    Ok(PsaView { settings: tx.psa_settings(id).await?, pass: tx.psa_pass(id).await?, open, states })
}

/// Changes how a connection is kept in step. What is switched on counts from now on: companies and clients that are
/// there already are for the import and the mapping.
pub async fn psa_settings_update(
    tx: &Tx,
    entries: &'static [Entry],
    id: ConnectionId,
    patch: PsaPatch,
) -> Result<PsaView> {
    psa(tx, entries, id, Permission::ConnectionsManage).await?;
    let before = tx.psa_settings(id).await?;
    let mut after = before.clone();
    let since = |wanted: Option<bool>, before: Option<domain::Timestamp>| match wanted {
        None => before,
        Some(false) => None,
        Some(true) => before.or(Some(tx.now())),
    };
    after.direction = patch.direction.unwrap_or(before.direction);
    for (field, owner) in patch.owners {
        match field {
            PsaField::Name => after.owners.name = owner,
            PsaField::Address => after.owners.address = owner,
            PsaField::Phone => after.owners.phone = owner,
            PsaField::ContactEmail => after.owners.contact_email = owner,
            PsaField::Status => after.owners.status = owner,
        }
    }
    after.clients_since = since(patch.create_clients, before.clients_since);
    after.companies_since = since(patch.create_companies, before.companies_since);
    after.only_active = patch.only_active.unwrap_or(before.only_active);
    let mut problems = Vec::new();
    if let Some(states) = patch.only_states {
        let long = |state: &String| state.trim().is_empty() || state.chars().count() > STATES.1;
        if states.len() > STATES.0 || states.iter().any(long) {
            let message = format!("must be at most {} words of 1 to {} characters", STATES.0, STATES.1);
            problems.push(Problem::new("/only_states", "out_of_range", message));
        }
        after.only_states = states.into_iter().map(|state| state.trim().to_owned()).collect();
    }
    if after.companies_since.is_some() && after.direction != PsaDirection::Both {
        let message = "needs the direction both: nothing is sent to the PSA otherwise";
        problems.push(Problem::new("/create_companies", "needs_both", message));
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    if after != before {
        tx.psa_settings_write(&before, &after).await?;
    }
    view(tx, id).await
}

/// What is decided about an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConflictTake {
    /// Our value: it is sent to the PSA.
    Ours,
    /// The PSA's value: the client takes it.
    Theirs,
    /// The value of the side that owns the field.
    Owner,
    /// This value, on both sides.
    Value(String),
    /// They stay as they are, and differ.
    Leave,
    /// The company and the client are one: they are mapped.
    Link,
    /// They are two: a new one is made.
    Create,
}

/// A decision about one item.
#[derive(Clone, Debug)]
pub struct ConflictChoice {
    /// Which item.
    pub id: PsaConflictId,
    /// What is decided.
    pub take: ConflictTake,
}

/// What the clients of these items have now in the fields that wait: not what was found where somebody has changed
/// it since. Items about a whole company have no field.
pub async fn psa_conflict_current(tx: &Tx, items: &[PsaConflict]) -> Result<HashMap<PsaConflictId, String>> {
    let mut ids: Vec<ClientId> =
        items.iter().filter(|item| item.field.is_some()).filter_map(|item| item.client_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let clients: HashMap<ClientId, Client> =
        tx.clients_by_id(&ids).await?.into_iter().map(|client| (client.id, client)).collect();
    let current = |item: &PsaConflict| Some((item.id, ours(clients.get(&item.client_id?)?, item.field?)?));
    Ok(items.iter().filter_map(current).collect())
}

/// What is known of the items that are decided about.
struct Known {
    entities: HashMap<EntityId, Entity>,
    clients: HashMap<ClientId, Client>,
    settings: HashMap<ConnectionId, PsaSettings>,
}

/// Decides about items, all of them or none. What is to be sent is sent by the next pass. Answers the items as they are
/// then; those that are settled are not among them.
pub async fn psa_conflict_resolve(tx: &Tx, choices: &[ConflictChoice]) -> Result<Vec<PsaConflict>> {
    if choices.is_empty() || choices.len() > MOST_CHOICES {
        let message = format!("must be 1 to {MOST_CHOICES} decisions");
        return Err(Error::invalid("/resolutions", "out_of_range", message));
    }
    let ids: Vec<PsaConflictId> = choices.iter().map(|choice| choice.id).collect();
    let seen = tx.psa_conflicts(&ids, false).await?;
    // Entities are locked before clients, and these before what waits: as by a pass.
    let entities: Vec<EntityId> = seen.values().filter_map(|one| one.entity_id).collect();
    let entities = tx.entities_by_id(&entities).await?.into_iter().map(|row| (row.id, row)).collect();
    let clients: Vec<ClientId> = seen.values().filter_map(|one| one.client_id).collect();
    let clients = tx.clients_by_id(&clients).await?.into_iter().map(|client| (client.id, client)).collect();
    let items = tx.psa_conflicts(&ids, true).await?;
    let mut known = Known { entities, clients, settings: HashMap::new() };
    for item in items.values() {
        if let hash_map::Entry::Vacant(unread) = known.settings.entry(item.connection_id) {
            unread.insert(tx.psa_settings(item.connection_id).await?);
        }
    }
    let (mut problems, mut twice, mut left) = (Vec::new(), HashSet::new(), Vec::new());
    for (at, choice) in choices.iter().enumerate() {
        let wrong =
            |field: &str, code, message: &str| Problem::new(format!("/resolutions/{at}/{field}"), code, message);
        let Some(item) = items.get(&choice.id) else {
            problems.push(wrong("conflict_id", "not_found", "there is no such conflict"));
            continue;
        };
        if !twice.insert(choice.id) {
            problems.push(wrong("conflict_id", "twice", "is decided about twice"));
            continue;
        }
        let done = match item.field {
            Some(field) => field_decide(tx, &mut known, item, field, &choice.take).await?,
            None => whole_decide(tx, &known, item, &choice.take).await?,
        };
        match done {
            Ok(after) => left.extend(after),
            Err((field, code, message)) => problems.push(wrong(field, code, &message)),
        }
    }
    if problems.is_empty() { Ok(left) } else { Err(Error::Invalid(problems)) }
}

type Wrong = (&'static str, &'static str, String);

fn wrong<T>(field: &'static str, code: &'static str, message: impl Into<String>) -> Result<Result<T, Wrong>> {
    Ok(Err((field, code, message.into())))
}

async fn field_decide(
    tx: &Tx,
    known: &mut Known,
    item: &PsaConflict,
    field: PsaField,
    take: &ConflictTake,
) -> Result<Result<Option<PsaConflict>, Wrong>> {
    let settings = &known.settings[&item.connection_id];
    let entity = item.entity_id.and_then(|id| known.entities.get(&id));
    let client = item.client_id.and_then(|id| known.clients.get(&id)).cloned();
    let (Some(entity), Some(client)) = (entity, client) else {
        return wrong("conflict_id", "gone", "is about a client or a company that is gone");
    };
    if entity.client_id != Some(client.id) {
        return wrong("conflict_id", "gone", "is about a company that belongs to another client by now");
    }
    let sends = settings.direction == PsaDirection::Both;
    let take = match take {
        ConflictTake::Owner => match settings.owners.of(field) {
            PsaOwner::Psa => &ConflictTake::Theirs,
            PsaOwner::Panelone => &ConflictTake::Ours,
            PsaOwner::Either => return wrong("take", "no_owner", "must name a side: nobody owns this field alone"),
        },
        take => take,
    };
    let given = match take {
        ConflictTake::Theirs => Some(item.theirs.clone()),
        ConflictTake::Value(value) => Some(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        ConflictTake::Ours | ConflictTake::Leave => None,
        ConflictTake::Owner | ConflictTake::Link | ConflictTake::Create => {
            return wrong("take", "not_offered", "must be ours, theirs, owner, value or leave for a field");
        }
    };
    let current = ours(&client, field);
    // Nobody decides over an edit that they were not shown.
    if given.as_ref().is_some_and(|given| current != item.ours && *given != current) {
        return wrong("conflict_id", "moved", "was changed here since it was found: look at it again");
    }
    let mut after = client.clone();
    if let Some(value) = given
        && let Err(why) = give(&mut after, field, value)
    {
        let place = if matches!(take, ConflictTake::Value(_)) { "value" } else { "take" };
        return wrong(place, "not_a_value", format!("{why}: type another value"));
    }
    let now = ours(&after, field);
    let settled = match take {
        ConflictTake::Theirs | ConflictTake::Leave => true,
        _ => same(field, now.as_deref(), item.theirs.as_deref()),
    };
    if !settled && !sends {
        return wrong("take", "needs_both", "cannot be sent: edits of this connection go from the PSA to here only");
    }
    if !settled && now.is_none() {
        return wrong("take", "cannot_empty", "cannot be emptied at the PSA from here: empty it there, or leave it");
    }
    let after = tx.client_update(&client, after).await?;
    known.clients.insert(after.id, after.clone());
    if settled {
        // What is left to differ is what was shown: an edit since then is an edit like any other.
        let ours = if *take == ConflictTake::Leave { item.ours.clone() } else { now };
        let agree = agreed(entity.id, &after, field, ours, item.theirs.clone(), false);
        tx.psa_agree(&[agree]).await?;
        tx.psa_conflict_decide(item, None).await?;
        return Ok(Ok(None));
    }
    let sending = PsaConflict { ours: now, state: PsaConflictState::Sending, ..item.clone() };
    tx.psa_conflict_decide(item, Some(&sending)).await?;
    Ok(Ok(Some(sending)))
}

async fn whole_decide(
    tx: &Tx,
    known: &Known,
    item: &PsaConflict,
    take: &ConflictTake,
) -> Result<Result<Option<PsaConflict>, Wrong>> {
    tx.context().require(Permission::MappingsSave)?;
    let state = match take {
        ConflictTake::Create => PsaConflictState::Sending,
        ConflictTake::Ours if item.kind == PsaConflictKind::Refused => PsaConflictState::Sending,
        ConflictTake::Leave => PsaConflictState::Left,
        ConflictTake::Link if item.kind != PsaConflictKind::Refused => {
            let entity = item.entity_id.and_then(|id| known.entities.get(&id));
            let client = item.client_id.filter(|id| known.clients.contains_key(id));
            let (Some(entity), Some(client)) = (entity, client) else {
                return wrong("conflict_id", "gone", "is about a client or a company that is gone");
            };
            if entity.client_id.is_some() {
                return wrong("conflict_id", "taken", "is about a company that belongs to a client by now");
            }
            let reason = Some("found to be the same as the client".to_owned());
            let write = MappingWrite { client: Some(client), state: MappingState::Mapped, reason };
            tx.mapping_write(entity.id, &write).await?;
            tx.psa_conflict_decide(item, None).await?;
            return Ok(Ok(None));
        }
        _ => return wrong("take", "not_offered", "must be link, create or leave for a whole company"),
    };
    let after = PsaConflict { state, ..item.clone() };
    tx.psa_conflict_decide(item, Some(&after)).await?;
    Ok(Ok(Some(after)))
}
