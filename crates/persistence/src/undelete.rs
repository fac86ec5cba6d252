//! Clients that were deleted, and can still come back.

use domain::{Change, Client, ClientId, EntityId, EntryId, Error, Listed, PageRequest, Problem, Result, Timestamp};
use sea_orm::{ColumnTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::Value;

use crate::{
    JournalFilter, Tx, clients,
    entity::{client, client_redirect},
    error::OrDomain,
    journal::clients_of,
    revert::RESTORABLE,
};

/// Entries about a client among which its deletion is looked for.
const LOOKED_AT: u64 = 100;

/// A client that was deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct DeletedClient {
    /// The client as it was.
    pub client: Client,
    /// When.
    pub deleted_at: Timestamp,
    /// Until when it can come back.
    pub restorable_until: Timestamp,
    /// The client that has its things, where it went into another.
    pub merged_into: Option<ClientId>,
}

impl Tx {
    /// A page of clients that were deleted and can still come back, the last first.
    pub async fn clients_deleted(&self, page: &PageRequest) -> Result<Listed<DeletedClient>> {
        use client::Column as C;
        let oldest = self.now() - RESTORABLE;
        let mut select = self.find::<client::Entity>().filter(C::DeletedAt.gte(oldest));
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((at, id)) = &page.after {
            let wrong = || Error::invalid("cursor", "not_a_cursor", "is not a cursor of this list");
            let at = at.parse().ok().and_then(Timestamp::from_timestamp_micros).ok_or_else(wrong)?;
            let place = Expr::tuple([Expr::col(C::DeletedAt), Expr::col(C::Id)]);
            select = select.filter(place.lt(Expr::tuple([Expr::val(at), Expr::val(*id)])));
        }
        let select = select.order_by_desc(C::DeletedAt).order_by_desc(C::Id).limit(page.limit + 1);
        let mut rows = select.all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let place = |last: &client::Model| {
            (last.deleted_at.map(|at| at.timestamp_micros()).unwrap_or_default().to_string(), last.id)
        };
        let next = more.then(|| rows.last().map(place)).flatten();
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(deleted_at) = row.deleted_at else { continue };
            let merged_into = self.client_survivor(ClientId(row.id)).await?;
            let client = clients::read(row)?;
            items.push(DeletedClient { client, deleted_at, restorable_until: deleted_at + RESTORABLE, merged_into });
        }
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Brings back a client that was deleted, with what was mapped to it and what it was known by, whether it was deleted
    /// alone or with others. Entities about which somebody decided since stay where they are: they are returned. One that
    /// is not deleted stays as it is; one that was merged into another is a conflict.
    pub async fn client_undelete(&self, id: ClientId) -> Result<Vec<Problem>> {
        let known = self.client_even_deleted(id).await?;
        let Some(deleted_at) = known.deleted_at else { return Ok(Vec::new()) };
        if self.now() - deleted_at > RESTORABLE {
            let message = "This client was deleted more than 30 days ago: make it anew.";
            return Err(Error::conflict("too_old", message));
        }
        let redirect = self.find::<client_redirect::Entity>().filter(client_redirect::Column::Id.eq(id.0));
        if redirect.one(self.db()).await.or_domain()?.is_some() {
            let message = "This client was merged into another: revert the entry of that in the journal.";
            return Err(Error::conflict("merged", message));
        }
        let Some(entry) = self.deletion_of(id).await? else {
            let message = "What it was deleted by is not in the journal any more: make it anew.";
            return Err(Error::conflict("no_deletion", message));
        };
        let whole = self.journal_entry_whole(entry).await?;
        let changes: Vec<Change> =
            whole.changes.into_iter().filter(|change| clients_of(change).any(|client| client == id)).collect();
        // Entities are locked before clients, as by everyone who maps.
        let entities = changes.iter().filter(|change| change.kind == "mapping").map(|change| EntityId(change.id));
        self.entities_by_id(&entities.collect::<Vec<_>>()).await?;
        let outer = self.remap_hold();
        let mut left = Vec::new();
        for change in changes.iter().rev() {
            match change.kind.as_str() {
                "client" if change.id == id.0 => {
                    let target = Client { deleted_at: None, ..known.clone() };
                    self.client_update(&known, target).await?;
                }
                "mapping" => left.extend(self.revert_mapping(change, false).await?),
                "client_alias" => left.extend(self.revert_alias(change).await?),
                _ => {}
            }
        }
        if outer {
            self.remap_settle().await?;
        }
        Ok(left)
    }

    /// The entry that deleted a client last.
    async fn deletion_of(&self, id: ClientId) -> Result<Option<EntryId>> {
        let filter = JournalFilter { record: Some(id.0), ..JournalFilter::default() };
        let page = PageRequest { limit: LOOKED_AT, after: None };
        let deletes = |change: &Change| {
            let gone = |view: &Option<Value>| view.as_ref().is_some_and(|view| !Value::is_null(&view["deleted_at"]));
            change.kind == "client" && change.id == id.0 && !gone(&change.before) && gone(&change.after)
        };
        let entries = self.journal_list(&filter, &page).await?.items;
        Ok(entries.into_iter().find(|entry| entry.changes.iter().any(deletes)).map(|entry| entry.id))
    }
}
