//! What vendors told us, in bulk: only what is new or changed is written.

use domain::{
    ClientId, ConnectionId, EntityId, Error, Listed, PageRequest, Record, RecordId, Result, RunId, Timestamp, name_key,
};
use sea_orm::{
    ColumnTrait, Condition, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, Func, Query},
};
use uuid::Uuid;

use crate::{
    Tx,
    client_list::literal,
    device_stale::DEVICE,
    entity::{client, record as table, vendor_entity},
    error::OrDomain,
    packing::pack,
};

/// A record that is new or changed.
#[derive(Clone, Debug)]
pub struct RecordWrite {
    /// Id, made of connection, kind and vendor id: the same record always has the same.
    pub id: RecordId,
    /// Which connection said it.
    pub connection_id: ConnectionId,
    /// Under which entity; not used for entities themselves.
    pub entity_id: EntityId,
    /// Kind.
    pub kind: String,
    /// The vendor's id.
    pub vendor_id: String,
    /// What a person calls it.
    pub title: String,
    /// The record as JSON.
    pub body: String,
    /// The vendor's own text, to be kept.
    pub raw: Vec<u8>,
    /// Hash of the vendor's own text (with the entity where it is not named in it).
    pub raw_hash: [u8; 16],
    /// Hash of what matters of the content.
    pub content_hash: [u8; 16],
    /// By which run.
    pub run_id: RunId,
}

/// What is stored of a record, for comparing.
#[derive(Clone, Debug)]
pub struct StoredRecord {
    /// Id.
    pub id: Uuid,
    /// Entity it is under.
    pub entity_id: Uuid,
    /// See [`RecordWrite::raw_hash`].
    pub raw_hash: Vec<u8>,
    /// See [`RecordWrite::content_hash`].
    pub content_hash: Vec<u8>,
    /// When it was removed.
    pub removed_at: Option<Timestamp>,
}

/// Id, entity, raw hash, content hash, removed.
pub(crate) type StoredRow = (Uuid, Uuid, Vec<u8>, Vec<u8>, Option<Timestamp>);

impl StoredRecord {
    pub(crate) fn from_row(row: StoredRow) -> Self {
        Self { id: row.0, entity_id: row.1, raw_hash: row.2, content_hash: row.3, removed_at: row.4 }
    }
}

/// Raw hashes of the records that are listed, as a sync loads them at its start.
pub type Known = Vec<Vec<u8>>;

pub(crate) fn subquery(select: sea_orm::sea_query::SelectStatement) -> Expr {
    sea_orm::sea_query::SubQueryStatement::from(select).into()
}

pub(crate) fn read(row: table::Model) -> Record {
    Record {
        id: row.id.into(),
        connection_id: row.connection_id.into(),
        entity_id: row.entity_id.into(),
        kind: row.kind,
        vendor_id: row.vendor_id,
        title: row.title,
        body: row.body,
        first_seen_at: row.first_seen_at,
        changed_at: row.changed_at,
        removed_at: row.removed_at,
    }
}

