//! Deliveries leave: one job for each subscription that has something due, a few requests at a time.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::TimeDelta;
use domain::{
    Error, FAILING_FOR, Letter, Result, Role, Timestamp, WebhookAttempt, WebhookSubscription, WebhookSubscriptionId,
    wait_after,
};
use persistence::{ClaimedJob, DeliveryToSend, DueDeliveries, JobOutcome, NewJob, NewMail, Tried, Tx};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::sign;
use crate::{Ended, Engine, trouble};

/// Kind of the jobs of this file.
pub(crate) const KIND: &str = "webhooks";

/// Days that deliveries are remembered after they ended.
pub(crate) const KEPT_DAYS: i64 = 30;

/// Requests to one address at a time.
const AT_ONCE: u64 = 4;
/// Rounds of requests before others get their turn.
const ROUNDS: usize = 25;
/// How long an address that took nothing of a round is left alone.
const CALM: TimeDelta = TimeDelta::seconds(30);
/// When a worker that sends no webhooks looks again whether another has taken the job.
const ELSEWHERE: TimeDelta = TimeDelta::seconds(60);
/// How often a worker may die over one round.
const CRASHES: i32 = 12;

/// A message to an address.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where to.
    pub url: String,
    /// Headers, the signature among them.
    pub headers: Vec<(String, String)>,
    /// The body, to the byte: it is signed.
    pub body: Bytes,
}

/// What the address answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// How many seconds it asks to wait.
    pub retry_after: Option<u64>,
    /// The beginning of the answer.
    pub answer: String,
}

/// Carries messages to addresses that customers named. It waits ten seconds at most, follows no redirects, and reaches
/// no private address.
#[async_trait]
pub trait Herald: Send + Sync {
    /// Sends a message once. The error says in people's words why there was no answer.
    async fn send(&self, post: Post) -> std::result::Result<Reply, String>;
}

#[derive(Serialize, Deserialize)]
struct Payload {
    subscription_id: WebhookSubscriptionId,
}

/// What a try came to.
struct Outcome {
    sent: DeliveryToSend,
    attempt: WebhookAttempt,
    retry_after: Option<u64>,
}

impl Outcome {
    fn taken(&self) -> bool {
        self.attempt.error.is_none()
    }
}

impl Engine {
    /// Puts every subscription that has something due on the queue.
    pub(crate) async fn webhooks_schedule(&self) -> Result<()> {
        let across = self.store.across_read().await?;
        let due = across.organisations_with_webhooks_due(self.store.clock().now()).await?;
        drop(across);
        for organisation in due {
            let tx = self.begin(organisation, "schedule").await?;
            for id in tx.webhooks_due().await? {
                enqueue(&tx, id).await?;
            }
            tx.commit_unjournalled().await?;
        }
        Ok(())
    }
}

async fn enqueue(tx: &Tx, id: WebhookSubscriptionId) -> Result<()> {
    let key = format!("{KIND}:{id}");
    if tx.job_pending(&key).await?.is_some() {
        return Ok(());
    }
    let job = NewJob {
        kind: KIND.to_owned(),
        payload: serde_json::to_string(&Payload { subscription_id: id }).map_err(Error::internal)?,
        unique_key: key,
        priority: 5,
        run_at: tx.now(),
        max_attempts: CRASHES,
    };
    tx.job_enqueue(&job).await.map(drop)
}

/// Sends what is due for one subscription.
pub(crate) async fn deliver(
    engine: &Engine,
    herald: Option<&Arc<dyn Herald>>,
    job: &ClaimedJob,
    stop: &CancellationToken,
) -> Ended {
    let Some(herald) = herald else {
        let at = engine.store.clock().now() + ELSEWHERE;
        return Ended::Delayed(at, "this worker sends no webhooks".to_owned());
    };
    match rounds(engine, herald, job, stop).await {
        Ok(ended) => ended,
        Err(Error::Conflict { code: "lease_lost", .. }) => Ended::Lost,
        Err(error) => {
            let at = engine.store.clock().now() + TimeDelta::seconds(30);
            Ended::Finish(JobOutcome::Retry(at, error.to_string()))
        }
    }
}

