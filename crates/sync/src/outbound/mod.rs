//! The product's own events, told to other programs: what people do with subscriptions and deliveries. How they are
//! sent stands in `deliver.rs`, how they are signed in `sign.rs`, and what is told in `domain::EventType`.
//!
//! An event and its deliveries are written with the change that it tells of (`persistence/src/events.rs`). Each
//! subscription with something due has one job on the queue, so that one that answers slowly delays no other. Events
//! come at least once and in no promised order: `webhook-id` tells a repeated one, `timestamp` which was first.

mod deliver;
mod sign;

use std::collections::BTreeSet;

use domain::{
    Chance, ClientId, DeliveryState, Error, EventType, Permission, Problem, Result, Timestamp, WebhookDelivery,
    WebhookDeliveryId, WebhookSubscription, WebhookSubscriptionId,
};
use persistence::Tx;

pub use deliver::{Herald, Post, Reply};
pub(crate) use deliver::{KEPT_DAYS, KIND, deliver};
pub use sign::{message_id, new_secret};

/// Subscriptions of an organisation.
const MOST: usize = 50;
/// Longest address, in bytes.
const LONGEST: usize = 2_000;
/// Most characters of a description.
const DESCRIPTION: usize = 500;
/// Most clients that a subscription is limited to.
const CLIENTS: usize = 1_000;
/// What is said of deliveries to a subscription that a person switched off.
const SWITCHED_OFF: &str = "the subscription was switched off";

/// Says what is wrong with an address, before anything is sent to it.
pub type AddressCheck<'a> = &'a (dyn Fn(&str) -> std::result::Result<(), String> + Send + Sync);

/// A subscription as it was typed.
#[derive(Clone, Debug, Default)]
pub struct WebhookDraft {
    /// Where events are sent.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// Names of events; none means all.
    pub events: Vec<String>,
    /// Clients that it is limited to; `None` means all.
    pub clients: Option<BTreeSet<ClientId>>,
}

/// What to change of a subscription; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct WebhookPatch {
    /// Another address.
    pub url: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// Other events; an empty list means all.
    pub events: Option<Vec<String>>,
    /// Other clients; `Some(None)` lifts the limit.
    pub clients: Option<Option<BTreeSet<ClientId>>>,
    /// On or off.
    pub enabled: Option<bool>,
    /// The version that was read.
    pub version: Option<i32>,
}

fn address(url: &str, check: AddressCheck<'_>) -> std::result::Result<String, Problem> {
    let url = url.trim();
    if url.len() > LONGEST {
        return Err(Problem::new("/url", "too_long", format!("must have at most {LONGEST} characters")));
    }
    check(url).map_err(|why| Problem::new("/url", "not_an_address", why))?;
    Ok(url.to_owned())
}

