//! Where clients went that were merged into others.

use domain::{ClientId, Error, Result, Timestamp};
use sea_orm::{ColumnTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{Tx, entity::client_redirect as table, error::OrDomain, journalled::Journalled};

/// Most merges in a row that are followed.
const MOST: usize = 32;

/// A client that was merged away, and where it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redirect {
    /// The client that went.
    pub client_id: ClientId,
    /// The client that has its things.
    pub into: ClientId,
    /// When.
    pub merged_at: Timestamp,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "client_redirect";
    const WHAT: &'static str = "merge";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        None
    }
    fn version(_: &table::Model) -> i32 {
        1
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        Some(ClientId(row.id))
    }
    fn view(row: &table::Model) -> Result<Value> {
        let read = Redirect { client_id: ClientId(row.id), into: ClientId(row.into_id), merged_at: row.merged_at };
        serde_json::to_value(read).map_err(Error::internal)
    }
}

pub(crate) fn write(tx: &Tx, redirect: &Redirect) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: redirect.client_id.0,
        into_id: redirect.into.0,
        merged_at: redirect.merged_at,
    }
}

impl Tx {
    /// Notes that a client is about to go because it is merged into another. The caller has locked both.
    pub async fn client_redirect_insert(&self, from: ClientId, into: ClientId) -> Result<()> {
        let row = write(self, &Redirect { client_id: from, into, merged_at: self.now() });
        self.insert_row::<table::Entity>(row).await
    }

    /// The client that has what a deleted one had, however often it was merged on; `None` where it was not merged, or
    /// where either is outside the scope.
    pub async fn client_survivor(&self, gone: ClientId) -> Result<Option<ClientId>> {
        let mut at = gone;
        for _ in 0..MOST {
            let select = self.find::<table::Entity>().filter(table::Column::Id.eq(at.0));
            let Some(row) = select.one(self.db()).await.or_domain()? else { break };
            at = ClientId(row.into_id);
        }
        match self.client(at).await {
            Ok(_) if at != gone => Ok(Some(at)),
            Ok(_) | Err(Error::NotFound { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }
}
