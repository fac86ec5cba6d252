//! Events on their way to their receivers: the log, a try on demand, and sending again.

use chrono::{DateTime, Utc};
use domain::{
    DeliveryState, Permission, WebhookAttempt as Attempt, WebhookDelivery as Row, WebhookDeliveryId,
    WebhookSubscriptionId,
};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Chapter, mirrored::mirrored};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

mirrored! {
    /// What became of an event at an address
    WebhookDeliveryState = DeliveryState {
        /// To be sent, for the first time or again
        Queued,
        /// Taken
        Delivered,
        /// Given up; it can be sent again
        Dead,
    }
}

/// An event on its way to an address.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct WebhookDelivery {
    /// Id
    pub id: Uuid,
    /// The `webhook-id` that it is sent under, each time
    pub message_id: String,
    /// Which event
    pub event: String,
    /// Client that it is about
    pub client_id: Option<Uuid>,
    pub state: WebhookDeliveryState,
    /// Times it was tried
    pub attempts: i32,
    /// When it is tried next
    pub next_at: Option<DateTime<Utc>>,
    /// HTTP status of the last answer
    pub status: Option<u16>,
    /// Why the last try failed
    pub error: Option<String>,
    /// When the event happened
    pub created_at: DateTime<Utc>,
    /// Taken, or given up
    pub finished_at: Option<DateTime<Utc>>,
}

/// One try.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct WebhookAttempt {
    /// From 1
    pub number: i32,
    /// When
    pub at: DateTime<Utc>,
    /// HTTP status of the answer
    pub status: Option<u16>,
    /// How long it took, in milliseconds
    pub ms: i64,
    /// Why it failed
    pub error: Option<String>,
    /// The beginning of the answer
    pub answer: Option<String>,
}

/// A delivery with what is sent and how each try went.
#[derive(Debug, Clone, Object)]
pub struct WebhookDeliveryWhole {
    pub delivery: WebhookDelivery,
    /// The body that is sent, to the byte
    pub body: String,
    /// Tries, the newest first; at most 100
    pub attempts: Vec<WebhookAttempt>,
}

/// From when on what was given up is sent again.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct WebhookRedeliver {
    /// Events that happened at this time or later
    pub since: DateTime<Utc>,
}

/// What is sent again.
#[derive(Debug, Clone, Object)]
pub struct WebhookRedelivered {
    /// How many deliveries; at most 10000 at a time
    pub deliveries: u64,
}

/// Deliveries.
pub struct WebhookDeliveries;

#[OpenApi(prefix_path = "/api/webhook-subscriptions", tag = "Chapter::Webhooks")]
impl WebhookDeliveries {
    /// Send a ping to a subscription, whatever it is told and whether it is on or not
    ///
    /// It leaves with the next job: read the delivery to see how it went.
    #[oai(path = "/:webhook_subscription_id/test", method = "post", operation_id = "webhook_test")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn webhook_test(
        &self,
        app: AppData<'_>,
        caller: Caller,
        webhook_subscription_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<WebhookDelivery>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let id = WebhookSubscriptionId(webhook_subscription_id.0);
        let write = match app.begin(&context, Permission::WebhooksManage, "webhook_test", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let delivery = sync::webhook_test(&write.tx, id).await?;
        Ok(Answer::new(write.finish(Some(view(delivery)), Vec::new()).await?))
    }

    /// What was sent to a subscription, the newest first; what ended is kept for 30 days
    #[oai(path = "/:webhook_subscription_id/deliveries", method = "get", operation_id = "webhook_delivery_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn webhook_delivery_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        webhook_subscription_id: Path<Uuid>,
        state: Query<Option<WebhookDeliveryState>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<WebhookDelivery>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::WebhooksManage).await?;
        let one = tx.webhook_subscription(WebhookSubscriptionId(webhook_subscription_id.0)).await?;
        let listed = tx.webhook_delivery_list(one.id, state.0.map(Into::into), &page).await?;
        Ok(Answer::page(listed.map(view), uri))
    }

    /// One delivery, with what is sent and how each try went
    #[oai(
        path = "/:webhook_subscription_id/deliveries/:webhook_delivery_id",
        method = "get",
        operation_id = "webhook_delivery_get"
    )]
    async fn webhook_delivery_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        webhook_subscription_id: Path<Uuid>,
        webhook_delivery_id: Path<Uuid>,
    ) -> Result<Answer<WebhookDeliveryWhole>, Failure> {
        let tx = app.read(caller, Permission::WebhooksManage).await?;
        let (of, id) = (WebhookSubscriptionId(webhook_subscription_id.0), WebhookDeliveryId(webhook_delivery_id.0));
        let delivery = tx.webhook_delivery(of, id).await?;
        let body = tx.webhook_body(&delivery).await?;
        let attempts = tx.webhook_attempts(id).await?.into_iter().map(attempt).collect();
        Ok(Answer::new(WebhookDeliveryWhole { delivery: view(delivery), body, attempts }))
    }

    /// Send one delivery that was taken or given up once more, under the `webhook-id` it had
    #[oai(
        path = "/:webhook_subscription_id/deliveries/:webhook_delivery_id/retry",
        method = "post",
        operation_id = "webhook_delivery_retry"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn webhook_delivery_retry(
        &self,
        app: AppData<'_>,
        caller: Caller,
        webhook_subscription_id: Path<Uuid>,
        webhook_delivery_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<WebhookDelivery>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (of, id) = (WebhookSubscriptionId(webhook_subscription_id.0), WebhookDeliveryId(webhook_delivery_id.0));
        let permission = Permission::WebhooksManage;
        let write = match app.begin(&context, permission, "webhook_delivery_retry", asked, &(of, id)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let delivery = sync::webhook_delivery_retry(&write.tx, of, id).await?;
        Ok(Answer::new(write.finish(Some(view(delivery)), Vec::new()).await?))
    }

    /// Send everything once more that was given up since a time
    #[oai(path = "/:webhook_subscription_id/redeliver", method = "post", operation_id = "webhook_deliveries_retry")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn webhook_deliveries_retry(
        &self,
        app: AppData<'_>,
        caller: Caller,
        webhook_subscription_id: Path<Uuid>,
        body: Json<WebhookRedeliver>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<WebhookRedelivered>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (of, permission) = (WebhookSubscriptionId(webhook_subscription_id.0), Permission::WebhooksManage);
        let request = (of, &body.0);
        let write = match app.begin(&context, permission, "webhook_deliveries_retry", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let deliveries = sync::webhook_deliveries_retry(&write.tx, of, body.0.since).await?;
        Ok(Answer::new(write.finish(Some(WebhookRedelivered { deliveries }), Vec::new()).await?))
    }
}

fn view(row: Row) -> WebhookDelivery {
    WebhookDelivery {
        id: row.id.0,
        message_id: sync::message_id(row.event_id),
        event: row.event.as_str().to_owned(),
        client_id: row.client_id.map(|client| client.0),
        state: row.state.into(),
        attempts: row.attempts,
        next_at: row.next_at,
        status: row.status,
        error: row.error,
        created_at: row.created_at,
        finished_at: row.finished_at,
    }
}

fn attempt(row: Attempt) -> WebhookAttempt {
    WebhookAttempt {
        number: row.number,
        at: row.at,
        status: row.status,
        ms: row.ms,
        error: row.error,
        answer: row.answer,
    }
}
