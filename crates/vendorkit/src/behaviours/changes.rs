//! Hearing of changes, and making them.

use std::collections::{BTreeMap, HashSet};

use integration::{Exact, Kind, Method, RecordKind, Subscription};
use rust_decimal::Decimal;

use super::{
    Subject,
    stage::{FEW, Stage, Target, Walked},
};
use crate::{Fault, Plan, World};

/// A listing from a mark holds what changed since and what is gone, and nothing else; a mark that
/// the vendor has forgotten is [`Kind::Expired`].
pub async fn incremental_is_a_subset(subject: &Subject) {
    let stage = subject.stage(FEW);
    let targets: Vec<Target> =
        stage.targets().await.into_iter().filter(|target| stage.listing(target.kind).incremental()).collect();
    let mut before = Vec::new();
    for target in &targets {
        let Some(whole) = stage.walk_whole(target).await else { continue };
        assert!(!whole.changes_only, "{target:?}: the first listing is not complete");
        let mark = whole.mark.clone().unwrap_or_else(|| panic!("{target:?}: no mark at the end"));
        let quiet = since(&stage, target, &mark).await;
        assert!(quiet.records.is_empty() && quiet.removed.is_empty(), "{target:?}: changes though nothing changed");
        let mark = quiet.mark.unwrap_or(mark);
        before.push((target.clone(), whole, mark));
    }
    stage.simulated.change(stir);
    let mut removed = 0;
    for (target, whole, mark) in &before {
        let heard = since(&stage, target, mark).await;
        let now = stage.walk(target).await.unwrap_or_else(|why| panic!("{target:?}: {why}"));
        compare(target, whole, &heard, &now);
        removed += heard.removed.len();
    }
    assert!(before.is_empty() || removed > 0, "nothing is announced as removed");
    stage.simulated.change(World::forget_history);
    for (target, _, mark) in &before {
        let error = stage.walk_since(target, Some(mark)).await.err();
        let kind = error.map(|error| error.kind);
        assert_eq!(kind, Some(Kind::Expired), "{target:?}: a mark that the vendor has forgotten");
    }
}

async fn since(stage: &Stage, target: &Target, mark: &str) -> Walked {
    let heard = stage.walk_since(target, Some(mark)).await.unwrap_or_else(|why| panic!("{target:?} since: {why}"));
    assert!(heard.changes_only, "{target:?}: changes are given as if they were everything");
    assert!(heard.mark.is_some(), "{target:?}: no mark after the changes");
    heard
}

/// What was heard, put over what was known, must be what is now; and no more than needed was heard.
fn compare(target: &Target, whole: &Walked, heard: &Walked, now: &Walked) {
    let by_id = |walked: &Walked| -> BTreeMap<String, String> {
        walked.records.iter().map(|record| (record.id.clone(), record.body.clone())).collect()
    };
    let (mut known, now) = (by_id(whole), by_id(now));
    let heard_ids: HashSet<String> = heard.ids().into_iter().collect();
    assert!(heard_ids.iter().all(|id| now.contains_key(id)), "{target:?}: a change of what is not there");
    assert!(heard.removed.iter().all(|id| !now.contains_key(id)), "{target:?}: what is there is called removed");
    known.extend(by_id(heard));
    heard.removed.iter().for_each(|id| {
        known.remove(id);
    });
    assert_eq!(known, now, "{target:?}: changes do not lead to what is there now");
}

/// Changes, removes and adds something of everything in each business.
fn stir(world: &mut World) {
    let keys: Vec<u64> = world.businesses().iter().map(|business| business.key).collect();
    for key in keys {
        let Some(business) = world.business(key).cloned() else { continue };
        if let Some(person) = business.people.first() {
            world.change_person(person.id, |person| person.title = "Caretaker".to_owned());
        }
        if let Some(person) = business.people.get(1) {
            world.remove_person(person.id);
        }
        world.add_person(key);
        if let Some(device) = business.devices.first() {
            world.change_device(device.key, |device| device.os_version = "99.1".to_owned());
        }
        if let Some(device) = business.devices.get(1) {
            world.remove_device(device.key);
        }
        world.add_devices(key, 1);
        if let Some(ticket) = business.tickets.first() {
            world.change_ticket(ticket.key, |ticket| ticket.title = "Changed".to_owned());
        }
        if let Some(threat) = business.threats.first() {
            world.change_threat(threat.key, |threat| threat.class = "Changed".to_owned());
        }
        if let Some(alert) = business.alerts.first() {
            world.change_alert(alert.key, |alert| alert.title = "Changed".to_owned());
        }
        if let Some(invoice) = business.invoices.first() {
            world.change_invoice(invoice.key, |invoice| invoice.number.push('X'));
        }
        if let Some(invoice) = business.invoices.get(1) {
            world.remove_invoice(invoice.key);
        }
        if let Some(subscription) = business.subscriptions.first() {
            world.set_quantity(subscription.id, subscription.quantity + 1);
        }
    }
}

