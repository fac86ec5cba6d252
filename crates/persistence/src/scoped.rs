//! The only place that builds queries: each is limited to the organisation, and to the caller's
//! clients where the table has a client.
#![allow(clippy::disallowed_methods, reason = "this is the one place that may")]

use domain::{ClientScope, Error, Result};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DeleteMany, EntityTrait, IntoActiveModel, Iterable, QueryFilter, Select,
    TryInsertResult, UpdateMany, sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{Tx, error::OrDomain};

/// A table with an organisation.
pub(crate) trait Owned: EntityTrait {
    /// The column of the organisation.
    fn organisation() -> Self::Column;

    /// The column of the client, where there is one.
    fn client() -> Option<Self::Column> {
        None
    }
}

/// The limit that a client scope puts on a column. A row without a client is outside unless the
/// scope is everything.
pub(crate) fn within(scope: &ClientScope, column: impl ColumnTrait) -> Condition {
    let ids = |set: &std::collections::BTreeSet<domain::ClientId>| set.iter().map(|id| id.0).collect::<Vec<Uuid>>();
    match scope {
        ClientScope::All => Condition::all(),
        ClientScope::Only(allowed) => Condition::all().add(column.is_in(ids(allowed))),
        ClientScope::AllBut(denied) => Condition::all().add(column.is_not_null()).add(column.is_not_in(ids(denied))),
    }
}

/// Rows of one statement: within the variables that both databases allow.
const CHUNK: usize = 500;

impl Tx {
    fn limit<E: Owned>(&self) -> Condition {
        let own = Condition::all().add(E::organisation().eq(self.context().organisation.0));
        match E::client() {
            Some(column) => own.add(within(&self.context().scope, column)),
            None => own,
        }
    }

    /// Rows of the organisation within the scope.
    pub(crate) fn find<E: Owned>(&self) -> Select<E> {
        E::find().filter(self.limit::<E>())
    }

    /// Rows of the organisation whatever the scope: for what is shared by all callers and limited to
    /// each one's scope when it is used (`name_index.rs`).
    pub(crate) fn unscoped_find<E: Owned>(&self) -> Select<E> {
        E::find().filter(E::organisation().eq(self.context().organisation.0))
    }

    /// An update of rows of the organisation within the scope.
    pub(crate) fn update_many<E: Owned>(&self) -> UpdateMany<E> {
        E::update_many().filter(self.limit::<E>())
    }

    /// A deletion of rows of the organisation within the scope.
    pub(crate) fn delete_many<E: Owned>(&self) -> DeleteMany<E> {
        E::delete_many().filter(self.limit::<E>())
    }

    /// Inserts rows in chunks. A row of another organisation is a mistake of ours and refused. With
    /// `replace`, a row that exists takes the named columns of the new one.
    pub(crate) async fn insert_many<E>(
        &self,
        rows: Vec<E::Model>,
        key: &[E::Column],
        replace: &[E::Column],
    ) -> Result<()>
    where
        E: Owned,
        E::Model: IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: Send,
    {
        self.require_writable()?;
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let mut chunk = Vec::with_capacity(CHUNK);
            for row in rows.by_ref().take(CHUNK) {
                let row = row.into_active_model().reset_all();
                let owner = row.get(E::organisation()).into_value();
                if owner != Some(self.context().organisation.0.into()) {
                    return Err(Error::internal("a row of another organisation was to be written"));
                }
                chunk.push(row);
            }
            let insert = E::insert_many(chunk);
            if replace.is_empty() {
                insert.exec_without_returning(self.db()).await.or_domain()?;
            } else {
                let conflict =
                    OnConflict::columns(key.iter().copied()).update_columns(replace.iter().copied()).to_owned();
                insert.on_conflict(conflict).exec_without_returning(self.db()).await.or_domain()?;
            }
        }
        Ok(())
    }

    /// Inserts a row unless a unique index forbids it. Returns whether it did.
    pub(crate) async fn insert_if_absent<E>(&self, row: E::Model) -> Result<bool>
    where
        E: Owned,
        E::Model: IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: Send,
    {
        self.require_writable()?;
        let row = row.into_active_model().reset_all();
        if row.get(E::organisation()).into_value() != Some(self.context().organisation.0.into()) {
            return Err(Error::internal("a row of another organisation was to be written"));
        }
        // Naming no columns covers partial indexes on both databases.
        let conflict = OnConflict::new().do_nothing().to_owned();
        let done = E::insert_many([row]).on_conflict(conflict).try_insert().exec_without_returning(self.db()).await;
        match done.or_domain()? {
            TryInsertResult::Inserted(rows) => Ok(rows > 0),
            TryInsertResult::Empty | TryInsertResult::Conflicted => Ok(false),
        }
    }

    /// Writes the set columns of `row` where its key and `also` hold. Returns how many rows that were.
    pub(crate) async fn update_row_where<E: Owned>(&self, row: E::ActiveModel, also: Condition) -> Result<u64>
    where
        E::ActiveModel: Send,
    {
        self.require_writable()?;
        let mut update = self.update_many::<E>().filter(also);
        for column in E::Column::iter() {
            if let sea_orm::ActiveValue::Set(value) | sea_orm::ActiveValue::Unchanged(value) = row.get(column) {
                update = update.col_expr(column, sea_orm::sea_query::Expr::val(value));
            }
        }
        Ok(update.exec(self.db()).await.or_domain()?.rows_affected)
    }
}
