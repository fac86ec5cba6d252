//! Webhooks of vendors: the secret agreed for a connection, and which deliveries were heard.

use chrono::TimeDelta;
use domain::{Change, ConnectionId, Error, Result};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, Condition, QueryFilter};
use serde_json::json;

use crate::{
    Tx,
    entity::{connection, delivery},
    error::OrDomain,
    keys::Place,
};

fn secret_place(tx: &Tx, id: ConnectionId) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "connection", row: id.0, column: "webhook_secret" }
}

impl Tx {
    /// Seals the secret that a vendor's webhooks carry or are signed with; `None` forgets it.
    pub async fn webhook_seal(&self, id: ConnectionId, secret: Option<&str>) -> Result<()> {
        let before = self.webhook_secret(id).await?;
        self.webhook_write(id, secret).await?;
        // That it was set is in the journal, and when; never what it is.
        let view = |set: bool, at: Option<domain::Timestamp>| Some(json!({ "set": set, "changed_at": at }));
        self.note(Change {
            kind: "webhook".to_owned(),
            id: id.0,
            client_id: None,
            before: view(before.is_some(), None),
            after: view(secret.is_some(), (before.is_some() || secret.is_some()).then(|| self.now())),
        });
        Ok(())
    }

    /// The same without an entry: sealing anew what is there.
    pub(crate) async fn webhook_write(&self, id: ConnectionId, secret: Option<&str>) -> Result<()> {
        let store = self.store();
        let sealed = match secret {
            Some(secret) => {
                Some(store.keys().seal(&secret_place(self, id), secret.as_bytes(), store.chance().as_ref())?)
            }
            None => None,
        };
        let row = connection::ActiveModel { webhook_secret: ActiveValue::Set(sealed), ..ActiveModelTrait::default() };
        self.update_row_where::<connection::Entity>(row, Condition::all().add(connection::Column::Id.eq(id.0))).await?;
        Ok(())
    }

    /// The secret of a connection's webhooks, if there is one: for checking a delivery, nothing else.
    pub async fn webhook_secret(&self, id: ConnectionId) -> Result<Option<String>> {
        let select = self.find::<connection::Entity>().filter(connection::Column::Id.eq(id.0));
        let row = select.one(self.db()).await.or_domain()?.ok_or(Error::NotFound { what: "connection" })?;
        let Some(sealed) = row.webhook_secret else { return Ok(None) };
        let plain = self.store().keys().open(&secret_place(self, id), &sealed)?;
        String::from_utf8(plain).map(Some).map_err(Error::internal)
    }

    /// Notes a delivery; false when it was heard before.
    pub async fn delivery_hear(&self, connection: ConnectionId, key: &str) -> Result<bool> {
        let row = delivery::Model {
            organisation_id: self.organisation().0,
            connection_id: connection.0,
            delivery_key: key.to_owned(),
            heard_at: self.now(),
        };
        self.insert_if_absent::<delivery::Entity>(row).await
    }

    /// Forgets deliveries that are older than this; returns how many.
    pub async fn deliveries_forget(&self, age: TimeDelta) -> Result<u64> {
        self.require_writable()?;
        let delete = self.delete_many::<delivery::Entity>().filter(delivery::Column::HeardAt.lt(self.now() - age));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }
}
