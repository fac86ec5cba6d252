//! Tenants out of what is stored: which entities are one tenant, and which connection knows each figure best.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    ClientId, Connection, ConnectionId, EntityId, Error, Result, Seats, TENANT, TenantFacts, TenantSetting, Timestamp,
};
use persistence::{CustomerEntity, Listing, Tx};
use serde::Deserialize;

use super::{Can, Licences, Tenant};

/// The figures of a tenant, in the order in which a sync lists them.
const FIGURES: [&str; 3] = ["directory_user", "licence", "secure_score"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    domains: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Score {
    current: f64,
    max: f64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Licence {
    name: String,
    total: Option<i64>,
    used: Option<i64>,
    status: Option<String>,
    unlimited: bool,
}

/// Who says one figure of a tenant.
struct Source {
    entity: EntityId,
    synced_at: Option<Timestamp>,
    stale: bool,
}

impl Source {
    /// The same of a tenant that nothing is asked about any more, if it is one: however fresh, it grows old from now on.
    fn aged(self, resting: bool) -> Self {
        Self { stale: self.stale || resting, ..self }
    }
}

/// Makes tenants of entities; those of other kinds are left out.
pub(super) async fn assemble(tx: &Tx, entities: Vec<CustomerEntity>, can: Can<'_>) -> Result<Vec<Tenant>> {
    let mut by_key: BTreeMap<String, Vec<CustomerEntity>> = BTreeMap::new();
    for entity in entities.into_iter().filter(|entity| entity.kind == TENANT) {
        by_key.entry(entity.vendor_id.to_ascii_lowercase()).or_default().push(entity);
    }
    let keys: Vec<String> = by_key.keys().cloned().collect();
    let settings = tx.tenant_settings(&keys).await?;
    let groups: Vec<Vec<CustomerEntity>> = by_key.into_values().flat_map(by_client).collect();
    let told = Told::read(tx, &groups).await?;
    let mut drafts = Vec::with_capacity(groups.len());
    let mut scored = Vec::new();
    let mut seated = Vec::new();
    for group in groups {
        let key = group.first().map(|entity| entity.vendor_id.to_ascii_lowercase()).unwrap_or_default();
        let resting = settings.get(&key).is_some_and(|setting| setting.disconnected_at.is_some());
        let sources = FIGURES.map(|figure| told.best(&group, figure, can).map(|source| source.aged(resting)));
        let [_, seats, score] = &sources;
        scored.extend(score.as_ref().map(|source| source.entity));
        seated.extend(seats.as_ref().map(|source| source.entity));
        drafts.push((group, sources));
    }
    let mut scores: HashMap<EntityId, Score> = HashMap::new();
    for (entity, body) in tx.bodies_under(&scored, "secure_score").await? {
        scores.insert(entity, serde_json::from_str(&body).map_err(Error::internal)?);
    }
    let mut seats: HashMap<EntityId, Vec<Seats>> = HashMap::new();
    for (entity, body) in tx.bodies_under(&seated, "licence").await? {
        let licence: Licence = serde_json::from_str(&body).map_err(Error::internal)?;
        let Licence { name, total, used, status, unlimited } = licence;
        seats.entry(entity).or_default().push(Seats { name, total, used, status, unlimited });
    }
    let clients = told.clients;
    Ok(drafts
        .into_iter()
        .map(|(group, sources)| tenant(group, sources, &settings, &clients, &scores, &seats))
        .collect())
}

/// One tenant has one customer. Where connections were mapped otherwise, there is one row for each, and what is not
/// mapped goes with the first.
fn by_client(entities: Vec<CustomerEntity>) -> Vec<Vec<CustomerEntity>> {
    let clients: BTreeSet<ClientId> = entities.iter().filter_map(|entity| entity.client_id).collect();
    let Some(first) = clients.first().copied() else { return vec![entities] };
    let mut of: BTreeMap<ClientId, Vec<CustomerEntity>> = BTreeMap::new();
    for entity in entities {
        of.entry(entity.client_id.unwrap_or(first)).or_default().push(entity);
    }
    of.into_values().collect()
}

fn tenant(
    group: Vec<CustomerEntity>,
    [users, licences, score]: [Option<Source>; 3],
    settings: &HashMap<String, TenantSetting>,
    clients: &HashMap<ClientId, String>,
    scores: &HashMap<EntityId, Score>,
    seats: &HashMap<EntityId, Vec<Seats>>,
) -> Tenant {
    let percent = score.as_ref().and_then(|source| scores.get(&source.entity));
    let percent = percent.filter(|score| score.max > 0.0).map(|score| 100.0 * score.current / score.max);
    let now = |source: &Option<Source>| source.as_ref().is_some_and(|source| !source.stale);
    let owned = licences.as_ref().filter(|source| source.synced_at.is_some());
    let owned = owned.and_then(|source| Licences::of(seats.get(&source.entity).map(Vec::as_slice).unwrap_or_default()));
    let facts = TenantFacts {
        score: percent.filter(|_| now(&score)),
        seats: licences
            .as_ref()
            .filter(|_| now(&licences))
            .map(|source| seats.get(&source.entity).cloned().unwrap_or_default()),
    };
    let (health, reasons) = facts.health();
    let all = [&users, &licences, &score];
    let users_from = users.as_ref().filter(|source| source.synced_at.is_some()).map(|source| source.entity);
    let synced: Option<Vec<Timestamp>> =
        all.iter().map(|source| source.as_ref().and_then(|source| source.synced_at)).collect();
    let listed = group.iter().all(|entity| entity.removed_at.is_some());
    let removed_at = listed.then(|| group.iter().filter_map(|entity| entity.removed_at).max()).flatten();
    let shown = group.iter().find(|entity| entity.removed_at.is_none()).or(group.first());
    let vendor_name = shown.map(|entity| entity.name.clone()).unwrap_or_default();
    let key = shown.map(|entity| entity.vendor_id.to_ascii_lowercase()).unwrap_or_default();
    let body = |entity: &CustomerEntity| serde_json::from_str::<Body>(&entity.body).unwrap_or_default();
    let setting = settings.get(&key).cloned();
    let mut ids: Vec<EntityId> = group.iter().map(|entity| entity.id).collect();
    ids.sort_unstable();
    let connections: BTreeSet<ConnectionId> = group.iter().map(|entity| entity.connection_id).collect();
    let client = group.iter().find_map(|entity| entity.client_id);
    Tenant {
        id: ids.first().copied().unwrap_or(EntityId(uuid::Uuid::nil())),
        entities: ids,
        connections: connections.into_iter().collect(),
        tenant: key,
        name: setting.as_ref().and_then(|said| said.display_name.clone()).unwrap_or_else(|| vendor_name.clone()),
        vendor_name,
        domain: group.iter().find_map(|entity| body(entity).domains.into_iter().next()),
        setting,
        client: client.and_then(|client| clients.get(&client).map(|name| (client, name.clone()))),
        health,
        reasons,
        score: percent,
        licences: owned,
        users: None,
        unlicensed: None,
        synced_at: synced.and_then(|all| all.into_iter().min()),
        stale: !all.into_iter().all(now),
        removed_at,
        users_from,
    }
}

/// What it takes to know how old figures are, and whose tenants are.
struct Told {
    connections: HashMap<ConnectionId, Connection>,
    listings: HashMap<(ConnectionId, String, String), Listing>,
    clients: HashMap<ClientId, String>,
    now: Timestamp,
}

impl Told {
    async fn read(tx: &Tx, groups: &[Vec<CustomerEntity>]) -> Result<Self> {
        let all = || groups.iter().flatten();
        let ids: BTreeSet<ConnectionId> = all().map(|entity| entity.connection_id).collect();
        let ids: Vec<ConnectionId> = ids.into_iter().collect();
        let connections = tx.connections().await?.into_iter().map(|connection| (connection.id, connection)).collect();
        let entities: BTreeSet<&str> = all().map(|entity| entity.vendor_id.as_str()).collect();
        let listings = tx.listings_of(&ids, &FIGURES, &entities).await?.into_iter();
        let listings = listings.map(|one| ((one.connection_id, one.kind.clone(), one.entity.clone()), one)).collect();
        let clients: BTreeSet<ClientId> = all().filter_map(|entity| entity.client_id).collect();
        let clients = tx.client_names_of(&Vec::from_iter(clients)).await?;
        Ok(Self { connections, listings, clients, now: tx.now() })
    }

    /// Who knows a figure best: one that is not stale, then the latest.
    fn best(&self, group: &[CustomerEntity], figure: &str, can: Can<'_>) -> Option<Source> {
        let able = group.iter().filter(|entity| can(&entity.integration, figure));
        let sources = able.filter_map(|entity| {
            let connection = self.connections.get(&entity.connection_id)?;
            let key = |under: &str| (connection.id, figure.to_owned(), under.to_owned());
            let listing = self.listings.get(&key("")).or_else(|| self.listings.get(&key(&entity.vendor_id)));
            let synced_at = listing.and_then(|listing| listing.complete_at);
            let stale = entity.removed_at.is_some() || connection.is_stale(synced_at, self.now);
            Some(Source { entity: entity.id, synced_at, stale })
        });
        sources.max_by_key(|source| (!source.stale, source.synced_at, std::cmp::Reverse(source.entity)))
    }
}
