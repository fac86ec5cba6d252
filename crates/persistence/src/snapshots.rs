//! What each client had on a day.

use chrono::NaiveDate;
use domain::{ClientId, Result, Timestamp};
use sea_orm::{ColumnTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr};
use uuid::Uuid;

use crate::{
    Tx,
    entity::{client, snapshot as table},
    error::OrDomain,
};

/// A snapshot as it is stored.
#[derive(Clone, Debug)]
pub struct StoredSnapshot {
    /// Day, in UTC.
    pub day: NaiveDate,
    /// What there was, as JSON.
    pub body: String,
    /// When it was taken.
    pub taken_at: Timestamp,
}

fn read(row: table::Model) -> Option<StoredSnapshot> {
    Some(StoredSnapshot { day: row.day.parse().ok()?, body: row.body, taken_at: row.taken_at })
}

impl Tx {
    /// Clients without a snapshot of this day, by id; at most `limit`.
    pub async fn clients_without_snapshot(&self, day: NaiveDate, limit: u64) -> Result<Vec<ClientId>> {
        let taken = self
            .find::<table::Entity>()
            .select_only()
            .column(table::Column::ClientId)
            .filter(table::Column::Day.eq(day.to_string()));
        let ids: Vec<Uuid> = self
            .find::<client::Entity>()
            .select_only()
            .column(client::Column::Id)
            .filter(client::Column::DeletedAt.is_null())
            .filter(Expr::col((client::Entity, client::Column::Id)).not_in_subquery(taken.into_query()))
            .order_by_asc(client::Column::Id)
            .limit(limit)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(ids.into_iter().map(ClientId).collect())
    }

    /// Keeps what a client has today; what was taken of the day before stands.
    pub async fn snapshot_keep(&self, client: ClientId, body: String) -> Result<()> {
        let row = table::Model {
            organisation_id: self.organisation().0,
            client_id: client.0,
            day: self.now().date_naive().to_string(),
            body,
            taken_at: self.now(),
        };
        self.insert_if_absent::<table::Entity>(row).await.map(drop)
    }

    /// The snapshot of a day, or the newest; `None` where there is none.
    pub async fn snapshot(&self, client: ClientId, day: Option<NaiveDate>) -> Result<Option<StoredSnapshot>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::ClientId.eq(client.0));
        if let Some(day) = day {
            select = select.filter(table::Column::Day.eq(day.to_string()));
        }
        let row = select.order_by_desc(table::Column::Day).one(self.db()).await.or_domain()?;
        Ok(row.and_then(read))
    }

    /// Days of which there is a snapshot, the newest first; at most 400.
    pub async fn snapshot_days(&self, client: ClientId) -> Result<Vec<NaiveDate>> {
        let days: Vec<String> = self
            .find::<table::Entity>()
            .select_only()
            .column(table::Column::Day)
            .filter(table::Column::ClientId.eq(client.0))
            .order_by_desc(table::Column::Day)
            .limit(400)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(days.iter().filter_map(|day| day.parse().ok()).collect())
    }

    /// Forgets snapshots of days before this one; returns how many.
    pub async fn snapshots_forget(&self, before: NaiveDate) -> Result<u64> {
        self.require_writable()?;
        let delete = self.delete_many::<table::Entity>().filter(table::Column::Day.lt(before.to_string()));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }
}
