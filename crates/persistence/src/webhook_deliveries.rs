//! Events on their way: what is due, how each try went, and what people send again.

use domain::{
    Change, ClientId, DELIVERY_TRIES, DeliveryState, Error, EventType, Listed, PageRequest, Result, Timestamp,
    WebhookAttempt, WebhookDelivery, WebhookDeliveryId, WebhookSubscription, WebhookSubscriptionId,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Tx,
    entity::{product_event, webhook_attempt, webhook_delivery as table},
    error::{OrDomain, known},
    webhook_subscriptions::secrets,
};

/// Characters of an error or an answer that are kept.
const TEXT: usize = 1_000;
/// Most deliveries that are sent again by one request.
const MOST_AGAIN: u64 = 10_000;

/// A delivery whose turn it is, with all that sending it takes.
#[derive(Clone, Debug)]
pub struct DeliveryToSend {
    /// The row, this try counted.
    pub delivery: WebhookDelivery,
    /// Tries since it was queued, this one counted.
    pub tries: i32,
    /// What is sent, to the byte.
    pub body: String,
}

/// What is due for one subscription.
#[derive(Clone, Debug)]
pub struct DueDeliveries {
    /// To whom.
    pub subscription: WebhookSubscription,
    /// The secrets that sign, the newest first.
    pub secrets: Vec<String>,
    /// What is sent.
    pub deliveries: Vec<DeliveryToSend>,
}

/// What a try came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Tried {
    /// It was taken.
    Taken,
    /// To be tried again at this time.
    Again(Timestamp),
    /// Given up.
    Dead,
}

fn read(row: table::Model) -> Result<WebhookDelivery> {
    Ok(WebhookDelivery {
        id: row.id.into(),
        subscription_id: row.subscription_id.into(),
        event_id: row.event_id,
        event: known(EventType::parse(&row.kind), "webhook_delivery.kind")?,
        client_id: row.client_id.map(ClientId),
        state: known(DeliveryState::parse(&row.state), "webhook_delivery.state")?,
        attempts: row.attempts,
        next_at: row.next_at,
        status: row.status.and_then(|status| u16::try_from(status).ok()),
        error: row.error,
        created_at: row.created_at,
        finished_at: row.finished_at,
    })
}

/// On lines without control characters, and bounded: a receiver may answer anything.
fn short(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT).collect()
}

fn state(state: DeliveryState) -> ActiveValue<String> {
    ActiveValue::Set(state.as_str().to_owned())
}

fn one(id: WebhookDeliveryId) -> Condition {
    Condition::all().add(table::Column::Id.eq(id.0))
}

/// Waiting, in the words of the index of what is due: with a parameter SQLite would read everything instead.
pub(crate) fn queued() -> Expr {
    Expr::cust("state = 'queued'")
}

/// The columns of one that is to be sent once more.
fn requeued(now: Timestamp) -> table::ActiveModel {
    table::ActiveModel {
        state: state(DeliveryState::Queued),
        next_at: ActiveValue::Set(Some(now)),
        finished_at: ActiveValue::Set(None),
        tries: ActiveValue::Set(0),
        ..ActiveModelTrait::default()
    }
}

impl Tx {
    /// Subscriptions with deliveries that are due.
    pub async fn webhooks_due(&self) -> Result<Vec<WebhookSubscriptionId>> {
        let due: Vec<Uuid> = self
            .find::<table::Entity>()
            .select_only()
            .column(table::Column::SubscriptionId)
            .filter(queued())
            .filter(table::Column::NextAt.lte(self.now()))
            .distinct()
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(due.into_iter().map(Into::into).collect())
    }

    /// When the next delivery of a subscription is due.
    pub async fn webhook_next_due(&self, id: WebhookSubscriptionId) -> Result<Option<Timestamp>> {
        let select = self
            .find::<table::Entity>()
            .filter(table::Column::SubscriptionId.eq(id.0))
            .filter(queued())
            .order_by_asc(table::Column::NextAt);
        Ok(select.one(self.db()).await.or_domain()?.and_then(|row| row.next_at))
    }

    /// Forgets everything that was on its way to a subscription, and what became of it.
    pub(crate) async fn webhook_deliveries_drop(&self, of: WebhookSubscriptionId) -> Result<()> {
        self.require_writable()?;
        let delete = self.delete_many::<table::Entity>().filter(table::Column::SubscriptionId.eq(of.0));
        delete.exec(self.db()).await.or_domain().map(drop)
    }

