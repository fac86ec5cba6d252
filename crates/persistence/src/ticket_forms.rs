//! The form with which portal users open a ticket: one for each MSP.

use domain::{ClientId, Error, Result, TicketForm};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Tx, entity::ticket_form as table, error::OrDomain, journalled::Journalled};

impl Journalled for table::Entity {
    const KIND: &'static str = "ticket_form";
    const WHAT: &'static str = "ticket form";

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
        let form: Value = serde_json::from_str(&row.form).map_err(Error::internal)?;
        Ok(json!({ "form": form, "version": row.version }))
    }
}

impl Tx {
    /// The MSP's form, with its version; 0 while nothing was ever set.
    pub async fn ticket_form(&self) -> Result<(TicketForm, i32)> {
        match self.find::<table::Entity>().one(self.db()).await.or_domain()? {
            Some(row) => Ok((serde_json::from_str(&row.form).map_err(Error::internal)?, row.version)),
            None => Ok((TicketForm::default(), 0)),
        }
    }

    /// Writes the form over the version read before, with the organisation locked; returns its version.
    pub async fn ticket_form_save(&self, before: &(TicketForm, i32), after: &TicketForm) -> Result<i32> {
        if before.0 == *after {
            return Ok(before.1);
        }
        let row = |form: &TicketForm, version: i32| -> Result<table::Model> {
            let form = serde_json::to_string(form).map_err(Error::internal)?;
            Ok(table::Model { organisation_id: self.organisation().0, form, updated_at: self.now(), version })
        };
        let next = before.1 + 1;
        if before.1 == 0 {
            self.insert_row::<table::Entity>(row(after, next)?).await?;
        } else {
            self.update_row::<table::Entity>(&row(&before.0, before.1)?, row(after, next)?).await?;
        }
        Ok(next)
    }
}
