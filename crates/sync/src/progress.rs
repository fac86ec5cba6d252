//! How far the sync of a connection is. All of it is read from the database, so that any process can say it.

use chrono::TimeDelta;
use domain::{ConnectionId, Result, Run, RunState, Timestamp};
use integration::RecordKind;
use persistence::{JobRow, Tx};

use crate::{SyncPayload, checkpoint::Checkpoint, sync_key};

/// Runs among which those of a job are looked for: more than one job can have.
const RECENT: u64 = 64;
/// The furthest that an end is estimated.
const FURTHEST_SECONDS: f64 = 30.0 * 86_400.0;

/// What becomes of the sync of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None waits or runs.
    Idle,
    /// It is due, and waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// It waits: for its vendor, or to be tried again.
    Waiting,
}

/// Where an expected count comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The vendor said so in this run.
    Vendor,
    /// So many were listed when all were listed last.
    LastListing,
}

/// How far one kind of record is.
#[derive(Clone, Debug, PartialEq)]
pub struct KindProgress {
    /// Kind of record ("device").
    pub kind: String,
    /// Its run; none: not begun.
    pub run: Option<Run>,
    /// Records that are expected, and who says so.
    pub expected: Option<(i64, Expected)>,
    /// Records per second of the present try.
    pub rate: Option<f64>,
}

impl KindProgress {
    /// Records listed so far.
    pub fn records(&self) -> i64 {
        self.run.as_ref().map_or(0, |run| run.counts.listed)
    }

    /// Whether its run goes on.
    pub fn is_running(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.state == RunState::Running)
    }

    fn remaining(&self) -> Option<i64> {
        match &self.run {
            Some(run) if run.state != RunState::Running => Some(0),
            _ => self.expected.map(|(expected, _)| (expected - self.records()).max(0)),
        }
    }
}

/// How far a sync is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What becomes of it.
    pub standing: Standing,
    /// Its job, while it waits or runs.
    pub job: Option<JobRow>,
    /// Until when it waits.
    pub waits_until: Option<Timestamp>,
    /// Each kind of record, in the order of the runs, then those not begun.
    pub kinds: Vec<KindProgress>,
    /// When all that is known to remain will be listed at the present rate.
    pub estimated_end: Option<Timestamp>,
}

/// How far the sync of a connection is. The caller has seen that the connection may be looked at.
pub async fn progress(tx: &Tx, connection: ConnectionId) -> Result<Progress> {
    let now = tx.now();
    let Some(job) = tx.job_pending(&sync_key(connection)).await? else {
        return Ok(Progress {
            standing: Standing::Idle,
            job: None,
            waits_until: None,
            kinds: Vec::new(),
            estimated_end: None,
        });
    };
    let (standing, waits_until) = standing(&job, now);
    let kinds = kinds(tx, connection, &job).await?;
    let estimated_end = estimate(&kinds, waits_until.unwrap_or(now).max(now));
    Ok(Progress { standing, job: Some(job), waits_until, kinds, estimated_end })
}

fn standing(job: &JobRow, now: Timestamp) -> (Standing, Option<Timestamp>) {
    let later = |at: Option<Timestamp>| at.filter(|at| *at > now);
    match job.state.as_str() {
        "running" => later(job.waits_until).map_or((Standing::Running, None), |at| (Standing::Waiting, Some(at))),
        _ => later(Some(job.run_at)).map_or((Standing::Queued, None), |at| (Standing::Waiting, Some(at))),
    }
}

async fn kinds(tx: &Tx, connection: ConnectionId, job: &JobRow) -> Result<Vec<KindProgress>> {
    let beginning = Checkpoint::beginning(job.id);
    let mut runs = tx.runs_recent(connection, RECENT).await?;
    // One that was just begun has no place yet.
    let fresh = |run: &Run| run.state == RunState::Running && run.started_at >= job.created_at;
    let ours = |run: &Run| run.checkpoint.as_ref().is_some_and(|text| text.starts_with(&beginning));
    runs.retain(|run| ours(run) || fresh(run));
    runs.sort_by_key(|run| run.id);
    let whole = tx.listings_whole(connection).await?;
    let wanted = serde_json::from_str::<SyncPayload>(&job.payload).ok().and_then(|payload| payload.kinds);
    let wanted = |kind: &str| {
        wanted.as_ref().is_none_or(|kinds| RecordKind::parse(kind).is_some_and(|kind| kinds.contains(&kind)))
    };
    let mut found = Vec::new();
    for run in runs {
        let at = Checkpoint::read(run.checkpoint.as_deref()).unwrap_or_default();
        let last = whole.iter().find(|(kind, _)| *kind == run.kind).map(|(_, at)| *at);
        let expected = match run.expected {
            Some(expected) => Some((expected, Expected::Vendor)),
            // What changed since is no part of the whole.
            None if at.place.changes_only => None,
            None if run.state == RunState::Running => last_listing(tx, connection, &run.kind, last).await?,
            None => None,
        };
        let rate = at.pace.rate(run.counts.listed).filter(|_| run.state == RunState::Running);
        found.push(KindProgress { kind: run.kind.clone(), run: Some(run), expected, rate });
    }
    for (kind, at) in &whole {
        if wanted(kind) && !found.iter().any(|known| known.kind == *kind) {
            let expected = last_listing(tx, connection, kind, Some(*at)).await?;
            found.push(KindProgress { kind: kind.clone(), run: None, expected, rate: None });
        }
    }
    Ok(found)
}

async fn last_listing(
    tx: &Tx,
    connection: ConnectionId,
    kind: &str,
    at: Option<Timestamp>,
) -> Result<Option<(i64, Expected)>> {
    let Some(at) = at else { return Ok(None) };
    let run = tx.run_during(connection, kind, at).await?;
    Ok(run.map(|run| (run.counts.listed, Expected::LastListing)))
}

/// The end, at the rate of the kind under way; unknown where anything that it needs is.
fn estimate(kinds: &[KindProgress], from: Timestamp) -> Option<Timestamp> {
    let rate = kinds.iter().find_map(|kind| kind.rate)?;
    let mut remaining = 0;
    for kind in kinds {
        remaining += kind.remaining()?;
    }
    let seconds = remaining as f64 / rate;
    (seconds <= FURTHEST_SECONDS).then(|| from + TimeDelta::milliseconds((seconds * 1000.0).ceil() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(expected: Option<i64>, rate: Option<f64>) -> KindProgress {
        let expected = expected.map(|count| (count, Expected::Vendor));
        KindProgress { kind: "device".into(), run: None, expected, rate }
    }

    #[test]
    fn an_end_is_estimated_from_all_that_remains_or_not_at_all() {
        let from = Timestamp::UNIX_EPOCH;
        let at = |kinds: &[KindProgress]| estimate(kinds, from).map(|end| (end - from).num_seconds());
        assert_eq!(at(&[kind(Some(100), Some(4.0)), kind(Some(20), None)]), Some(30));
        assert_eq!(at(&[kind(Some(100), Some(4.0)), kind(None, None)]), None, "one is unknown");
        assert_eq!(at(&[kind(Some(100), None)]), None, "no rate yet");
        assert_eq!(at(&[kind(Some(i64::MAX), Some(0.001))]), None, "too far to mean anything");
        assert_eq!(at(&[]), None);
    }
}