    /// Takes what is due for a subscription, at most `limit`, and counts the tries; `None` where the subscription is
    /// gone. Commit before anything is sent. What worker after worker died over is given up here, and so is what was
    /// written while the subscription was switched off.
    pub async fn webhooks_take(&self, id: WebhookSubscriptionId, limit: u64) -> Result<Option<DueDeliveries>> {
        let row = match self.webhook_row(id).await {
            Err(Error::NotFound { .. }) => {
                self.webhook_deliveries_drop(id).await?;
                return Ok(None);
            }
            found => found?,
        };
        let signing = secrets(self, &row)?;
        let subscription = crate::webhook_subscriptions::read(row)?;
        let rows = self
            .find::<table::Entity>()
            .filter(table::Column::SubscriptionId.eq(id.0))
            .filter(queued())
            .filter(table::Column::NextAt.lte(self.now()))
            .order_by_asc(table::Column::NextAt)
            .order_by_asc(table::Column::Id)
            .limit(limit)
            .lock_exclusive()
            .all(self.db())
            .await
            .or_domain()?;
        let events = rows.iter().map(|row| row.event_id);
        let events = self.find::<product_event::Entity>().filter(product_event::Column::Id.is_in(events));
        let events = events.all(self.db()).await.or_domain()?;
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in rows {
            let id = WebhookDeliveryId(row.id);
            let kind = EventType::parse(&row.kind);
            // As it is now: whoever was limited since is told nothing of what lies beyond.
            let wanted = kind.is_some_and(|kind| subscription.wants(kind, row.client_id.map(ClientId)));
            let lost = match kind {
                _ if row.tries >= DELIVERY_TRIES => Some("every try ended with its worker"),
                Some(EventType::Ping) => None,
                _ if !subscription.enabled => Some("the subscription was switched off"),
                _ if !wanted => Some("the subscription does not want it any more"),
                _ => None,
            };
            if lost.is_some() {
                self.webhook_end(id, DeliveryState::Dead, row.status, lost).await?;
                continue;
            }
            let event = events.iter().find(|event| event.id == row.event_id);
            let body = event.ok_or_else(|| Error::internal("a delivery without its event"))?.body.clone();
            let (attempts, tries) = (row.attempts + 1, row.tries + 1);
            let counted = table::ActiveModel {
                attempts: ActiveValue::Set(attempts),
                tries: ActiveValue::Set(tries),
                ..ActiveModelTrait::default()
            };
            self.update_row_where::<table::Entity>(counted, one(id)).await?;
            let delivery = WebhookDelivery { attempts, ..read(row)? };
            deliveries.push(DeliveryToSend { delivery, tries, body });
        }
        Ok(Some(DueDeliveries { subscription, secrets: signing, deliveries }))
    }

    /// Notes how a try went, and what comes after it.
    pub async fn webhook_tried(&self, id: WebhookDeliveryId, attempt: &WebhookAttempt, tried: &Tried) -> Result<()> {
        let row = webhook_attempt::Model {
            organisation_id: self.organisation().0,
            delivery_id: id.0,
            number: attempt.number,
            at: attempt.at,
            status: attempt.status.map(i32::from),
            ms: attempt.ms,
            error: attempt.error.as_deref().map(short),
            answer: attempt.answer.as_deref().map(short).filter(|text| !text.is_empty()),
        };
        // The row may be gone, with its subscription: then there is nothing to note.
        let there = self.find::<table::Entity>().filter(one(id)).lock_exclusive().one(self.db()).await.or_domain()?;
        if there.is_none() {
            return Ok(());
        }
        self.insert_if_absent::<webhook_attempt::Entity>(row).await?;
        let status = attempt.status.map(i32::from);
        match tried {
            Tried::Taken => self.webhook_end(id, DeliveryState::Delivered, status, None).await,
            Tried::Dead => self.webhook_end(id, DeliveryState::Dead, status, attempt.error.as_deref()).await,
            Tried::Again(at) => {
                let row = table::ActiveModel {
                    next_at: ActiveValue::Set(Some(*at)),
                    status: ActiveValue::Set(status),
                    error: ActiveValue::Set(attempt.error.as_deref().map(short)),
                    ..ActiveModelTrait::default()
                };
                self.update_row_where::<table::Entity>(row, one(id)).await.map(drop)
            }
        }
    }

    async fn webhook_end(
        &self,
        id: WebhookDeliveryId,
        end: DeliveryState,
        status: Option<i32>,
        why: Option<&str>,
    ) -> Result<()> {
        let row = table::ActiveModel {
            state: state(end),
            next_at: ActiveValue::Set(None),
            status: ActiveValue::Set(status),
            error: ActiveValue::Set(why.map(short)),
            finished_at: ActiveValue::Set(Some(self.now())),
            ..ActiveModelTrait::default()
        };
        self.update_row_where::<table::Entity>(row, one(id)).await.map(drop)
    }

    /// Gives up all that is on its way to a subscription; returns how many.
    pub async fn webhooks_give_up(&self, id: WebhookSubscriptionId, why: &str) -> Result<u64> {
        let row = table::ActiveModel {
            state: state(DeliveryState::Dead),
            next_at: ActiveValue::Set(None),
            error: ActiveValue::Set(Some(short(why))),
            finished_at: ActiveValue::Set(Some(self.now())),
            ..ActiveModelTrait::default()
        };
        let waiting = Condition::all()
            .add(table::Column::SubscriptionId.eq(id.0))
            .add(table::Column::State.eq(DeliveryState::Queued.as_str()));
        self.update_row_where::<table::Entity>(row, waiting).await
    }

