//! The job of one connection.

use std::collections::HashSet;

use chrono::TimeDelta;
use domain::{Connection, ConnectionId, Context, Error, PortalTicketId, Result, TicketSending, TicketSendingState};
use integration::{Connector, Retry};
use persistence::{ClaimedJob, JobOutcome, Tx};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{FileSource, TicketTaker};
use crate::{Ended, Engine, trouble::Halt};

/// Things that are looked at in one pass.
const MOST: u64 = 2_000;
/// The shortest and the longest wait for a PSA that is away, in seconds.
const WAITS: (i64, i64) = (30, 900);

#[derive(Deserialize)]
struct Payload {
    connection_id: ConnectionId,
}

/// What became of one thing that waits.
pub(super) enum Step {
    /// It waits no more, or holds up nothing.
    On,
    /// What comes after it at the same ticket waits too; it is looked at again after this long, or after the next sync.
    Wait(Option<TimeDelta>),
}

/// Everything that the parts of a pass share.
pub(super) struct Pass<'a> {
    pub engine: &'a Engine,
    pub claimed: &'a ClaimedJob,
    pub stop: &'a CancellationToken,
    pub files: Option<&'a dyn FileSource>,
    pub connection: Connection,
    pub vendor: &'static str,
    pub connector: Box<dyn Connector>,
}

impl Engine {
    /// Carries what waits to a PSA, and takes what it tells.
    pub(crate) async fn ticket_pass(
        &self,
        claimed: &ClaimedJob,
        stop: &CancellationToken,
        taker: Option<&dyn TicketTaker>,
        files: Option<&dyn FileSource>,
    ) -> Ended {
        let now = self.store.clock().now();
        match self.ticket_pass_whole(claimed, stop, taker, files).await {
            Ok(ended) => ended,
            Err(Halt::Stopped) => Ended::Later(now),
            Err(Halt::Store(Error::Conflict { code: "lease_lost", .. })) => Ended::Lost,
            Err(Halt::Store(Error::NotFound { .. })) => Ended::Finish(JobOutcome::Done),
            Err(Halt::Vendor(error)) => {
                let why = error.to_string();
                let wait = match error.retry {
                    Retry::After(wait) => TimeDelta::from_std(wait).unwrap_or(TimeDelta::seconds(WAITS.1)),
                    Retry::Yes | Retry::No => self.ticket_wait(claimed).await,
                };
                if let Err(error) = self.ticket_say(claimed, &why).await {
                    tracing::warn!(job = %claimed.id, %error, "why tickets wait could not be noted");
                }
                // However long a PSA is away: what waits for it is never given up.
                Ended::Delayed(self.store.clock().now() + wait, why)
            }
            Err(Halt::Store(error)) => {
                tracing::warn!(job = %claimed.id, ?error, "tickets could not be carried");
                Ended::Delayed(now + TimeDelta::seconds(WAITS.0), error.to_string())
            }
        }
    }

    /// Half as long as the oldest has waited, within bounds.
    async fn ticket_wait(&self, claimed: &ClaimedJob) -> TimeDelta {
        let oldest = async {
            let tx = self.ticket_tx(claimed, claimed.connection).await?;
            let waiting =
                tx.ticket_sendings_waiting(claimed.connection.unwrap_or(ConnectionId(claimed.id.0)), 1).await?;
            Ok::<_, Error>(waiting.first().map(|one| tx.now() - one.queued_at))
        };
        let waited = oldest.await.ok().flatten().map_or(0, |waited| waited.num_seconds());
        TimeDelta::seconds((waited / 2).clamp(WAITS.0, WAITS.1))
    }

    async fn ticket_tx(&self, claimed: &ClaimedJob, connection: Option<ConnectionId>) -> Result<Tx> {
        let name = connection.map(|id| id.to_string()).unwrap_or_default();
        self.store
            .read(Context::worker(claimed.organisation, self.store.clock().now(), format!("tickets {name}")))
            .await
    }

