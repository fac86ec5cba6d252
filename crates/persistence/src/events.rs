//! The outbox of the product's own events. An event is written in the transaction of the change that it tells of, with
//! a delivery for each subscription that wants it: nothing is lost, and nothing is told of what was rolled back, refused
//! or only previewed. What nobody wants is not written.

use domain::{Change, EVENT_KINDS, EventDraft, EventType, RecordId, Result, RunId, WebhookSubscription, events_of};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Tx,
    entity::{product_event, record, vendor_entity, webhook_delivery},
    error::OrDomain,
};

/// Records that one statement asks for.
const CHUNK: usize = 500;

impl Tx {
    /// Tells of an entry's changes: called where the entry is written, and nowhere else.
    pub(crate) async fn events_of_changes(&self, changes: &[Change]) -> Result<()> {
        if !changes.iter().any(|change| EVENT_KINDS.contains(&change.kind.as_str())) {
            return Ok(());
        }
        let listening = self.webhook_subscriptions_enabled().await?;
        if listening.is_empty() {
            return Ok(());
        }
        self.events_tell(&listening, changes.iter().flat_map(events_of)).await
    }

    /// Whether any subscription wants one of these.
    pub async fn events_wanted(&self, kinds: &[EventType]) -> Result<bool> {
        let listening = self.webhook_subscriptions_enabled().await?;
        let named =
            |one: &WebhookSubscription| one.events.is_empty() || kinds.iter().any(|kind| one.events.contains(kind));
        Ok(listening.iter().any(named))
    }

    /// Tells of events with this transaction: for what no journalled change stands for.
    pub async fn events_emit(&self, drafts: Vec<EventDraft>) -> Result<()> {
        if drafts.is_empty() {
            return Ok(());
        }
        let listening = self.webhook_subscriptions_enabled().await?;
        self.events_tell(&listening, drafts).await
    }

    async fn events_tell(
        &self,
        listening: &[WebhookSubscription],
        drafts: impl IntoIterator<Item = EventDraft>,
    ) -> Result<()> {
        let (mut events, mut deliveries) = (Vec::new(), Vec::new());
        for draft in drafts {
            let wanted: Vec<_> = listening.iter().filter(|one| one.wants(draft.kind, draft.client)).collect();
            if wanted.is_empty() {
                continue;
            }
            let event = self.event_row(draft);
            deliveries.extend(wanted.iter().map(|one| self.delivery_row(&event, one)));
            events.push(event);
        }
        self.insert_many::<product_event::Entity>(events, &[], &[]).await?;
        self.insert_many::<webhook_delivery::Entity>(deliveries, &[], &[]).await
    }

    /// Sends a ping to one subscription, whatever it wants.
    pub(crate) async fn event_ping(&self, to: &WebhookSubscription) -> Result<Uuid> {
        let data = json!({ "subscription_id": to.id, "description": to.description });
        let event = self.event_row(EventDraft::new(EventType::Ping, to.id.0, None, data));
        let delivery = self.delivery_row(&event, to);
        let id = delivery.id;
        self.insert_many::<product_event::Entity>(vec![event], &[], &[]).await?;
        self.insert_many::<webhook_delivery::Entity>(vec![delivery], &[], &[]).await?;
        Ok(id)
    }

    fn event_row(&self, draft: EventDraft) -> product_event::Model {
        let EventDraft { kind, client, mut data } = draft;
        data.insert("organisation_id".to_owned(), json!(self.organisation()));
        let body = json!({ "type": kind.as_str(), "timestamp": self.now(), "data": data });
        product_event::Model {
            organisation_id: self.organisation().0,
            id: self.new_id(),
            kind: kind.as_str().to_owned(),
            client_id: client.map(|client| client.0),
            body: body.to_string(),
            created_at: self.now(),
        }
    }

    fn delivery_row(&self, event: &product_event::Model, to: &WebhookSubscription) -> webhook_delivery::Model {
        webhook_delivery::Model {
            organisation_id: self.organisation().0,
            id: self.new_id(),
            subscription_id: to.id.0,
            event_id: event.id,
            kind: event.kind.clone(),
            client_id: event.client_id,
            state: "queued".to_owned(),
            attempts: 0,
            tries: 0,
            next_at: Some(self.now()),
            status: None,
            error: None,
            created_at: self.now(),
            finished_at: None,
        }
    }

    /// Tells of records of one kind that a run met for the first time, or that are gone: with the client that the
    /// entity belongs to. Called with the page that writes them, before those that go are marked.
    pub async fn events_of_records(&self, event: EventType, ids: &[RecordId], run: RunId) -> Result<()> {
        if ids.is_empty() || !self.events_wanted(&[event]).await? {
            return Ok(());
        }
        for chunk in ids.chunks(CHUNK) {
            let found: Vec<(Uuid, Uuid, Uuid, String, String)> = self
                .find::<record::Entity>()
                .select_only()
                .columns([
                    record::Column::Id,
                    record::Column::ConnectionId,
                    record::Column::EntityId,
                    record::Column::Kind,
                    record::Column::Title,
                ])
                .filter(record::Column::Id.is_in(chunk.iter().map(|id| id.0)))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            let mut entities: Vec<Uuid> = found.iter().map(|row| row.2).collect();
            entities.sort_unstable();
            entities.dedup();
            let owners: Vec<(Uuid, Option<Uuid>)> = self
                .find::<vendor_entity::Entity>()
                .select_only()
                .columns([vendor_entity::Column::Id, vendor_entity::Column::ClientId])
                .filter(vendor_entity::Column::Id.is_in(entities))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            let draft = |(id, connection, entity, kind, title): (Uuid, Uuid, Uuid, String, String)| {
                let owner = owners.iter().find(|(id, _)| *id == entity).and_then(|(_, client)| *client);
                let fields = json!({
                    "kind": kind, "name": title, "connection_id": connection, "entity_id": entity, "run_id": run,
                });
                EventDraft::new(event, id, owner.map(Into::into), fields)
            };
            self.events_emit(found.into_iter().map(draft).collect()).await?;
        }
        Ok(())
    }
}
