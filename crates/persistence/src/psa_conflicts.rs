//! What a person has to decide about clients and companies. A pass finds and closes items by itself, which is no
//! decision and not journalled; what a person decides is.

use std::collections::HashMap;

use domain::{
    Change, ClientId, ConnectionId, EntityId, Error, Listed, PageRequest, Problem, PsaConflict, PsaConflictId,
    PsaConflictKind, PsaConflictState, PsaField, Result, Timestamp,
};
use sea_orm::{
    ColumnTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    JournalFilter, Tx,
    entity::{psa_conflict as table, vendor_entity},
    error::{OrDomain, known},
    journalled::Journalled,
    revert::conflict,
};

/// Which items are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConflictFilter {
    /// Only of this connection.
    pub connection: Option<ConnectionId>,
    /// Only of this client.
    pub client: Option<ClientId>,
    /// Only in this state.
    pub state: Option<PsaConflictState>,
}

/// Entries of a client's history that are looked at for who changed a field.
const LOOKED_AT: u64 = 30;

impl Journalled for table::Entity {
    const KIND: &'static str = "psa_conflict";
    const WHAT: &'static str = "PSA conflict";

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

fn read(row: table::Model) -> Result<PsaConflict> {
    let field = |name: String| known(PsaField::parse(&name), "psa_conflict.field");
    Ok(PsaConflict {
        id: row.id.into(),
        connection_id: row.connection_id.into(),
        entity_id: row.entity_id.map(Into::into),
        client_id: row.client_id.map(Into::into),
        field: row.field.map(field).transpose()?,
        kind: known(PsaConflictKind::parse(&row.kind), "psa_conflict.kind")?,
        state: known(PsaConflictState::parse(&row.state), "psa_conflict.state")?,
        ours: row.ours,
        theirs: row.theirs,
        ours_at: row.ours_at,
        ours_by: row.ours_by,
        theirs_at: row.theirs_at,
        message: row.message,
        created_at: row.created_at,
    })
}

fn write(tx: &Tx, conflict: &PsaConflict) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: conflict.id.0,
        connection_id: conflict.connection_id.0,
        entity_id: conflict.entity_id.map(|id| id.0),
        client_id: conflict.client_id.map(|id| id.0),
        field: conflict.field.map(|field| field.as_str().to_owned()),
        kind: conflict.kind.as_str().to_owned(),
        state: conflict.state.as_str().to_owned(),
        ours: conflict.ours.clone(),
        theirs: conflict.theirs.clone(),
        ours_at: conflict.ours_at,
        ours_by: conflict.ours_by.clone(),
        theirs_at: conflict.theirs_at,
        message: conflict.message.clone(),
        created_at: conflict.created_at,
    }
}

impl Tx {
    /// A page of items, the oldest first.
    pub async fn psa_conflict_list(&self, filter: &ConflictFilter, page: &PageRequest) -> Result<Listed<PsaConflict>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>();
        if let Some(connection) = filter.connection {
            select = select.filter(C::ConnectionId.eq(connection.0));
        }
        if let Some(client) = filter.client {
            select = select.filter(C::ClientId.eq(client.0));
        }
        if let Some(state) = filter.state {
            select = select.filter(C::State.eq(state.as_str()));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((at, id)) = &page.after {
            let wrong = |_| Error::invalid("cursor", "not_a_cursor", "is not a cursor of this list");
            let at = at.parse().map_err(wrong)?;
            let at = Timestamp::from_timestamp_micros(at).unwrap_or_default();
            let place = Expr::tuple([Expr::col(C::CreatedAt), Expr::col(C::Id)]);
            select = select.filter(place.gt(Expr::tuple([Expr::val(at), Expr::val(*id)])));
        }
        let select = select.order_by_asc(C::CreatedAt).order_by_asc(C::Id).limit(page.limit + 1);
        let rows = select.all(self.db()).await.or_domain()?;
        let mut items = rows.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        let more = items.len() as u64 > page.limit;
        items.truncate(page.limit as usize);
        let place = |last: &PsaConflict| (last.created_at.timestamp_micros().to_string(), last.id.0);
        let next = more.then(|| items.last().map(place)).flatten();
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Items of these ids; those that are gone or out of scope are left out. With `lock` nobody else decides about them
    /// meanwhile: entities and clients are locked before them.
    pub async fn psa_conflicts(
        &self,
        ids: &[PsaConflictId],
        lock: bool,
    ) -> Result<HashMap<PsaConflictId, PsaConflict>> {
        let mut found = HashMap::new();
        for chunk in ids.chunks(500) {
            let mut select = self.find::<table::Entity>().filter(table::Column::Id.is_in(chunk.iter().map(|id| id.0)));
            if lock {
                select = select.lock_exclusive();
            }
            for row in select.order_by_asc(table::Column::Id).all(self.db()).await.or_domain()? {
                found.insert(PsaConflictId(row.id), read(row)?);
            }
        }
        Ok(found)
    }

    /// Items about these companies.
    pub async fn psa_conflicts_of(&self, entities: &[EntityId]) -> Result<HashMap<PsaConflictId, PsaConflict>> {
        let mut found = HashMap::new();
        for chunk in entities.chunks(500) {
            let of_these = table::Column::EntityId.is_in(chunk.iter().map(|id| id.0));
            for row in self.find::<table::Entity>().filter(of_these).all(self.db()).await.or_domain()? {
                found.insert(PsaConflictId(row.id), read(row)?);
            }
        }
        Ok(found)
    }

    /// Items of a connection that are about a company or a client as a whole.
    pub async fn psa_conflicts_whole(&self, connection: ConnectionId) -> Result<HashMap<PsaConflictId, PsaConflict>> {
        use table::Column as C;
        let select = self.find::<table::Entity>().filter(C::ConnectionId.eq(connection.0)).filter(C::Field.is_null());
        let rows = select.all(self.db()).await.or_domain()?;
        rows.into_iter().map(|row| Ok((PsaConflictId(row.id), read(row)?))).collect()
    }

    /// Items about fields of companies that are mapped to nobody by now, or no longer listed.
    pub async fn psa_conflicts_stray(&self, connection: ConnectionId) -> Result<Vec<PsaConflictId>> {
        use table::Column as C;
        use vendor_entity::Column as E;
        let linked = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .column(E::Id)
            .filter(E::ConnectionId.eq(connection.0))
            .filter(E::ClientId.is_not_null())
            .filter(E::RemovedAt.is_null());
        let rows: Vec<Uuid> = self
            .find::<table::Entity>()
            .select_only()
            .column(C::Id)
            .filter(C::ConnectionId.eq(connection.0))
            .filter(C::Field.is_not_null())
            .filter(C::EntityId.not_in_subquery(linked.into_query()))
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(PsaConflictId).collect())
    }

