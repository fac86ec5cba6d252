//! Filters of the client list that people keep, each for themselves.

use domain::{ClientId, Error, Result, SavedFilter, SavedFilterId, StaffId, name_key};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use crate::{Tx, entity::saved_filter as table, error::OrDomain, journalled::Journalled};

impl Journalled for table::Entity {
    const KIND: &'static str = "saved_filter";
    const WHAT: &'static str = "saved filter";

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
    fn client_of(_: &table::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> SavedFilter {
    SavedFilter {
        id: SavedFilterId(row.id),
        staff_id: StaffId(row.staff_id),
        name: row.name,
        query: row.query,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

fn write(tx: &Tx, filter: &SavedFilter) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: filter.id.0,
        staff_id: filter.staff_id.0,
        name_key: name_key(&filter.name),
        name: filter.name.clone(),
        query: filter.query.clone(),
        created_at: filter.created_at,
        updated_at: filter.updated_at,
        version: filter.version,
    }
}

impl Tx {
    /// Someone's filters, by name.
    pub async fn saved_filters(&self, staff: StaffId) -> Result<Vec<SavedFilter>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::StaffId.eq(staff.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(table::Column::NameKey).all(self.db()).await.or_domain()?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// One of someone's filters; its row is locked in a transaction that writes.
    pub async fn saved_filter(&self, staff: StaffId, id: SavedFilterId) -> Result<SavedFilter> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.filter(table::Column::StaffId.eq(staff.0)).one(self.db()).await.or_domain()?;
        row.map(read).ok_or(Error::NotFound { what: "saved filter" })
    }

    /// Keeps a new filter.
    pub async fn saved_filter_insert(&self, filter: &SavedFilter) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, filter)).await
    }

    /// Changes a filter that was read before; nothing is written when nothing differs.
    pub async fn saved_filter_update(&self, before: &SavedFilter, after: SavedFilter) -> Result<SavedFilter> {
        let after = SavedFilter { version: before.version + 1, updated_at: self.now(), ..after };
        let changed = self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await?;
        Ok(if changed { after } else { before.clone() })
    }

    /// Forgets a filter.
    pub async fn saved_filter_delete(&self, filter: &SavedFilter) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, filter)).await
    }
}
