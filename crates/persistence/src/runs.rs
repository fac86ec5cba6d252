//! Runs of the sync, and what an unfinished one has seen.

use std::ops::Range;

use domain::{
    Change, ConnectionId, Counts, Error, Listed, PageRequest, Result, Run, RunId, RunState, Timestamp, Trigger,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

use crate::{
    Tx,
    entity::{run, run_page},
    error::{OrDomain, known},
    packing::{pack, unpack},
};

/// What begins a run.
#[derive(Clone, Debug)]
pub struct RunStart {
    /// Id.
    pub id: RunId,
    /// Which connection.
    pub connection_id: ConnectionId,
    /// Kind of record.
    pub kind: String,
    /// What started it.
    pub trigger: Trigger,
}

/// How far a run is.
#[derive(Clone, Debug)]
pub struct RunProgress {
    /// How it is.
    pub state: RunState,
    /// Counts so far.
    pub counts: Counts,
    /// Pages stored.
    pub pages: i32,
    /// Records the vendor says there are.
    pub expected: Option<i64>,
    /// Where to go on.
    pub checkpoint: Option<String>,
    /// Stable word for what went wrong.
    pub code: Option<String>,
    /// What went wrong, for people.
    pub message: Option<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

fn read(row: run::Model) -> Result<Run> {
    Ok(Run {
        id: row.id.into(),
        connection_id: row.connection_id.into(),
        kind: row.kind,
        trigger: known(Trigger::parse(&row.cause), "run.cause")?,
        state: known(RunState::parse(&row.state), "run.state")?,
        counts: Counts {
            listed: row.listed,
            added: row.added,
            changed: row.changed,
            unchanged: row.unchanged,
            rejected: row.rejected,
            repeated: row.repeated,
            removed: row.removed,
        },
        pages: row.pages,
        expected: row.expected,
        checkpoint: row.checkpoint,
        message: row.message,
        code: row.code,
        started_at: row.started_at,
        finished_at: row.finished_at,
    })
}

impl Tx {
    /// Begins a run.
    pub async fn run_start(&self, start: &RunStart) -> Result<()> {
        let row = run::Model {
            organisation_id: self.organisation().0,
            id: start.id.0,
            connection_id: start.connection_id.0,
            kind: start.kind.clone(),
            cause: start.trigger.as_str().to_owned(),
            state: RunState::Running.as_str().to_owned(),
            listed: 0,
            added: 0,
            changed: 0,
            unchanged: 0,
            rejected: 0,
            repeated: 0,
            removed: 0,
            pages: 0,
            expected: None,
            checkpoint: None,
            code: None,
            message: None,
            started_at: self.now(),
            finished_at: None,
        };
        self.insert_many::<run::Entity>(vec![row], &[], &[]).await
    }

    /// Writes how far a run is. When it has ended, what it had seen is forgotten.
    pub async fn run_progress(&self, id: RunId, progress: &RunProgress) -> Result<()> {
        let row = run::ActiveModel {
            state: ActiveValue::Set(progress.state.as_str().to_owned()),
            listed: ActiveValue::Set(progress.counts.listed),
            added: ActiveValue::Set(progress.counts.added),
            changed: ActiveValue::Set(progress.counts.changed),
            unchanged: ActiveValue::Set(progress.counts.unchanged),
            rejected: ActiveValue::Set(progress.counts.rejected),
            repeated: ActiveValue::Set(progress.counts.repeated),
            removed: ActiveValue::Set(progress.counts.removed),
            pages: ActiveValue::Set(progress.pages),
            expected: ActiveValue::Set(progress.expected),
            checkpoint: ActiveValue::Set(progress.checkpoint.clone()),
            code: ActiveValue::Set(progress.code.clone()),
            message: ActiveValue::Set(progress.message.clone()),
            finished_at: ActiveValue::Set(progress.finished_at),
            ..ActiveModelTrait::default()
        };
        let own = Condition::all().add(run::Column::Id.eq(id.0));
        if self.update_row_where::<run::Entity>(row, own).await? == 0 {
            return Err(Error::NotFound { what: "run" });
        }
        if progress.finished_at.is_some() {
            let seen = self.delete_many::<run_page::Entity>().filter(run_page::Column::RunId.eq(id.0));
            seen.exec(self.db()).await.or_domain()?;
        }
        Ok(())
    }

    /// Notes the raw hashes that a page of an unfinished run has seen; a page that was kept gives way.
    pub async fn run_page_seen(&self, id: RunId, page: i32, seen: Vec<u8>) -> Result<()> {
        use run_page::Column as C;
        let row = run_page::Model { organisation_id: self.organisation().0, run_id: id.0, page, seen };
        self.insert_many::<run_page::Entity>(vec![row], &[C::OrganisationId, C::RunId, C::Page], &[C::Seen]).await
    }

    /// Keeps a page that is about to be stored, so that it need not be fetched again after a crash.
    pub async fn run_page_keep(&self, id: RunId, page: i32, text: &[u8]) -> Result<()> {
        self.run_page_seen(id, page, pack(text)).await
    }

    /// The page that was kept under this number.
    pub async fn run_page_kept(&self, id: RunId, page: i32) -> Result<Option<Vec<u8>>> {
        let kept = self.run_pages_seen(id, page..page + 1).await?;
        kept.first().map(|packed| unpack(packed)).transpose()
    }

    /// What these pages of an unfinished run have seen.
    pub async fn run_pages_seen(&self, id: RunId, pages: Range<i32>) -> Result<Vec<Vec<u8>>> {
        self.find::<run_page::Entity>()
            .select_only()
            .column(run_page::Column::Seen)
            .filter(run_page::Column::RunId.eq(id.0))
            .filter(run_page::Column::Page.gte(pages.start))
            .filter(run_page::Column::Page.lt(pages.end))
            .order_by_asc(run_page::Column::Page)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()
    }

    /// The unfinished run of a connection and kind, if one was interrupted.
    pub async fn run_unfinished(&self, connection: ConnectionId, kind: &str) -> Result<Option<Run>> {
        self.find::<run::Entity>()
            .filter(run::Column::ConnectionId.eq(connection.0))
            .filter(run::Column::Kind.eq(kind))
            .filter(run::Column::State.eq(RunState::Running.as_str()))
            .order_by_desc(run::Column::StartedAt)
            .one(self.db())
            .await
            .or_domain()?
            .map(read)
            .transpose()
    }

    /// The runs of a connection and kind that are held for a person.
    pub async fn runs_held(&self, connection: ConnectionId, kind: &str) -> Result<Vec<Run>> {
        let rows = self
            .find::<run::Entity>()
            .filter(run::Column::ConnectionId.eq(connection.0))
            .filter(run::Column::Kind.eq(kind))
            .filter(run::Column::State.eq(RunState::Held.as_str()))
            .all(self.db())
            .await
            .or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// The runs of a connection whose checkpoint begins with this text: the engine names the job first.
    pub async fn runs_begun_by(&self, connection: ConnectionId, beginning: &str) -> Result<Vec<Run>> {
        let rows = self
            .find::<run::Entity>()
            .filter(run::Column::ConnectionId.eq(connection.0))
            .filter(run::Column::Checkpoint.starts_with(beginning))
            .all(self.db())
            .await
            .or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// The newest runs of a connection.
    pub async fn runs_recent(&self, connection: ConnectionId, most: u64) -> Result<Vec<Run>> {
        let runs = self.find::<run::Entity>().filter(run::Column::ConnectionId.eq(connection.0));
        let runs = runs.order_by_desc(run::Column::StartedAt).order_by_desc(run::Column::Id);
        let rows = runs.limit(most).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// The run of a connection and kind that was under way at an instant and has ended.
    pub async fn run_during(&self, connection: ConnectionId, kind: &str, at: Timestamp) -> Result<Option<Run>> {
        self.find::<run::Entity>()
            .filter(run::Column::ConnectionId.eq(connection.0))
            .filter(run::Column::Kind.eq(kind))
            .filter(run::Column::StartedAt.lte(at))
            .filter(run::Column::FinishedAt.gte(at))
            .order_by_desc(run::Column::StartedAt)
            .one(self.db())
            .await
            .or_domain()?
            .map(read)
            .transpose()
    }

    /// Notes for the journal what a run changed, or what a person decided about it (`before` is how it
    /// was then).
    pub fn note_run(&self, before: Option<&Run>, after: &Run) {
        let view = |run: &Run| {
            json!({
                "connection_id": run.connection_id,
                "kind": run.kind,
                "trigger": run.trigger,
                "state": run.state,
                "counts": run.counts,
                "message": run.message,
            })
        };
        self.note(Change {
            kind: "run".to_owned(),
            id: after.id.0,
            client_id: None,
            before: before.map(view),
            after: Some(view(after)),
        });
    }

    /// A run.
    pub async fn run(&self, id: RunId) -> Result<Run> {
        let row = self.find::<run::Entity>().filter(run::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        row.ok_or(Error::NotFound { what: "run" }).and_then(read)
    }

    /// Runs, the newest first.
    pub async fn run_list(
        &self,
        connection: Option<ConnectionId>,
        state: Option<RunState>,
        page: &PageRequest,
    ) -> Result<Listed<Run>> {
        let mut select = self.find::<run::Entity>();
        if let Some(connection) = connection {
            select = select.filter(run::Column::ConnectionId.eq(connection.0));
        }
        if let Some(state) = state {
            select = select.filter(run::Column::State.eq(state.as_str()));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        // Ids sort by time of making.
        if let Some((_, id)) = &page.after {
            select = select.filter(run::Column::Id.lt(*id));
        }
        let mut rows = select.order_by_desc(run::Column::Id).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|row| (String::new(), row.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }
}
