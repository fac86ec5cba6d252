//! What people see of their organisation's jobs, and what they do with those that were given up.

use domain::{Change, ConnectionId, Error, JobId, Listed, PageRequest, Result};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use crate::{JobRow, Tx, entity::job, error::OrDomain};

/// Which jobs are listed.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this connection.
    pub connection: Option<ConnectionId>,
}

/// What of a job stands in the journal.
fn view(row: &JobRow) -> Value {
    json!({
        "kind": row.kind, "key": row.unique_key, "connection_id": row.connection, "state": row.state,
        "attempts": row.attempts, "last_error": row.last_error,
    })
}

impl Tx {
    /// A job of the organisation.
    pub async fn job(&self, id: JobId) -> Result<JobRow> {
        let row = self.find::<job::Entity>().filter(job::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        row.map(JobRow::from_row).ok_or(Error::NotFound { what: "job" })
    }

    /// Jobs of the organisation, the newest first.
    pub async fn job_list(&self, filter: &JobFilter, page: &PageRequest) -> Result<Listed<JobRow>> {
        let mut select = self.find::<job::Entity>();
        if let Some(state) = &filter.state {
            select = select.filter(job::Column::State.eq(state.as_str()));
        }
        if let Some(connection) = filter.connection {
            select = select.filter(job::Column::ConnectionId.eq(connection.0));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        // Ids sort by time of making.
        if let Some((_, id)) = &page.after {
            select = select.filter(job::Column::Id.lt(*id));
        }
        let mut rows = select.order_by_desc(job::Column::Id).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|row| (String::new(), row.id))).flatten();
        let items = rows.into_iter().map(JobRow::from_row).collect();
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Puts a job that was given up on the queue again, with all its tries. The caller has seen that none of its key
    /// waits or runs; if one came meanwhile, the unique index refuses.
    pub async fn job_retry(&self, before: &JobRow) -> Result<JobRow> {
        let row = job::ActiveModel {
            state: ActiveValue::Set("queued".to_owned()),
            run_at: ActiveValue::Set(self.now()),
            attempts: ActiveValue::Set(0),
            lease_token: ActiveValue::Set(None),
            worker_id: ActiveValue::Set(None),
            finished_at: ActiveValue::Set(None),
            ..ActiveModelTrait::default()
        };
        let given_up = Condition::all().add(job::Column::Id.eq(before.id.0)).add(job::Column::State.eq("failed"));
        if self.update_row_where::<job::Entity>(row, given_up).await? == 0 {
            return Err(Error::Stale { what: "job" });
        }
        let after = JobRow {
            state: "queued".to_owned(),
            run_at: self.now(),
            attempts: 0,
            worker: None,
            finished_at: None,
            ..before.clone()
        };
        self.note_job(before, Some(&after));
        Ok(after)
    }

    /// Deletes a job that was given up.
    pub async fn job_drop(&self, before: &JobRow) -> Result<()> {
        self.require_writable()?;
        let given_up = Condition::all().add(job::Column::Id.eq(before.id.0)).add(job::Column::State.eq("failed"));
        let done = self.delete_many::<job::Entity>().filter(given_up).exec(self.db()).await.or_domain()?;
        if done.rows_affected == 0 {
            return Err(Error::Stale { what: "job" });
        }
        self.note_job(before, None);
        Ok(())
    }

    fn note_job(&self, before: &JobRow, after: Option<&JobRow>) {
        self.note(Change {
            kind: "job".to_owned(),
            id: before.id.0,
            client_id: None,
            before: Some(view(before)),
            after: after.map(view),
        });
    }
}
