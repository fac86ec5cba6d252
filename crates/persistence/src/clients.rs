//! Clients: one business, one record.

use domain::{Client, ClientId, ClientStatus, ClientTotals, Error, Result, name_key};
use sea_orm::{ActiveValue, ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::{client, journal_head},
    error::{OrDomain, known},
    journalled::Journalled,
};

impl Journalled for client::Entity {
    const KIND: &'static str = "client";
    const WHAT: &'static str = "client";

    fn id(row: &client::Model) -> Uuid {
        row.id
    }
    fn id_column() -> client::Column {
        client::Column::Id
    }
    fn version_column() -> Option<client::Column> {
        Some(client::Column::Version)
    }
    fn version(row: &client::Model) -> i32 {
        row.version
    }
    fn client_of(row: &client::Model) -> Option<ClientId> {
        Some(ClientId(row.id))
    }
    fn view(row: &client::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
    fn settle(row: &mut client::ActiveModel) {
        // Counts are derived from mapped entities and move with every sync.
        row.device_count = ActiveValue::NotSet;
        row.user_count = ActiveValue::NotSet;
    }
}

pub(crate) fn read(row: client::Model) -> Result<Client> {
    Ok(Client {
        id: row.id.into(),
        status: known(ClientStatus::parse(&row.status), "client.status")?,
        name: row.name,
        notes: row.notes,
        contact_email: row.contact_email,
        phone: row.phone,
        address: row.address,
        created_at: row.created_at,
        updated_at: row.updated_at,
        archived_at: row.archived_at,
        deleted_at: row.deleted_at,
        tags: serde_json::from_str(&row.tags).map_err(Error::internal)?,
        version: row.version,
        device_count: row.device_count,
        user_count: row.user_count,
    })
}

pub(crate) fn write(tx: &Tx, client: &Client) -> client::Model {
    client::Model {
        organisation_id: tx.organisation().0,
        id: client.id.0,
        name: client.name.clone(),
        name_key: name_key(&client.name),
        status: client.status.as_str().to_owned(),
        notes: client.notes.clone(),
        contact_email: client.contact_email.clone(),
        phone: client.phone.clone(),
        address: client.address.clone(),
        created_at: client.created_at,
        updated_at: client.updated_at,
        archived_at: client.archived_at,
        deleted_at: client.deleted_at,
        tags: Value::from(client.tags.clone()).to_string(),
        version: client.version,
        device_count: client.device_count,
        user_count: client.user_count,
    }
}

impl Tx {
    /// Locks every client in the order of their ids: for whoever writes to the journal before the last client is read.
    /// On SQLite a writer is alone anyway.
    pub async fn clients_lock(&self) -> Result<()> {
        if !self.store().is_postgres() {
            return Ok(());
        }
        let select = self.find::<client::Entity>().select_only().column(client::Column::Id);
        let select = select.order_by_asc(client::Column::Id).lock_exclusive();
        select.into_tuple::<Uuid>().all(self.db()).await.or_domain().map(drop)
    }

    /// A client that is not deleted.
    pub async fn client(&self, id: ClientId) -> Result<Client> {
        let found = self.client_even_deleted(id).await?;
        if found.deleted_at.is_some() { Err(Error::NotFound { what: "client" }) } else { Ok(found) }
    }

    /// A client, deleted or not. In a transaction that writes, its row is locked.
    pub async fn client_even_deleted(&self, id: ClientId) -> Result<Client> {
        let mut select = self.find::<client::Entity>().filter(client::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.ok_or(Error::NotFound { what: "client" }).and_then(read)
    }

    /// Clients of these ids that are not deleted, by id; those out of scope are left out. In a
    /// transaction that writes, their rows are locked, always in the same order.
    pub async fn clients_by_id(&self, ids: &[ClientId]) -> Result<Vec<Client>> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let mut clients = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let mut select = self
                .find::<client::Entity>()
                .filter(client::Column::Id.is_in(chunk.iter().map(|id| id.0)))
                .filter(client::Column::DeletedAt.is_null())
                .order_by_asc(client::Column::Id);
            if self.require_writable().is_ok() {
                select = select.lock_exclusive();
            }
            for row in select.all(self.db()).await.or_domain()? {
                clients.push(read(row)?);
            }
        }
        Ok(clients)
    }

