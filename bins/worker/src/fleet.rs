//! What operators see of the fleet and do with jobs that were given up.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Context, JobId};
use persistence::{Depth, JobRow, Store, WorkerRow};
use serde_json::{Value, json};

/// The fleet at one instant.
pub struct Fleet {
    now: DateTime<Utc>,
    workers: Vec<WorkerRow>,
    depth: Vec<Depth>,
    jobs: Vec<JobRow>,
}

impl Fleet {
    /// The fleet as it is now.
    pub async fn read(store: &Store) -> domain::Result<Self> {
        let now = store.clock().now();
        let across = store.across_read().await?;
        Ok(Self {
            now,
            workers: across.workers(now - TimeDelta::seconds(sync::FORGOTTEN_AFTER_SECONDS)).await?,
            depth: across.queue_depth().await?,
            jobs: across.jobs().await?,
        })
    }

    /// Since when the job that has waited longest is due; none where none is.
    fn oldest(&self) -> Option<DateTime<Utc>> {
        let due = self.depth.iter().filter(|depth| depth.state == "queued" && depth.oldest <= self.now);
        due.map(|depth| depth.oldest).min()
    }

    fn worker_of(&self, job: &JobRow) -> Option<&str> {
        let id = job.worker.filter(|_| job.state == "running")?;
        self.workers.iter().find(|worker| worker.id == id).map(|worker| worker.name.as_str())
    }

    fn of_state(&self, state: &str) -> Vec<&JobRow> {
        self.jobs.iter().filter(|job| job.state == state).collect()
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let worker = |worker: &WorkerRow| {
            json!({
                "id": worker.id, "name": worker.name, "started_at": worker.started_at, "seen_at": worker.seen_at,
                "slots": worker.slots, "running": worker.running,
            })
        };
        let job = |job: &JobRow| {
            json!({
                "organisation_id": job.organisation, "id": job.id, "kind": job.kind, "key": job.unique_key,
                "connection_id": job.connection, "state": job.state, "run_at": job.run_at,
                "attempts": job.attempts, "max_attempts": job.max_attempts, "lease_until": job.lease_until,
                "worker_id": job.worker, "worker": self.worker_of(job), "waits_until": job.waits_until,
                "last_error": job.last_error, "created_at": job.created_at, "finished_at": job.finished_at,
            })
        };
        let depth = |depth: &Depth| json!({ "kind": depth.kind, "state": depth.state, "jobs": depth.jobs });
        let jobs = |state: &str| self.of_state(state).into_iter().map(job).collect::<Vec<_>>();
        json!({
            "at": self.now,
            "workers": self.workers.iter().map(worker).collect::<Vec<_>>(),
            "queue": self.depth.iter().map(depth).collect::<Vec<_>>(),
            "oldest_due_at": self.oldest(),
            "running": jobs("running"),
            "queued": jobs("queued"),
            "failed": jobs("failed"),
        })
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut rows = vec![["WORKER", "STARTED", "SEEN", "SLOTS", "RUNNING"].map(str::to_owned).to_vec()];
        rows.extend(self.workers.iter().map(|worker| {
            vec![
                worker.name.clone(),
                ago(self.now - worker.started_at),
                ago(self.now - worker.seen_at),
                worker.slots.to_string(),
                worker.running.to_string(),
            ]
        }));
        let mut text = section(&rows, "no worker was seen in the last minute");
        rows = vec![["QUEUE", "STATE", "JOBS"].map(str::to_owned).to_vec()];
        rows.extend(self.depth.iter().map(|one| vec![one.kind.clone(), one.state.clone(), one.jobs.to_string()]));
        text.push_str(&section(&rows, "the queue is empty"));
        let oldest = self.oldest().map_or_else(|| "none is due".to_owned(), |at| ago(self.now - at));
        let _ = writeln!(text, "longest due: {oldest}\n");
        rows =
            vec![["RUNNING", "CONNECTION", "WORKER", "LEASE", "TRY", "WAITS FOR VENDOR"].map(str::to_owned).to_vec()];
        rows.extend(self.of_state("running").into_iter().map(|job| {
            let lease = job.lease_until.map(|until| until - self.now);
            let waits = job.waits_until.filter(|until| *until > self.now).map(|until| until - self.now);
            vec![
                format!("{} {}", job.kind, job.id),
                connection(job),
                self.worker_of(job).unwrap_or("not seen lately").to_owned(),
                lease.map_or_else(
                    String::new,
                    |left| if left <= TimeDelta::zero() { "ran out".into() } else { ahead(left) },
                ),
                tries(job),
                waits.map_or_else(|| "no".to_owned(), ahead),
            ]
        }));
        text.push_str(&section(&rows, "nothing runs"));
        rows = vec![["QUEUED", "CONNECTION", "DUE", "TRY", "LAST ERROR"].map(str::to_owned).to_vec()];
        rows.extend(self.of_state("queued").into_iter().map(|job| {
            let due = if job.run_at <= self.now { ago(self.now - job.run_at) } else { ahead(job.run_at - self.now) };
            vec![format!("{} {}", job.kind, job.id), connection(job), due, tries(job), reason(job)]
        }));
        text.push_str(&section(&rows, "nothing waits"));
        rows = vec![["GIVEN UP", "CONNECTION", "WHEN", "TRIES", "WHY"].map(str::to_owned).to_vec()];
        rows.extend(self.of_state("failed").into_iter().map(|job| {
            let when = job.finished_at.map_or_else(String::new, |at| ago(self.now - at));
            vec![format!("{} {}", job.kind, job.id), connection(job), when, tries(job), reason(job)]
        }));
        text.push_str(&section(&rows, "nothing was given up"));
        text.trim_end().to_owned()
    }
}

