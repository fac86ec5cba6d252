//! Dated notes about clients.

use domain::{ClientId, ClientNote, ClientNoteId, Error, Listed, PageRequest, Result, StaffId, Timestamp};
use sea_orm::{ColumnTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::Value;
use uuid::Uuid;

use crate::{Tx, entity::client_note as table, error::OrDomain, journalled::Journalled};

impl Journalled for table::Entity {
    const KIND: &'static str = "client_note";
    const WHAT: &'static str = "note";

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

fn read(row: table::Model) -> ClientNote {
    ClientNote {
        id: ClientNoteId(row.id),
        client_id: ClientId(row.client_id),
        text: row.body,
        created_at: row.created_at,
        created_by: row.created_by.map(StaffId),
        updated_at: row.updated_at,
        updated_by: row.updated_by.map(StaffId),
        version: row.version,
    }
}

pub(crate) fn write(tx: &Tx, note: &ClientNote) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: note.id.0,
        client_id: note.client_id.0,
        body: note.text.clone(),
        created_at: note.created_at,
        created_by: note.created_by.map(|staff| staff.0),
        updated_at: note.updated_at,
        updated_by: note.updated_by.map(|staff| staff.0),
        version: note.version,
    }
}

impl Tx {
    /// A page of a client's notes, the newest first.
    pub async fn client_notes(&self, client: ClientId, page: &PageRequest) -> Result<Listed<ClientNote>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>().filter(C::ClientId.eq(client.0));
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, id)) = &page.after {
            let wrong = || Error::invalid("cursor", "not_a_cursor", "is not a cursor of this list");
            let micros = key.parse::<i64>().map_err(|_| wrong())?;
            let at = Timestamp::from_timestamp_micros(micros).ok_or_else(wrong)?;
            let place = Expr::tuple([Expr::col(C::CreatedAt), Expr::col(C::Id)]);
            select = select.filter(place.lt(Expr::tuple([Expr::val(at), Expr::val(*id)])));
        }
        let select = select.order_by_desc(C::CreatedAt).order_by_desc(C::Id).limit(page.limit + 1);
        let mut rows = select.all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let place = |last: &table::Model| (last.created_at.timestamp_micros().to_string(), last.id);
        let next = more.then(|| rows.last().map(place)).flatten();
        let items = rows.into_iter().map(read).collect();
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// All notes of a client; their rows are locked in a transaction that writes.
    pub async fn client_notes_all(&self, client: ClientId) -> Result<Vec<ClientNote>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::ClientId.eq(client.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(table::Column::Id).all(self.db()).await.or_domain()?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// A note about a client; its row is locked in a transaction that writes.
    pub async fn client_note(&self, client: ClientId, id: ClientNoteId) -> Result<ClientNote> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.filter(table::Column::ClientId.eq(client.0)).one(self.db()).await.or_domain()?;
        row.map(read).ok_or(Error::NotFound { what: "note" })
    }

    /// Keeps a new note.
    pub async fn client_note_insert(&self, note: &ClientNote) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, note)).await
    }

    /// Changes a note that was read before; nothing is written when nothing differs.
    pub async fn client_note_update(&self, before: &ClientNote, after: ClientNote) -> Result<ClientNote> {
        let after = ClientNote { version: before.version + 1, updated_at: self.now(), ..after };
        let changed = self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await?;
        Ok(if changed { after } else { before.clone() })
    }

    /// Deletes a note.
    pub async fn client_note_delete(&self, note: &ClientNote) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, note)).await
    }
}
