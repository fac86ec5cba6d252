//! Bulk operations: what was asked for, the exact set of clients with what became of each, and from how many on a second
//! person approves.

use domain::{
    BulkItemState, BulkOperation, BulkOperationId, BulkState, BulkThresholds, ClientId, EntryId, Error, Listed,
    PageRequest, Result, StaffId, Timestamp,
};
use sea_orm::{ColumnTrait, Condition, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    entity::{bulk_item as item, bulk_operation as table, bulk_settings as settings},
    error::{OrDomain, known},
    journalled::Journalled,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "bulk_operation";
    const WHAT: &'static str = "bulk operation";

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
    /// What people decided; how far it is moves by itself.
    fn view(row: &table::Model) -> Result<Value> {
        let action: Value = serde_json::from_str(&row.action).map_err(Error::internal)?;
        Ok(json!({
            "id": row.id, "action": action, "state": row.state, "total": row.total, "plan": row.digest,
            "started_by": row.started_by, "approved_by": row.approved_by, "message": row.message,
            "version": row.version,
        }))
    }
}

impl Journalled for settings::Entity {
    const KIND: &'static str = "bulk_settings";
    const WHAT: &'static str = "settings of bulk operations";

    fn id(row: &settings::Model) -> Uuid {
        row.organisation_id
    }
    fn id_column() -> settings::Column {
        settings::Column::OrganisationId
    }
    fn version_column() -> Option<settings::Column> {
        Some(settings::Column::Version)
    }
    fn version(row: &settings::Model) -> i32 {
        row.version
    }
    fn client_of(_: &settings::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &settings::Model) -> Result<Value> {
        let thresholds: Value = serde_json::from_str(&row.thresholds).map_err(Error::internal)?;
        Ok(json!({ "thresholds": thresholds, "version": row.version }))
    }
}

/// One client of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkItem {
    /// Client.
    pub client_id: ClientId,
    /// Trace of what was planned for it; empty where it was refused from the start.
    pub planned: Vec<u8>,
    /// What became of it.
    pub state: BulkItemState,
    /// Why it was refused, for machines.
    pub code: Option<String>,
    /// Why it was refused, for people.
    pub message: Option<String>,
}

/// Which operations are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct BulkFilter {
    /// Only those that this staff user started.
    pub started_by: Option<StaffId>,
    /// Only in this state.
    pub state: Option<BulkState>,
}

/// An organisation's settings of bulk operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkSettingsRow {
    /// From how many clients on a second person approves.
    pub thresholds: BulkThresholds,
    /// Goes up by one with each change; 0 until the organisation has said anything.
    pub version: i32,
}

fn read(row: table::Model) -> Result<BulkOperation> {
    Ok(BulkOperation {
        id: BulkOperationId(row.id),
        action: serde_json::from_str(&row.action).map_err(Error::internal)?,
        state: known(BulkState::parse(&row.state), "bulk_operation.state")?,
        digest: row.digest,
        total: row.total,
        unchanged: row.unchanged,
        done: row.done,
        refused: row.refused,
        actor: row.actor,
        started_by: row.started_by.map(StaffId),
        reason: row.reason,
        approved_by: row.approved_by.map(StaffId),
        approved_at: row.approved_at,
        created_at: row.created_at,
        finished_at: row.finished_at,
        message: row.message,
        entry_id: row.entry_id.map(EntryId),
        version: row.version,
    })
}

fn write(tx: &Tx, operation: &BulkOperation) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: operation.id.0,
        action: serde_json::to_string(&operation.action).map_err(Error::internal)?,
        state: operation.state.as_str().to_owned(),
        digest: operation.digest.clone(),
        total: operation.total,
        unchanged: operation.unchanged,
        done: operation.done,
        refused: operation.refused,
        actor: operation.actor.clone(),
        started_by: operation.started_by.map(|staff| staff.0),
        reason: operation.reason.clone(),
        approved_by: operation.approved_by.map(|staff| staff.0),
        approved_at: operation.approved_at,
        created_at: operation.created_at,
        finished_at: operation.finished_at,
        message: operation.message.clone(),
        entry_id: operation.entry_id.map(|entry| entry.0),
        version: operation.version,
    })
}

fn read_item(row: item::Model) -> Result<BulkItem> {
    Ok(BulkItem {
        client_id: ClientId(row.client_id),
        planned: row.planned,
        state: known(BulkItemState::parse(&row.state), "bulk_item.state")?,
        code: row.code,
        message: row.message,
    })
}

impl Tx {
    fn item_rows(&self, of: BulkOperationId, items: Vec<BulkItem>) -> Vec<item::Model> {
        let row = |one: BulkItem| item::Model {
            organisation_id: self.organisation().0,
            operation_id: of.0,
            client_id: one.client_id.0,
            planned: one.planned,
            state: one.state.as_str().to_owned(),
            code: one.code,
            message: one.message,
        };
        items.into_iter().map(row).collect()
    }

