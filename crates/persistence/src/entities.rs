//! Entities: what vendors call a customer, and their mappings. What the vendor says is written in
//! bulk by a run; the mapping is a business row of its own in the journal's eyes.

use domain::{
    ClientId, ConnectionId, Entity, EntityId, Error, Listed, MappingState, PageRequest, Result, StaffId, name_key,
};
use sea_orm::{
    ColumnTrait, Condition, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, Func},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    client_list::literal,
    entity::{tenant_setting, vendor_entity as table},
    error::{OrDomain, known},
    journalled::Journalled,
    packing::pack,
    records::{RecordWrite, StoredRecord, StoredRow},
};

impl Journalled for table::Entity {
    const KIND: &'static str = "mapping";
    const WHAT: &'static str = "mapping";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        Some(table::Column::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        row.client_id.map(ClientId)
    }
    fn view(row: &table::Model) -> Result<Value> {
        Ok(json!({
            "entity_id": row.id,
            "connection_id": row.connection_id,
            "integration": row.integration,
            "vendor_id": row.vendor_id,
            "name": row.name,
            "client_id": row.client_id,
            "state": row.mapping_state,
            "reason": row.mapping_reason,
            "mapped_by": row.mapped_by,
            "known_name": row.known_name,
        }))
    }
}

/// An entity as a run writes it: see [`RecordWrite`].
pub type EntityWrite = RecordWrite;
/// What is stored of an entity: see [`StoredRecord`].
pub type StoredEntity = StoredRecord;

/// Which entities of a connection are wanted.
#[derive(Clone, Debug, Default)]
pub struct EntityFilter {
    /// Of this connection.
    pub connection: Option<ConnectionId>,
    /// Only in this state.
    pub state: Option<MappingState>,
    /// Part of the name.
    pub search: Option<String>,
    /// Also those that the vendor no longer lists.
    pub with_removed: bool,
}

pub(crate) fn read(row: table::Model) -> Result<Entity> {
    Ok(Entity {
        id: row.id.into(),
        connection_id: row.connection_id.into(),
        integration: row.integration,
        kind: row.kind,
        vendor_id: row.vendor_id,
        name: row.name,
        body: row.body,
        first_seen_at: row.first_seen_at,
        removed_at: row.removed_at,
        client_id: row.client_id.map(ClientId),
        mapping_state: known(MappingState::parse(&row.mapping_state), "entity.mapping_state")?,
        mapping_reason: row.mapping_reason,
        mapped_at: row.mapped_at,
        mapped_by: row.mapped_by.map(StaffId),
        version: row.version,
        device_count: row.device_count,
        user_count: row.user_count,
    })
}

/// A new decision about an entity.
#[derive(Clone, Debug)]
pub struct MappingWrite {
    /// Client it belongs to from now on.
    pub client: Option<ClientId>,
    /// State that goes with it.
    pub state: MappingState,
    /// Why.
    pub reason: Option<String>,
}

impl Tx {
    /// An entity.
    pub async fn entity(&self, id: EntityId) -> Result<Entity> {
        self.entity_row(id).await.and_then(read)
    }

