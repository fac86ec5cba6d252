//! What becomes of events whose receivers do not take them.

use std::{collections::BTreeSet, time::Duration};

use chrono::TimeDelta;
use domain::{DeliveryState, Error};
use sync::{WebhookPatch, Worker, WorkerOptions};
use testkit::both_databases;
use tokio_util::sync::CancellationToken;

use crate::{
    stage::OPTIONS,
    webhooks::{header, json, office},
};

both_databases! {
    async fn what_is_not_taken_is_tried_for_a_day_and_then_sent_again_by_hand(db: TestDb) {
        let office = office(db).await;
        let (id, _) = office.subscribe("https://hooks.example/a", &[], None).await;
        let began = office.stage.db.now();
        office.client("Quay").await;
        for status in [500, 302, 404, 503, 500, 500, 500, 500, 500] {
            office.receiver.answers(status, None);
        }
        let mut ended = None;
        for _ in 0..100 {
            office.work().await;
            let row = office.deliveries(id).await.remove(0);
            if row.state == DeliveryState::Dead {
                ended = Some(row);
                break;
            }
            let next = row.next_at.expect("another try") - office.stage.db.now();
            office.stage.db.clock.advance(next.num_seconds().max(30) + 1);
        }
        let row = ended.expect("is given up");
        assert_eq!((row.attempts, row.status, office.receiver.got().len()), (9, Some(500), 9));
        let hours = (office.stage.db.now() - began).num_hours();
        assert!((20..=32).contains(&hours), "{hours}");
        let tries = office.read().await.webhook_attempts(row.id).await.expect("lists");
        assert_eq!(tries.iter().rev().map(|one| one.status.unwrap_or(0)).collect::<Vec<_>>(), [500, 302, 404, 503, 500, 500, 500, 500, 500]);
        assert!(tries[7].error.as_deref().is_some_and(|why| why.contains("redirect")), "{tries:?}");
        assert_eq!(tries[0].answer.as_deref(), Some("said the receiver  "), "without control characters");
        // It is still there the next day, and is sent again because a person says so.
        let tx = office.begin().await;
        let again = sync::webhook_delivery_retry(&tx, id, row.id).await.expect("retries");
        assert_eq!(again.state, DeliveryState::Queued);
        tx.commit("webhook_delivery_retry", None).await.expect("commits");
        office.stage.db.clock.advance(31);
        office.work().await;
        let row = office.deliveries(id).await.remove(0);
        assert_eq!((row.state, row.attempts), (DeliveryState::Delivered, 10));
        let ids: BTreeSet<String> = office.receiver.got().iter().map(|post| header(post, "webhook-id")).collect();
        assert_eq!(ids.len(), 1, "each try under the same id");
        let bodies: BTreeSet<Vec<u8>> = office.receiver.got().iter().map(|post| post.body.to_vec()).collect();
        assert_eq!(bodies.len(), 1, "each try with the same body");
        let tx = office.begin().await;
        assert_eq!(sync::webhook_deliveries_retry(&tx, id, began).await.expect("asks"), 0, "nothing is dead");
    }

    async fn all_that_was_given_up_is_sent_again_at_once(db: TestDb) {
        let office = office(db).await;
        let (id, _) = office.subscribe("https://hooks.example/a", &[], None).await;
        let began = office.stage.db.now();
        for name in ["One", "Two", "Three"] {
            office.client(name).await;
            office.stage.db.clock.advance(60);
        }
        office.stage.db.tamper("UPDATE webhook_delivery SET state = 'dead', next_at = NULL").await.expect("tampers");
        office.work().await;
        assert!(office.receiver.got().is_empty());
        let tx = office.begin().await;
        let since = began + TimeDelta::seconds(60);
        assert_eq!(sync::webhook_deliveries_retry(&tx, id, since).await.expect("retries"), 2);
        tx.commit("webhook_deliveries_retry", None).await.expect("commits");
        office.work().await;
        let mut names: Vec<String> = office.receiver.got().iter().map(|post| json(post)["data"]["name"].to_string()).collect();
        names.sort_unstable();
        assert_eq!(names, ["\"Three\"", "\"Two\""]);
    }

    async fn what_a_receiver_asks_to_wait_is_waited(db: TestDb) {
        let office = office(db).await;
        let (id, _) = office.subscribe("https://hooks.example/a", &[], None).await;
        office.client("Quay").await;
        office.receiver.answers(503, Some(3_600));
        office.work().await;
        let next = office.deliveries(id).await[0].next_at.expect("another try");
        let wait = next - office.stage.db.now();
        assert!(wait >= TimeDelta::hours(1) && wait <= TimeDelta::minutes(72), "{wait}");
        office.stage.db.clock.advance(3_000);
        office.work().await;
        assert_eq!(office.receiver.got().len(), 1);
    }

    async fn an_address_that_is_gone_is_told_no_more_and_its_owners_know(db: TestDb) {
        let office = office(db).await;
        office.owner().await;
        let (id, _) = office.subscribe("https://hooks.example/a?token=t0p", &[], None).await;
        office.client("Quay").await;
        office.receiver.answers(410, None);
        office.work().await;
        let one = office.subscription(id).await;
        assert!(!one.enabled && one.disabled_reason.is_some_and(|why| why.contains("410")));
        assert_eq!(office.deliveries(id).await[0].state, DeliveryState::Dead);
        let mails = office.mails().await;
        assert_eq!((mails.len(), mails[0].recipient.as_str()), (1, "owner@kite.example"));
        office.client("Kite").await;
        office.stage.db.clock.advance(90_000);
        office.work().await;
        assert_eq!((office.receiver.got().len(), office.deliveries(id).await.len()), (1, 1));
        // Nothing is sent again while it is off; a ping is, because a person asks whether it works.
        let tx = office.begin().await;
        let dead = office.deliveries(id).await[0].id;
        let refused = sync::webhook_delivery_retry(&tx, id, dead).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "subscription_disabled", .. })), "{refused:?}");
        sync::webhook_test(&tx, id).await.expect("pings");
        tx.commit("webhook_test", None).await.expect("commits");
        office.work().await;
        assert_eq!(json(office.receiver.got().last().expect("one"))["type"], "ping");
        let tx = office.begin().await;
        let on = WebhookPatch { enabled: Some(true), ..WebhookPatch::default() };
        let on = sync::webhook_subscription_update(&tx, id, on, &|_| Ok(())).await.expect("switches on");
        assert_eq!((on.enabled, on.disabled_reason), (true, None));
    }

    async fn an_address_that_takes_nothing_for_days_is_switched_off(db: TestDb) {
        let office = office(db).await;
        office.owner().await;
        let (id, _) = office.subscribe("https://hooks.example/a", &["client.created"], None).await;
        for _ in 0..200 {
            office.receiver.answers.lock().expect("sound").push_back(Err("nobody there".to_owned()));
        }
        let mut days = 0;
        while office.subscription(id).await.enabled {
            office.client(&format!("Client {days}")).await;
            office.work().await;
            office.stage.db.clock.advance(86_400);
            days += 1;
            assert!(days < 10, "it is never switched off");
        }
        assert!((5..=7).contains(&days), "{days}");
        assert!(office.deliveries(id).await.iter().all(|row| row.state == DeliveryState::Dead));
        assert_eq!(office.mails().await.len(), 1);
        // One yes in between, and the days begin anew.
        let (id, _) = office.subscribe("https://hooks.example/b", &["client.created"], None).await;
        for day in 0..12 {
            office.receiver.answers.lock().expect("sound").clear();
            for _ in 0..if day % 4 == 3 { 0 } else { 100 } {
                office.receiver.answers(500, None);
            }
            office.client(&format!("Later {day}")).await;
            office.work().await;
            office.stage.db.clock.advance(86_400);
        }
        assert!(office.subscription(id).await.enabled);
    }

    /// A worker that dies after the receiver's yes and before the note of it.
    async fn a_worker_that_died_in_between_sends_again_under_the_same_id(db: TestDb) {
        let office = office(db).await;
        let (id, _) = office.subscribe("https://hooks.example/a", &[], None).await;
        office.client("Quay").await;
        office.stage.engine.schedule().await.expect("schedules");
        let store = &office.stage.db.store;
        let across = store.across().await.expect("begins");
        let dead = across.jobs_claim(1, office.stage.db.now(), TimeDelta::seconds(30)).await.expect("claims");
        across.commit().await.expect("commits");
        assert_eq!(dead.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["webhooks"]);
        let tx = office.begin().await;
        let due = tx.webhooks_take(id, 4).await.expect("takes").expect("is there");
        let event = due.deliveries[0].delivery.event_id;
        tx.commit_unjournalled().await.expect("commits");
        office.work().await;
        assert!(office.receiver.got().is_empty(), "its lease holds");
        office.stage.db.clock.advance(31);
        office.work().await;
        let got = office.receiver.got();
        assert_eq!((got.len(), header(&got[0], "webhook-id")), (1, sync::message_id(event)));
        let row = office.deliveries(id).await.remove(0);
        assert_eq!((row.state, row.attempts), (DeliveryState::Delivered, 2));
    }

    /// With one slot for everything: a receiver that does not answer holds up no other.
    async fn a_slow_receiver_delays_no_other(db: TestDb) {
        let office = office(db).await;
        office.subscribe("https://slow.example/a", &[], None).await;
        let (quick, _) = office.subscribe("https://quick.example/a", &["client.created"], None).await;
        let options = WorkerOptions { slots: 1, poll: Duration::from_millis(5), ..OPTIONS };
        let worker = Worker::new(office.stage.engine.clone(), options).heralding(office.receiver.clone());
        let stop = CancellationToken::new();
        office.client("Quay").await;
        let running = tokio::spawn({
            let stop = stop.clone();
            async move { worker.run(stop).await }
        });
        let both = async {
            while office.receiver.got().len() < 2 {
                office.receiver.arrived.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), both).await.expect("the quick one is told while the slow one is not");
        let urls: BTreeSet<String> = office.receiver.got().into_iter().map(|post| post.url).collect();
        assert!(urls.contains("https://quick.example/a") && urls.contains("https://slow.example/a"), "{urls:?}");
        stop.cancel();
        office.receiver.released.notify_waiters();
        running.await.expect("ends");
        assert_eq!(office.deliveries(quick).await.len(), 1);
    }

    async fn a_worker_that_sends_no_webhooks_leaves_them_to_one_that_does(db: TestDb) {
        let office = office(db).await;
        let (id, _) = office.subscribe("https://hooks.example/a", &[], None).await;
        office.client("Quay").await;
        office.stage.worker.run_until_idle().await.expect("works");
        assert_eq!(office.deliveries(id).await[0].attempts, 0);
        office.stage.db.clock.advance(61);
        office.work().await;
        assert_eq!(office.deliveries(id).await[0].state, DeliveryState::Delivered);
    }

    async fn old_deliveries_are_forgotten_with_their_events(db: TestDb) {
        let office = office(db).await;
        let (id, _) = office.subscribe("https://hooks.example/a", &[], None).await;
        office.client("Quay").await;
        office.work().await;
        office.stage.db.clock.advance(86_400);
        office.client("Kite").await;
        let tx = office.begin().await;
        assert_eq!(tx.webhooks_forget(office.stage.db.now()).await.expect("forgets"), 1);
        tx.commit_unjournalled().await.expect("commits");
        assert_eq!((office.events().await, office.deliveries(id).await.len()), (1, 1), "what waits stays");
    }
}
