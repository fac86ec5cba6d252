//! Jobs that are done by crates above this one: whoever builds a worker hands them in.

use async_trait::async_trait;
use persistence::ClaimedJob;
use tokio_util::sync::CancellationToken;

use crate::Ended;

/// What does the jobs of one kind.
#[async_trait]
pub trait Chore: Send + Sync {
    /// The kind of its jobs.
    fn kind(&self) -> &'static str;

    /// Does a job. `stop` asks it to end where it can go on later.
    async fn work(&self, job: &ClaimedJob, stop: &CancellationToken) -> Ended;
}
