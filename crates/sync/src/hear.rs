//! Webhooks of vendors. A delivery is checked, heard once, and becomes a read of what it names: its own words are
//! never stored, because a vendor may send them late, twice or out of order.

use chrono::TimeDelta;
use domain::{Connection, ConnectionId, Context, Error, OrganisationId, Result, Trigger};
use integration::{Delivery, Entry, Kind, RecordKind, Secret};
use persistence::{ClaimedJob, JobOutcome, NewJob, Tx};
use serde::{Deserialize, Serialize};

use crate::{Ended, Engine, SyncPayload, connections::managed, engine, queue};

/// Kind of the jobs of this file.
pub(crate) const KIND: &str = "hear";

/// How long a delivery is remembered: longer than any vendor repeats one.
pub(crate) const REMEMBERED: TimeDelta = TimeDelta::days(7);

/// How long deliveries of one kind are gathered before they are acted on.
const GATHER: TimeDelta = TimeDelta::seconds(2);

/// How long a read waits for the sync under way.
const BEHIND: TimeDelta = TimeDelta::seconds(5);

/// Most events that one delivery may name.
const MOST: usize = 1_000;

/// What a job of this file is told.
#[derive(Serialize, Deserialize)]
struct Payload {
    connection_id: ConnectionId,
    kind: RecordKind,
}

/// Gives a connection the secret that its vendor's webhooks carry: a new one, or one that the vendor made. It
/// takes the place of the one before.
pub async fn webhook_set(
    tx: &Tx,
    entries: &'static [Entry],
    id: ConnectionId,
    secret: Option<String>,
    made: impl FnOnce() -> String,
) -> Result<(Connection, String)> {
    let connection = managed(tx, entries, id).await?;
    let vendor = engine::entry(entries, &connection.integration)?;
    if vendor.capabilities().iter().all(|capability| capability.name != "webhooks") {
        return Err(Error::conflict("not_offered", format!("{} sends no webhooks that are known here.", vendor.name)));
    }
    let secret = match secret {
        Some(secret) if !(16..=500).contains(&secret.len()) || secret.trim() != secret => {
            return Err(Error::invalid(
                "/secret",
                "not_a_secret",
                "must have 16 to 500 characters, with no space around them; leave it out to have one made",
            ));
        }
        Some(secret) => secret,
        None => made(),
    };
    tx.webhook_seal(id, Some(&secret)).await?;
    Ok((connection, secret))
}

/// Hears no more webhooks for a connection.
pub async fn webhook_unset(tx: &Tx, entries: &'static [Entry], id: ConnectionId) -> Result<Connection> {
    let connection = managed(tx, entries, id).await?;
    tx.webhook_seal(id, None).await?;
    Ok(connection)
}

fn unheard() -> Error {
    Error::Unauthenticated
}

impl Engine {
    /// The address to enter at the vendor of a connection: ours, with the secret in it where it is carried there.
    pub async fn webhook_address(&self, tx: &Tx, connection: &Connection, ours: &str, secret: &str) -> Result<String> {
        let credentials = tx.connection_credentials(connection.id).await?;
        let connector = self
            .connect(tx.organisation(), connection, &credentials, true)
            .map_err(|error| crate::vendor_error(&error))?;
        let address = connector.webhooks().map(|hears| hears.address(ours, &Secret::new(secret.to_owned())));
        Ok(address.unwrap_or_else(|| ours.to_owned()))
    }

    /// Takes one delivery for a connection; returns how many events of it were new. Whatever is wrong with it, the
    /// answer is the same: who cannot sign learns nothing, not even whether there is such a connection.
    pub async fn webhook_hear(
        &self,
        organisation: OrganisationId,
        id: ConnectionId,
        delivery: &Delivery,
    ) -> Result<usize> {
        let context = Context::worker(organisation, self.store.clock().now(), "webhook");
        let tx = self.store.read(context).await?;
        let connection = tx.connection(id).await.map_err(hidden)?;
        let secret = tx.webhook_secret(id).await?.ok_or_else(unheard)?;
        let credentials = tx.connection_credentials(id).await.map_err(hidden)?;
        drop(tx);
        // Without a transaction: some vendors' keys are fetched.
        let connector = self.connect(organisation, &connection, &credentials, true).map_err(|_| unheard())?;
        let hears = connector.webhooks().ok_or_else(unheard)?;
        let heard = match hears.hear(delivery, &Secret::new(secret)).await {
            Ok(heard) => heard,
            Err(error) if matches!(error.kind, Kind::Unavailable | Kind::Throttled) => {
                return Err(Error::Busy("the vendor's key could not be fetched: send it again".to_owned()));
            }
            Err(error) => {
                tracing::info!(connection = %id, %error, "a webhook was refused");
                return Err(unheard());
            }
        };
        if !connection.state.syncs() {
            return Ok(0);
        }
        let tx = self.begin(organisation, "webhook").await?;
        let mut new = 0;
        for event in heard.into_iter().take(MOST) {
            let key: String = event.delivery_id.chars().take(200).collect();
            if !tx.delivery_hear(id, &key).await? {
                continue;
            }
            new += 1;
            let payload = Payload { connection_id: id, kind: event.kind };
            let job = NewJob {
                kind: KIND.to_owned(),
                payload: serde_json::to_string(&payload).map_err(Error::internal)?,
                unique_key: format!("hear:{id}:{}", event.kind.as_str()),
                priority: 5,
                run_at: tx.now() + GATHER,
                max_attempts: 12,
            };
            tx.job_enqueue(&job).await?;
        }
        tx.commit_unjournalled().await?;
        Ok(new)
    }

    /// Starts the read that a delivery asked for, as soon as no other sync of the connection is under way: one that
    /// runs may have read the kind before it changed.
    pub(crate) async fn hear(&self, claimed: &ClaimedJob) -> Ended {
        match self.heard(claimed).await {
            Ok(ended) => ended,
            Err(Error::NotFound { .. }) => Ended::Finish(JobOutcome::Done),
            Err(error) => {
                let at = self.store.clock().now() + BEHIND;
                Ended::Finish(JobOutcome::Retry(at, error.to_string()))
            }
        }
    }

    async fn heard(&self, claimed: &ClaimedJob) -> Result<Ended> {
        let Ok(payload) = serde_json::from_str::<Payload>(&claimed.payload) else {
            return Ok(Ended::Finish(JobOutcome::Failed("the job's payload is of another version".to_owned())));
        };
        let tx = self.begin(claimed.organisation, &format!("job {}", claimed.id)).await?;
        tx.job_fence(claimed).await?;
        let connection = tx.connection(payload.connection_id).await?;
        if !connection.state.syncs() {
            return Ok(Ended::Finish(JobOutcome::Done));
        }
        let sync = SyncPayload {
            connection_id: connection.id,
            trigger: Trigger::Webhook,
            kinds: Some(vec![payload.kind]),
            release: None,
        };
        let begun = queue::enqueue(&tx, &sync).await?;
        tx.commit_unjournalled().await?;
        Ok(if begun { Ended::Finish(JobOutcome::Done) } else { Ended::Later(self.store.clock().now() + BEHIND) })
    }
}

fn hidden(error: Error) -> Error {
    match error {
        Error::NotFound { .. } | Error::Conflict { .. } => unheard(),
        other => other,
    }
}