    /// Sends a ping to one subscription; returns the delivery.
    pub async fn webhook_ping(&self, to: &WebhookSubscription) -> Result<WebhookDelivery> {
        let id = WebhookDeliveryId(self.event_ping(to).await?);
        let after = Some(json!({ "subscription_id": to.id }));
        self.note(Change { kind: "webhook_ping".to_owned(), id: id.0, client_id: None, before: None, after });
        self.webhook_delivery(to.id, id).await
    }

    /// A delivery of a subscription. In a transaction that writes, its row is locked.
    pub async fn webhook_delivery(&self, of: WebhookSubscriptionId, id: WebhookDeliveryId) -> Result<WebhookDelivery> {
        let mut select = self.find::<table::Entity>().filter(one(id)).filter(table::Column::SubscriptionId.eq(of.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.map(read).ok_or(Error::NotFound { what: "delivery" })?
    }

    /// What a delivery sends, to the byte.
    pub async fn webhook_body(&self, delivery: &WebhookDelivery) -> Result<String> {
        let select = self.find::<product_event::Entity>().filter(product_event::Column::Id.eq(delivery.event_id));
        let row = select.one(self.db()).await.or_domain()?;
        row.map(|row| row.body).ok_or_else(|| Error::internal("a delivery without its event"))
    }

    /// The tries of a delivery, the newest first; at most 100.
    pub async fn webhook_attempts(&self, id: WebhookDeliveryId) -> Result<Vec<WebhookAttempt>> {
        let select = self.find::<webhook_attempt::Entity>().filter(webhook_attempt::Column::DeliveryId.eq(id.0));
        let rows = select.order_by_desc(webhook_attempt::Column::Number).limit(100).all(self.db()).await.or_domain()?;
        let read = |row: webhook_attempt::Model| WebhookAttempt {
            number: row.number,
            at: row.at,
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            ms: row.ms,
            error: row.error,
            answer: row.answer,
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// A page of a subscription's deliveries, the newest first.
    pub async fn webhook_delivery_list(
        &self,
        of: WebhookSubscriptionId,
        wanted: Option<DeliveryState>,
        page: &PageRequest,
    ) -> Result<Listed<WebhookDelivery>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::SubscriptionId.eq(of.0));
        if let Some(wanted) = wanted {
            select = select.filter(table::Column::State.eq(wanted.as_str()));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((_, id)) = &page.after {
            select = select.filter(table::Column::Id.lt(*id));
        }
        let mut rows =
            select.order_by_desc(table::Column::Id).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (String::new(), last.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Sends one that was taken or given up once more, under the id it had.
    pub async fn webhook_delivery_again(&self, before: &WebhookDelivery) -> Result<WebhookDelivery> {
        let row = requeued(self.now());
        let ended = one(before.id).add(table::Column::State.ne(DeliveryState::Queued.as_str()));
        if self.update_row_where::<table::Entity>(row, ended).await? == 0 {
            return Err(Error::Stale { what: "delivery" });
        }
        self.note(Change {
            kind: "webhook_delivery".to_owned(),
            id: before.id.0,
            client_id: None,
            before: Some(json!({ "state": before.state })),
            after: Some(json!({ "state": DeliveryState::Queued })),
        });
        self.webhook_delivery(before.subscription_id, before.id).await
    }

    /// Sends all that were given up since an instant once more, at most 10,000; returns how many.
    pub async fn webhook_deliveries_again(&self, of: WebhookSubscriptionId, since: Timestamp) -> Result<u64> {
        let dead: Vec<Uuid> = self
            .find::<table::Entity>()
            .select_only()
            .column(table::Column::Id)
            .filter(table::Column::SubscriptionId.eq(of.0))
            .filter(table::Column::State.eq(DeliveryState::Dead.as_str()))
            .filter(table::Column::CreatedAt.gte(since))
            .order_by_asc(table::Column::Id)
            .limit(MOST_AGAIN)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        let mut count = 0;
        for chunk in dead.chunks(500) {
            let row = requeued(self.now());
            let these = Condition::all()
                .add(table::Column::Id.is_in(chunk.iter().copied()))
                .add(table::Column::State.eq(DeliveryState::Dead.as_str()));
            count += self.update_row_where::<table::Entity>(row, these).await?;
        }
        if count > 0 {
            let after = Some(json!({ "since": since, "deliveries": count }));
            self.note(Change { kind: "webhook_redelivery".to_owned(), id: of.0, client_id: None, before: None, after });
        }
        Ok(count)
    }

    /// Forgets deliveries that ended before an instant, and the events that nobody is still to be told of; returns how
    /// many deliveries.
    pub async fn webhooks_forget(&self, before: Timestamp) -> Result<u64> {
        self.require_writable()?;
        let old = table::Column::FinishedAt.lt(before);
        let gone = self.delete_many::<table::Entity>().filter(old).exec(self.db()).await.or_domain()?.rows_affected;
        let kept = self.find::<table::Entity>().select_only().column(table::Column::EventId);
        let delete = self
            .delete_many::<product_event::Entity>()
            .filter(product_event::Column::CreatedAt.lt(before))
            .filter(product_event::Column::Id.not_in_subquery(sea_orm::QueryTrait::into_query(kept)));
        delete.exec(self.db()).await.or_domain()?;
        Ok(gone)
    }
}