fn description(text: &str) -> std::result::Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() > DESCRIPTION {
        return Err(Problem::new("/description", "too_long", format!("must have at most {DESCRIPTION} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::new("/description", "control_character", "must be one line without control characters"));
    }
    Ok(text.to_owned())
}

fn events(names: &[String], problems: &mut Vec<Problem>) -> BTreeSet<EventType> {
    let mut events = BTreeSet::new();
    for (at, name) in names.iter().enumerate() {
        match EventType::parse(name).filter(|event| *event != EventType::Ping) {
            Some(event) => drop(events.insert(event)),
            None => {
                let message = "is not an event of the catalogue: see /api/webhook-events";
                problems.push(Problem::new(format!("/events/{at}"), "unknown", message));
            }
        }
    }
    events
}

async fn clients(tx: &Tx, clients: &Option<BTreeSet<ClientId>>, problems: &mut Vec<Problem>) -> Result<()> {
    let Some(clients) = clients else { return Ok(()) };
    if clients.is_empty() || clients.len() > CLIENTS {
        let message = format!("must name 1 to {CLIENTS} clients, or be left out for all");
        problems.push(Problem::new("/client_ids", "out_of_range", message));
        return Ok(());
    }
    let ids: Vec<ClientId> = clients.iter().copied().collect();
    let found: BTreeSet<ClientId> = tx.clients_by_id(&ids).await?.into_iter().map(|client| client.id).collect();
    let missing = ids.iter().filter(|id| !found.contains(id));
    problems.extend(
        missing.map(|id| Problem::new("/client_ids", "no_such_client", format!("there is no such client: {id}"))),
    );
    Ok(())
}

/// All subscriptions.
pub async fn webhook_subscription_list(tx: &Tx) -> Result<Vec<WebhookSubscription>> {
    tx.context().require(Permission::WebhooksManage)?;
    tx.webhook_subscriptions().await
}

/// Makes a subscription; also gives its secret, which is not shown again. The caller commits.
pub async fn webhook_subscription_create(
    tx: &Tx,
    draft: WebhookDraft,
    chance: &dyn Chance,
    check: AddressCheck<'_>,
) -> Result<(WebhookSubscription, String)> {
    tx.context().require(Permission::WebhooksManage)?;
    let mut problems = Vec::new();
    let url = address(&draft.url, check).map_err(|problem| problems.push(problem)).unwrap_or_default();
    let about = description(&draft.description).map_err(|problem| problems.push(problem)).unwrap_or_default();
    let events = events(&draft.events, &mut problems);
    clients(tx, &draft.clients, &mut problems).await?;
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    if tx.webhook_subscriptions().await?.len() >= MOST {
        let message = format!("There are {MOST} webhook subscriptions: delete one first.");
        return Err(Error::conflict("too_many_subscriptions", message));
    }
    let one = WebhookSubscription {
        id: tx.new_id(),
        url,
        description: about,
        events,
        clients: draft.clients,
        enabled: true,
        disabled_reason: None,
        failing_since: None,
        secret_version: 1,
        old_secret_until: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    let secret = new_secret(chance);
    tx.webhook_subscription_insert(&one, &secret).await?;
    Ok((one, secret))
}

/// Changes a subscription. Switched off, what was on its way is given up; switched on, it begins anew. The caller
/// commits.
pub async fn webhook_subscription_update(
    tx: &Tx,
    id: WebhookSubscriptionId,
    patch: WebhookPatch,
    check: AddressCheck<'_>,
) -> Result<WebhookSubscription> {
    tx.context().require(Permission::WebhooksManage)?;
    let before = tx.webhook_subscription(id).await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "webhook subscription" });
    }
    let (mut after, mut problems) = (before.clone(), Vec::new());
    if let Some(url) = &patch.url {
        after.url = address(url, check).map_err(|problem| problems.push(problem)).unwrap_or_default();
    }
    if let Some(text) = &patch.description {
        after.description = description(text).map_err(|problem| problems.push(problem)).unwrap_or_default();
    }
    if let Some(names) = &patch.events {
        after.events = events(names, &mut problems);
    }
    if let Some(limit) = patch.clients {
        clients(tx, &limit, &mut problems).await?;
        after.clients = limit;
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    if let Some(enabled) = patch.enabled {
        after.enabled = enabled;
        after.disabled_reason = after.disabled_reason.filter(|_| !enabled);
    }
    let after = tx.webhook_subscription_update(&before, after).await?;
    if before.enabled && !after.enabled {
        tx.webhooks_give_up(id, SWITCHED_OFF).await?;
    }
    if after.enabled && (!before.enabled || before.url != after.url) {
        tx.webhook_failing(id, None).await?;
    }
    Ok(after)
}

/// Deletes a subscription with its log. The caller commits.
pub async fn webhook_subscription_delete(
    tx: &Tx,
    id: WebhookSubscriptionId,
    version: Option<i32>,
) -> Result<WebhookSubscription> {
    tx.context().require(Permission::WebhooksManage)?;
    let one = tx.webhook_subscription(id).await?;
    if version.is_some_and(|version| version != one.version) {
        return Err(Error::Stale { what: "webhook subscription" });
    }
    tx.webhook_subscription_delete(&one).await?;
    Ok(one)
}

/// Gives a subscription a new secret, which is not shown again; the one before signs for another 24 hours. The caller
/// commits.
pub async fn webhook_secret_rotate(
    tx: &Tx,
    id: WebhookSubscriptionId,
    chance: &dyn Chance,
) -> Result<(WebhookSubscription, String)> {
    tx.context().require(Permission::WebhooksManage)?;
    let before = tx.webhook_subscription(id).await?;
    let secret = new_secret(chance);
    Ok((tx.webhook_secret_rotate(&before, &secret).await?, secret))
}

/// Sends a ping to a subscription, whatever it wants and whether it is on or not. The caller commits.
pub async fn webhook_test(tx: &Tx, id: WebhookSubscriptionId) -> Result<WebhookDelivery> {
    tx.context().require(Permission::WebhooksManage)?;
    let one = tx.webhook_subscription(id).await?;
    tx.webhook_ping(&one).await
}

/// Sends one delivery that was taken or given up once more. The caller commits.
pub async fn webhook_delivery_retry(
    tx: &Tx,
    of: WebhookSubscriptionId,
    id: WebhookDeliveryId,
) -> Result<WebhookDelivery> {
    let one = listening(tx, of).await?;
    let before = tx.webhook_delivery(one.id, id).await?;
    if before.state == DeliveryState::Queued {
        return Err(Error::conflict("still_queued", "It is on its way already: see next_at."));
    }
    tx.webhook_delivery_again(&before).await
}

/// Sends everything that was given up since an instant once more; returns how much. The caller commits.
pub async fn webhook_deliveries_retry(tx: &Tx, of: WebhookSubscriptionId, since: Timestamp) -> Result<u64> {
    let one = listening(tx, of).await?;
    tx.webhook_deliveries_again(one.id, since).await
}

/// A subscription that something can be sent to.
async fn listening(tx: &Tx, id: WebhookSubscriptionId) -> Result<WebhookSubscription> {
    tx.context().require(Permission::WebhooksManage)?;
    let one = tx.webhook_subscription(id).await?;
    if !one.enabled {
        return Err(Error::conflict("subscription_disabled", "The subscription is off: switch it on first."));
    }
    Ok(one)
}
