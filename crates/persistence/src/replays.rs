//! What vendors said, as it was kept: read again by a replay, and named where a held run would remove it.

use domain::{Change, ClientId, ConnectionId, EntityId, Error, RecordId, Result};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::{record, vendor_entity},
    error::OrDomain,
    packing::unpack,
};

/// A record or an entity with the vendor's own text of it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Id.
    pub id: RecordId,
    /// Entity it is under; of an entity, itself.
    pub entity_id: EntityId,
    /// The vendor's id.
    pub vendor_id: String,
    /// What a person calls it.
    pub title: String,
    /// What was read of it, as JSON.
    pub body: String,
    /// The vendor's own text; `None` where it cannot be unpacked.
    pub raw: Option<Vec<u8>>,
    /// See [`crate::RecordWrite::raw_hash`].
    pub raw_hash: Vec<u8>,
    /// See [`crate::RecordWrite::content_hash`].
    pub content_hash: Vec<u8>,
}

impl Tx {
    /// The vendor's own text of a record, as it was kept.
    pub async fn record_raw(&self, id: RecordId) -> Result<Vec<u8>> {
        let row = self.find::<record::Entity>().filter(record::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        unpack(&row.ok_or(Error::NotFound { what: "record" })?.raw)
    }

    /// Notes for the journal that a person changed something at a vendor: what was, and what is. Nothing was
    /// before what is made, and nothing is after what is removed.
    pub fn note_record(&self, kind: &str, id: RecordId, client: ClientId, before: Option<Value>, after: Option<Value>) {
        self.note(Change { kind: kind.to_owned(), id: id.0, client_id: Some(client), before, after });
    }

    /// Notes for the journal that a replay of a connection was started, and what it would do as far as was looked.
    pub fn note_replay(&self, connection: ConnectionId, diff: Value) {
        let change =
            Change { kind: "replay".to_owned(), id: connection.0, client_id: None, before: None, after: Some(diff) };
        self.note(change);
    }

    /// Records of one kind that are listed, with the vendor's text, in the order of their ids; at most `limit` after
    /// `after`. In a transaction that writes, their rows are locked.
    pub async fn records_kept(
        &self,
        connection: ConnectionId,
        kind: &str,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Kept>> {
        use record::Column as C;
        let mut select = self
            .find::<record::Entity>()
            .filter(C::ConnectionId.eq(connection.0))
            .filter(C::Kind.eq(kind))
            .filter(C::RemovedAt.is_null());
        if let Some(after) = after {
            select = select.filter(C::Id.gt(after));
        }
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(C::Id).limit(limit).all(self.db()).await.or_domain()?;
        let kept = rows.into_iter().map(|row| Kept {
            id: row.id.into(),
            entity_id: row.entity_id.into(),
            vendor_id: row.vendor_id,
            title: row.title,
            body: row.body,
            raw: unpack(&row.raw).ok(),
            raw_hash: row.raw_hash,
            content_hash: row.content_hash,
        });
        Ok(kept.collect())
    }

    /// The same of entities.
    pub async fn entities_kept(&self, connection: ConnectionId, after: Option<Uuid>, limit: u64) -> Result<Vec<Kept>> {
        use vendor_entity::Column as C;
        let mut select = self
            .find::<vendor_entity::Entity>()
            .filter(C::ConnectionId.eq(connection.0))
            .filter(C::RemovedAt.is_null());
        if let Some(after) = after {
            select = select.filter(C::Id.gt(after));
        }
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(C::Id).limit(limit).all(self.db()).await.or_domain()?;
        let kept = rows.into_iter().map(|row| Kept {
            id: row.id.into(),
            entity_id: row.id.into(),
            vendor_id: row.vendor_id,
            title: row.name,
            body: row.body,
            raw: unpack(&row.raw).ok(),
            raw_hash: row.raw_hash,
            content_hash: row.content_hash,
        });
        Ok(kept.collect())
    }

    /// How many records of one kind a connection lists.
    pub async fn records_count(&self, connection: ConnectionId, kind: &str) -> Result<i64> {
        let select = self
            .find::<record::Entity>()
            .filter(record::Column::ConnectionId.eq(connection.0))
            .filter(record::Column::Kind.eq(kind))
            .filter(record::Column::RemovedAt.is_null());
        Ok(i64::try_from(select.count(self.db()).await.or_domain()?).unwrap_or(i64::MAX))
    }

    /// Ids of listed records of one kind with these raw hashes.
    pub async fn records_with(&self, connection: ConnectionId, kind: &str, hashes: &[Vec<u8>]) -> Result<Vec<Uuid>> {
        use record::Column as C;
        let select = self
            .find::<record::Entity>()
            .select_only()
            .column(C::Id)
            .filter(C::ConnectionId.eq(connection.0))
            .filter(C::Kind.eq(kind))
            .filter(C::RemovedAt.is_null())
            .filter(C::RawHash.is_in(hashes.iter().cloned()));
        select.into_tuple().all(self.db()).await.or_domain()
    }

    /// Ids of listed entities with these raw hashes.
    pub async fn entities_with(&self, connection: ConnectionId, hashes: &[Vec<u8>]) -> Result<Vec<Uuid>> {
        use vendor_entity::Column as C;
        let select = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .column(C::Id)
            .filter(C::ConnectionId.eq(connection.0))
            .filter(C::RemovedAt.is_null())
            .filter(C::RawHash.is_in(hashes.iter().cloned()));
        select.into_tuple().all(self.db()).await.or_domain()
    }

    /// Ids and titles of these records, by title: those under entities within the caller's scope.
    pub async fn records_named(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
        let seen = self.find::<vendor_entity::Entity>().select_only().column(vendor_entity::Column::Id).into_query();
        let select = self
            .find::<record::Entity>()
            .select_only()
            .columns([record::Column::Id, record::Column::Title])
            .filter(record::Column::Id.is_in(ids.iter().copied()))
            .filter(record::Column::EntityId.in_subquery(seen))
            .order_by_asc(record::Column::TitleKey)
            .order_by_asc(record::Column::Id);
        select.into_tuple().all(self.db()).await.or_domain()
    }

    /// Ids and names of these entities, by name: those within the caller's scope.
    pub async fn entities_named(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
        use vendor_entity::Column as C;
        let select = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .columns([C::Id, C::Name])
            .filter(C::Id.is_in(ids.iter().copied()))
            .order_by_asc(C::NameKey)
            .order_by_asc(C::Id);
        select.into_tuple().all(self.db()).await.or_domain()
    }
}
