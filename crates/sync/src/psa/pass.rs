//! The pass over one connection.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::TimeDelta;
use domain::{
    Client, ClientId, Connection, ConnectionId, Entity, EntityId, Error, PsaConflict, PsaConflictKind, PsaDirection,
    PsaField, PsaSettings, Result,
};
use integration::{Connector, Kind, RecordKind};
use persistence::{ClaimedJob, JobOutcome, PassNote, Tx};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{
    Likeness,
    look::{Found, agreed, look, waits},
    values::{Company, give, main_contact, ours},
};
use crate::{Ended, Engine, queue::sync_key, trouble};

/// Companies that are held against their clients in one transaction.
const PAGE: u64 = 200;
/// How long a pass waits for the sync under way, which may yet store what is no longer true.
const BEHIND: TimeDelta = TimeDelta::seconds(5);
/// How long it waits for an answer that another process waits for.
pub(super) const UNDER_WAY: TimeDelta = TimeDelta::seconds(60);

#[derive(Deserialize)]
struct Payload {
    connection_id: ConnectionId,
}

/// Why a pass does not come to its end now.
#[derive(Debug)]
pub(super) enum Halt {
    /// Told to stop.
    Stopped,
    /// To go on after this long, for this reason.
    Wait(TimeDelta, String),
    /// The PSA failed.
    Vendor(integration::Error),
    /// The store failed, or the lease was lost.
    Store(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<integration::Error> for Halt {
    fn from(error: integration::Error) -> Self {
        Self::Vendor(error)
    }
}

impl Halt {
    /// What is wrong with one company alone, so that the others are gone on with. What passes by itself, and credentials
    /// that the PSA does not accept, are everybody's trouble and stay what they are.
    pub fn of_one(self) -> Result<integration::Error, Self> {
        match self {
            Self::Vendor(error) if !trouble::passes(&error) && error.kind != Kind::Credentials => Ok(error),
            halt => Err(halt),
        }
    }
}

/// Everything that the parts of a pass share.
pub(super) struct Pass<'a> {
    pub engine: &'a Engine,
    pub claimed: &'a ClaimedJob,
    pub stop: &'a CancellationToken,
    pub connection: Connection,
    pub settings: PsaSettings,
    pub connector: Box<dyn Connector>,
    pub likeness: Option<&'a dyn Likeness>,
    /// Clients of which nobody knows yet whether a company was made.
    pub unsettled: HashSet<ClientId>,
    /// Of each client the company that was mapped to it first: another one of the same PSA is left alone.
    pub first: HashMap<ClientId, EntityId>,
}

/// Companies with all that is known of them and of their clients.
pub(super) struct Pages {
    pub companies: Vec<(Company, Client, Vec<persistence::Agreed>)>,
    pub conflicts: HashMap<domain::PsaConflictId, PsaConflict>,
}

impl Engine {
    /// Brings clients and companies of a connection together.
    pub(crate) async fn psa_pass(
        &self,
        claimed: &ClaimedJob,
        stop: &CancellationToken,
        likeness: Option<&dyn Likeness>,
    ) -> Ended {
        let now = self.store.clock().now();
        let done = self.psa_pass_whole(claimed, stop, likeness).await;
        let ended = match done {
            Ok(ended) => return ended,
            Err(Halt::Stopped) => return Ended::Later(now),
            Err(Halt::Store(Error::Conflict { code: "lease_lost", .. })) => return Ended::Lost,
            Err(Halt::Store(Error::NotFound { .. })) => return Ended::Finish(JobOutcome::Done),
            Err(Halt::Wait(wait, why)) => Ended::Delayed(now + wait, why),
            Err(Halt::Vendor(error)) if trouble::passes(&error) => {
                let at = trouble::try_again(&error, now, claimed.attempt, self.store.chance().as_ref());
                Ended::Finish(JobOutcome::Retry(at, error.to_string()))
            }
            Err(Halt::Vendor(error)) => Ended::Finish(JobOutcome::Failed(error.to_string())),
            Err(Halt::Store(error)) => {
                tracing::warn!(job = %claimed.id, ?error, "a PSA pass failed on our side");
                let at = trouble::try_again_at(now, None, claimed.attempt, self.store.chance().as_ref());
                Ended::Finish(JobOutcome::Retry(at, error.to_string()))
            }
        };
        let why = match &ended {
            Ended::Finish(JobOutcome::Retry(_, why) | JobOutcome::Failed(why)) | Ended::Delayed(_, why) => why.clone(),
            _ => return ended,
        };
        if let Err(error) = self.psa_say(claimed, why).await {
            tracing::warn!(job = %claimed.id, %error, "why a PSA pass waits could not be noted");
        }
        ended
    }

    /// Says on the settings why the pass is not through.
    async fn psa_say(&self, claimed: &ClaimedJob, why: String) -> Result<()> {
        let Some(connection) = claimed.connection else { return Ok(()) };
        let tx = self.store.begin(self.store.psa_context(claimed.organisation, connection)).await?;
        tx.psa_pass_note(connection, &PassNote { passed_at: None, error: Some(why) }).await?;
        tx.commit_unjournalled().await
    }

