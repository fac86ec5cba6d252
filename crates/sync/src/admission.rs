//! Letting in an entity whose own administrator consents: it is found, its administrator is sent to the vendor's page, and
//! what they come back with is believed once the entity can be read.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use domain::{Connection, ConnectionId, Context, EntityId, Error, Permission, RecordId, Result};
use integration::{Admission, AdmissionAnswer, AdmissionAsk, Connector, Entry, Kind, ReadRecord, RecordKind};
use persistence::{EntityWrite, Tx};

use crate::{
    Engine,
    connections::managed,
    engine, ids,
    page::{one_line, read_one},
    seen::to_bytes,
    trouble::vendor_error,
};

/// The longest that a question about one entity may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// An entity that was read just now.
pub struct Admitted {
    /// The connection that read it.
    pub connection: ConnectionId,
    raw: Bytes,
    read: ReadRecord,
}

/// An entity that was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LetIn {
    /// Its id here.
    pub entity: EntityId,
    /// Whether the vendor lists it for the connection anyhow.
    pub listed: bool,
}

/// A connection that an entity can be let in to.
struct Door {
    connection: Connection,
    connector: Box<dyn Connector>,
}

impl Door {
    fn admission(&self) -> Result<&dyn Admission> {
        self.connector.admission().ok_or_else(|| no_door(&self.connection.name))
    }

    async fn in_time<T>(&self, asked: impl Future<Output = integration::Result<T>>) -> integration::Result<T> {
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
            let (name, seconds) = (&self.connection.name, PATIENCE.as_secs());
            Err(integration::Error::new(Kind::Unavailable, format!("{name} did not answer within {seconds} seconds")))
        })
    }
}

fn no_door(name: &str) -> Error {
    Error::conflict("no_admission", format!("{name} is not a connection that an administrator of a tenant can let in."))
}

impl Engine {
    async fn door(&self, context: &Context, id: ConnectionId) -> Result<Door> {
        let tx = self.store.read(context.clone()).await?;
        let connection = managed(&tx, self.entries, id).await?;
        if !engine::entry(self.entries, &connection.integration).is_ok_and(Entry::admits) {
            return Err(no_door(&connection.name));
        }
        if !connection.state.syncs() {
            return Err(Error::conflict(
                "not_connected",
                format!("{} is {}: reconnect it first.", connection.name, connection.state.as_str()),
            ));
        }
        let credentials = tx.connection_credentials(id).await?;
        tx.rollback().await?;
        let connector = self
            .connect(context.organisation, &connection, &credentials, true)
            .map_err(|error| vendor_error(&error))?;
        Ok(Door { connection, connector })
    }

    /// The vendor id of the entity that a person names by it or by its domain. A mistake is one of the field `/tenant`.
    pub async fn admission_find(&self, context: &Context, id: ConnectionId, named: &str) -> Result<String> {
        let door = self.door(context, id).await?;
        door.in_time(door.admission()?.find(named)).await.map_err(|error| match error.kind {
            Kind::NotFound => Error::invalid("/tenant", "not_found", error.message),
            Kind::Refused if error.status.is_none() => Error::invalid("/tenant", "not_a_tenant", error.message),
            _ => vendor_error(&error),
        })
    }

    /// The page at which the administrator of an entity consents.
    pub async fn admission_page(&self, context: &Context, id: ConnectionId, ask: &AdmissionAsk<'_>) -> Result<String> {
        Ok(self.door(context, id).await?.admission()?.page(ask).into())
    }

    /// What came back from that page says; `None` where it is no answer.
    pub async fn admission_answer(
        &self,
        context: &Context,
        id: ConnectionId,
        query: &BTreeMap<String, String>,
    ) -> Result<Option<AdmissionAnswer>> {
        Ok(self.door(context, id).await?.admission()?.answer(query))
    }

    /// Reads an entity, to see that it may be. Where it may not, that is a conflict `consent_missing` with the vendor's
    /// reason.
    pub async fn admission_look(&self, context: &Context, id: ConnectionId, entity: &str) -> Result<Admitted> {
        let door = self.door(context, id).await?;
        let raw = door.in_time(door.admission()?.look(entity)).await.map_err(|error| match error.kind {
            Kind::Forbidden | Kind::NotFound => Error::conflict("consent_missing", error.to_string()),
            _ => vendor_error(&error),
        })?;
        let listings = door.connector.listings();
        let listing = listings.iter().find(|listing| listing.kind() == RecordKind::Entity);
        let listing = listing.ok_or_else(|| Error::internal("entities are let in, but not listed"))?;
        let read = read_one(listing.as_ref(), &raw).map_err(Error::internal)?;
        if !read.id.eq_ignore_ascii_case(entity) {
            return Err(Error::internal("another entity was read than the one that was asked for"));
        }
        Ok(Admitted { connection: id, raw, read })
    }
}

/// Keeps an entity that was let in. One that the vendor lists is left as it is.
pub async fn entity_admit(tx: &Tx, entries: &'static [Entry], admitted: &Admitted) -> Result<LetIn> {
    tx.context().require(Permission::ConnectionsManage)?;
    let connection = managed(tx, entries, admitted.connection).await?;
    let entry = engine::entry(entries, &connection.integration)?;
    let Admitted { raw, read, .. } = admitted;
    let entity = ids::entity_id(connection.id, &read.id);
    let stored = tx.entities_stored(&[entity.0]).await?;
    let listed = stored.iter().any(|row| row.removed_at.is_none());
    if !listed {
        let write = EntityWrite {
            id: RecordId(entity.0),
            connection_id: connection.id,
            entity_id: entity,
            kind: RecordKind::Entity.as_str().to_owned(),
            vendor_id: read.id.clone(),
            title: one_line(&read.title),
            body: read.body.clone(),
            raw: raw.to_vec(),
            raw_hash: to_bytes(ids::raw_hash(None, raw)),
            content_hash: to_bytes(ids::content_hash(&read.fingerprint, None)),
            // No run listed it.
            run_id: tx.new_id(),
        };
        tx.entities_write(entry.id, entry.entity_kind, &[write]).await?;
    }
    Ok(LetIn { entity, listed })
}
