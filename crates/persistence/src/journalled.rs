//! Rows whose every change is in the journal, and the only way to write them.

use domain::{Change, ClientId, Error, Result};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, ModelTrait};
use serde_json::Value;
use uuid::Uuid;

use crate::{Tx, scoped::Owned};

/// A table of business rows.
pub(crate) trait Journalled: Owned {
    /// Kind in the journal ("client").
    const KIND: &'static str;
    /// What a person calls such a row in a message.
    const WHAT: &'static str;

    /// The row's id.
    fn id(row: &Self::Model) -> Uuid;
    /// The column of the id.
    fn id_column() -> Self::Column;
    /// The column of the version, if rows carry one.
    fn version_column() -> Option<Self::Column>;
    /// The row's version.
    fn version(row: &Self::Model) -> i32;
    /// The client it belongs to.
    fn client_of(row: &Self::Model) -> Option<ClientId>;
    /// What of it stands in the journal: no secrets, nothing derived.
    fn view(row: &Self::Model) -> Result<Value>;
    /// Takes out of an update what it must not write: derived counts, sealed secrets.
    fn settle(_row: &mut Self::ActiveModel) {}
}

/// [`Journalled`] for a table with `id` and `version` whose rows stand in the journal as the domain knows them.
macro_rules! versioned {
    ($module:ident, $kind:literal, $what:literal, $read:expr, $client:expr) => {
        impl $crate::journalled::Journalled for $module::Entity {
            const KIND: &'static str = $kind;
            const WHAT: &'static str = $what;

            fn id(row: &$module::Model) -> uuid::Uuid {
                row.id
            }
            fn id_column() -> $module::Column {
                $module::Column::Id
            }
            fn version_column() -> Option<$module::Column> {
                Some($module::Column::Version)
            }
            fn version(row: &$module::Model) -> i32 {
                row.version
            }
            fn client_of(row: &$module::Model) -> Option<domain::ClientId> {
                let client: fn(&$module::Model) -> Option<uuid::Uuid> = $client;
                client(row).map(domain::ClientId)
            }
            fn view(row: &$module::Model) -> domain::Result<serde_json::Value> {
                serde_json::to_value($read(row.clone())?).map_err(domain::Error::internal)
            }
        }
    };
}
pub(crate) use versioned;

impl Tx {
    /// Inserts a business row.
    pub(crate) async fn insert_row<E>(&self, row: E::Model) -> Result<()>
    where
        E: Journalled,
        E::Model: IntoActiveModel<E::ActiveModel> + ModelTrait<Entity = E>,
        E::ActiveModel: Send,
    {
        self.insert_rows::<E>(vec![row]).await
    }

    /// Inserts business rows, many with one statement.
    pub(crate) async fn insert_rows<E>(&self, rows: Vec<E::Model>) -> Result<()>
    where
        E: Journalled,
        E::Model: IntoActiveModel<E::ActiveModel> + ModelTrait<Entity = E>,
        E::ActiveModel: Send,
    {
        let mut made = Vec::with_capacity(rows.len());
        for row in &rows {
            let client_id = E::client_of(row);
            if client_id.is_some_and(|client| E::KIND != "client" && !self.context().scope.allows(client)) {
                return Err(Error::NotFound { what: "client" });
            }
            let after = Some(E::view(row)?);
            made.push(Change { kind: E::KIND.into(), id: E::id(row), client_id, before: None, after });
        }
        self.insert_many::<E>(rows, &[], &[]).await?;
        made.into_iter().for_each(|change| self.note(change));
        Ok(())
    }

    /// Writes a business row over the one read before, if it has not changed meanwhile. `after`
    /// carries the next version. A row that is the same in the journal's eyes is not written.
    pub(crate) async fn update_row<E>(&self, before: &E::Model, after: E::Model) -> Result<bool>
    where
        E: Journalled,
        E::Model: IntoActiveModel<E::ActiveModel> + ModelTrait<Entity = E>,
        E::ActiveModel: Send,
    {
        let (old, new) = (E::view(before)?, E::view(&after)?);
        if stripped(&old) == stripped(&new) {
            return Ok(false);
        }
        let change = Change {
            kind: E::KIND.into(),
            id: E::id(before),
            client_id: E::client_of(&after).or(E::client_of(before)),
            before: Some(old),
            after: Some(new),
        };
        let mut unchanged = Condition::all().add(E::id_column().eq(E::id(before)));
        if let Some(column) = E::version_column() {
            unchanged = unchanged.add(column.eq(E::version(before)));
        }
        let mut row: E::ActiveModel = sea_orm::ActiveModelTrait::reset_all(after.into_active_model());
        E::settle(&mut row);
        if self.update_row_where::<E>(row, unchanged).await? == 0 {
            return Err(Error::Stale { what: E::WHAT });
        }
        self.note(change);
        Ok(true)
    }

    /// Writes business rows over those that this transaction read and locked, many with one statement; `key` and
    /// `replace` are the key and the columns that a write may change. Rows that are the same in the journal's eyes are
    /// not written.
    pub(crate) async fn update_rows<E>(
        &self,
        rows: Vec<(E::Model, E::Model)>,
        key: &[E::Column],
        replace: &[E::Column],
    ) -> Result<()>
    where
        E: Journalled,
        E::Model: IntoActiveModel<E::ActiveModel> + ModelTrait<Entity = E>,
        E::ActiveModel: Send,
    {
        let (mut changes, mut written) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for (before, after) in rows {
            let (old, new) = (E::view(&before)?, E::view(&after)?);
            if stripped(&old) == stripped(&new) {
                continue;
            }
            changes.push(Change {
                kind: E::KIND.into(),
                id: E::id(&before),
                client_id: E::client_of(&after).or(E::client_of(&before)),
                before: Some(old),
                after: Some(new),
            });
            written.push(after);
        }
        self.insert_many::<E>(written, key, replace).await?;
        changes.into_iter().for_each(|change| self.note(change));
        Ok(())
    }

    /// Deletes a business row.
    pub(crate) async fn delete_row<E>(&self, row: &E::Model) -> Result<()>
    where
        E: Journalled,
        E: EntityTrait,
    {
        use sea_orm::QueryFilter;

        use crate::error::OrDomain;

        self.require_writable()?;
        let done = self.delete_many::<E>().filter(E::id_column().eq(E::id(row))).exec(self.db()).await.or_domain()?;
        if done.rows_affected == 0 {
            return Err(Error::Stale { what: E::WHAT });
        }
        self.note(Change {
            kind: E::KIND.into(),
            id: E::id(row),
            client_id: E::client_of(row),
            before: Some(E::view(row)?),
            after: None,
        });
        Ok(())
    }
}

/// A view without what moves by itself with every write.
pub(crate) fn stripped(view: &Value) -> Value {
    let mut view = view.clone();
    if let Value::Object(fields) = &mut view {
        fields.remove("version");
        fields.remove("updated_at");
    }
    view
}
