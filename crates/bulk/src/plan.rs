//! What a bulk operation does to each client, and doing it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    BulkAction, Client, ClientId, Connection, ConnectionId, EntityId, Error, MOST_CLIENT_TAGS, MOST_IN_BULK,
    Permission, Problem, Result, TENANT,
};
use integration::{Category, Entry};
use persistence::{ClientFilter, MappedEntity, PortalStanding, Tx};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::apply::tags_after;

/// Clients that a preview shows, of those changed and of those refused.
const SHOWN: usize = 100;
/// Clients looked at together.
const AT_ONCE: usize = 500;
/// Bytes of a trace: enough that no two plans of one client share it.
const TRACE: usize = 16;

/// Which clients.
#[derive(Clone, Debug)]
pub enum Selection {
    /// These.
    Clients(Vec<ClientId>),
    /// Those that a filter of the client list leaves, as they are now.
    Filter(Box<ClientFilter>),
}

/// A client that would change.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkChange {
    /// Client.
    pub client_id: ClientId,
    /// Its name.
    pub name: String,
    /// What of it is touched, before.
    pub before: Value,
    /// The same, after.
    pub after: Value,
}

/// A client to which it cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkRefusal {
    /// Client.
    pub client_id: ClientId,
    /// Its name; none where it is not found.
    pub name: Option<String>,
    /// Stable word for machines.
    pub code: &'static str,
    /// Why, and what to do.
    pub message: String,
}

/// What a bulk operation would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BulkPlan {
    /// SHA-256 of what would be done to whom.
    pub digest: String,
    /// Clients it was asked for.
    pub total: u64,
    /// Of them, those that would change.
    pub changed: u64,
    /// Of them, those that are already so.
    pub unchanged: u64,
    /// Of them, those refused.
    pub refused: u64,
    /// The first 100 that would change, in order of their ids.
    pub changes: Vec<BulkChange>,
    /// The first 100 refused.
    pub refusals: Vec<BulkRefusal>,
    /// How many are refused for each reason.
    pub reasons: BTreeMap<&'static str, u64>,
}

/// What would become of one client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    Changes { before: Value, after: Value },
    Same,
    Refused { code: &'static str, message: String },
}

/// One client of a plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub client_id: ClientId,
    pub name: Option<String>,
    pub fate: Fate,
}

impl Line {
    fn refused(client_id: ClientId, name: Option<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { client_id, name, fate: Fate::Refused { code, message: message.into() } }
    }

    /// The trace by which a change of the plan is noticed. The name is not of it, nor a time.
    pub fn trace(&self) -> Vec<u8> {
        let said = match &self.fate {
            Fate::Changes { before, after } => json!([self.client_id, before, after]),
            Fate::Same => json!([self.client_id]),
            Fate::Refused { code, .. } => json!([self.client_id, code]),
        };
        Sha256::digest(said.to_string().as_bytes())[..TRACE].to_vec()
    }
}

/// Some clients, what would become of each, and what doing it needs.
pub(crate) struct Planned {
    pub lines: Vec<Line>,
    pub clients: HashMap<ClientId, Client>,
    pub mapped: HashMap<ClientId, Vec<MappedEntity>>,
    pub syncing: BTreeSet<ConnectionId>,
}

/// Whether the caller may do this at all: the right that doing it to one client takes.
pub(crate) async fn permitted(tx: &Tx, entries: &'static [Entry], action: &BulkAction) -> Result<()> {
    tx.context().require(action.permission())?;
    if let BulkAction::Unmap { connection_id } = action {
        let connection = tx.connection(*connection_id).await?;
        sync::allowed(tx.context(), Permission::MappingsSave, shelf(entries, &connection))?;
    }
    Ok(())
}

fn shelf(entries: &'static [Entry], connection: &Connection) -> Category {
    let entry = entries.iter().find(|entry| entry.id == connection.integration);
    // Of a vendor that is not in this build, the shelf is not known: only the whole right will do.
    entry.map_or(Category::RmmAndPsa, |entry| entry.category)
}

/// A plan with what it takes to start it: the trace of each client that would change, and every refusal.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What a person is shown.
    pub plan: BulkPlan,
    pub(crate) action: BulkAction,
    pub(crate) traces: Vec<(ClientId, Vec<u8>)>,
    pub(crate) refusals: Vec<BulkRefusal>,
}

/// Works out what an operation would do, and to whom. Reads only.
pub async fn bulk_prepare(
    tx: &Tx,
    entries: &'static [Entry],
    action: BulkAction,
    selection: &Selection,
) -> Result<Prepared> {
    let action = action.checked()?;
    permitted(tx, entries, &action).await?;
    let ids = resolve(tx, selection).await?;
    let mut sum = Sum::new(action)?;
    for chunk in ids.chunks(AT_ONCE) {
        let lines = plan(tx, entries, &sum.action, chunk).await?.lines;
        sum.lines(lines);
    }
    Ok(sum.end())
}

