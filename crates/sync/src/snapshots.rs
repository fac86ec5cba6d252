//! What each client had on a day: devices, users, licences and subscriptions, as its vendors told. Taken once a day
//! for each client; `reconcile.rs` holds the parts of one against one another.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use domain::{ClientId, Entity, EntityId, Error, OrganisationId, Record, Result, Timestamp};
use integration::{Exact, Licence, Subscription};
use persistence::{ClaimedJob, JobOutcome, NewJob, Tx};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio_util::sync::CancellationToken;

use crate::{Ended, Engine};

/// Kind of the jobs of this file.
pub(crate) const KIND: &str = "snapshots";

/// Days that snapshots are kept.
pub(crate) const KEPT_DAYS: i64 = 400;

/// Clients of one transaction.
const CHUNK: u64 = 50;

/// How many of something a vendor knows of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountOf {
    /// Which vendor.
    pub integration: String,
    /// How many; `None` while it was never listed to the end.
    pub count: Option<i64>,
}

/// Seats of one product at a vendor, over all tenants of the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenceOf {
    /// Which vendor.
    pub integration: String,
    /// Product in people's words.
    pub name: String,
    /// Seats owned.
    pub total: Option<i64>,
    /// Seats in use.
    pub used: Option<i64>,
}

/// A subscription in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionOf {
    /// Which vendor.
    pub integration: String,
    /// Product in people's words.
    pub product: String,
    /// Seats or units.
    pub quantity: Option<Exact>,
}

/// How old what a vendor said of a kind of record was when it was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeOf {
    /// Which vendor.
    pub integration: String,
    /// Kind of record.
    pub kind: String,
    /// When the oldest of it was true at the vendor; `None` while some was never listed to the end.
    pub synced_at: Option<Timestamp>,
    /// Whether it was older than it should have been, or its connection did not work.
    pub stale: bool,
}

/// What a client has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// Devices, by vendor.
    pub devices: Vec<CountOf>,
    /// Directory users, by vendor.
    pub users: Vec<CountOf>,
    /// Licences that are counted.
    pub licences: Vec<LicenceOf>,
    /// Subscriptions in force.
    pub subscriptions: Vec<SubscriptionOf>,
    /// How old all of it was; snapshots of before this was kept have none.
    pub ages: Vec<AgeOf>,
}

/// The kinds of record that a snapshot is made of.
const KINDS: [&str; 4] = ["device", "directory_user", "licence", "subscription"];

/// Words of vendors for a subscription that is no more.
const ENDED: [&str; 6] = ["cancelled", "canceled", "expired", "deleted", "terminated", "ended"];

/// Which vendors list devices and directory users: asked of every connector once.
#[derive(Clone, Debug)]
pub struct Counting(HashSet<(&'static str, &'static str)>);