    /// Says on everything that waits why it does.
    async fn ticket_say(&self, claimed: &ClaimedJob, why: &str) -> Result<()> {
        let Some(connection) = claimed.connection else { return Ok(()) };
        let context = Context::worker(claimed.organisation, self.store.clock().now(), format!("tickets {connection}"));
        let tx = self.store.begin(context).await?;
        for sending in tx.ticket_sendings_waiting(connection, MOST).await? {
            if sending.state == TicketSendingState::Queued && sending.problem.as_deref() != Some(why) {
                tx.ticket_sending_say(sending.id, why).await?;
            }
        }
        tx.commit_unjournalled().await
    }

    async fn ticket_pass_whole(
        &self,
        claimed: &ClaimedJob,
        stop: &CancellationToken,
        taker: Option<&dyn TicketTaker>,
        files: Option<&dyn FileSource>,
    ) -> Result<Ended, Halt> {
        let finished = Ok(Ended::Finish(JobOutcome::Done));
        let Ok(Payload { connection_id }) = serde_json::from_str(&claimed.payload) else {
            return Ok(Ended::Finish(JobOutcome::Failed("the job's payload is of another version".to_owned())));
        };
        let tx = self.ticket_tx(claimed, Some(connection_id)).await?;
        let connection = tx.connection(connection_id).await?;
        if !connection.state.syncs() {
            drop(tx);
            let why = format!("{} is {}.", connection.name, connection.state.as_str());
            // The sync that follows its being reconnected goes on with it.
            self.ticket_say(claimed, &why).await?;
            return finished;
        }
        let credentials = tx.connection_credentials(connection_id).await?;
        tx.rollback().await?;
        let connector = self.connect(claimed.organisation, &connection, &credentials, false)?;
        let vendor = self.entry(&connection.integration)?.name;
        let pass = Pass { engine: self, claimed, stop, files, connection, vendor, connector };
        if pass.connector.ticket_writes().is_none() {
            return finished;
        }
        let wait = pass.carry().await?;
        if let Some(taker) = taker {
            pass.take(taker).await?;
        }
        Ok(match wait {
            Some(wait) => Ended::Delayed(self.store.clock().now() + wait, "some of it waits for an answer".to_owned()),
            None => Ended::Finish(JobOutcome::Done),
        })
    }
}

impl Pass<'_> {
    /// A transaction that fails unless the lease holds; with it the pass gets further.
    pub async fn begin(&self) -> Result<Tx> {
        let tx = self.engine.store.begin(self.context()).await?;
        tx.job_further(self.claimed).await?;
        Ok(tx)
    }

    pub async fn read(&self) -> Result<Tx> {
        self.engine.store.read(self.context()).await
    }

    pub fn context(&self) -> Context {
        let now = self.engine.store.clock().now();
        Context::worker(self.claimed.organisation, now, format!("tickets {}", self.connection.id))
    }

    pub fn going_on(&self) -> Result<(), Halt> {
        if self.stop.is_cancelled() { Err(Halt::Stopped) } else { Ok(()) }
    }

    /// Does what waits, in order; of each ticket nothing before what it comes after. Answers when to look again, where
    /// something waits that no sync tells of.
    async fn carry(&self) -> Result<Option<TimeDelta>, Halt> {
        let tx = self.read().await?;
        let waiting = tx.ticket_sendings_waiting(self.connection.id, MOST).await?;
        tx.rollback().await?;
        let mut held: HashSet<PortalTicketId> = HashSet::new();
        let mut again: Option<TimeDelta> = None;
        for sending in waiting {
            self.going_on()?;
            if held.contains(&sending.ticket_id) {
                continue;
            }
            if let Step::Wait(wait) = self.one(&sending).await? {
                held.insert(sending.ticket_id);
                again = [again, wait].into_iter().flatten().min();
            }
        }
        Ok(again)
    }

    async fn one(&self, sending: &TicketSending) -> Result<Step, Halt> {
        match sending.state {
            TicketSendingState::Queued => self.send(sending).await,
            TicketSendingState::Sending | TicketSendingState::Unknown => self.settle(sending).await,
            TicketSendingState::Sent | TicketSendingState::Refused => Ok(Step::On),
        }
    }
}
