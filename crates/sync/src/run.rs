//! One run: how it begins or goes on, and how it ends.

use std::collections::HashMap;

use chrono::TimeDelta;
use domain::{EntityId, EventDraft, EventType, Result, Run, RunId, RunState, TENANT};
use integration::{Reach, RecordKind};
use persistence::{Listing as ListingRow, RunProgress, RunStart, Tx};

use crate::{
    checkpoint::{Checkpoint, Pace},
    job::Job,
    seen::Seen,
    trouble::vendor_code,
    words,
};

/// An interrupted run older than this is not gone on with: the vendor has forgotten the place.
const STALE_HOURS: i64 = 24;

/// A run under way.
pub(crate) struct KindRun<'a> {
    pub job: &'a Job<'a>,
    pub listing: &'a dyn integration::Listing,
    pub run: Run,
    pub at: Checkpoint,
    /// What the listing under way knows and has met.
    pub seen: Seen,
    /// Ids of the entities that the vendor lists, by vendor id.
    pub entities: HashMap<String, EntityId>,
    /// How far each listing is.
    pub rows: HashMap<String, ListingRow>,
    /// The held run that a person released, and how many removals that covers.
    pub released: Option<(RunId, usize)>,
    /// Whether the list of entities can be believed.
    pub entities_sound: bool,
    pages_before: i32,
    done_before: Option<String>,
}

impl<'a> KindRun<'a> {
    /// Begins a run, or goes on with the one that was interrupted. `None` when the connection was switched
    /// off meanwhile.
    pub async fn begin(job: &'a Job<'a>, listing: &'a dyn integration::Listing) -> Result<Option<Self>> {
        let kind = listing.kind();
        let id = job.connection.id;
        let tx = job.begin().await?;
        if !tx.connection(id).await?.state.syncs() {
            return Ok(None);
        }
        let unfinished = tx.run_unfinished(id, kind.as_str()).await?;
        let resumed = match unfinished {
            Some(run) => resume(&tx, run).await?,
            None => None,
        };
        let (run, mut at) = match resumed {
            Some(resumed) => resumed,
            None => (start(&tx, job, kind).await?, Checkpoint::default()),
        };
        at.job = job.claimed.id.to_string();
        at.pace = Pace { since: Some(tx.now()), before: run.counts.listed, at: None };
        let released = match job.payload.release {
            Some(release) => released(tx.run(release).await?, kind),
            None => None,
        };
        let mut entities: HashMap<String, EntityId> = match kind {
            RecordKind::Entity => HashMap::new(),
            _ => tx.entities_listed(id).await?.into_iter().collect(),
        };
        // Tenants that were disconnected are not asked about; what is stored of them stays, and grows old.
        if listing.reach() == Reach::Entity && job.vendor.entity_kind == TENANT {
            let resting = tx.tenants_disconnected().await?;
            entities.retain(|vendor_id, _| !resting.contains(&vendor_id.to_ascii_lowercase()));
        }
        let rows = tx.listings(&[id]).await?;
        let entities_sound = !rows.iter().any(|row| {
            let troubled =
                row.code.as_deref().is_some_and(|code| ![words::REJECTED, words::NOT_OFFERED].contains(&code));
            row.kind == RecordKind::Entity.as_str() && troubled
        });
        let rows =
            rows.into_iter().filter(|row| row.kind == kind.as_str()).map(|row| (row.entity.clone(), row)).collect();
        tx.commit_unjournalled().await?;
        let (pages_before, done_before) = (run.pages, at.done.clone());
        Ok(Some(Self {
            job,
            listing,
            run,
            at,
            seen: Seen::default(),
            entities,
            rows,
            released,
            entities_sound: entities_sound || kind == RecordKind::Entity,
            pages_before,
            done_before,
        }))
    }

    /// Whether this try stored something.
    pub fn further(&self) -> bool {
        self.run.pages > self.pages_before || self.at.done != self.done_before
    }