impl Engine {
    /// Which vendors count what.
    pub fn counting(&self) -> Counting {
        let of = |entry: &'static integration::Entry| {
            entry.capabilities().into_iter().map(move |capability| (entry.id, capability.name))
        };
        Counting(self.entries.iter().flat_map(of).collect())
    }

    /// What a client has now.
    pub async fn snapshot_now(&self, tx: &Tx, client: ClientId, counting: &Counting) -> Result<Snapshot> {
        let entities = tx.entities_of_client(client).await?;
        let connections: Vec<_> =
            entities.iter().map(|entity| entity.connection_id).collect::<HashSet<_>>().into_iter().collect();
        let listed: HashMap<_, _> = tx
            .listings(&connections)
            .await?
            .into_iter()
            .filter_map(|listing| Some(((listing.connection_id, listing.kind, listing.entity), listing.complete_at?)))
            .collect();
        // When all that an entity has of a kind was listed to the end; nothing where its vendor has no such kind.
        let known = |entity: &Entity, kind: &str| -> Option<Option<Timestamp>> {
            counting.0.contains(&(entity.integration.as_str(), kind)).then(|| {
                let place = |at: &str| (entity.connection_id, kind.to_owned(), at.to_owned());
                listed.get(&place("")).or_else(|| listed.get(&place(&entity.vendor_id))).copied()
            })
        };
        let counts = |kind: &str, count: fn(&Entity) -> i32| {
            let mut by: BTreeMap<&str, Option<i64>> = BTreeMap::new();
            for entity in &entities {
                let Some(sure) = known(entity, kind) else { continue };
                let more = sure.map(|_| i64::from(count(entity)));
                let sum = by.entry(&entity.integration).or_insert(Some(0));
                *sum = sum.zip(more).map(|(sum, more)| sum + more);
            }
            by.into_iter().map(|(integration, count)| CountOf { integration: integration.to_owned(), count }).collect()
        };
        let devices = counts("device", |entity| entity.device_count);
        let users = counts("directory_user", |entity| entity.user_count);
        let ids: Vec<EntityId> = entities.iter().map(|entity| entity.id).collect();
        let vendors: HashMap<EntityId, (&str, String)> = entities
            .iter()
            .map(|entity| (entity.id, (entity.integration.as_str(), entity.vendor_id.to_ascii_lowercase())))
            .collect();
        let (mut licences, mut told): (Vec<LicenceOf>, _) = (Vec::new(), HashSet::new());
        for record in tx.records_under(&ids, "licence").await? {
            let licence: Licence = body(&record)?;
            let Some((integration, tenant)) = vendors.get(&record.entity_id) else { continue };
            // Two tools may tell of one tenant.
            if licence.unlimited || !told.insert((tenant.clone(), licence.part_number.clone(), licence.name.clone())) {
                continue;
            }
            // The client's tenants together.
            let same = |known: &&mut LicenceOf| known.integration == *integration && known.name == licence.name;
            if let Some(known) = licences.iter_mut().find(same) {
                known.total = known.total.zip(licence.total).map(|(known, more)| known + more);
                known.used = known.used.zip(licence.used).map(|(known, more)| known + more);
                continue;
            }
            licences.push(LicenceOf {
                integration: (*integration).to_owned(),
                name: licence.name,
                total: licence.total,
                used: licence.used,
            });
        }
        let mut subscriptions = Vec::new();
        for record in tx.records_under(&ids, "subscription").await? {
            let subscription: Subscription = body(&record)?;
            let Some((integration, _)) = vendors.get(&record.entity_id) else { continue };
            if ENDED.contains(&subscription.status.to_lowercase().as_str()) {
                continue;
            }
            subscriptions.push(SubscriptionOf {
                integration: (*integration).to_owned(),
                product: subscription.product,
                quantity: subscription.quantity,
            });
        }
        let told_by: HashMap<_, _> =
            tx.connections().await?.into_iter().map(|connection| (connection.id, connection)).collect();
        let mut ages: BTreeMap<(&str, &str), AgeOf> = BTreeMap::new();
        for (entity, kind) in entities.iter().flat_map(|entity| KINDS.map(|kind| (entity, kind))) {
            let (Some(synced_at), Some(connection)) = (known(entity, kind), told_by.get(&entity.connection_id)) else {
                continue;
            };
            let stale = entity.removed_at.is_some() || connection.is_stale(synced_at, tx.now());
            let age = ages.entry((entity.integration.as_str(), kind)).or_insert_with(|| AgeOf {
                integration: entity.integration.clone(),
                kind: kind.to_owned(),
                synced_at,
                stale,
            });
            age.synced_at = age.synced_at.zip(synced_at).map(|(one, other)| one.min(other));
            age.stale |= stale;
        }
        Ok(Snapshot { devices, users, licences, subscriptions, ages: ages.into_values().collect() })
    }

    /// What a client had on a day, with the instant at which it was looked at.
    pub async fn snapshot_of(&self, tx: &Tx, client: ClientId, day: NaiveDate) -> Result<(Snapshot, Timestamp)> {
        let stored = tx.snapshot(client, Some(day)).await?.ok_or(Error::NotFound { what: "snapshot of that day" })?;
        Ok((serde_json::from_str(&stored.body).map_err(Error::internal)?, stored.taken_at))
    }

    /// Puts the taking of today's snapshots of an organisation on the queue.
    pub async fn snapshots_enqueue(&self, organisation: OrganisationId) -> Result<()> {
        let tx = self.begin(organisation, "snapshots").await?;
        self.snapshots_due(&tx).await?;
        tx.commit_unjournalled().await
    }

    /// The same within a transaction; nothing where every client has its own.
    pub(crate) async fn snapshots_due(&self, tx: &Tx) -> Result<()> {
        let today = tx.now().date_naive();
        if tx.clients_without_snapshot(today, 1).await?.is_empty() {
            return Ok(());
        }
        let job = NewJob {
            kind: KIND.to_owned(),
            payload: "{}".to_owned(),
            unique_key: KIND.to_owned(),
            priority: 0,
            run_at: tx.now(),
            max_attempts: 12,
        };
        tx.job_enqueue(&job).await.map(drop)
    }

    /// Takes today's snapshot of every client that lacks it.
    pub(crate) async fn snapshots(&self, claimed: &ClaimedJob, stop: &CancellationToken) -> Ended {
        match self.snapshots_take(claimed, stop).await {
            Ok(ended) => ended,
            Err(Error::Conflict { code: "lease_lost", .. }) => Ended::Lost,
            Err(error) => {
                let at = self.store.clock().now() + chrono::TimeDelta::seconds(30);
                Ended::Finish(JobOutcome::Retry(at, error.to_string()))
            }
        }
    }

    async fn snapshots_take(&self, claimed: &ClaimedJob, stop: &CancellationToken) -> Result<Ended> {
        let counting = self.counting();
        loop {
            if stop.is_cancelled() {
                return Ok(Ended::Later(self.store.clock().now()));
            }
            let tx = self.begin(claimed.organisation, &format!("job {}", claimed.id)).await?;
            tx.job_further(claimed).await?;
            let clients = tx.clients_without_snapshot(tx.now().date_naive(), CHUNK).await?;
            if clients.is_empty() {
                return Ok(Ended::Finish(JobOutcome::Done));
            }
            for client in clients {
                let snapshot = self.snapshot_now(&tx, client, &counting).await?;
                tx.snapshot_keep(client, serde_json::to_string(&snapshot).map_err(Error::internal)?).await?;
            }
            tx.commit_unjournalled().await?;
        }
    }
}

fn body<T: DeserializeOwned>(record: &Record) -> Result<T> {
    serde_json::from_str(&record.body).map_err(Error::internal)
}
