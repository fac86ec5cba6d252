//! What drift is found by, and what people decided about it.

use std::collections::{HashMap, HashSet};

use domain::{
    Change, ClientId, ConnectionId, DriftDecision, DriftId, DriftKind, DriftVerdict, Entity, EntityId, Error,
    MappingState, Problem, Result, RunState, Timestamp,
};
use sea_orm::{ColumnTrait, Condition, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx, entities,
    entity::{client, drift_decision as table, run, vendor_entity},
    error::{OrDomain, known},
    journalled::Journalled,
};

/// Why a listing with a few unreadable records was only partial: it is whole all the same.
const REJECTED: &str = "records_rejected";

/// An entity with what drift is told by.
#[derive(Clone, Debug)]
pub struct DriftEntity {
    /// The entity.
    pub entity: Entity,
    /// The name it had when a person last decided about it.
    pub known_name: Option<String>,
    /// When what the vendor says of it last changed.
    pub changed_at: Timestamp,
}

/// Which of the entities with drift are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftRow {
    /// Mapped, listed, and under another name than the one known.
    Renamed,
    /// Mapped, and not listed.
    Vanished,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "drift_decision";
    const WHAT: &'static str = "decision about a drift item";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        None
    }
    fn version(_: &table::Model) -> i32 {
        1
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        row.client_id.map(ClientId)
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> Result<DriftDecision> {
    Ok(DriftDecision {
        id: row.id.into(),
        entity_id: row.entity_id.into(),
        client_id: row.client_id.map(ClientId),
        kind: known(DriftKind::parse(&row.kind), "drift_decision.kind")?,
        decision: known(DriftVerdict::parse(&row.decision), "drift_decision.decision")?,
        reason: row.reason,
        decided_at: row.decided_at,
        decided_by: row.decided_by.map(Into::into),
    })
}

fn write(tx: &Tx, decision: &DriftDecision) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: decision.id.0,
        entity_id: decision.entity_id.0,
        client_id: decision.client_id.map(|client| client.0),
        kind: decision.kind.as_str().to_owned(),
        decision: decision.decision.as_str().to_owned(),
        reason: decision.reason.clone(),
        decided_at: decision.decided_at,
        decided_by: decision.decided_by.map(|staff| staff.0),
    }
}

impl Tx {
    /// Entities with drift of their own, of one connection or of all.
    pub async fn drift_entities(&self, which: DriftRow, connection: Option<ConnectionId>) -> Result<Vec<DriftEntity>> {
        use vendor_entity::Column as C;
        let mut select = self.find::<vendor_entity::Entity>().filter(C::ClientId.is_not_null());
        select = match which {
            DriftRow::Renamed => {
                select.filter(Expr::col(C::KnownName).ne(Expr::col(C::Name))).filter(C::RemovedAt.is_null())
            }
            DriftRow::Vanished => select.filter(C::RemovedAt.is_not_null()),
        };
        if let Some(connection) = connection {
            select = select.filter(C::ConnectionId.eq(connection.0));
        }
        let rows = select.order_by_asc(C::Id).all(self.db()).await.or_domain()?;
        let entity = |row: vendor_entity::Model| {
            let (known_name, changed_at) = (row.known_name.clone(), row.changed_at);
            Ok(DriftEntity { entity: entities::read(row)?, known_name, changed_at })
        };
        rows.into_iter().map(entity).collect()
    }

