//! How old what a vendor said is: shown with every figure that comes from one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::{Connection, ConnectionId, Entity, EntityId, Result};
use integration::RecordKind;
use persistence::Tx;
use poem_openapi::Object;
use uuid::Uuid;

use crate::app::App;

/// One connection that says something of it.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Source {
    /// Connection
    pub connection_id: Uuid,
    /// Its integration
    pub integration: String,
    /// Its name
    pub connection: String,
    /// When all of it was last true at the vendor; absent when it was never listed to the end
    pub synced_at: Option<DateTime<Utc>>,
    /// Older than twice the connection's cadence, or the connection does not work
    pub stale: bool,
    /// Why the last attempt failed
    pub problem: Option<String>,
}

/// How old it is.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Freshness {
    /// Whether anything that could say it is mapped to this client: if not, it is unknown, not none
    pub mapped: bool,
    /// The oldest of the sources' times; absent when one of them never listed it to the end
    pub synced_at: Option<DateTime<Utc>>,
    /// Whether one of the sources is stale
    pub stale: bool,
    /// Who says it
    pub sources: Vec<Source>,
}

/// How old the list of what a connection can be imported or mapped from is.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct EntityList {
    /// When the whole list was last true at the vendor; absent when it was never listed to the end: an empty list then
    /// means that nothing is known, not that there is nothing
    pub synced_at: Option<DateTime<Utc>>,
    /// Older than twice the connection's cadence, or the connection does not work
    pub stale: bool,
    /// Why the last attempt failed
    pub problem: Option<String>,
    /// Post there to sync it now
    pub sync_now: String,
}

impl EntityList {
    /// Reads how old a connection's list is.
    pub async fn read(tx: &Tx, connection: &Connection) -> Result<Self> {
        let listings = tx.listings(&[connection.id]).await?;
        let listing = listings.into_iter().find(|listing| listing.kind == RecordKind::Entity.as_str());
        let synced_at = listing.as_ref().and_then(|listing| listing.complete_at);
        Ok(Self {
            synced_at,
            stale: connection.is_stale(synced_at, tx.now()),
            problem: listing.and_then(|listing| listing.message).or_else(|| connection.state_reason.clone()),
            sync_now: format!("/api/connections/{}/sync", connection.id),
        })
    }
}

/// Works out freshness for the entities of one client.
pub struct Sources {
    entities: Vec<Entity>,
    connections: BTreeMap<ConnectionId, Connection>,
    listings: BTreeMap<(ConnectionId, String, String), persistence::Listing>,
    now: DateTime<Utc>,
}

impl Sources {
    /// Reads what is needed for a client's entities.
    pub async fn read(tx: &Tx, entities: Vec<Entity>) -> Result<Self> {
        let ids: BTreeSet<ConnectionId> = entities.iter().map(|entity| entity.connection_id).collect();
        let ids: Vec<ConnectionId> = ids.into_iter().collect();
        let connections =
            tx.connections().await?.into_iter().filter(|c| ids.contains(&c.id)).map(|c| (c.id, c)).collect();
        let listed: BTreeSet<&str> = entities.iter().map(|entity| entity.vendor_id.as_str()).collect();
        let listings = tx
            .listings_of(&ids, &RecordKind::ALL.map(RecordKind::as_str), &listed)
            .await?
            .into_iter()
            .map(|listing| ((listing.connection_id, listing.kind.clone(), listing.entity.clone()), listing))
            .collect();
        Ok(Self { entities, connections, listings, now: tx.now() })
    }

    /// The entities that can say something of this kind.
    pub fn entities_for(&self, app: &App, kind: &str) -> Vec<&Entity> {
        self.entities.iter().filter(|entity| app.can(&entity.integration, kind)).collect()
    }

    /// The integration of a connection that has one of these entities.
    pub fn integration(&self, connection: ConnectionId) -> Option<&str> {
        self.connections.get(&connection).map(|connection| connection.integration.as_str())
    }

    /// A connection that has one of these entities.
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&id)
    }

    /// One of these entities.
    pub fn entity(&self, id: EntityId) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.id == id)
    }

    /// How old what an entity of these says of this kind is.
    pub fn of_entity(&self, entity: EntityId, kind: &str) -> Option<Source> {
        let entity = self.entity(entity)?;
        Some(self.source(self.connections.get(&entity.connection_id)?, entity, kind))
    }

    /// How old what is stored of this kind is.
    pub fn of(&self, app: &App, kind: &str) -> Freshness {
        let mut sources: BTreeMap<ConnectionId, Source> = BTreeMap::new();
        for entity in self.entities_for(app, kind) {
            let Some(connection) = self.connections.get(&entity.connection_id) else { continue };
            let found = self.source(connection, entity, kind);
            match sources.get_mut(&connection.id) {
                None => {
                    sources.insert(connection.id, found);
                }
                Some(known) => {
                    known.synced_at = older(known.synced_at, found.synced_at);
                    known.stale |= found.stale;
                    known.problem = known.problem.take().or(found.problem);
                }
            }
        }
        let sources: Vec<Source> = sources.into_values().collect();
        let synced_at = sources.iter().map(|source| source.synced_at).reduce(older).flatten();
        Freshness { mapped: !sources.is_empty(), synced_at, stale: sources.iter().any(|source| source.stale), sources }
    }

    fn source(&self, connection: &Connection, entity: &Entity, kind: &str) -> Source {
        let key = |entity: &str| (connection.id, kind.to_owned(), entity.to_owned());
        let listing = self.listings.get(&key("")).or_else(|| self.listings.get(&key(&entity.vendor_id)));
        let synced_at = listing.and_then(|listing| listing.complete_at);
        Source {
            connection_id: connection.id.0,
            integration: connection.integration.clone(),
            connection: connection.name.clone(),
            synced_at,
            stale: entity.removed_at.is_some() || connection.is_stale(synced_at, self.now),
            problem: listing.and_then(|listing| listing.message.clone()).or_else(|| connection.state_reason.clone()),
        }
    }
}

/// The older of two instants; none where one is not known.
pub fn older(a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    Some(a?.min(b?))
}
