//! Changing the quantity of a subscription at its vendor: noted before it is sent, compared with what the
//! vendor has, never sent twice, and never taken for a no when the answer is lost.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    ChangeSet, ClientId, Connection, Context, EntityId, Error, Outcome, Permission, Record, RecordId, Result, RunId,
    VendorWriteId,
};
use integration::{
    Connector, Exact, Kind, Pull, Reach, RecordKind, RecordType, Request, Response, SetQuantity, Subscription,
    Transport,
};
use persistence::{Apply, Claim, RecordWrite, Tx, VendorWrite, VendorWriteState};
use serde_json::{Value, json};

use crate::{
    Engine, ids,
    seen::to_bytes,
    trouble::{vendor_code, vendor_error},
};

/// Name of the operation, in the journal and of the vendor write.
const ACTION: &str = "subscription_quantity_set";
/// Action of the entry that stands before the vendor is asked.
const SEND: &str = "subscription_quantity_send";

/// How often the store is tried again after the vendor has answered.
const STORE_TRIES: u32 = 5;

/// A change that can be sent.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Through which connection.
    pub connection: Connection,
    /// The stored record.
    pub record: Record,
    /// What it says.
    pub subscription: Subscription,
    /// Whose it is.
    pub client: ClientId,
    /// The quantity to be.
    pub to: Exact,
}

impl Planned {
    /// The quantity that is stored.
    pub fn before(&self) -> Option<Exact> {
        self.subscription.quantity
    }
}

/// A key under which a caller may send the same request again.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// Who calls.
    pub caller: String,
    /// The key.
    pub key: String,
    /// The request, whole: operation, path and body.
    pub request: Vec<u8>,
}

/// What a change came to.
#[derive(Clone, Debug)]
pub enum QuantitySet {
    /// Done, or previewed.
    Changed(ChangeSet),
    /// The request was answered before: this was the answer.
    Repeated {
        /// HTTP status.
        status: u16,
        /// Body as JSON.
        answer: String,
    },
}

/// How the answer to be kept under an idempotency key is made of the change set: status and body.
pub type Render = Arc<dyn Fn(&ChangeSet) -> (u16, String) + Send + Sync>;

impl Engine {
    /// Checks a change as far as that can be done without asking the vendor.
    pub async fn subscription_quantity_plan(
        &self,
        tx: &Tx,
        client: ClientId,
        id: RecordId,
        to: Exact,
    ) -> Result<Planned> {
        tx.context().require(Permission::SubscriptionsEdit)?;
        let record = tx.client_record(client, id, "subscription").await?;
        if record.kind != RecordKind::Subscription.as_str() {
            return Err(Error::NotFound { what: "subscription" });
        }
        let subscription: Subscription = serde_json::from_str(&record.body).map_err(Error::internal)?;
        let connection = tx.connection(record.connection_id).await?;
        if !connection.state.syncs() {
            return Err(Error::conflict(
                "not_connected",
                format!("{} is {}: reconnect it first.", connection.name, connection.state.as_str()),
            ));
        }
        let entry = self.entry(&connection.integration)?;
        // Only asked what it can do: nothing is sent, so that no real credentials are needed.
        let connector = entry
            .connect(&entry.example(), Arc::new(Silent(tx.now())))
            .map_err(|_| Error::internal("an integration's example credentials do not parse"))?;
        let Some(quantity) = connector.subscription_quantity() else {
            return Err(Error::conflict(
                "not_supported",
                format!("PanelOne cannot change quantities at {}: do it there.", entry.name),
            ));
        };
        if let Some(why) = quantity.refusal(&subscription, to, tx.now()) {
            return Err(Error::invalid("/quantity", "refused_by_vendor", why));
        }
        tx.vendor_write_free(id).await?;
        Ok(Planned { connection, record, subscription, client, to })
    }

    /// Changes the quantity of a subscription. A dry run sends nothing. With `idempotency`, the answer that
    /// `render` makes is kept and given again. Once something may have been sent it runs to its end, even if
    /// the caller goes away.
    ///
    /// Errors: `moved_at_vendor` when the vendor has something else than what is stored (which is then
    /// stored), the vendor's own, and `outcome_unknown` when the answer was lost.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
    pub async fn subscription_quantity_set(
        &self,
        context: &Context,
        client: ClientId,
        id: RecordId,
        to: Exact,
        apply: &Apply,
        idempotency: Option<&Idempotency>,
        render: &Render,
    ) -> Result<QuantitySet> {
        let key = idempotency.filter(|_| !apply.dry_run).cloned();
        if let Some(key) = &key {
            let tx = self.store.begin(context.clone()).await?;
            match tx.idempotency_claim(&key.caller, &key.key, &key.request).await? {
                Claim::New => tx.commit_unjournalled().await?,
                Claim::Done { status, answer } => return Ok(QuantitySet::Repeated { status, answer }),
            }
        }
        let task = Task {
            engine: self.clone(),
            context: context.clone(),
            client,
            id,
            to,
            apply: apply.clone(),
            key: key.clone(),
            render: render.clone(),
        };
        let done = tokio::spawn(async move { task.run().await }).await;
        let done = done.unwrap_or_else(|failure| Err(Error::internal(failure)));
        if let (Err(_), Some(key)) = (&done, &key) {
            let tx = self.store.begin(context.clone()).await?;
            tx.idempotency_release(&key.caller, &key.key).await?;
            tx.commit_unjournalled().await?;
        }
        done.map(QuantitySet::Changed)
    }
}

