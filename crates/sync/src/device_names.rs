//! Naming devices anew after the organisation's order of integrations changed: a few clients at a time, each in a
//! transaction of its own, so that neither memory nor locks grow with the organisation. It may be begun again at any
//! point: what has its name already is not written.

use chrono::TimeDelta;
use domain::{Error, Result};
use persistence::{ClaimedJob, DEVICE_NAMES_JOB, JobOutcome};
use tokio_util::sync::CancellationToken;

use crate::{Ended, Engine};

/// Kind of the jobs of this file.
pub(crate) const KIND: &str = DEVICE_NAMES_JOB;

impl Engine {
    pub(crate) async fn device_names(&self, claimed: &ClaimedJob, stop: &CancellationToken) -> Ended {
        match self.devices_name(claimed, stop).await {
            Ok(true) => Ended::Finish(JobOutcome::Done),
            Ok(false) => Ended::Later(self.store.clock().now()),
            Err(Error::Conflict { code: "lease_lost", .. }) => Ended::Lost,
            Err(error) => {
                let at = self.store.clock().now() + TimeDelta::seconds(30);
                Ended::Finish(JobOutcome::Retry(at, error.to_string()))
            }
        }
    }

    /// False when it was stopped before its end.
    async fn devices_name(&self, claimed: &ClaimedJob, stop: &CancellationToken) -> Result<bool> {
        let mut after = None;
        loop {
            if stop.is_cancelled() {
                return Ok(false);
            }
            let tx = self.begin(claimed.organisation, &format!("job {}", claimed.id)).await?;
            tx.job_fence(claimed).await?;
            after = tx.devices_name_anew(after).await?;
            tx.commit_unjournalled().await?;
            if after.is_none() {
                return Ok(true);
            }
        }
    }
}
