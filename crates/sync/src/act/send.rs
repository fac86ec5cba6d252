//! Sending an act: planned without asking the vendor, noted before it is sent, compared where it must be, sent
//! once and to its end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{ChangeSet, ClientId, Context, Error, Outcome, Record, RecordId, Result, VendorWriteId};
use integration::{Connector, Kind, RecordKind, Request, Response, Transport};
use persistence::{Apply, Claim, Tx, VendorWrite, VendorWriteState};
use serde_json::Value;

use super::{Act, Acted, Acting, Asking, Idempotency, Place, Target, store::Came};
use crate::{Engine, ids, page, trouble::vendor_error};

impl Engine {
    /// Does something at a vendor. A dry run sends nothing. With a key, the answer is kept and given again. Once
    /// something may have been sent it runs to its end, even if the caller goes away.
    ///
    /// Errors: `moved_at_vendor` when the vendor has something else than what is stored (which is then stored),
    /// the vendor's own, and `outcome_unknown` when the answer was lost: the key then gives this error again, and
    /// nothing is sent twice.
    pub async fn act(&self, context: &Context, act: Arc<dyn Act>, mut asking: Asking) -> Result<Acting> {
        if asking.apply.dry_run {
            asking.key = None;
        }
        let key = asking.key.as_ref().map(|(key, _)| key.clone());
        if let Some(key) = &key {
            let tx = self.store.begin(context.clone()).await?;
            match tx.idempotency_claim(&key.caller, &key.key, &key.request).await? {
                Claim::New => tx.commit_unjournalled().await?,
                Claim::Done { status: UNKNOWN, answer } => return Err(unknown(answer)),
                Claim::Done { status, answer } => return Ok(Acting::Repeated { status, answer }),
            }
        }
        let sent = Arc::new(AtomicBool::new(false));
        let task = Task { engine: self.clone(), context: context.clone(), act, asking, sent: sent.clone() };
        let done = tokio::spawn(async move { task.run().await }).await;
        let done = done.unwrap_or_else(|failure| Err(Error::internal(failure)));
        // A key is given back only where the vendor surely did nothing.
        if let (Err(_), Some(key), false) = (&done, &key, sent.load(Ordering::SeqCst)) {
            let tx = self.store.begin(context.clone()).await?;
            tx.idempotency_release(&key.caller, &key.key).await?;
            tx.commit_unjournalled().await?;
        }
        done.map(|acted| Acting::Acted(Box::new(acted)))
    }

    /// Checks an act as far as that can be done without asking the vendor, and finds where it happens.
    pub(crate) async fn act_plan(&self, tx: &Tx, client: ClientId, act: &dyn Act) -> Result<Place> {
        tx.context().require(act.permission())?;
        let (record, entity) = match act.target() {
            Target::Record(kind, id) => {
                let record = found(tx, client, kind, id).await?;
                let entity = tx.entity(record.entity_id).await?;
                (Some(record), entity)
            }
            Target::Under(id) => {
                let entity = tx.entity(id).await?;
                if entity.client_id != Some(client) {
                    return Err(Error::NotFound { what: "entity" });
                }
                if entity.removed_at.is_some() {
                    let message = format!("{} is no longer listed at its vendor.", entity.name);
                    return Err(Error::conflict("not_listed", message));
                }
                (None, entity)
            }
        };
        let beside = match act.beside() {
            Some((kind, id)) => {
                let found = found(tx, client, kind, id).await?;
                if found.entity_id != entity.id {
                    return Err(Error::NotFound { what: kind.as_str() });
                }
                Some(found)
            }
            None => None,
        };
        let connection = tx.connection(entity.connection_id).await?;
        working(&connection)?;
        let entry = self.entry(&connection.integration)?;
        let place = Place { client, connection, vendor: entry.name, entity, record, beside, now: tx.now() };
        act.check(&place, self.silent(&place.connection.integration, tx.now())?.as_ref())?;
        tx.vendor_write_free(about(act)).await?;
        Ok(place)
    }