/// One change, with all it needs.
struct Task {
    engine: Engine,
    context: Context,
    client: ClientId,
    id: RecordId,
    to: Exact,
    apply: Apply,
    key: Option<Idempotency>,
    render: Render,
}

/// What the vendor was asked to do, and by which connector.
struct Sending {
    plan: Planned,
    connector: Box<dyn Connector>,
    /// Vendor id of the entity, where ids are unique within it only.
    within: Option<String>,
    write: VendorWriteId,
}

impl Task {
    async fn begin(&self) -> Result<Tx> {
        let now = self.engine.store.clock().now();
        self.engine.store.begin(Context { now, ..self.context.clone() }).await
    }

    async fn run(self) -> Result<ChangeSet> {
        let tx = self.begin().await?;
        let plan = self.engine.subscription_quantity_plan(&tx, self.client, self.id, self.to).await?;
        note(&tx, &plan, plan.before(), Some(self.to));
        // What would be journalled; also what `expect` is held against.
        let preview = tx.finish(ACTION, &Apply { dry_run: true, ..self.apply.clone() }).await?;
        if self.apply.dry_run {
            return Ok(preview);
        }
        if preview.changes.is_empty() {
            let tx = self.begin().await?;
            self.answer(&tx, &preview).await?;
            tx.commit_unjournalled().await?;
            return Ok(preview);
        }
        let sending = self.announce().await?;
        let connector = sending.connector.as_ref();
        let (Some(quantity), Some(listing)) = (connector.subscription_quantity(), connector.subscriptions()) else {
            return Err(Error::internal("the connector lost a capability"));
        };
        self.compare(&sending, quantity, listing).await?;
        let vendor_id = &sending.plan.record.vendor_id;
        match quantity.set_quantity(vendor_id, self.to).await {
            Ok(raw) => self.done(&sending, listing, &raw).await,
            Err(error) => {
                // Anything but a clear no may have been done.
                let unknown = matches!(error.kind, Kind::Unavailable | Kind::Unreadable | Kind::Limit | Kind::Expired);
                self.failed(&sending, &error, unknown).await
            }
        }
    }

    /// Notes the change before it is sent, so that a crash does not hide it.
    async fn announce(&self) -> Result<Sending> {
        let tx = self.begin().await?;
        let plan = self.engine.subscription_quantity_plan(&tx, self.client, self.id, self.to).await?;
        let credentials = tx.connection_credentials(plan.connection.id).await?;
        let connector =
            self.engine.connect(&plan.connection, &credentials, true).map_err(|error| vendor_error(&error))?;
        let within = match connector.subscriptions().map(Pull::reach) {
            Some(Reach::Entity) => Some(tx.entity(plan.record.entity_id).await?.vendor_id),
            _ => None,
        };
        let write = VendorWrite {
            id: tx.new_id(),
            connection_id: plan.connection.id,
            record_id: self.id,
            action: ACTION.to_owned(),
            wanted: self.to.0.to_string(),
            state: VendorWriteState::Sending,
            code: None,
            message: None,
            created_at: tx.now(),
            finished_at: None,
        };
        tx.vendor_write_insert(&write).await?;
        // Without an entry nothing is sent: what a vendor did cannot be rolled back.
        tx.commit_attempt(SEND, Outcome::Done, &format!("to {}, announced before it is sent", self.to.0)).await?;
        Ok(Sending { plan, connector, within, write: write.id })
    }

