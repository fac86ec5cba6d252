//! Contacts of clients that the MSP keeps itself. What vendors call a contact is a record (`records.rs`).

use std::collections::HashMap;

use domain::{ClientContact, ClientContactId, ClientId, Error, Result, name_key};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use crate::{Tx, entity::client_contact as table, error::OrDomain, journalled::Journalled};

impl Journalled for table::Entity {
    const KIND: &'static str = "client_contact";
    const WHAT: &'static str = "contact";

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
        Some(ClientId(row.client_id))
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> ClientContact {
    ClientContact {
        id: ClientContactId(row.id),
        client_id: ClientId(row.client_id),
        name: row.name,
        email: row.email,
        phone: row.phone,
        title: row.title,
        escalation: row.escalation,
        primary: row.is_primary,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

pub(crate) fn write(tx: &Tx, contact: &ClientContact) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: contact.id.0,
        client_id: contact.client_id.0,
        name_key: name_key(&contact.name),
        name: contact.name.clone(),
        email: contact.email.clone(),
        phone: contact.phone.clone(),
        title: contact.title.clone(),
        escalation: contact.escalation,
        is_primary: contact.primary,
        created_at: contact.created_at,
        updated_at: contact.updated_at,
        version: contact.version,
    }
}

impl Tx {
    /// A client's contacts: those who are called, in that order, then the others by name. In a transaction that
    /// writes, their rows are locked.
    pub async fn client_contacts(&self, client: ClientId) -> Result<Vec<ClientContact>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::ClientId.eq(client.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(table::Column::NameKey).order_by_asc(table::Column::Id);
        let mut contacts: Vec<ClientContact> = rows.all(self.db()).await.or_domain()?.into_iter().map(read).collect();
        contacts.sort_by_key(|contact| contact.escalation.unwrap_or(i32::MAX));
        Ok(contacts)
    }

    /// A contact of a client; its row is locked in a transaction that writes.
    pub async fn client_contact(&self, client: ClientId, id: ClientContactId) -> Result<ClientContact> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.filter(table::Column::ClientId.eq(client.0)).one(self.db()).await.or_domain()?;
        row.map(read).ok_or(Error::NotFound { what: "contact" })
    }

    /// The primary contact of each of these clients that has one.
    pub async fn primary_contacts(&self, clients: &[ClientId]) -> Result<HashMap<ClientId, ClientContact>> {
        let mut found = HashMap::new();
        for chunk in clients.chunks(500) {
            let select = self
                .find::<table::Entity>()
                .filter(table::Column::ClientId.is_in(chunk.iter().map(|client| client.0)))
                .filter(table::Column::IsPrimary.eq(true));
            let rows = select.all(self.db()).await.or_domain()?;
            found.extend(rows.into_iter().map(|row| (ClientId(row.client_id), read(row))));
        }
        Ok(found)
    }

    /// Keeps a new contact.
    pub async fn client_contact_insert(&self, contact: &ClientContact) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, contact)).await
    }

    /// Changes a contact that was read before; nothing is written when nothing differs.
    pub async fn client_contact_update(&self, before: &ClientContact, after: ClientContact) -> Result<ClientContact> {
        let after = ClientContact { version: before.version + 1, updated_at: self.now(), ..after };
        let changed = self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await?;
        Ok(if changed { after } else { before.clone() })
    }

    /// Forgets a contact.
    pub async fn client_contact_delete(&self, contact: &ClientContact) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, contact)).await
    }
}
