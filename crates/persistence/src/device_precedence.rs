//! Whom an organisation believes about machines, where vendors say different things.

use domain::{
    ClientId, Error, Result,
    device::{DeviceField, DeviceOrder},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Tx, entity::device_precedence as table, error::OrDomain, journalled::Journalled};

/// An organisation's order of integrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DevicePrecedenceRow {
    /// The order; empty while the usual one holds.
    pub order: DeviceOrder,
    /// Goes up by one with each change; 0 until the organisation has said anything.
    pub version: i32,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "device_precedence";
    const WHAT: &'static str = "device precedence";

    fn id(row: &table::Model) -> Uuid {
        row.organisation_id
    }
    fn id_column() -> table::Column {
        table::Column::OrganisationId
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
        let row = read(row)?;
        Ok(json!({ "integrations": row.order.all, "fields": row.order.fields, "version": row.version }))
    }
}

fn read(row: &table::Model) -> Result<DevicePrecedenceRow> {
    let order = serde_json::from_str(&row.ranking).map_err(Error::internal)?;
    Ok(DevicePrecedenceRow { order, version: row.version })
}

/// The order that a view of the journal has.
pub(crate) fn order_of_view(view: &Value) -> Result<DeviceOrder> {
    let (all, fields) = (view["integrations"].clone(), view["fields"].clone());
    Ok(DeviceOrder {
        all: serde_json::from_value(all).map_err(Error::internal)?,
        fields: serde_json::from_value(fields).map_err(Error::internal)?,
    })
}

impl Tx {
    /// The organisation's order of integrations for what is shown of devices.
    pub async fn device_precedence(&self) -> Result<DevicePrecedenceRow> {
        let row = self.find::<table::Entity>().one(self.db()).await.or_domain()?;
        row.as_ref().map_or_else(|| Ok(DevicePrecedenceRow::default()), read)
    }

    /// Changes the order that was read before, or makes the first. Nothing is written when nothing differs. Where the
    /// names of devices depend on it, a job gives them anew.
    pub async fn device_precedence_save(
        &self,
        before: DevicePrecedenceRow,
        order: DeviceOrder,
    ) -> Result<DevicePrecedenceRow> {
        if before.order == order {
            return Ok(before);
        }
        let names = before.order.differs(&order).contains(&DeviceField::Name);
        let after = DevicePrecedenceRow { order, version: before.version + 1 };
        let write = |row: &DevicePrecedenceRow| -> Result<table::Model> {
            let ranking = serde_json::to_string(&row.order).map_err(Error::internal)?;
            Ok(table::Model { organisation_id: self.organisation().0, ranking, version: row.version })
        };
        if before.version == 0 {
            self.insert_row::<table::Entity>(write(&after)?).await?;
        } else {
            self.update_row::<table::Entity>(&write(&before)?, write(&after)?).await?;
        }
        if names {
            self.device_names_enqueue().await?;
        }
        Ok(after)
    }
}