    /// Every client of the scope that is not deleted: id and name, for matching.
    pub async fn client_names(&self) -> Result<Vec<(ClientId, String)>> {
        let rows: Vec<(Uuid, String)> = self
            .find::<client::Entity>()
            .select_only()
            .columns([client::Column::Id, client::Column::Name])
            .filter(client::Column::DeletedAt.is_null())
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(|(id, name)| (ClientId(id), name)).collect())
    }

    /// Clients whose names begin so (case and blanks aside), by name; at most `most`. Deleted ones are not among them.
    pub async fn clients_beginning(&self, start: &str, most: u64) -> Result<Vec<(ClientId, String)>> {
        let start = name_key(start);
        let rows: Vec<(Uuid, String)> = self
            .find::<client::Entity>()
            .select_only()
            .columns([client::Column::Id, client::Column::Name])
            .filter(client::Column::NameKey.gte(start.as_str()))
            .filter(client::Column::NameKey.lte(format!("{start}{}", char::MAX)))
            .filter(client::Column::DeletedAt.is_null())
            .order_by_asc(client::Column::NameKey)
            .limit(most)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(|(id, name)| (ClientId(id), name)).collect())
    }

    /// How many clients the scope has; archived ones are not counted.
    pub async fn client_totals(&self) -> Result<ClientTotals> {
        if self.context().scope.is_all() {
            let head = self.find::<journal_head::Entity>().one(self.db()).await.or_domain()?;
            let head = head.ok_or_else(|| Error::internal("the organisation has no journal head"))?;
            return Ok(ClientTotals { active: head.clients_active, inactive: head.clients_inactive });
        }
        let count = async |status: ClientStatus| {
            let select = self
                .find::<client::Entity>()
                .filter(client::Column::DeletedAt.is_null())
                .filter(client::Column::ArchivedAt.is_null())
                .filter(client::Column::Status.eq(status.as_str()));
            select.count(self.db()).await.or_domain().map(|n| i64::try_from(n).unwrap_or(i64::MAX))
        };
        Ok(ClientTotals { active: count(ClientStatus::Active).await?, inactive: count(ClientStatus::Inactive).await? })
    }

    /// Makes a client.
    pub async fn client_insert(&self, client: &Client) -> Result<()> {
        self.insert_row::<client::Entity>(write(self, client)).await
    }

    /// Changes clients that this transaction read and thereby locked, many with one statement. Those of which nothing
    /// differs are not written.
    pub async fn clients_update(&self, changes: Vec<(Client, Client)>) -> Result<()> {
        let rows = changes.into_iter().map(|(before, mut after)| {
            after.version = before.version + 1;
            after.updated_at = self.now();
            (write(self, &before), write(self, &after))
        });
        use client::Column as C;
        let replace = [
            C::Name,
            C::NameKey,
            C::Status,
            C::Notes,
            C::ContactEmail,
            C::Phone,
            C::Address,
            C::UpdatedAt,
            C::ArchivedAt,
            C::DeletedAt,
            C::Tags,
            C::Version,
        ];
        self.update_rows::<client::Entity>(rows.collect(), &[C::OrganisationId, C::Id], &replace).await
    }

    /// Changes a client that was read before; returns it as it is then. Nothing is written when
    /// nothing differs.
    pub async fn client_update(&self, before: &Client, mut after: Client) -> Result<Client> {
        after.version = before.version + 1;
        after.updated_at = self.now();
        if self.update_row::<client::Entity>(&write(self, before), write(self, &after)).await? {
            Ok(after)
        } else {
            Ok(before.clone())
        }
    }
}
