//! Who is told of the product's own events.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{ClientId, EventStanding, EventType, Permission, WebhookSubscription as Row, WebhookSubscriptionId};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use sync::{WebhookDraft, WebhookPatch};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// An event of the catalogue.
#[derive(Debug, Clone, Object)]
pub struct WebhookEvent {
    /// Name: it stands in the field `type` of what is sent, and is never changed
    pub name: String,
    /// What it says
    pub about: String,
    /// Whether it is sent already; the other names are kept for what is to come
    pub sent: bool,
}

/// The catalogue.
#[derive(Debug, Clone, Object)]
pub struct WebhookEvents {
    /// Events, by what they are about
    pub items: Vec<WebhookEvent>,
}

/// An address that is told of events.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct WebhookSubscription {
    /// Id
    pub id: Uuid,
    /// Where events are sent
    pub url: String,
    /// What it is for
    pub description: String,
    /// Which events; none named means all, those to come included
    pub events: Vec<String>,
    /// Clients that it is limited to; absent means all, and what is about no single client
    pub client_ids: Option<Vec<Uuid>>,
    /// Whether it is told anything
    pub enabled: bool,
    /// Why it was switched off, where nobody did so
    pub disabled_reason: Option<String>,
    /// Since when the address has taken nothing
    pub failing_since: Option<DateTime<Utc>>,
    /// Goes up with each new secret
    pub secret_version: i32,
    /// Until when the secret before this one signs too
    pub old_secret_until: Option<DateTime<Utc>>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// All of them.
#[derive(Debug, Clone, Object)]
pub struct WebhookSubscriptions {
    /// The oldest first
    pub items: Vec<WebhookSubscription>,
}

/// A subscription with a new secret.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct WebhookSubscriptionSecret {
    /// The secret (`whsec_…`): it is not shown again. Absent in a preview
    pub secret: Option<String>,
    pub subscription: WebhookSubscription,
}

/// An address to be told of events.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct WebhookSubscriptionCreate {
    /// Where to send events: a public https address
    pub url: String,
    /// What it is for
    pub description: Option<String>,
    /// Names of events; all when left out
    pub events: Option<Vec<String>>,
    /// Only of these clients; all when left out
    pub client_ids: Option<Vec<Uuid>>,
}

/// What to change of a subscription; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct WebhookSubscriptionUpdate {
    /// Another address
    pub url: Option<String>,
    /// Another description
    pub description: Option<String>,
    /// Other events; an empty list means all
    pub events: Option<Vec<String>>,
    /// Only of these clients
    pub client_ids: Option<Vec<Uuid>>,
    /// Of all clients again; goes before `client_ids`
    pub all_clients: Option<bool>,
    /// On or off
    pub enabled: Option<bool>,
}

/// Webhook subscriptions.
pub struct WebhookSubscriptionsApi;

/// What is wrong with an address that events are to be sent to.
fn checked(app: &App) -> impl Fn(&str) -> Result<(), String> + Send + Sync {
    let policy = app.outward.clone();
    move |address| worker::webhook_address_problem(&policy, address)
}

#[OpenApi(prefix_path = "/api", tag = "Chapter::Webhooks")]
impl WebhookSubscriptionsApi {
    /// The events that other programs can be told of
    #[oai(path = "/webhook-events", method = "get", operation_id = "webhook_event_list")]
    async fn webhook_event_list(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<WebhookEvents>, Failure> {
        app.read(caller, Permission::WebhooksManage).await?;
        let view = |event: &EventType| WebhookEvent {
            name: event.as_str().to_owned(),
            about: event.about().to_owned(),
            sent: event.standing() == EventStanding::Sent,
        };
        Ok(Answer::new(WebhookEvents { items: EventType::ALL.iter().map(view).collect() }))
    }

    /// Who is told of events
    #[oai(path = "/webhook-subscriptions", method = "get", operation_id = "webhook_subscription_list")]
    async fn webhook_subscription_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
    ) -> Result<Answer<WebhookSubscriptions>, Failure> {
        let tx = app.read(caller, Permission::WebhooksManage).await?;
        let items = sync::webhook_subscription_list(&tx).await?.into_iter().map(view).collect();
        Ok(Answer::new(WebhookSubscriptions { items }))
    }