    /// Keeps a new operation with its clients.
    pub async fn bulk_insert(&self, operation: &BulkOperation, items: Vec<BulkItem>) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, operation)?).await?;
        let rows = self.item_rows(operation.id, items);
        self.insert_many::<item::Entity>(rows, &[], &[]).await
    }

    /// An operation. In a transaction that writes, its row is locked.
    pub async fn bulk_operation(&self, id: BulkOperationId) -> Result<BulkOperation> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?;
        read(row.ok_or(Error::NotFound { what: "bulk operation" })?)
    }

    /// Operations, the newest first.
    pub async fn bulk_list(&self, filter: &BulkFilter, page: &PageRequest) -> Result<Listed<BulkOperation>> {
        let mut select = self.find::<table::Entity>();
        if let Some(staff) = filter.started_by {
            select = select.filter(table::Column::StartedBy.eq(staff.0));
        }
        if let Some(state) = filter.state {
            select = select.filter(table::Column::State.eq(state.as_str()));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        // Ids sort by time of making.
        if let Some((_, id)) = &page.after {
            select = select.filter(table::Column::Id.lt(*id));
        }
        let mut rows =
            select.order_by_desc(table::Column::Id).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|row| (String::new(), row.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Writes what a person decided about an operation that was read before, or how it ended.
    pub async fn bulk_update(&self, before: &BulkOperation, after: BulkOperation) -> Result<BulkOperation> {
        if before.state != after.state && !before.state.may_become(after.state) {
            return Err(Error::internal(format!(
                "a bulk operation cannot go from {:?} to {:?}",
                before.state, after.state
            )));
        }
        let after = BulkOperation { version: before.version + 1, ..after };
        self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await?;
        Ok(after)
    }

    /// Writes how far an operation is; its row is locked. Nobody decided anything, so there is no journal entry of it.
    pub async fn bulk_progress(&self, operation: &BulkOperation) -> Result<()> {
        let row = sea_orm::ActiveModelTrait::reset_all(write(self, operation)?.into_active_model());
        let own = Condition::all().add(table::Column::Id.eq(operation.id.0));
        match self.update_row_where::<table::Entity>(row, own).await? {
            0 => Err(Error::NotFound { what: "bulk operation" }),
            _ => Ok(()),
        }
    }

    /// Clients of an operation whose turn has not come, in order of their ids, after this one; those out of the scope
    /// too: whoever does something with one finds out that it is not theirs.
    pub async fn bulk_items_waiting(
        &self,
        id: BulkOperationId,
        after: Option<ClientId>,
        limit: usize,
    ) -> Result<Vec<BulkItem>> {
        let mut select = self
            .unscoped_find::<item::Entity>()
            .filter(item::Column::OperationId.eq(id.0))
            .filter(item::Column::State.eq(BulkItemState::Waiting.as_str()));
        if let Some(after) = after {
            select = select.filter(item::Column::ClientId.gt(after.0));
        }
        let rows = select.order_by_asc(item::Column::ClientId).limit(limit as u64).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read_item).collect()
    }

    /// Writes what became of some clients of an operation.
    pub async fn bulk_items_settle(&self, id: BulkOperationId, items: Vec<BulkItem>) -> Result<()> {
        use item::Column as C;
        let key = [C::OrganisationId, C::OperationId, C::ClientId];
        let rows = self.item_rows(id, items);
        self.insert_many::<item::Entity>(rows, &key, &[C::State, C::Code, C::Message]).await
    }

    /// A page of the clients of an operation that are in the scope, in order of their ids.
    pub async fn bulk_item_list(
        &self,
        id: BulkOperationId,
        state: Option<BulkItemState>,
        page: &PageRequest,
    ) -> Result<Listed<BulkItem>> {
        let mut select = self.find::<item::Entity>().filter(item::Column::OperationId.eq(id.0));
        if let Some(state) = state {
            select = select.filter(item::Column::State.eq(state.as_str()));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((_, after)) = &page.after {
            select = select.filter(item::Column::ClientId.gt(*after));
        }
        let mut rows =
            select.order_by_asc(item::Column::ClientId).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|row| (String::new(), row.client_id))).flatten();
        let items = rows.into_iter().map(read_item).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Forgets operations that were over before this instant, with what became of their clients; the journal keeps what
    /// they changed. Returns how many.
    pub async fn bulk_forget(&self, before: Timestamp) -> Result<u64> {
        self.require_writable()?;
        let delete = self.delete_many::<table::Entity>().filter(table::Column::FinishedAt.lt(before));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }

    /// The organisation's settings of bulk operations.
    pub async fn bulk_settings(&self) -> Result<BulkSettingsRow> {
        let Some(row) = self.find::<settings::Entity>().one(self.db()).await.or_domain()? else {
            return Ok(BulkSettingsRow::default());
        };
        let thresholds = serde_json::from_str(&row.thresholds).map_err(Error::internal)?;
        Ok(BulkSettingsRow { thresholds, version: row.version })
    }

    /// Changes settings that were read before, or makes the first. Nothing is written when nothing differs.
    pub async fn bulk_settings_save(
        &self,
        before: &BulkSettingsRow,
        thresholds: BulkThresholds,
    ) -> Result<BulkSettingsRow> {
        if before.thresholds == thresholds {
            return Ok(before.clone());
        }
        let after = BulkSettingsRow { thresholds, version: before.version + 1 };
        let write = |row: &BulkSettingsRow| -> Result<settings::Model> {
            let thresholds = serde_json::to_string(&row.thresholds).map_err(Error::internal)?;
            Ok(settings::Model { organisation_id: self.organisation().0, thresholds, version: row.version })
        };
        if before.version == 0 {
            self.insert_row::<settings::Entity>(write(&after)?).await?;
        } else {
            self.update_row::<settings::Entity>(&write(before)?, write(&after)?).await?;
        }
        Ok(after)
    }
}