    /// Entities of these ids within the scope, never locked: for looking, not for deciding.
    pub async fn entities_seen(&self, ids: &[EntityId]) -> Result<Vec<Entity>> {
        let mut seen = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let select = self
                .find::<vendor_entity::Entity>()
                .filter(vendor_entity::Column::Id.is_in(chunk.iter().map(|id| id.0)));
            for row in select.all(self.db()).await.or_domain()? {
                seen.push(entities::read(row)?);
            }
        }
        Ok(seen)
    }

    /// Names of these clients within the scope, never locked.
    pub async fn client_names_of(&self, ids: &[ClientId]) -> Result<HashMap<ClientId, String>> {
        let mut names = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let rows: Vec<(Uuid, String)> = self
                .find::<client::Entity>()
                .select_only()
                .columns([client::Column::Id, client::Column::Name])
                .filter(client::Column::Id.is_in(chunk.iter().map(|id| id.0)))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            names.extend(rows.into_iter().map(|(id, name)| (ClientId(id), name)));
        }
        Ok(names)
    }

    /// Entities of a connection that nobody has decided about and that were first seen after an instant, the oldest
    /// first.
    pub async fn drift_unmapped(&self, connection: ConnectionId, after: Timestamp) -> Result<Vec<Entity>> {
        use vendor_entity::Column as C;
        let select = self
            .find::<vendor_entity::Entity>()
            .filter(C::ConnectionId.eq(connection.0))
            .filter(C::MappingState.eq(MappingState::Unmapped.as_str()))
            .filter(C::FirstSeenAt.gt(after))
            .filter(C::RemovedAt.is_null());
        let rows = select.order_by_asc(C::FirstSeenAt).order_by_asc(C::Id).all(self.db()).await.or_domain()?;
        rows.into_iter().map(entities::read).collect()
    }

    /// When a connection's entities were first listed wholly; `None` while they never were.
    pub async fn entities_first_listed(&self, connection: ConnectionId) -> Result<Option<Timestamp>> {
        let whole = Condition::any()
            .add(run::Column::State.eq(RunState::Complete.as_str()))
            .add(run::Column::Code.eq(REJECTED).and(run::Column::State.eq(RunState::Partial.as_str())));
        let at: Option<Option<Timestamp>> = self
            .find::<run::Entity>()
            .select_only()
            .column(run::Column::FinishedAt)
            .filter(run::Column::ConnectionId.eq(connection.0))
            .filter(run::Column::Kind.eq("entity"))
            .filter(whole)
            .order_by_asc(run::Column::StartedAt)
            .limit(1)
            .into_tuple()
            .one(self.db())
            .await
            .or_domain()?;
        Ok(at.flatten())
    }

    /// Which of these items a person wants to see no more.
    pub async fn drift_decided(&self, ids: &[DriftId]) -> Result<HashSet<DriftId>> {
        let mut decided = HashSet::new();
        for chunk in ids.chunks(500) {
            let found: Vec<Uuid> = self
                .find::<table::Entity>()
                .select_only()
                .column(table::Column::Id)
                .filter(table::Column::Id.is_in(chunk.iter().map(|id| id.0)))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            decided.extend(found.into_iter().map(DriftId));
        }
        Ok(decided)
    }

    /// Keeps what a person decided about an item.
    pub async fn drift_decide(&self, decision: &DriftDecision) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, decision)).await
    }

    /// Notes that a person knows a mapped entity by the name it has now.
    pub async fn mapping_acknowledge(&self, entity: EntityId) -> Result<Entity> {
        let name = self.entity_row(entity).await?.name;
        self.mapping_know(entity, Some(name)).await
    }

    /// Writes by which name a person knows an entity; for those that are not mapped there is none.
    pub(crate) async fn mapping_know(&self, entity: EntityId, name: Option<String>) -> Result<Entity> {
        let before = self.entity_row(entity).await?;
        let known_name = name.filter(|_| before.client_id.is_some());
        let after = vendor_entity::Model { known_name, version: before.version + 1, ..before.clone() };
        let written = self.update_row::<vendor_entity::Entity>(&before, after.clone()).await?;
        entities::read(if written { after } else { before })
    }

    /// The inverse of a change of a decision: taken back, or made again.
    pub(crate) async fn revert_decision(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let select = self.find::<table::Entity>().filter(table::Column::Id.eq(change.id));
        let current = select.one(self.db()).await.or_domain()?;
        let problem = |why: &str| Ok(Some(Problem::new(change.id.to_string(), "changed_since", why.to_owned())));
        match (&change.before, current) {
            (None, Some(row)) => self.delete_row::<table::Entity>(&row).await.map(|()| None),
            (Some(before), None) => {
                let decision: DriftDecision = serde_json::from_value(before.clone()).map_err(Error::internal)?;
                self.entity_row(decision.entity_id).await?;
                self.drift_decide(&decision).await.map(|()| None)
            }
            _ if despite => Ok(None),
            (None, None) => problem("the decision was taken back since"),
            (Some(_), Some(_)) => problem("it was decided anew since"),
        }
    }
}
