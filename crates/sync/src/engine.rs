//! The engine: what it is handed, and how it reaches a vendor.

use std::{sync::Arc, time::Duration};

use domain::{Connection, ConnectionId, Context, Error, OrganisationId, Result};
use integration::{Connector, Entry, Transport};
use persistence::{ClaimedJob, JobOutcome, PSA_JOB, Store, Tx};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{
    device_names,
    grants::{Granting, StoredGrant},
    hear,
    job::{self, Ended},
    journal_checkpoints,
    psa::Likeness,
    reminders, replay, snapshots,
};

/// Gives each connection its transport: one budget for everything that talks to the same account.
pub trait Dial: Send + Sync {
    /// The transport of a connection. `interactive` is for a person who waits: it may use the share of the
    /// budget that syncs leave free.
    fn transport(&self, connection: ConnectionId, interactive: bool) -> Arc<dyn Transport>;

    /// What the syncs of a connection wait for in this process, if a call of theirs is under way.
    fn waiting(&self, _connection: ConnectionId) -> Option<Waiting> {
        None
    }
}

/// What the syncs of a connection wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// For how long the oldest call to the vendor has had no answer.
    pub since: Duration,
    /// For how long the vendor still wants nothing to be sent; zero where it has not said so.
    pub closed_for: Duration,
}

/// Talks to vendors and stores what they say. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    /// The database.
    pub store: Store,
    /// Every vendor of this build.
    pub entries: &'static [Entry],
    /// How vendors are reached.
    pub dial: Arc<dyn Dial>,
}

impl Engine {
    /// Does a job of the queue. `stop` asks it to end at the next page. A connector that panics takes the
    /// call with it: run it in a task of its own.
    pub async fn handle(&self, job: &ClaimedJob, stop: &CancellationToken) -> Ended {
        self.handle_with(job, stop, None).await
    }

    /// The same; `likeness` is what keeps clients and companies from being made twice.
    pub async fn handle_with(
        &self,
        job: &ClaimedJob,
        stop: &CancellationToken,
        likeness: Option<&dyn Likeness>,
    ) -> Ended {
        match job.kind.as_str() {
            PSA_JOB => self.psa_pass(job, stop, likeness).await,
            job::KIND => self.sync_connection(job, stop).await,
            hear::KIND => self.hear(job).await,
            replay::KIND => self.replay(job, stop).await,
            snapshots::KIND => self.snapshots(job, stop).await,
            journal_checkpoints::KIND => self.journal_checkpoint(job).await,
            device_names::KIND => self.device_names(job, stop).await,
            reminders::KIND => self.reminders(job, stop).await,
            other => Ended::Finish(JobOutcome::Failed(format!("this version knows no jobs of the kind {other}"))),
        }
    }

    /// The vendor of this id.
    pub fn entry(&self, integration: &str) -> Result<&'static Entry> {
        entry(self.entries, integration)
    }

    /// A transaction of the worker's own.
    pub(crate) async fn begin(&self, organisation: OrganisationId, request: &str) -> Result<Tx> {
        self.store.begin(Context::worker(organisation, self.store.clock().now(), request)).await
    }

    /// The connector of a stored connection.
    pub(crate) fn connect(
        &self,
        organisation: OrganisationId,
        connection: &Connection,
        credentials: &Value,
        interactive: bool,
    ) -> Result<Box<dyn Connector>, integration::Error> {
        let entry = self
            .entry(&connection.integration)
            .map_err(|error| integration::Error::new(integration::Kind::Refused, error.to_string()))?;
        let none = Map::new();
        let values = credentials.as_object().unwrap_or(&none);
        let mut transport = self.dial.transport(connection.id, interactive);
        if let Some(field) = entry.consent_field() {
            let grants = StoredGrant {
                store: self.store.clone(),
                organisation,
                connection: connection.id,
                field,
                vendor: entry.name,
            };
            transport = Arc::new(Granting { inner: transport, grants: Arc::new(grants) });
        }
        entry.connect(values, transport).map_err(|mistakes| {
            let fields: Vec<_> = mistakes.iter().map(|mistake| mistake.field.as_str()).collect();
            let message = format!(
                "the stored credentials of {} do not fit this version ({}): reconnect it",
                entry.name,
                fields.join(", ")
            );
            integration::Error::new(integration::Kind::Credentials, message)
        })
    }
}

/// The vendor of this id.
pub(crate) fn entry(entries: &'static [Entry], integration: &str) -> Result<&'static Entry> {
    entries.iter().find(|entry| entry.id == integration).ok_or(Error::NotFound { what: "integration" })
}