/// Adds lines up to a plan.
struct Sum {
    action: BulkAction,
    plan: BulkPlan,
    hash: Sha256,
    traces: Vec<(ClientId, Vec<u8>)>,
    refusals: Vec<BulkRefusal>,
}

impl Sum {
    fn new(action: BulkAction) -> Result<Self> {
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(&action).map_err(Error::internal)?);
        Ok(Self { action, plan: BulkPlan::default(), hash, traces: Vec::new(), refusals: Vec::new() })
    }

    fn lines(&mut self, lines: Vec<Line>) {
        for line in lines {
            let trace = line.trace();
            self.hash.update(&trace);
            self.plan.total += 1;
            match line.fate {
                Fate::Same => self.plan.unchanged += 1,
                Fate::Changes { before, after } => {
                    self.plan.changed += 1;
                    if self.plan.changes.len() < SHOWN {
                        let name = line.name.unwrap_or_default();
                        self.plan.changes.push(BulkChange { client_id: line.client_id, name, before, after });
                    }
                    self.traces.push((line.client_id, trace));
                }
                Fate::Refused { code, message } => {
                    self.plan.refused += 1;
                    *self.plan.reasons.entry(code).or_default() += 1;
                    self.refusals.push(BulkRefusal { client_id: line.client_id, name: line.name, code, message });
                }
            }
        }
    }

    fn end(mut self) -> Prepared {
        self.plan.digest = hex::encode(self.hash.finalize());
        self.plan.refusals = self.refusals.iter().take(SHOWN).cloned().collect();
        Prepared { plan: self.plan, action: self.action, traces: self.traces, refusals: self.refusals }
    }
}

/// The exact set of clients, each once, in order of their ids. Ids of no client are mistakes.
async fn resolve(tx: &Tx, selection: &Selection) -> Result<Vec<ClientId>> {
    let too_many = |pointer: &str| {
        Err(Error::invalid(pointer, "too_many", format!("must be at most {MOST_IN_BULK} clients: narrow it down")))
    };
    match selection {
        Selection::Clients(ids) if ids.len() > MOST_IN_BULK => too_many("/clients"),
        Selection::Clients(ids) => {
            let known: BTreeSet<ClientId> = tx.clients_by_id(ids).await?.iter().map(|client| client.id).collect();
            let unknown = ids.iter().enumerate().filter(|(_, id)| !known.contains(id)).take(SHOWN);
            let problem = |(at, _)| Problem::new(format!("/clients/{at}"), "not_found", "there is no such client");
            let problems: Vec<Problem> = unknown.map(problem).collect();
            if problems.is_empty() { Ok(known.into_iter().collect()) } else { Err(Error::Invalid(problems)) }
        }
        Selection::Filter(filter) => {
            let mut found: Vec<ClientId> = Vec::new();
            loop {
                let page = tx.clients_matching(filter, found.last().copied(), AT_ONCE as u64).await?;
                let more = page.len() == AT_ONCE;
                found.extend(page.into_iter().map(|client| client.id));
                if found.len() > MOST_IN_BULK {
                    return too_many("/filter");
                }
                if !more {
                    return Ok(found);
                }
            }
        }
    }
}

/// What would become of these clients. In a transaction that writes, everything that is looked at is locked: entities
/// before clients, as by everyone who maps.
pub(crate) async fn plan(tx: &Tx, entries: &'static [Entry], action: &BulkAction, ids: &[ClientId]) -> Result<Planned> {
    let connection = match action {
        BulkAction::Unmap { connection_id } => Some(*connection_id),
        _ => None,
    };
    let maps = matches!(action, BulkAction::Unmap { .. } | BulkAction::Delete { .. } | BulkAction::SyncStart);
    let mut mapped = if maps { tx.entities_mapped_to(ids, connection).await? } else { HashMap::new() };
    if !matches!(action, BulkAction::SyncStart) && !mapped.is_empty() {
        let entities: Vec<EntityId> = mapped.values().flatten().map(|entity| entity.id).collect();
        tx.entities_by_id(&entities).await?;
    }
    let clients: HashMap<ClientId, Client> =
        tx.clients_by_id(ids).await?.into_iter().map(|client| (client.id, client)).collect();
    if maps && tx.is_writing() {
        // Read anew now that nobody else can map to these clients.
        mapped = tx.entities_mapped_to(ids, connection).await?;
    }
    let portals = match action {
        BulkAction::PortalEnable | BulkAction::PortalDisable | BulkAction::Delete { .. } => {
            tx.portals_standing(ids).await?
        }
        _ => HashMap::new(),
    };
    let syncing = if matches!(action, BulkAction::SyncStart) { syncing(tx, entries).await? } else { BTreeSet::new() };
    let line = |id: &ClientId| {
        let Some(client) = clients.get(id) else {
            return Line::refused(*id, None, "not_found", "There is no such client.");
        };
        let entities = mapped.get(id).map(Vec::as_slice).unwrap_or_default();
        let portal = portals.get(id).copied().unwrap_or_default();
        let fate = fate(action, client, entities, portal, &syncing);
        Line { client_id: *id, name: Some(client.name.clone()), fate }
    };
    let lines = ids.iter().map(line).collect();
    Ok(Planned { lines, clients, mapped, syncing })
}