/// Puts a job that was given up on the queue again, whichever organisation's it is; in the journal as the operator's.
pub async fn retry(store: &Store, id: JobId) -> domain::Result<JobRow> {
    let tx = store.begin(operator(store, id).await?).await?;
    let row = sync::job_retry(&tx, registry::ALL, id).await?;
    tx.commit("job_retry", None).await?;
    Ok(row)
}

/// Deletes a job that was given up.
pub async fn drop(store: &Store, id: JobId) -> domain::Result<JobRow> {
    let tx = store.begin(operator(store, id).await?).await?;
    let row = sync::job_drop(&tx, registry::ALL, id).await?;
    tx.commit("job_drop", None).await?;
    Ok(row)
}

async fn operator(store: &Store, id: JobId) -> domain::Result<Context> {
    let found = store.across_read().await?.job_organisation(id).await?;
    let organisation = found.ok_or(domain::Error::NotFound { what: "job" })?;
    Ok(Context::operator(organisation, store.clock().now()))
}

/// A table whose columns are as wide as they must be; the last line says so where it has no rows.
fn section(rows: &[Vec<String>], nothing: &str) -> String {
    let mut widths = vec![0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    if rows.len() == 1 {
        let _ = writeln!(text, "({nothing})");
    }
    text.push('\n');
    text
}

fn connection(job: &JobRow) -> String {
    job.connection.map_or_else(|| "none".to_owned(), |id| id.to_string())
}

fn tries(job: &JobRow) -> String {
    format!("{}/{}", job.attempts, job.max_attempts)
}

/// On one line: an error of a vendor may hold anything.
fn reason(job: &JobRow) -> String {
    let text: String = job.last_error.as_deref().unwrap_or_default().chars().take(160).collect();
    text.replace(char::is_control, " ")
}

fn ago(time: TimeDelta) -> String {
    format!("{} ago", span(time))
}

fn ahead(time: TimeDelta) -> String {
    format!("in {}", span(time))
}

fn span(time: TimeDelta) -> String {
    match time.num_seconds().max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["A".to_owned(), "B".to_owned()], vec!["long".to_owned(), "x".to_owned()]];
        assert_eq!(section(&rows, "none"), "A     B\nlong  x\n\n");
        assert_eq!(section(&rows[..1], "none"), "A  B\n(none)\n\n");
    }

    #[test]
    fn a_span_has_one_unit() {
        let spans = [(-5, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 d")];
        for (seconds, text) in spans {
            assert_eq!(span(TimeDelta::seconds(seconds)), text);
        }
    }
}