    /// Keeps what a pass found, over what it found before.
    pub async fn psa_conflicts_note(&self, conflicts: &[PsaConflict]) -> Result<()> {
        use table::Column as C;
        let rows = conflicts.iter().map(|conflict| write(self, conflict)).collect();
        let replace = [
            C::EntityId,
            C::ClientId,
            C::Kind,
            C::State,
            C::Ours,
            C::Theirs,
            C::OursAt,
            C::OursBy,
            C::TheirsAt,
            C::Message,
        ];
        self.insert_many::<table::Entity>(rows, &[C::OrganisationId, C::Id], &replace).await
    }

    /// Closes items whose cause is gone.
    pub async fn psa_conflicts_close(&self, ids: &[PsaConflictId]) -> Result<()> {
        self.require_writable()?;
        for chunk in ids.chunks(500) {
            let these = table::Column::Id.is_in(chunk.iter().map(|id| id.0));
            self.delete_many::<table::Entity>().filter(these).exec(self.db()).await.or_domain()?;
        }
        Ok(())
    }

    /// Keeps what a person decided about an item; `None` settles it.
    pub async fn psa_conflict_decide(&self, before: &PsaConflict, after: Option<&PsaConflict>) -> Result<()> {
        match after {
            Some(after) => self.update_row::<table::Entity>(&write(self, before), write(self, after)).await.map(drop),
            None => self.delete_row::<table::Entity>(&write(self, before)).await,
        }
    }

    /// When, and by whom, fields of a client were last changed, as far as its newest entries tell. They are read once
    /// for all of the fields.
    pub async fn psa_changed_by(
        &self,
        client: ClientId,
        fields: &[PsaField],
    ) -> Result<HashMap<PsaField, (Timestamp, String)>> {
        let filter = JournalFilter { client: Some(client), ..JournalFilter::default() };
        let page = PageRequest { limit: LOOKED_AT, after: None };
        let mut found = HashMap::new();
        for entry in self.journal_list(&filter, &page).await?.items {
            let who = match entry.actor.staff() {
                Some(staff) => format!("{} {staff}", entry.actor.kind()),
                None => entry.actor.kind().to_owned(),
            };
            for change in entry.changes.iter().filter(|change| change.kind == "client" && change.id == client.0) {
                for field in fields {
                    let value = |view: &Option<Value>| view.as_ref().map(|view| view[field.as_str()].clone());
                    if value(&change.before) != value(&change.after) {
                        found.entry(*field).or_insert_with(|| (entry.at, who.clone()));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Takes back what a person decided, as long as it was not carried out.
    pub(crate) async fn revert_psa_conflict(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        let one = |view: &Option<Value>| -> Result<Option<PsaConflict>> {
            view.clone().map(serde_json::from_value).transpose().map_err(Error::internal)
        };
        let (Some(before), after) = (one(&change.before)?, one(&change.after)?) else { return Ok(None) };
        let now = self.psa_conflicts(&[before.id], true).await?.remove(&before.id);
        let state =
            |conflict: &Option<PsaConflict>| conflict.as_ref().map(|conflict| (conflict.state, conflict.ours.clone()));
        if state(&now) != state(&after) && !despite {
            return conflict(change, "changed_since", "was settled or found anew since");
        }
        match (now, after) {
            (Some(now), _) => self.psa_conflict_decide(&now, Some(&before)).await?,
            (None, None) => self.insert_row::<table::Entity>(write(self, &before)).await?,
            // What was sent to a PSA is not taken back by asking the journal.
            (None, Some(_)) if despite => {}
            (None, Some(_)) => return conflict(change, "gone", "was carried out at the PSA since: change it anew"),
        }
        Ok(None)
    }
}