    async fn psa_pass_whole(
        &self,
        claimed: &ClaimedJob,
        stop: &CancellationToken,
        likeness: Option<&dyn Likeness>,
    ) -> Result<Ended, Halt> {
        let finished = Ok(Ended::Finish(JobOutcome::Done));
        let Ok(Payload { connection_id }) = serde_json::from_str(&claimed.payload) else {
            return Ok(Ended::Finish(JobOutcome::Failed("the job's payload is of another version".to_owned())));
        };
        let tx = self.store.read(self.store.psa_context(claimed.organisation, connection_id)).await?;
        let connection = tx.connection(connection_id).await?;
        let settings = tx.psa_settings(connection_id).await?;
        if settings.direction == PsaDirection::Off || !connection.state.syncs() {
            return finished;
        }
        if tx.job_pending(&sync_key(connection_id)).await?.is_some_and(|job| job.state == "running") {
            return Err(Halt::Wait(BEHIND, "it goes on when the sync under way has ended".to_owned()));
        }
        let touched = tx.psa_touched(connection_id).await?;
        let credentials = tx.connection_credentials(connection_id).await?;
        tx.rollback().await?;
        let connector = self.connect(claimed.organisation, &connection, &credentials, false)?;
        let first = HashMap::new();
        let mut pass = Pass {
            engine: self,
            claimed,
            stop,
            connection,
            settings,
            connector,
            likeness,
            unsettled: HashSet::new(),
            first,
        };
        if pass.connector.company_writes().is_none() {
            return finished;
        }
        pass.unsettled = pass.settle_made().await?;
        pass.first = pass.firsts().await?;
        let unread = pass.read_alone().await?;
        let (take, send) = pass.walk().await?;
        pass.take(&take).await?;
        for entity in send {
            pass.send(entity).await?;
        }
        pass.make_companies().await?;
        let tx = pass.begin().await?;
        if tx.psa_touched(connection_id).await? != touched {
            return Ok(Ended::Later(tx.now()));
        }
        tx.psa_pass_note(connection_id, &PassNote { passed_at: Some(tx.now()), error: unread }).await?;
        tx.commit_unjournalled().await?;
        finished
    }
}

impl Pass<'_> {
    /// A transaction that fails unless the lease holds; with it the pass gets further.
    pub async fn begin(&self) -> Result<Tx> {
        let store = &self.engine.store;
        let tx = store.begin(store.psa_context(self.claimed.organisation, self.connection.id)).await?;
        tx.job_further(self.claimed).await?;
        Ok(tx)
    }

    pub async fn read(&self) -> Result<Tx> {
        let store = &self.engine.store;
        store.read(store.psa_context(self.claimed.organisation, self.connection.id)).await
    }

    pub fn going_on(&self) -> Result<(), Halt> {
        if self.stop.is_cancelled() { Err(Halt::Stopped) } else { Ok(()) }
    }

    pub fn listed_whole(&self) -> bool {
        self.connector.company_writes().is_none_or(|writes| writes.listed_whole())
    }

    /// Whether a company of this PSA is mapped to a client.
    pub fn has_company(&self, client: ClientId) -> bool {
        self.first.contains_key(&client)
    }

    async fn firsts(&self) -> Result<HashMap<ClientId, EntityId>, Halt> {
        let tx = self.read().await?;
        let mut best: BTreeMap<ClientId, (domain::Timestamp, EntityId)> = BTreeMap::new();
        let mut after = None;
        loop {
            let page = tx.psa_linked(self.connection.id, after, PAGE).await?;
            for entity in &page {
                let Some(client) = entity.client_id else { continue };
                let place = (entity.mapped_at.unwrap_or_default(), entity.id);
                best.entry(client).and_modify(|known| *known = (*known).min(place)).or_insert(place);
            }
            match page.last() {
                Some(last) => after = Some(last.id),
                None => break,
            }
        }
        tx.rollback().await?;
        Ok(best.into_iter().map(|(client, (_, entity))| (client, entity)).collect())
    }

