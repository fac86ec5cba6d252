//! Hours in which connections are left alone by the schedule.

use domain::{ClientId, ConnectionId, QuietHours, Result};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Tx, entity::connection_quiet as table, error::OrDomain, journalled::Journalled};

impl Journalled for table::Entity {
    const KIND: &'static str = "connection_quiet";
    const WHAT: &'static str = "quiet hours";

    fn id(row: &table::Model) -> Uuid {
        row.connection_id
    }
    fn id_column() -> table::Column {
        table::Column::ConnectionId
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
        Ok(json!({ "connection_id": row.connection_id, "hours": read(row), "version": row.version }))
    }
}

fn read(row: &table::Model) -> QuietHours {
    QuietHours { from_minute: row.from_minute, until_minute: row.until_minute, offset_minutes: row.offset_minutes }
}

impl Tx {
    async fn quiet_row(&self, id: ConnectionId) -> Result<Option<table::Model>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::ConnectionId.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()
    }

    /// The hours in which a connection is left alone, with their version; whether it exists is for the caller to know.
    pub async fn connection_quiet(&self, id: ConnectionId) -> Result<Option<(QuietHours, i32)>> {
        Ok(self.quiet_row(id).await?.map(|row| (read(&row), row.version)))
    }

    /// Sets the hours in which a connection is left alone, with its row locked; `None` takes them away.
    pub async fn connection_quiet_set(&self, id: ConnectionId, hours: Option<QuietHours>) -> Result<()> {
        let before = self.quiet_row(id).await?;
        let row = |hours: QuietHours, version| table::Model {
            organisation_id: self.organisation().0,
            connection_id: id.0,
            from_minute: hours.from_minute,
            until_minute: hours.until_minute,
            offset_minutes: hours.offset_minutes,
            version,
        };
        match (before, hours) {
            (None, None) => Ok(()),
            (None, Some(hours)) => self.insert_row::<table::Entity>(row(hours, 1)).await,
            (Some(before), Some(hours)) => {
                let after = row(hours, before.version + 1);
                self.update_row::<table::Entity>(&before, after).await.map(drop)
            }
            (Some(before), None) => self.delete_row::<table::Entity>(&before).await,
        }
    }
}