    /// Entities of these ids, by id; those that do not exist or are out of scope are left out. In a
    /// transaction that writes, their rows are locked, always in the same order. Who writes several
    /// mappings locks the entities first and the clients after them, so that two who do wait for one
    /// another and not in a circle.
    pub async fn entities_by_id(&self, ids: &[EntityId]) -> Result<Vec<Entity>> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let mut entities = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let mut select = self
                .find::<table::Entity>()
                .filter(table::Column::Id.is_in(chunk.iter().map(|id| id.0)))
                .order_by_asc(table::Column::Id);
            if self.require_writable().is_ok() {
                select = select.lock_exclusive();
            }
            for row in select.all(self.db()).await.or_domain()? {
                entities.push(read(row)?);
            }
        }
        Ok(entities)
    }

    pub(crate) async fn entity_row(&self, id: EntityId) -> Result<table::Model> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.ok_or(Error::NotFound { what: "entity" })
    }

    /// A page of entities by name.
    pub async fn entity_list(&self, filter: &EntityFilter, page: &PageRequest) -> Result<Listed<Entity>> {
        let mut select = self.entity_select(filter);
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, id)) = &page.after {
            let place = Expr::tuple([Expr::col(table::Column::NameKey), Expr::col(table::Column::Id)]);
            select = select.filter(place.gt(Expr::tuple([Expr::val(key.as_str()), Expr::val(*id)])));
        }
        let rows = select
            .order_by_asc(table::Column::NameKey)
            .order_by_asc(table::Column::Id)
            .limit(page.limit + 1)
            .all(self.db())
            .await
            .or_domain()?;
        let mut items = rows.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        let more = items.len() as u64 > page.limit;
        items.truncate(page.limit as usize);
        let next = more.then(|| items.last().map(|last| (name_key(&last.name), last.id.0))).flatten();
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    fn entity_select(&self, filter: &EntityFilter) -> Select<table::Entity> {
        let mut select = self.find::<table::Entity>();
        if let Some(connection) = filter.connection {
            select = select.filter(table::Column::ConnectionId.eq(connection.0));
        }
        if let Some(state) = filter.state {
            select = select.filter(table::Column::MappingState.eq(state.as_str()));
        }
        if let Some(search) = filter.search.as_deref().map(name_key).filter(|text| !text.is_empty()) {
            select = select.filter(Expr::col(table::Column::NameKey).like(literal(&search)));
        }
        if !filter.with_removed {
            select = select.filter(table::Column::RemovedAt.is_null());
        }
        select
    }

    /// All entities of a connection that the vendor still lists, by name.
    pub async fn entities_of(&self, connection: ConnectionId) -> Result<Vec<Entity>> {
        let filter = EntityFilter { connection: Some(connection), ..EntityFilter::default() };
        let select = self.entity_select(&filter).order_by_asc(table::Column::NameKey).order_by_asc(table::Column::Id);
        select.all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// Vendor ids and ids of the entities of a connection that the vendor still lists.
    pub async fn entities_listed(&self, connection: ConnectionId) -> Result<Vec<(String, EntityId)>> {
        let rows: Vec<(String, Uuid)> = self
            .find::<table::Entity>()
            .select_only()
            .columns([table::Column::VendorId, table::Column::Id])
            .filter(table::Column::ConnectionId.eq(connection.0))
            .filter(table::Column::RemovedAt.is_null())
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(|(vendor_id, id)| (vendor_id, EntityId(id))).collect())
    }

    /// All entities that are mapped to some client: id of the client, integration, name and body.
    /// For matching: a confirmed mapping teaches a name.
    pub async fn entities_mapped(&self) -> Result<Vec<Entity>> {
        let select = self.find::<table::Entity>().filter(table::Column::ClientId.is_not_null());
        select.all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// The entities mapped to a client.
    pub async fn entities_of_client(&self, client: ClientId) -> Result<Vec<Entity>> {
        let rows = self
            .find::<table::Entity>()
            .filter(table::Column::ClientId.eq(client.0))
            .order_by_asc(table::Column::Integration)
            .order_by_asc(table::Column::NameKey)
            .all(self.db())
            .await
            .or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// Decides what an entity belongs to. Records under it follow at once, and so do the counts of
    /// both clients. A client that is deleted, or out of scope, is not found.
    pub async fn mapping_write(&self, entity: EntityId, decision: &MappingWrite) -> Result<Entity> {
        let before = self.entity_row(entity).await?;
        let client = decision.client.map(|client| client.0);
        let same = before.client_id == client && before.mapping_state == decision.state.as_str();
        if same && before.mapping_reason == decision.reason {
            return read(before);
        }
        // Locked before anything is counted: of two who map to one client, the second must count
        // what the first did, and nobody may map to a client that is being deleted.
        let mut touched: Vec<ClientId> = [before.client_id, client].into_iter().flatten().map(ClientId).collect();
        touched.dedup();
        let living = self.clients_by_id(&touched).await?;
        if decision.client.is_some_and(|target| living.iter().all(|client| client.id != target)) {
            return Err(Error::NotFound { what: "client" });
        }
        let after = table::Model {
            client_id: client,
            mapping_state: decision.state.as_str().to_owned(),
            mapping_reason: decision.reason.clone(),
            mapped_at: (decision.state != MappingState::Unmapped).then_some(self.now()),
            mapped_by: (decision.state != MappingState::Unmapped)
                .then(|| self.context().actor.staff())
                .flatten()
                .map(|staff| staff.0),
            version: before.version + 1,
            known_name: client.is_some().then(|| before.name.clone()),
            ..before.clone()
        };
        self.update_row::<table::Entity>(&before, after.clone()).await?;
        if before.client_id != client {
            self.remap_note(&touched).await?;
        }
        read(after)
    }

    /// What is stored of these entities, by id.
    pub async fn entities_stored(&self, ids: &[Uuid]) -> Result<Vec<StoredEntity>> {
        let mut stored = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let rows: Vec<StoredRow> = self
                .find::<table::Entity>()
                .select_only()
                .columns([
                    table::Column::Id,
                    table::Column::Id,
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

    /// Writes entities that are new or changed, and notes which domains they tell from now on. Mappings are left alone.
    pub async fn entities_write(&self, integration: &str, kind: &str, writes: &[EntityWrite]) -> Result<()> {
        let rows = writes.iter().map(|write| table::Model {
            organisation_id: self.organisation().0,
            id: write.id.0,
            connection_id: write.connection_id.0,
            integration: integration.to_owned(),
            kind: kind.to_owned(),
            vendor_id: write.vendor_id.clone(),
            name: write.title.clone(),
            name_key: name_key(&write.title),
            body: write.body.clone(),
            raw: pack(&write.raw),
            raw_hash: write.raw_hash.to_vec(),
            content_hash: write.content_hash.to_vec(),
            first_seen_at: self.now(),
            changed_at: self.now(),
            removed_at: None,
            run_id: write.run_id.0,
            client_id: None,
            mapping_state: MappingState::Unmapped.as_str().to_owned(),
            mapping_reason: None,
            mapped_at: None,
            mapped_by: None,
            version: 1,
            device_count: 0,
            user_count: 0,
            known_name: None,
        });
        use table::Column as C;
        let replace =
            [C::Name, C::NameKey, C::Body, C::Raw, C::RawHash, C::ContentHash, C::ChangedAt, C::RemovedAt, C::RunId];
        let told = self.domains_told_before(writes).await?;
        self.insert_many::<table::Entity>(rows.collect(), &[C::OrganisationId, C::Id], &replace).await?;
        self.domains_note(writes, told).await
    }

    /// Marks entities as no longer listed; their mappings and records stay. Returns how many.
    pub async fn entities_remove(&self, connection: ConnectionId, raw_hashes: &[Vec<u8>]) -> Result<u64> {
        let mut removed = 0;
        for chunk in raw_hashes.chunks(500) {
            let update = self
                .update_many::<table::Entity>()
                .col_expr(table::Column::RemovedAt, Expr::val(self.now()))
                .filter(table::Column::ConnectionId.eq(connection.0))
                .filter(table::Column::RawHash.is_in(chunk.iter().cloned()))
                .filter(table::Column::RemovedAt.is_null());
            removed += update.exec(self.db()).await.or_domain()?.rows_affected;
        }
        Ok(removed)
    }

    /// Raw hashes of all entities of a connection that are listed, without those that are there because their own
    /// administrator let the connection in: that no listing has them says nothing.
    pub async fn entities_known(&self, connection: ConnectionId) -> Result<Vec<Vec<u8>>> {
        let admitted = self
            .find::<tenant_setting::Entity>()
            .select_only()
            .column(tenant_setting::Column::TenantKey)
            .filter(tenant_setting::Column::AdmittedBy.eq(connection.0));
        let key = Expr::expr(Func::lower(Expr::col((table::Entity, table::Column::VendorId))));
        self.find::<table::Entity>()
            .select_only()
            .column(table::Column::RawHash)
            .filter(table::Column::ConnectionId.eq(connection.0))
            .filter(key.not_in_subquery(sea_orm::QueryTrait::into_query(admitted)))
            .filter(table::Column::RemovedAt.is_null())
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()
    }

    /// Counts devices and directory users under every entity of a connection anew, and with them
    /// those of the clients they are mapped to. Devices whose observations changed are joined anew before.
    pub async fn counts_refresh(&self, connection: ConnectionId) -> Result<()> {
        while self.devices_settle(connection).await? {}
        let of_connection = Condition::all().add(table::Column::ConnectionId.eq(connection.0));
        self.entity_counts_refresh(of_connection.clone()).await?;
        let clients: Vec<Option<Uuid>> = self
            .find::<table::Entity>()
            .select_only()
            .column(table::Column::ClientId)
            .filter(of_connection)
            .filter(table::Column::ClientId.is_not_null())
            .distinct()
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        let clients: Vec<ClientId> = clients.into_iter().flatten().map(ClientId).collect();
        self.clients_by_id(&clients).await?;
        self.client_counts_refresh(&clients).await
    }
}