async fn rounds(
    engine: &Engine,
    herald: &Arc<dyn Herald>,
    job: &ClaimedJob,
    stop: &CancellationToken,
) -> Result<Ended> {
    let Ok(Payload { subscription_id: id }) = serde_json::from_str(&job.payload) else {
        return Ok(Ended::Finish(JobOutcome::Failed("the job's payload is of another version".to_owned())));
    };
    for _ in 0..ROUNDS {
        if stop.is_cancelled() {
            break;
        }
        let tx = begin(engine, job).await?;
        // Each round gets further: a long queue survives any number of crashes as long as it shrinks.
        tx.job_further(job).await?;
        let Some(due) = tx.webhooks_take(id, AT_ONCE).await? else {
            tx.commit_unjournalled().await?;
            return Ok(Ended::Finish(JobOutcome::Done));
        };
        tx.commit_unjournalled().await?;
        if due.deliveries.is_empty() {
            // Whatever becomes due from now on is put on the queue again.
            return Ok(Ended::Finish(JobOutcome::Done));
        }
        let subscription = due.subscription.clone();
        let outcomes = send(engine, herald, due).await?;
        let trouble = outcomes.iter().all(|outcome| !outcome.taken());
        let why = outcomes.first().and_then(|outcome| outcome.attempt.error.clone()).unwrap_or_default();
        note(engine, job, &subscription, outcomes).await?;
        if trouble {
            return Ok(Ended::Delayed(engine.store.clock().now() + CALM, why));
        }
    }
    Ok(Ended::Later(engine.store.clock().now()))
}

async fn begin(engine: &Engine, job: &ClaimedJob) -> Result<Tx> {
    engine.begin(job.organisation, &format!("job {}", job.id)).await
}

/// Sends a round, all at once.
async fn send(engine: &Engine, herald: &Arc<dyn Herald>, due: DueDeliveries) -> Result<Vec<Outcome>> {
    let mut under_way = JoinSet::new();
    for sent in due.deliveries {
        let at = engine.store.clock().now();
        let headers = sign::headers(sent.delivery.event_id, at, &sent.body, &due.secrets)?;
        let post = Post { url: due.subscription.url.clone(), headers, body: Bytes::from(sent.body.clone()) };
        let herald = herald.clone();
        under_way.spawn(async move {
            let began = Instant::now();
            let reply = herald.send(post).await;
            let ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
            outcome(sent, at, ms, reply)
        });
    }
    let mut outcomes = Vec::new();
    while let Some(done) = under_way.join_next().await {
        outcomes.push(done.map_err(Error::internal)?);
    }
    outcomes.sort_by_key(|outcome| outcome.sent.delivery.id);
    Ok(outcomes)
}

fn outcome(sent: DeliveryToSend, at: Timestamp, ms: i64, reply: std::result::Result<Reply, String>) -> Outcome {
    let number = sent.delivery.attempts;
    let (status, retry_after, error, answer) = match reply {
        Ok(Reply { status, retry_after, answer }) => (Some(status), retry_after, refusal(status), Some(answer)),
        Err(why) => (None, None, Some(why), None),
    };
    Outcome { sent, attempt: WebhookAttempt { number, at, status, ms, error, answer }, retry_after }
}

/// Why an answer of this status is no yes.
fn refusal(status: u16) -> Option<String> {
    match status {
        200..=299 => None,
        300..=399 => Some(format!("it answered with a redirect ({status}), which is not followed")),
        410 => Some("it answered that it is gone (410)".to_owned()),
        other => Some(format!("it answered {other}")),
    }
}