    pub fn kind(&self) -> RecordKind {
        self.listing.kind()
    }

    /// The row of the listing under way, as it was.
    pub fn row(&self, entity: &str) -> ListingRow {
        self.rows.get(entity).cloned().unwrap_or_else(|| ListingRow {
            connection_id: self.job.connection.id,
            kind: self.kind().as_str().to_owned(),
            entity: entity.to_owned(),
            mark: None,
            full_at: None,
            complete_at: None,
            code: None,
            message: None,
        })
    }

    /// Writes how far a listing is.
    pub async fn write_row(&mut self, tx: &Tx, row: ListingRow) -> Result<()> {
        tx.listing_write(&row).await?;
        self.rows.insert(row.entity.clone(), row);
        Ok(())
    }

    /// Writes how far the run is.
    pub async fn save(&self, tx: &Tx) -> Result<()> {
        debug_assert!(self.run.counts.adds_up(), "{:?}", self.run.counts);
        let run = &self.run;
        let progress = RunProgress {
            state: run.state,
            counts: run.counts,
            pages: run.pages,
            expected: run.expected,
            checkpoint: Some(self.at.write()?),
            code: run.code.clone(),
            message: run.message.clone(),
            finished_at: run.finished_at,
        };
        tx.run_progress(run.id, &progress).await
    }

    /// Ends the run: all its listings ended.
    pub async fn finish(mut self) -> Result<Run> {
        let tx = self.job.begin().await?;
        if self.listing.reach() == Reach::Entity && self.entities_sound {
            self.remove_orphans(&tx).await?;
        }
        let troubles = &self.at.troubles;
        self.run.state = match (troubles.held, troubles.failed) {
            (0, 0) => RunState::Complete,
            (0, _) => RunState::Partial,
            _ => RunState::Held,
        };
        self.run.code = troubles.code.clone();
        self.run.message = troubles.text();
        self.settle_held(&tx).await?;
        self.end(tx).await
    }

    /// Ends the run as failed, or as complete where the vendor does not have the listing. What it stored stays;
    /// nothing was removed.
    pub async fn fail(mut self, error: &integration::Error) -> Result<Run> {
        let tx = self.job.begin().await?;
        let (code, message) = (vendor_code(error.kind), error.to_string());
        if self.listing.reach() == Reach::Connection {
            let row = ListingRow { code: Some(code.to_owned()), message: Some(message.clone()), ..self.row("") };
            self.write_row(&tx, row).await?;
        }
        // What a vendor does not have is listed as far as it goes.
        let offered = error.kind != integration::Kind::NotOffered;
        self.run.state = if offered { RunState::Failed } else { RunState::Complete };
        self.run.code = Some(code.to_owned());
        self.run.message = Some(message);
        self.end(tx).await
    }

    async fn end(mut self, tx: Tx) -> Result<Run> {
        self.run.finished_at = Some(tx.now());
        self.at.place = crate::checkpoint::Place::default();
        self.save(&tx).await?;
        let counts = self.run.counts;
        if counts.added + counts.changed + counts.removed > 0 {
            tx.note_run(None, &self.run);
        }
        if self.run.state == RunState::Held {
            let run = &self.run;
            let fields = serde_json::json!({
                "connection_id": run.connection_id, "kind": run.kind, "reason": run.message,
            });
            tx.events_emit(vec![EventDraft::new(EventType::SyncHeld, run.id.0, None, fields)]).await?;
        }
        tx.commit("sync_run", self.run.code.as_deref()).await?;
        let labels = [("kind", self.run.kind.clone()), ("state", self.run.state.as_str().to_owned())];
        metrics::counter!("panelone_sync_runs_total", &labels).increment(1);
        tracing::info!(
            connection = %self.job.connection.id, kind = %self.run.kind, state = self.run.state.as_str(),
            listed = counts.listed, added = counts.added, changed = counts.changed, removed = counts.removed,
            rejected = counts.rejected, "a run ended"
        );
        Ok(self.run)
    }