/// A new quantity is in the answer, in a fresh read, and in the next listing.
pub async fn quantity_is_changed_and_seen(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(set) = stage.connector.subscription_quantity() else { return };
    let (id, before) = pick(&stage, |subscription| {
        let now = stage.simulated.read(|world| world.now);
        let more = subscription.quantity.map(|quantity| Exact(quantity.0 + Decimal::ONE));
        more.is_some_and(|more| set.refusal(subscription, more, now).is_none())
    })
    .await
    .unwrap_or_else(|| panic!("no subscription takes one seat more"));
    let more = Exact(quantity(&before) + Decimal::ONE);
    let listing = stage.listing(RecordKind::Subscription);
    let raw = set.set_quantity(&id, more).await.unwrap_or_else(|why| panic!("one seat more is refused: {why}"));
    let again = set.fetch(&id).await.unwrap_or_else(|why| panic!("{why}"));
    for raw in [raw, again] {
        let read = listing.read(&raw).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(read.id, id);
        assert_eq!(quantity(&subscription(&read.body)), more.0);
    }
    let (_, listed) = pick_id(&stage, &id).await;
    assert_eq!(quantity(&listed), more.0);
    let error = set.fetch("00000000-0000-4000-8000-00000000dead").await.expect_err("an unknown id is read");
    assert!(matches!(error.kind, Kind::NotFound | Kind::Refused), "{error}");
}

/// During the commitment less is refused: by the connector, without asking, and by the vendor.
pub async fn quantity_below_the_commitment_is_refused(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(set) = stage.connector.subscription_quantity() else { return };
    let now = stage.simulated.read(|world| world.now);
    let (id, committed) = pick(&stage, |subscription| {
        let ends = subscription.commitment_ends_at.is_some_and(|end| end > now);
        ends && subscription.status == "Active" && quantity(subscription) > Decimal::ONE
    })
    .await
    .unwrap_or_else(|| panic!("no subscription has a commitment"));
    let (same, less) = (Exact(quantity(&committed)), Exact(quantity(&committed) - Decimal::ONE));
    assert!(set.refusal(&committed, less, now).is_some(), "the connector does not know that less is refused");
    assert_eq!(set.refusal(&committed, Exact(same.0 + Decimal::ONE), now), None);
    assert!(set.refusal(&committed, Exact(Decimal::ZERO), now).is_some(), "nothing at all is a cancellation");
    let error = set.set_quantity(&id, less).await.expect_err("the vendor takes less");
    assert_eq!(error.kind, Kind::Refused, "{error}");
    assert!(error.vendor_message.is_some(), "the vendor's reason is lost: {error}");
    let read = stage.listing(RecordKind::Subscription).read(&set.fetch(&id).await.unwrap_or_default());
    assert_eq!(read.map(|read| quantity(&subscription(&read.body))), Ok(same.0), "it was changed all the same");
}

/// A change whose answer is lost is one request, not marked as repeatable, and an error.
pub async fn quantity_is_never_sent_twice(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(set) = stage.connector.subscription_quantity() else { return };
    let now = stage.simulated.read(|world| world.now);
    let (id, before) = pick(&stage, |one| set.refusal(one, Exact(quantity(one) + Decimal::ONE), now).is_none())
        .await
        .unwrap_or_else(|| panic!("no subscription takes one seat more"));
    for fault in [Fault::AnswerLost, Fault::Reset, Fault::Status(500), Fault::Html] {
        stage.simulated.clear_log();
        stage.faulty.set(Plan::nth(1, fault.clone()));
        let more = Exact(quantity(&before) + Decimal::ONE);
        let set = set.set_quantity(&id, more).await;
        let writes: Vec<_> = stage.data_requests().into_iter().filter(|r| r.method != Method::Get).collect();
        assert!(writes.len() <= 1, "{fault:?}: sent {} times", writes.len());
        assert!(writes.iter().all(|write| !write.idempotent), "{fault:?}: the write is marked as repeatable");
        assert!(
            set.is_err() || !writes.is_empty() || matches!(fault, Fault::Html),
            "{fault:?}: success without a write"
        );
        if !matches!(fault, Fault::Html) {
            assert!(set.is_err(), "{fault:?}: the outcome is unknown, but called a success");
        }
    }
}

fn subscription(body: &str) -> Subscription {
    serde_json::from_str(body).unwrap_or_else(|why| panic!("not a subscription: {why}"))
}

fn quantity(subscription: &Subscription) -> Decimal {
    subscription.quantity.map_or(Decimal::ZERO, |quantity| quantity.0)
}

/// The first subscription that suits.
async fn pick(stage: &Stage, suits: impl Fn(&Subscription) -> bool) -> Option<(String, Subscription)> {
    for target in stage.targets().await.iter().filter(|target| target.kind == RecordKind::Subscription) {
        let walked = stage.walk(target).await.unwrap_or_else(|why| panic!("{target:?}: {why}"));
        for record in walked.records {
            let read = subscription(&record.body);
            if suits(&read) {
                return Some((record.id, read));
            }
        }
    }
    None
}

async fn pick_id(stage: &Stage, id: &str) -> (String, Subscription) {
    for target in stage.targets().await.iter().filter(|target| target.kind == RecordKind::Subscription) {
        let walked = stage.walk(target).await.unwrap_or_else(|why| panic!("{target:?}: {why}"));
        if let Some(record) = walked.records.into_iter().find(|record| record.id == id) {
            return (record.id, subscription(&record.body));
        }
    }
    panic!("subscription {id} is not listed any more")
}