/// Notes how a round went; an address that is gone, or took nothing for days, is told no more.
async fn note(engine: &Engine, job: &ClaimedJob, to: &WebhookSubscription, outcomes: Vec<Outcome>) -> Result<()> {
    let tx = begin(engine, job).await?;
    tx.job_fence(job).await?;
    // Its row first, as everyone locks it before its deliveries.
    let found = match tx.webhook_subscription(to.id).await {
        Err(Error::NotFound { .. }) => None,
        found => Some(found?),
    };
    let taken = outcomes.iter().any(Outcome::taken);
    let gone = outcomes.iter().any(|outcome| outcome.attempt.status == Some(410));
    for outcome in &outcomes {
        let spread = trouble::fraction(engine.store.chance().as_ref());
        let wait = wait_after(outcome.sent.tries, outcome.retry_after, spread);
        let tried = match wait {
            _ if outcome.taken() => Tried::Taken,
            Some(wait) if outcome.attempt.status != Some(410) => Tried::Again(tx.now() + wait),
            _ => Tried::Dead,
        };
        tx.webhook_tried(outcome.sent.delivery.id, &outcome.attempt, &tried).await?;
        let word = if outcome.taken() { "taken" } else { "not_taken" };
        metrics::counter!("panelone_webhook_tries_total", "outcome" => word).increment(1);
    }
    let mut reason = None;
    // A person may have switched it off, or changed its address, while the round was under way.
    if let Some(now) = found.filter(|now| now.url == to.url) {
        let since = now.failing_since.unwrap_or(tx.now());
        if taken != now.failing_since.is_none() {
            tx.webhook_failing(now.id, (!taken).then_some(since)).await?;
        }
        let failed = !taken && tx.now() - since >= FAILING_FOR;
        if now.enabled && (gone || failed) {
            let why = if gone { "gone" } else { "failing" };
            disable(&tx, now, why).await?;
            reason = Some(why);
        }
    }
    tx.commit("webhook_subscription_disable", reason).await.map(drop)
}

/// Switches a subscription off, gives up what was on its way, and writes to the owners.
async fn disable(tx: &Tx, one: WebhookSubscription, why: &str) -> Result<()> {
    let words = match why {
        "gone" => "its address answered that it is gone (410)".to_owned(),
        _ => format!("its address has taken nothing for {} days", FAILING_FOR.num_days()),
    };
    let after = WebhookSubscription { enabled: false, disabled_reason: Some(words.clone()), ..one.clone() };
    let after = tx.webhook_subscription_update(&one, after).await?;
    tx.webhooks_give_up(one.id, "the subscription was switched off, because nothing was taken").await?;
    let (brand, _) = tx.organisation_name().await?;
    // The host only: an address may hold a token.
    let host = one.url.split('/').nth(2).unwrap_or_default();
    let owners = tx.staff_list().await?.into_iter();
    for owner in owners.filter(|row| row.role == Role::Owner && row.suspended_at.is_none() && row.removed_at.is_none())
    {
        let mut paragraphs = vec![
            format!("Hello {},", owner.name),
            format!("The webhooks to {host} were switched off: {words}."),
            "What was on its way is kept for 30 days. Once the address works again, switch the subscription on and \
             send again what was given up."
                .to_owned(),
        ];
        if !one.description.is_empty() {
            paragraphs.insert(2, format!("It was for: {}", one.description));
        }
        let subject = format!("Webhooks to {host} were switched off");
        let mail = NewMail {
            recipient: owner.email,
            recipient_name: Some(owner.name),
            letter: Letter::Notice { brand: brand.clone(), subject, paragraphs, link: None },
            key: format!("webhook_subscription:{}:disabled:{}:{}", one.id, after.version, owner.id),
            send_before: None,
        };
        tx.mail_enqueue(&mail).await?;
    }
    tracing::warn!(subscription = %one.id, organisation = %tx.organisation(), why, "a webhook subscription was switched off");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(refusal(status), None, "{status}");
        }
        for (status, part) in
            [(301, "redirect"), (308, "redirect"), (410, "gone"), (404, "404"), (500, "500"), (199, "199")]
        {
            assert!(refusal(status).is_some_and(|why| why.contains(part)), "{status}");
        }
    }
}
