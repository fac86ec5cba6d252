//! Putting syncs on the queue.

use chrono::TimeDelta;
use domain::{Connection, ConnectionId, Error, Result, Trigger};
use integration::RecordKind;
use persistence::{NewJob, Tx};

use crate::{
    Engine, SyncPayload,
    job::{ATTEMPTS, KIND},
};

/// What a request for a sync came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Whether a sync of this connection waited or ran already; one that waited was brought forward.
    pub pending: bool,
}

/// The key under which only one sync of a connection waits or runs.
pub fn sync_key(connection: ConnectionId) -> String {
    format!("sync:{connection}")
}

/// Puts a sync on the queue. False when one waits or runs already.
pub(crate) async fn enqueue(tx: &Tx, payload: &SyncPayload) -> Result<bool> {
    let key = sync_key(payload.connection_id);
    // Asked first: on PostgreSQL the insert would wait for a page of a running job, which may itself wait for
    // the connection that this transaction holds.
    if tx.job_pending(&key).await?.is_some() {
        return Ok(false);
    }
    let job = NewJob {
        kind: KIND.to_owned(),
        payload: serde_json::to_string(payload).map_err(Error::internal)?,
        unique_key: key,
        // A person waits for theirs.
        priority: match payload.trigger {
            Trigger::Schedule => 0,
            Trigger::Webhook => 5,
            Trigger::Manual | Trigger::Connected => 10,
        },
        run_at: tx.now(),
        max_attempts: ATTEMPTS,
    };
    tx.job_enqueue(&job).await
}

/// Puts a sync of a connection on the queue, or hurries the one that waits. Refused while the connection
/// does not work.
pub(crate) async fn start(
    tx: &Tx,
    connection: &Connection,
    kinds: Option<Vec<RecordKind>>,
    trigger: Trigger,
) -> Result<Started> {
    if !connection.state.syncs() {
        return Err(Error::conflict(
            "not_connected",
            format!("{} is {}: reconnect it before it can be synced.", connection.name, connection.state.as_str()),
        ));
    }
    let payload = SyncPayload { connection_id: connection.id, trigger, kinds, release: None };
    let new = enqueue(tx, &payload).await?;
    if !new {
        tx.job_hurry(&sync_key(connection.id)).await?;
    }
    Ok(Started { pending: !new })
}

impl Engine {
    /// Puts every connection whose time has come on the queue; returns how many that were.
    pub async fn schedule(&self) -> Result<usize> {
        let across = self.store.across_read().await?;
        let due = across.organisations_due(self.store.clock().now()).await?;
        drop(across);
        let mut enqueued = 0;
        for organisation in due {
            let tx = self.begin(organisation, "schedule").await?;
            for connection in tx.connections_due().await? {
                let quiet = tx.connection_quiet(connection.id).await?;
                if let Some(end) = quiet.and_then(|(hours, _)| hours.ends_at(tx.now())) {
                    tx.connection_schedule(connection.id, Some(end), None).await?;
                    continue;
                }
                let payload = SyncPayload {
                    connection_id: connection.id,
                    trigger: Trigger::Schedule,
                    kinds: None,
                    release: None,
                };
                let new = enqueue(&tx, &payload).await?;
                enqueued += usize::from(new);
                // The job sets the time anew when it ends. If it never does, this one counts.
                let minutes = if new { i64::from(connection.cadence_minutes) } else { 1 };
                let next = tx.now() + TimeDelta::minutes(minutes);
                tx.connection_schedule(connection.id, Some(next), None).await?;
            }
            tx.commit_unjournalled().await?;
        }
        self.webhooks_schedule().await?;
        Ok(enqueued)
    }
}