    /// A connector that is only asked what it can do: nothing is sent, so that no real credentials are needed.
    pub(crate) fn silent(&self, integration: &str, now: DateTime<Utc>) -> Result<Box<dyn Connector>> {
        let entry = self.entry(integration)?;
        entry
            .connect(&entry.example(), Arc::new(Silent(now)))
            .map_err(|_| Error::internal("an integration's example credentials do not parse"))
    }
}

/// Status under which an unknown outcome is kept with its key.
pub(super) const UNKNOWN: u16 = 502;

/// The error that an unknown outcome is.
pub(super) fn unknown(message: String) -> Error {
    Error::Vendor { code: "outcome_unknown", message, retry_after: None }
}

/// Refuses unless a connection works.
pub(super) fn working(connection: &domain::Connection) -> Result<()> {
    if connection.state.syncs() {
        return Ok(());
    }
    let message = format!("{} is {}: reconnect it first.", connection.name, connection.state.as_str());
    Err(Error::conflict("not_connected", message))
}

/// A client's record of this kind.
pub(super) async fn found(tx: &Tx, client: ClientId, kind: RecordKind, id: RecordId) -> Result<Record> {
    let record = tx.client_record(client, id, kind.as_str()).await?;
    if record.kind == kind.as_str() { Ok(record) } else { Err(Error::NotFound { what: kind.as_str() }) }
}

/// What a vendor write is kept under: the record, or for something new what is wanted of it, so that the same is
/// not made twice at once.
fn about(act: &dyn Act) -> RecordId {
    match act.target() {
        Target::Record(_, id) => id,
        Target::Under(entity) => ids::wanted_id(entity, act.action(), &act.wanted()),
    }
}

/// One act, with all it needs.
pub(super) struct Task {
    pub engine: Engine,
    context: Context,
    pub act: Arc<dyn Act>,
    pub asking: Asking,
    /// Whether the vendor may have done it, as far as is known.
    pub sent: Arc<AtomicBool>,
}

/// What the vendor was asked to do, and by which connector.
pub(super) struct Sending {
    pub place: Place,
    pub connector: Box<dyn Connector>,
    pub write: VendorWriteId,
}

impl Task {
    pub(super) async fn begin(&self) -> Result<Tx> {
        let now = self.engine.store.clock().now();
        self.engine.store.begin(Context { now, ..self.context.clone() }).await
    }

    pub(super) fn key(&self) -> Option<&Idempotency> {
        self.asking.key.as_ref().map(|(key, _)| key)
    }

    async fn run(self) -> Result<Acted> {
        let (act, apply) = (self.act.as_ref(), &self.asking.apply);
        let tx = self.begin().await?;
        let place = self.engine.act_plan(&tx, self.asking.client, act).await?;
        note(&tx, act, &place, None, None);
        // What would be journalled; also what `expect` is held against.
        let preview = tx.finish(act.action(), &Apply { dry_run: true, ..apply.clone() }).await?;
        if apply.dry_run {
            return Ok(Acted { set: preview, record: None, installer: None });
        }
        if preview.changes.is_empty() {
            let acted = Acted { set: preview, record: place.record, installer: None };
            let tx = self.begin().await?;
            self.answer(&tx, &acted).await?;
            tx.commit_unjournalled().await?;
            return Ok(acted);
        }
        let sending = self.announce(&preview).await?;
        self.compare(&sending).await?;
        self.sent.store(true, Ordering::SeqCst);
        let came = match act.send(&sending.place, sending.connector.as_ref()).await {
            Ok(sent) => Came::Done(sent),
            Err(error) => Came::Failed(error),
        };
        self.keep(&sending, &came).await
    }