    /// Companies of these rows with all that is known of them.
    pub async fn gather(&self, tx: &Tx, rows: Vec<Entity>) -> Result<Pages> {
        let rows: Vec<Entity> = rows
            .into_iter()
            .filter(|row| {
                row.client_id.is_some_and(|client| self.first.get(&client).is_none_or(|first| *first == row.id))
            })
            .collect();
        let ids: Vec<EntityId> = rows.iter().map(|row| row.id).collect();
        let clients: Vec<ClientId> = rows.iter().filter_map(|row| row.client_id).collect();
        let clients: HashMap<ClientId, Client> =
            tx.clients_by_id(&clients).await?.into_iter().map(|client| (client.id, client)).collect();
        let mut contacts: HashMap<EntityId, Vec<domain::Record>> = HashMap::new();
        if self.connector.contact_writes().is_some() {
            for record in tx.records_under(&ids, RecordKind::Contact.as_str()).await? {
                contacts.entry(record.entity_id).or_default().push(record);
            }
        }
        let alone = if self.listed_whole() { HashMap::new() } else { tx.psa_companies(&ids).await? };
        let mut known = tx.psa_agreed(&ids).await?;
        let mut companies = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(client) = row.client_id.and_then(|client| clients.get(&client)) else { continue };
            let contact = main_contact(contacts.get(&row.id).map_or(&[], Vec::as_slice));
            let known = known.remove(&row.id).unwrap_or_default();
            let alone = alone.get(&row.id).map(|(body, _)| body.as_str());
            companies.push((Company::of(row, self.listed_whole(), alone, contact)?, client.clone(), known));
        }
        Ok(Pages { companies, conflicts: tx.psa_conflicts_of(&ids).await? })
    }

    /// Keeps what is agreed and what waits.
    pub async fn keep(&self, tx: &Tx, company: &Company, client: &Client, found: &mut Found) -> Result<()> {
        let fields: Vec<PsaField> = found.note.iter().filter_map(|conflict| conflict.field).collect();
        if !fields.is_empty() {
            // A client of the first version is as it was made.
            let unchanged = client.version == 1;
            let mut ours = if unchanged { HashMap::new() } else { tx.psa_changed_by(client.id, &fields).await? };
            let theirs_at = tx.psa_changed_at(&[company.row.id]).await?.get(&company.row.id).copied();
            for conflict in &mut found.note {
                let changed = conflict.field.and_then(|field| ours.remove(&field));
                (conflict.ours_at, conflict.ours_by) = changed.unzip();
                conflict.ours_at = conflict.ours_at.or(unchanged.then_some(client.created_at));
                conflict.theirs_at = theirs_at;
            }
        }
        tx.psa_agree(&found.agree).await?;
        tx.psa_conflicts_close(&found.close).await?;
        tx.psa_conflicts_note(&found.note).await
    }

    /// Holds every company against its client. Answers those of which something is to be taken, and to be sent.
    async fn walk(&self) -> Result<(Vec<EntityId>, Vec<EntityId>), Halt> {
        let (mut take, mut send, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            self.going_on()?;
            let tx = self.begin().await?;
            let rows = tx.psa_linked(self.connection.id, after, PAGE).await?;
            let Some(last) = rows.last().map(|row| row.id) else {
                tx.psa_conflicts_close(&tx.psa_conflicts_stray(self.connection.id).await?).await?;
                tx.commit_unjournalled().await?;
                return Ok((take, send));
            };
            after = Some(last);
            let pages = self.gather(&tx, rows).await?;
            for (company, client, known) in &pages.companies {
                let mut found = look(&self.settings, client, company, known, &pages.conflicts, tx.now());
                self.keep(&tx, company, client, &mut found).await?;
                take.extend((!found.take.is_empty()).then_some(company.row.id));
                send.extend((!found.send.is_empty()).then_some(company.row.id));
            }
            tx.commit_unjournalled().await?;
        }
    }

    /// Takes what the PSA changed, and makes clients of new companies: one change set that says which connection said
    /// it.
    async fn take(&self, ids: &[EntityId]) -> Result<(), Halt> {
        self.going_on()?;
        let tx = self.begin().await?;
        // Entities are locked before clients, as by everyone who maps.
        let newcomers = self.newcomers(&tx).await?;
        let rows = tx.entities_by_id(&[ids, &newcomers.open].concat()).await?;
        let pages = self.gather(&tx, rows.clone()).await?;
        for (company, client, known) in &pages.companies {
            let mut found = look(&self.settings, client, company, known, &pages.conflicts, tx.now());
            let (mut after, mut taken) = (client.clone(), Vec::new());
            for (field, theirs) in std::mem::take(&mut found.take) {
                match give(&mut after, field, theirs.clone()) {
                    Ok(()) => taken.push((field, theirs)),
                    Err(why) => {
                        let why = Some(format!("The PSA's value does not fit a client: it {why}"));
                        let kind = (PsaConflictKind::Refused, why);
                        found.note.push(waits(&self.settings, (company, client), field, kind, tx.now()));
                    }
                }
            }
            let agree = taken
                .into_iter()
                .map(|(field, theirs)| agreed(company.row.id, client, field, ours(&after, field), theirs, false));
            found.agree.extend(agree);
            tx.client_update(client, after.clone()).await?;
            self.keep(&tx, company, client, &mut found).await?;
        }
        self.make_clients(&tx, newcomers, rows).await?;
        let reason = format!("{} ({}) said so", self.connection.name, self.connection.integration);
        tx.journal_note("psa_sync", Some(&reason)).await?;
        tx.commit_noted().await?;
        Ok(())
    }
}
