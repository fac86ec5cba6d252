//! Signed checkpoints of the journal, one for each day on which something was written. The job is put on the queue with
//! the housekeeping.

use chrono::TimeDelta;
use domain::{Error, OrganisationId, Result};
use persistence::{ClaimedJob, JobOutcome, NewJob, Tx};

use crate::{Ended, Engine};

/// Kind of the jobs of this file.
pub(crate) const KIND: &str = "journal_checkpoint";

/// How long after the housekeeping the journal is signed: what was due by then goes first.
pub(crate) const AFTER: TimeDelta = TimeDelta::minutes(10);

impl Engine {
    /// Puts the signing of an organisation's journal on the queue at once, where today's checkpoint is due.
    pub async fn journal_checkpoint_enqueue(&self, organisation: OrganisationId) -> Result<()> {
        let tx = self.begin(organisation, "checkpoint").await?;
        self.journal_checkpoint_due(&tx, TimeDelta::zero()).await?;
        tx.commit_unjournalled().await
    }

    /// The same within a transaction, for later.
    pub(crate) async fn journal_checkpoint_due(&self, tx: &Tx, after: TimeDelta) -> Result<()> {
        let end = tx.journal_end().await?;
        let last = tx.journal_checkpoint_last().await?;
        let today = tx.now().date_naive();
        let due = match last {
            None => end > 0,
            // Its own entry is nothing that waits to be signed. A journal that ends before it was cut off.
            Some(last) => last.seq > end || last.at.date_naive() != today && end > last.seq + 1,
        };
        if !due {
            return Ok(());
        }
        let job = NewJob {
            kind: KIND.to_owned(),
            payload: "{}".to_owned(),
            unique_key: KIND.to_owned(),
            priority: 0,
            run_at: tx.now() + after,
            max_attempts: 12,
        };
        tx.job_enqueue(&job).await.map(drop)
    }

    /// Proves what was written since the last checkpoint, and signs. A journal that was tampered with is a job that
    /// failed: it stays in the list of failed jobs until a person has seen it.
    pub(crate) async fn journal_checkpoint(&self, claimed: &ClaimedJob) -> Ended {
        match self.journal_sign(claimed).await {
            Ok(()) => Ended::Finish(JobOutcome::Done),
            Err(Error::Conflict { code: "lease_lost", .. }) => Ended::Lost,
            Err(Error::Conflict { code: "journal_unsound", message }) => {
                tracing::error!(organisation = %claimed.organisation, message, "a journal was tampered with");
                Ended::Finish(JobOutcome::Failed(message))
            }
            Err(error) => {
                let at = self.store.clock().now() + TimeDelta::seconds(30);
                Ended::Finish(JobOutcome::Retry(at, error.to_string()))
            }
        }
    }

    async fn journal_sign(&self, claimed: &ClaimedJob) -> Result<()> {
        let request = format!("job {}", claimed.id);
        let now = self.store.clock().now();
        // In a transaction that holds nobody up.
        let tx = self.store.read(domain::Context::worker(claimed.organisation, now, request.clone())).await?;
        tx.journal_checkpoint_prove().await?;
        drop(tx);
        let tx = self.begin(claimed.organisation, &request).await?;
        tx.job_fence(claimed).await?;
        tx.journal_checkpoint_create().await?;
        tx.commit("journal_checkpoint_create", None).await.map(drop)
    }
}