impl Tx {
    /// Ids and raw hashes of the records of one kind that are listed, in order of their ids, at most
    /// `limit` after `after`: a sync of half a million loads them piece by piece.
    pub async fn records_known(
        &self,
        connection: ConnectionId,
        kind: &str,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<(Uuid, Vec<u8>)>> {
        let mut select = self
            .find::<table::Entity>()
            .select_only()
            .columns([table::Column::Id, table::Column::RawHash])
            .filter(table::Column::ConnectionId.eq(connection.0))
            .filter(table::Column::Kind.eq(kind))
            .filter(table::Column::RemovedAt.is_null());
        if let Some(after) = after {
            select = select.filter(table::Column::Id.gt(after));
        }
        select.order_by_asc(table::Column::Id).limit(limit).into_tuple().all(self.db()).await.or_domain()
    }

    /// Raw hashes of the records of one kind that are listed under entities that are not any more.
    pub async fn records_orphaned(&self, connection: ConnectionId, kind: &str) -> Result<Known> {
        let gone = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .column(vendor_entity::Column::Id)
            .filter(vendor_entity::Column::ConnectionId.eq(connection.0))
            .filter(vendor_entity::Column::RemovedAt.is_not_null())
            .into_query();
        self.find::<table::Entity>()
            .select_only()
            .column(table::Column::RawHash)
            .filter(table::Column::ConnectionId.eq(connection.0))
            .filter(table::Column::Kind.eq(kind))
            .filter(table::Column::RemovedAt.is_null())
            .filter(table::Column::EntityId.in_subquery(gone))
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()
    }

    /// Raw hashes of the records of one kind under one entity that are listed.
    pub async fn records_known_under(&self, entity: EntityId, kind: &str) -> Result<Known> {
        self.find::<table::Entity>()
            .select_only()
            .column(table::Column::RawHash)
            .filter(table::Column::EntityId.eq(entity.0))
            .filter(table::Column::Kind.eq(kind))
            .filter(table::Column::RemovedAt.is_null())
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()
    }

    /// What is stored of these records.
    pub async fn records_stored(&self, ids: &[Uuid]) -> Result<Vec<StoredRecord>> {
        let mut stored = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let rows = self
                .find::<table::Entity>()
                .select_only()
                .columns([
                    table::Column::Id,
                    table::Column::EntityId,
                    table::Column::RawHash,
                    table::Column::ContentHash,
                    table::Column::RemovedAt,
                ])
                .filter(table::Column::Id.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            stored.extend(rows.into_iter().map(StoredRecord::from_row));
        }
        Ok(stored)
    }

    /// Writes records that are new or changed; a removed one is listed again.
    pub async fn records_write(&self, writes: Vec<RecordWrite>) -> Result<()> {
        let any = writes.iter().map(|write| write.id.0).collect();
        self.records_write_over(writes, &any).await
    }

    /// The same by whoever knows which of them are stored: what the others said before is not looked for.
    pub async fn records_write_over(
        &self,
        writes: Vec<RecordWrite>,
        stored: &std::collections::HashSet<Uuid>,
    ) -> Result<()> {
        self.device_known_note(&writes, stored).await?;
        let under =
            writes.iter().filter(|write| write.kind == DEVICE).map(|write| (write.connection_id, write.entity_id));
        self.devices_touch(under.collect()).await?;
        let rows = writes.into_iter().map(|write| table::Model {
            organisation_id: self.organisation().0,
            id: write.id.0,
            connection_id: write.connection_id.0,
            entity_id: write.entity_id.0,
            kind: write.kind,
            vendor_id: write.vendor_id,
            title_key: name_key(&write.title),
            title: write.title,
            body: write.body,
            raw: pack(&write.raw),
            raw_hash: write.raw_hash.to_vec(),
            content_hash: write.content_hash.to_vec(),
            first_seen_at: self.now(),
            changed_at: self.now(),
            removed_at: None,
            run_id: write.run_id.0,
        });
        use table::Column as C;
        let replace = [
            C::EntityId,
            C::Title,
            C::TitleKey,
            C::Body,
            C::Raw,
            C::RawHash,
            C::ContentHash,
            C::ChangedAt,
            C::RemovedAt,
            C::RunId,
        ];
        self.insert_many::<table::Entity>(rows.collect(), &[C::OrganisationId, C::Id], &replace).await
    }

    /// Marks records as no longer listed, by raw hash. Returns how many.
    pub async fn records_remove(
        &self,
        connection: ConnectionId,
        kind: &str,
        raw_hashes: &[Vec<u8>],
        run: RunId,
    ) -> Result<u64> {
        let mut removed = 0;
        // Each statement reads the hashes of the whole kind: no index begins with them, as one in the order
        // of hashes would be written all over with every page of a first sync.
        for chunk in raw_hashes.chunks(10_000) {
            let gone = Condition::all()
                .add(table::Column::ConnectionId.eq(connection.0))
                .add(table::Column::Kind.eq(kind))
                .add(table::Column::RawHash.is_in(chunk.iter().cloned()));
            removed += self.records_mark_removed(gone, run).await?;
        }
        Ok(removed)
    }

    /// Marks records as no longer listed, by id. Returns how many.
    pub async fn records_remove_ids(&self, ids: &[Uuid], run: RunId) -> Result<u64> {
        let mut removed = 0;
        for chunk in ids.chunks(500) {
            let gone = Condition::all().add(table::Column::Id.is_in(chunk.iter().copied()));
            removed += self.records_mark_removed(gone, run).await?;
        }
        Ok(removed)
    }

    async fn records_mark_removed(&self, gone: Condition, run: RunId) -> Result<u64> {
        self.devices_touch_where(gone.clone()).await?;
        let update = self
            .update_many::<table::Entity>()
            .col_expr(table::Column::RemovedAt, Expr::val(self.now()))
            .col_expr(table::Column::RunId, Expr::val(run.0))
            .filter(gone)
            .filter(table::Column::RemovedAt.is_null());
        Ok(update.exec(self.db()).await.or_domain()?.rows_affected)
    }

    /// Deletes everything a connection told us.
    pub(crate) async fn records_forget(&self, connection: ConnectionId) -> Result<()> {
        let delete = self.delete_many::<table::Entity>().filter(table::Column::ConnectionId.eq(connection.0));
        delete.exec(self.db()).await.or_domain().map(drop)
    }

    /// A page of a client's records of one kind, by title; listed ones only.
    pub async fn client_records(
        &self,
        client: ClientId,
        kind: &str,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Listed<Record>> {
        let mut select = self
            .find::<table::Entity>()
            .filter(table::Column::EntityId.in_subquery(self.entity_ids_of(client)))
            .filter(table::Column::Kind.eq(kind))
            .filter(table::Column::RemovedAt.is_null());
        if let Some(search) = search.map(name_key).filter(|text| !text.is_empty()) {
            select = select.filter(Expr::col(table::Column::TitleKey).like(literal(&search)));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, id)) = &page.after {
            let place = Expr::tuple([Expr::col(table::Column::TitleKey), Expr::col(table::Column::Id)]);
            select = select.filter(place.gt(Expr::tuple([Expr::val(key.as_str()), Expr::val(*id)])));
        }
        let mut rows = select
            .order_by_asc(table::Column::TitleKey)
            .order_by_asc(table::Column::Id)
            .limit(page.limit + 1)
            .all(self.db())
            .await
            .or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (last.title_key.clone(), last.id))).flatten();
        let total = i64::try_from(total).unwrap_or(i64::MAX);
        Ok(Listed { items: rows.into_iter().map(read).collect(), next, total })
    }

    /// Records of one kind under these entities, by title: for joining what two listings say of one thing.
    pub async fn records_under(&self, entities: &[EntityId], kind: &str) -> Result<Vec<Record>> {
        let select = self
            .find::<table::Entity>()
            .filter(table::Column::EntityId.is_in(entities.iter().map(|entity| entity.0)))
            .filter(table::Column::Kind.eq(kind))
            .filter(table::Column::RemovedAt.is_null())
            .order_by_asc(table::Column::TitleKey)
            .order_by_asc(table::Column::Id)
            .limit(50_000);
        Ok(select.all(self.db()).await.or_domain()?.into_iter().map(read).collect())
    }

    /// A record under one of a client's entities.
    pub async fn client_record(&self, client: ClientId, id: RecordId, what: &'static str) -> Result<Record> {
        let mut select = self
            .find::<table::Entity>()
            .filter(table::Column::Id.eq(id.0))
            .filter(table::Column::EntityId.in_subquery(self.entity_ids_of(client)))
            .filter(table::Column::RemovedAt.is_null());
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.map(read).ok_or(Error::NotFound { what })
    }

    /// Ids of a client's entities, within the scope.
    fn entity_ids_of(&self, client: ClientId) -> sea_orm::sea_query::SelectStatement {
        self.find::<vendor_entity::Entity>()
            .select_only()
            .column(vendor_entity::Column::Id)
            .filter(vendor_entity::Column::ClientId.eq(client.0))
            .into_query()
    }

    /// Counts devices and directory users under these entities anew.
    pub(crate) async fn entity_counts_refresh(&self, which: Condition) -> Result<()> {
        let counted = |kind: &str| {
            Query::select()
                .expr(Func::count(Expr::col((table::Entity, table::Column::Id))))
                .from(table::Entity)
                .and_where(
                    Expr::col((table::Entity, table::Column::OrganisationId))
                        .equals((vendor_entity::Entity, vendor_entity::Column::OrganisationId)),
                )
                .and_where(
                    Expr::col((table::Entity, table::Column::EntityId))
                        .equals((vendor_entity::Entity, vendor_entity::Column::Id)),
                )
                .and_where(Expr::col((table::Entity, table::Column::Kind)).eq(kind))
                .and_where(Expr::col((table::Entity, table::Column::RemovedAt)).is_null())
                .to_owned()
        };
        let update = self
            .update_many::<vendor_entity::Entity>()
            .col_expr(vendor_entity::Column::DeviceCount, subquery(counted("device")))
            .col_expr(vendor_entity::Column::UserCount, subquery(counted("directory_user")))
            .filter(which);
        update.exec(self.db()).await.or_domain().map(drop)
    }

    /// Sums the directory users of these clients' entities anew. Their rows must be locked by a statement before:
    /// PostgreSQL would sum what it saw before it waited for another writer.
    pub(crate) async fn client_counts_refresh(&self, clients: &[ClientId]) -> Result<()> {
        let summed = |column: vendor_entity::Column| {
            Query::select()
                .expr(Func::coalesce([Expr::expr(Func::sum(Expr::col((vendor_entity::Entity, column)))), Expr::val(0)]))
                .from(vendor_entity::Entity)
                .and_where(
                    Expr::col((vendor_entity::Entity, vendor_entity::Column::OrganisationId))
                        .equals((client::Entity, client::Column::OrganisationId)),
                )
                .and_where(
                    Expr::col((vendor_entity::Entity, vendor_entity::Column::ClientId))
                        .equals((client::Entity, client::Column::Id)),
                )
                .to_owned()
        };
        for chunk in clients.chunks(500) {
            let update = self
                .update_many::<client::Entity>()
                .col_expr(client::Column::UserCount, subquery(summed(vendor_entity::Column::UserCount)))
                .filter(client::Column::Id.is_in(chunk.iter().map(|client| client.0)));
            update.exec(self.db()).await.or_domain()?;
        }
        Ok(())
    }
}