    /// Have an address told of events
    ///
    /// Each event is posted as JSON: `type`, `timestamp` and `data` with ids and a small picture. The headers
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature` follow Standard Webhooks: the signature is `v1,` and the
    /// base64 of HMAC-SHA-256 over `id.timestamp.body`, keyed with what stands in base64 behind `whsec_`. Any 2xx within
    /// ten seconds counts as taken; redirects are not followed. What is not taken is tried nine times within about a day,
    /// then given up and kept for 30 days. 410 switches the subscription off at once, five days without a yes as well.
    /// An event may come twice, with the same `webhook-id`; no order is promised. The secret is shown once, so this
    /// operation takes no idempotency key.
    #[oai(path = "/webhook-subscriptions", method = "post", operation_id = "webhook_subscription_create")]
    async fn webhook_subscription_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<WebhookSubscriptionCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<WebhookSubscriptionSecret>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (preview, permission) = (asked.is_dry_run(), Permission::WebhooksManage);
        let write = match app.begin(&context, permission, "webhook_subscription_create", asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let draft = WebhookDraft {
            url: body.0.url,
            description: body.0.description.unwrap_or_default(),
            events: body.0.events.unwrap_or_default(),
            clients: body.0.client_ids.map(clients),
        };
        let (row, secret) =
            sync::webhook_subscription_create(&write.tx, draft, app.store.chance().as_ref(), &checked(&app)).await?;
        let item = WebhookSubscriptionSecret { secret: (!preview).then_some(secret), subscription: view(row) };
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, 1))
    }

    /// One subscription
    #[oai(
        path = "/webhook-subscriptions/:webhook_subscription_id",
        method = "get",
        operation_id = "webhook_subscription_get"
    )]
    async fn webhook_subscription_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        webhook_subscription_id: Path<Uuid>,
    ) -> Result<Answer<WebhookSubscription>, Failure> {
        let tx = app.read(caller, Permission::WebhooksManage).await?;
        let row = tx.webhook_subscription(WebhookSubscriptionId(webhook_subscription_id.0)).await?;
        let version = row.version;
        Ok(Answer::versioned(view(row), version))
    }

    /// Change a subscription, or switch it on or off
    ///
    /// Switched off, what was on its way is given up; it can be sent again later.
    #[oai(
        path = "/webhook-subscriptions/:webhook_subscription_id",
        method = "patch",
        operation_id = "webhook_subscription_update"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn webhook_subscription_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        webhook_subscription_id: Path<Uuid>,
        body: Json<WebhookSubscriptionUpdate>,
        /// ETag of the subscription as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<WebhookSubscription>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, permission) = (WebhookSubscriptionId(webhook_subscription_id.0), Permission::WebhooksManage);
        let request = (id, &body.0, version);
        let write = match app.begin(&context, permission, "webhook_subscription_update", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let WebhookSubscriptionUpdate { url, description, events, client_ids, all_clients, enabled } = body.0;
        let limit = if all_clients == Some(true) { Some(None) } else { client_ids.map(|ids| Some(clients(ids))) };
        let patch = WebhookPatch { url, description, events, clients: limit, enabled, version };
        let row = sync::webhook_subscription_update(&write.tx, id, patch, &checked(&app)).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
    }

    /// Delete a subscription with its log
    #[oai(
        path = "/webhook-subscriptions/:webhook_subscription_id",
        method = "delete",
        operation_id = "webhook_subscription_delete"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn webhook_subscription_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        webhook_subscription_id: Path<Uuid>,
        /// ETag of the subscription as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<WebhookSubscription>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, permission) = (WebhookSubscriptionId(webhook_subscription_id.0), Permission::WebhooksManage);
        let write = match app.begin(&context, permission, "webhook_subscription_delete", asked, &(id, version)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let gone = sync::webhook_subscription_delete(&write.tx, id, version).await?;
        Ok(Answer::new(write.finish(Some(view(gone)), Vec::new()).await?))
    }

    /// Give a subscription a new secret
    ///
    /// The one before signs too for another 24 hours: change it at the receiver meanwhile. The secret is shown once, so
    /// this operation takes no idempotency key.
    #[oai(
        path = "/webhook-subscriptions/:webhook_subscription_id/rotate-secret",
        method = "post",
        operation_id = "webhook_secret_rotate"
    )]
    async fn webhook_secret_rotate(
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
    ) -> Result<Answer<Written<WebhookSubscriptionSecret>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (id, preview) = (WebhookSubscriptionId(webhook_subscription_id.0), asked.is_dry_run());
        let write = match app.begin(&context, Permission::WebhooksManage, "webhook_secret_rotate", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let (row, secret) = sync::webhook_secret_rotate(&write.tx, id, app.store.chance().as_ref()).await?;
        let version = row.version;
        let item = WebhookSubscriptionSecret { secret: (!preview).then_some(secret), subscription: view(row) };
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, version))
    }
}

fn clients(ids: Vec<Uuid>) -> BTreeSet<ClientId> {
    ids.into_iter().map(ClientId).collect()
}

fn view(row: Row) -> WebhookSubscription {
    WebhookSubscription {
        id: row.id.0,
        url: row.url,
        description: row.description,
        events: row.events.iter().map(|event| event.as_str().to_owned()).collect(),
        client_ids: row.clients.map(|clients| clients.into_iter().map(|client| client.0).collect()),
        enabled: row.enabled,
        disabled_reason: row.disabled_reason,
        failing_since: row.failing_since,
        secret_version: row.secret_version,
        old_secret_until: row.old_secret_until,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}