/// Connections of which the caller may start a sync, and that sync.
async fn syncing(tx: &Tx, entries: &'static [Entry]) -> Result<BTreeSet<ConnectionId>> {
    let may = |connection: &Connection| {
        let right = sync::allowed(tx.context(), Permission::SyncStart, shelf(entries, connection));
        connection.state.syncs() && right.is_ok()
    };
    Ok(tx.connections().await?.iter().filter(|one| may(one)).map(|one| one.id).collect())
}

/// What would become of one client: the rules of each action, and nothing else.
fn fate(
    action: &BulkAction,
    client: &Client,
    entities: &[MappedEntity],
    portal: PortalStanding,
    syncing: &BTreeSet<ConnectionId>,
) -> Fate {
    let changes = |before: Value, after: Value| {
        if before == after { Fate::Same } else { Fate::Changes { before, after } }
    };
    let refused = |code, message: String| Fate::Refused { code, message };
    match action {
        BulkAction::TagsSet { .. } | BulkAction::TagsAdd { .. } | BulkAction::TagsRemove { .. } => {
            let tags = tags_after(action, &client.tags);
            if tags.len() > MOST_CLIENT_TAGS {
                return refused("too_many_tags", format!("It would have more than {MOST_CLIENT_TAGS} tags."));
            }
            changes(json!({ "tags": client.tags }), json!({ "tags": tags }))
        }
        BulkAction::Archive => {
            changes(json!({ "archived": client.archived_at.is_some() }), json!({ "archived": true }))
        }
        BulkAction::Restore => {
            changes(json!({ "archived": client.archived_at.is_some() }), json!({ "archived": false }))
        }
        BulkAction::StatusSet { status } => {
            changes(json!({ "status": client.status.as_str() }), json!({ "status": status.as_str() }))
        }
        BulkAction::PortalEnable | BulkAction::PortalDisable => {
            let after = matches!(action, BulkAction::PortalEnable);
            changes(json!({ "clientone": portal.enabled }), json!({ "clientone": after }))
        }
        BulkAction::SyncStart => {
            let connections: BTreeSet<ConnectionId> = entities.iter().map(|entity| entity.connection_id).collect();
            let synced: Vec<&ConnectionId> = connections.intersection(syncing).collect();
            match (connections.is_empty(), synced.is_empty()) {
                (true, _) => refused("not_mapped", "Nothing is mapped to it.".to_owned()),
                (_, true) => {
                    let why = "None of its connections works, or you may not sync them.";
                    refused("nothing_to_sync", why.to_owned())
                }
                _ => changes(json!({}), json!({ "synced": synced })),
            }
        }
        BulkAction::Unmap { .. } => {
            let ids: Vec<EntityId> = entities.iter().map(|entity| entity.id).collect();
            changes(json!({ "entities": ids }), json!({ "entities": [] }))
        }
        BulkAction::Delete { cascade } => delete_fate(client, entities, portal, *cascade),
    }
}

fn delete_fate(client: &Client, entities: &[MappedEntity], portal: PortalStanding, cascade: bool) -> Fate {
    let refused = |code, message: String| Fate::Refused { code, message };
    if portal.enabled {
        return refused("clientone_enabled", "ClientOne is enabled for it: disable it first.".to_owned());
    }
    if portal.accounts > 0 {
        return refused("has_portal_users", "Its people have accounts of ClientOne: archive it instead.".to_owned());
    }
    let tenants: Vec<&str> = entities.iter().filter(|one| one.kind == TENANT).map(|one| one.name.as_str()).collect();
    if !tenants.is_empty() && !cascade {
        let why = format!("Microsoft 365 tenants are mapped to it ({}): delete with cascade.", tenants.join(", "));
        return refused("has_tenants", why);
    }
    let ids: Vec<EntityId> = entities.iter().map(|entity| entity.id).collect();
    Fate::Changes {
        before: json!({ "name": client.name, "entities": ids }),
        after: json!({ "deleted": true, "entities": [] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_tells_plans_apart_and_forgets_names() {
        let id: ClientId = "00000000-0000-0000-0000-000000000001".parse().expect("an id");
        let line = |name: &str, after: Value| Line {
            client_id: id,
            name: Some(name.to_owned()),
            fate: Fate::Changes { before: json!({ "archived": false }), after },
        };
        let archived = line("Kite", json!({ "archived": true })).trace();
        assert_eq!(archived.len(), TRACE);
        assert_eq!(archived, line("Renamed", json!({ "archived": true })).trace());
        assert_ne!(archived, line("Kite", json!({ "archived": false })).trace());
        let same = Line { client_id: id, name: None, fate: Fate::Same };
        assert_ne!(archived, same.trace());
        assert_ne!(same.trace(), Line::refused(id, None, "not_found", "").trace());
    }
}