    /// Notes the act before it is sent, so that a crash does not hide it.
    async fn announce(&self, preview: &ChangeSet) -> Result<Sending> {
        let act = self.act.as_ref();
        let tx = self.begin().await?;
        let place = self.engine.act_plan(&tx, self.asking.client, act).await?;
        note(&tx, act, &place, None, None);
        let now = tx.change_set();
        if now.digest != preview.digest {
            return Err(Error::Moved(Box::new(now)));
        }
        let credentials = tx.connection_credentials(place.connection.id).await?;
        let connector = self
            .engine
            .connect(tx.organisation(), &place.connection, &credentials, true)
            .map_err(|error| vendor_error(&error))?;
        let write = VendorWrite {
            id: tx.new_id(),
            connection_id: place.connection.id,
            record_id: about(act),
            action: act.action().to_owned(),
            wanted: act.wanted(),
            state: VendorWriteState::Sending,
            code: None,
            message: None,
            created_at: tx.now(),
            finished_at: None,
        };
        tx.vendor_write_insert(&write).await?;
        // Without an entry nothing is sent: what a vendor did cannot be rolled back.
        let reason = format!("announced before it is sent, as {}", write.id);
        tx.commit_attempt(act.announced(), Outcome::Done, &reason).await?;
        Ok(Sending { place, connector, write: write.id })
    }

    /// Refuses if the vendor has something else than what the caller saw, and stores what it has.
    async fn compare(&self, sending: &Sending) -> Result<()> {
        let act = self.act.as_ref();
        let raw = match act.fetch(&sending.place, sending.connector.as_ref()).await {
            None => return Ok(()),
            Some(Ok(raw)) => raw,
            Some(Err(error)) => return self.refuse(sending, error).await,
        };
        let listings = sending.connector.listings();
        let listing = listings.iter().find(|listing| listing.kind() == act.stores());
        let read = listing
            .map_or_else(|| Err("nothing lists it".to_owned()), |listing| page::read_one(listing.as_ref(), &raw));
        let fresh = match read {
            Ok(fresh) => fresh,
            Err(why) => {
                return self.refuse(sending, integration::Error::unreadable(sending.place.vendor, why)).await;
            }
        };
        let elsewhere = fresh.entity.as_ref().is_some_and(|entity| *entity != sending.place.entity.vendor_id);
        if !elsewhere && !act.moved(&sending.place, &fresh.body)? {
            return Ok(());
        }
        drop(listings);
        Err(self.moved(sending, &raw).await?)
    }

    /// The vendor failed before anything was sent.
    async fn refuse(&self, sending: &Sending, error: integration::Error) -> Result<()> {
        self.keep(sending, &Came::Unasked(error)).await.map(drop)
    }

    /// Keeps the answer with the key.
    pub(super) async fn answer(&self, tx: &Tx, acted: &Acted) -> Result<()> {
        if let Some((key, keep)) = &self.asking.key {
            let (status, answer) = keep(acted);
            tx.idempotency_answer(&key.caller, &key.key, status, answer).await?;
        }
        Ok(())
    }
}

/// Notes the change for the journal: as wanted, or as the vendor has it afterwards. `made` is the id of what was
/// made; a preview makes one up.
pub(super) fn note(tx: &Tx, act: &dyn Act, place: &Place, fresh: Option<&Value>, made: Option<RecordId>) {
    let noted = act.noted(place, fresh);
    let id = match act.target() {
        Target::Record(_, id) => id,
        // The entity itself is changed: it has its id already.
        Target::Under(entity) if noted.before.is_some() => RecordId(entity.0),
        Target::Under(_) => made.unwrap_or_else(|| tx.new_id()),
    };
    tx.note_record(noted.kind, id, place.client, noted.before, noted.after);
}

/// Whether anything but a clear no may have been done.
pub(crate) fn may_be_done(error: &integration::Error) -> bool {
    matches!(error.kind, Kind::Unavailable | Kind::Unreadable | Kind::Limit | Kind::Expired)
}

/// Sends nothing: for asking a connector what it can do.
struct Silent(DateTime<Utc>);

#[async_trait]
impl Transport for Silent {
    async fn send(&self, _: Request) -> Result<Response, integration::Error> {
        Err(integration::Error::new(Kind::Unavailable, "this transport sends nothing"))
    }

    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}