    /// Refuses if the vendor has something else than what the caller saw, and stores what it has.
    async fn compare(
        &self,
        sending: &Sending,
        quantity: &dyn SetQuantity,
        listing: &dyn Pull<Subscription>,
    ) -> Result<()> {
        let raw = match quantity.fetch(&sending.plan.record.vendor_id).await {
            Ok(raw) => raw,
            Err(error) => return self.failed(sending, &error, false).await.map(drop),
        };
        let fresh = match listing.read(&raw) {
            Ok(item) => item.record,
            Err(why) => {
                let error = integration::Error::unreadable(&sending.plan.connection.integration, why);
                return self.failed(sending, &error, false).await.map(drop);
            }
        };
        let stored = &sending.plan.subscription;
        if (fresh.quantity, fresh.updated_at) == (stored.quantity, stored.updated_at) {
            return Ok(());
        }
        let message = "The subscription was changed at the vendor since the last sync. What it is now was stored: \
                       look at it, and repeat if it is still right.";
        let tx = self.begin().await?;
        tx.records_write(vec![row(sending, listing, &raw)?]).await?;
        let (state, code) = (VendorWriteState::Refused, "moved_at_vendor");
        tx.vendor_write_finish(sending.write, state, Some(code), Some(message)).await?;
        tx.commit_attempt(ACTION, Outcome::Failed, code).await?;
        Err(Error::conflict(code, message))
    }

    /// The vendor did it: stores what it says now. It is done whatever happens here, so the store is tried
    /// more than once; if it stays away, the next sync brings the record.
    async fn done(&self, sending: &Sending, listing: &dyn Pull<Subscription>, raw: &[u8]) -> Result<ChangeSet> {
        let row = row(sending, listing, raw)?;
        let after = listing.read(raw).ok().and_then(|item| item.record.quantity);
        let mut tries = 0;
        loop {
            match self.store_done(sending, row.clone(), after).await {
                Err(Error::Busy(_)) if tries < STORE_TRIES => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(200) * tries).await;
                }
                stored => return stored,
            }
        }
    }

    async fn store_done(&self, sending: &Sending, row: RecordWrite, after: Option<Exact>) -> Result<ChangeSet> {
        let tx = self.begin().await?;
        tx.records_write(vec![row]).await?;
        tx.vendor_write_finish(sending.write, VendorWriteState::Done, None, None).await?;
        note(&tx, &sending.plan, sending.plan.before(), after);
        self.answer(&tx, &tx.change_set()).await?;
        tx.commit(ACTION, self.apply.reason.as_deref()).await
    }

    /// The vendor did not do it, or nobody knows.
    async fn failed(&self, sending: &Sending, error: &integration::Error, unknown: bool) -> Result<ChangeSet> {
        let (state, code, message) = if unknown {
            let message = format!(
                "{error}. Whether the quantity was changed is not known: sync the connection and look before \
                 trying again."
            );
            (VendorWriteState::Unknown, "outcome_unknown", message)
        } else {
            (VendorWriteState::Refused, vendor_code(error.kind), error.to_string())
        };
        let tx = self.begin().await?;
        tx.vendor_write_finish(sending.write, state, Some(code), Some(&message)).await?;
        tx.commit_attempt(ACTION, Outcome::Failed, code).await?;
        match vendor_error(error) {
            Error::Vendor { retry_after, .. } => Err(Error::Vendor { code, message, retry_after }),
            other => Err(other),
        }
    }

    async fn answer(&self, tx: &Tx, set: &ChangeSet) -> Result<()> {
        if let Some(key) = &self.key {
            let (status, answer) = (self.render)(set);
            tx.idempotency_answer(&key.caller, &key.key, status, answer).await?;
        }
        Ok(())
    }
}

/// Notes the change for the journal.
fn note(tx: &Tx, plan: &Planned, before: Option<Exact>, after: Option<Exact>) {
    let view = |quantity: Option<Exact>| -> Value {
        // 10 and 10.0 are the same quantity.
        let quantity = quantity.map(|quantity| quantity.0.normalize().to_string());
        json!({ "product": plan.subscription.product, "vendor_id": plan.record.vendor_id, "quantity": quantity })
    };
    tx.note_record("subscription", plan.record.id, plan.client, view(before), view(after));
}

/// The vendor's raw record as a run would store it.
fn row(sending: &Sending, listing: &dyn Pull<Subscription>, raw: &[u8]) -> Result<RecordWrite> {
    let item = listing.read(raw).map_err(Error::internal)?;
    let entity: EntityId = sending.plan.record.entity_id;
    if item.id != sending.plan.record.vendor_id {
        return Err(Error::internal("the vendor answered with another subscription"));
    }
    Ok(RecordWrite {
        id: sending.plan.record.id,
        connection_id: sending.plan.connection.id,
        entity_id: entity,
        kind: RecordKind::Subscription.as_str().to_owned(),
        vendor_id: item.id,
        title: item.record.title(),
        body: serde_json::to_string(&item.record).map_err(Error::internal)?,
        raw: raw.to_vec(),
        raw_hash: to_bytes(ids::raw_hash(sending.within.as_deref(), raw)),
        content_hash: to_bytes(ids::content_hash(&item.record.fingerprint(), Some(entity))),
        run_id: RunId(sending.write.0),
    })
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