    /// Records of entities that are no longer listed go with them, and their marks are forgotten: if the
    /// entity comes back, it is listed wholly.
    async fn remove_orphans(&mut self, tx: &Tx) -> Result<()> {
        let id = self.job.connection.id;
        let orphans = tx.records_orphaned(id, self.kind().as_str()).await?;
        self.tell_unmet(tx, &orphans).await?;
        let removed = tx.records_remove(id, self.kind().as_str(), &orphans, self.run.id).await?;
        self.run.counts.removed += i64::try_from(removed).unwrap_or(i64::MAX);
        let gone: Vec<ListingRow> = self
            .rows
            .values()
            .filter(|row| !self.entities.contains_key(&row.entity) && (row.mark.is_some() || row.full_at.is_some()))
            .cloned()
            .collect();
        for row in gone {
            self.write_row(tx, ListingRow { mark: None, full_at: None, ..row }).await?;
        }
        Ok(())
    }

    /// What an earlier listing was held for is decided by this one, unless it failed in part.
    async fn settle_held(&self, tx: &Tx) -> Result<()> {
        if self.run.state == RunState::Partial {
            return Ok(());
        }
        for held in tx.runs_held(self.job.connection.id, self.kind().as_str()).await? {
            let applied = self.run.state == RunState::Complete && self.released.is_some_and(|(id, _)| id == held.id);
            let (state, message) = match (applied, self.run.state) {
                (true, _) => (RunState::Complete, "Released by a person; the listing after it was stored."),
                (false, RunState::Held) => (RunState::Dropped, "A later listing is held in its place."),
                (false, _) => (RunState::Dropped, "A later listing was plausible and was stored."),
            };
            let progress = RunProgress {
                state,
                counts: held.counts,
                pages: held.pages,
                expected: held.expected,
                checkpoint: held.checkpoint.clone(),
                code: held.code.clone(),
                message: Some(message.to_owned()),
                finished_at: held.finished_at,
            };
            tx.run_progress(held.id, &progress).await?;
        }
        Ok(())
    }
}

/// The interrupted run, if it can be gone on with; else it is closed.
async fn resume(tx: &Tx, run: Run) -> Result<Option<(Run, Checkpoint)>> {
    let at = match &run.checkpoint {
        None => Some(Checkpoint::default()),
        Some(text) => Checkpoint::read(Some(text)),
    };
    if let Some(at) = at
        && tx.now() - run.started_at < TimeDelta::hours(STALE_HOURS)
    {
        return Ok(Some((run, at)));
    }
    let progress = RunProgress {
        state: RunState::Failed,
        counts: run.counts,
        pages: run.pages,
        expected: run.expected,
        checkpoint: None,
        code: Some("interrupted".to_owned()),
        message: Some("It was interrupted too long ago to be gone on with; the next run began anew.".to_owned()),
        finished_at: Some(tx.now()),
    };
    tx.run_progress(run.id, &progress).await?;
    Ok(None)
}

async fn start(tx: &Tx, job: &Job<'_>, kind: RecordKind) -> Result<Run> {
    let start = RunStart {
        id: tx.new_id(),
        connection_id: job.connection.id,
        kind: kind.as_str().to_owned(),
        trigger: job.payload.trigger,
    };
    tx.run_start(&start).await?;
    tx.run(start.id).await
}

fn released(held: Run, kind: RecordKind) -> Option<(RunId, usize)> {
    let ours = held.kind == kind.as_str() && held.state == RunState::Held;
    let would = Checkpoint::read(held.checkpoint.as_deref()).map_or(0, |at| at.would_remove);
    ours.then(|| (held.id, usize::try_from(would).unwrap_or(0)))
}

/// A count that cannot be negative.
pub(crate) fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
