//! Syncs through trouble: the end is the vendor's snapshot, within bounds on requests.

use std::sync::Arc;

use domain::{ConnectionState, RunState};
use integration::RecordKind;
use testkit::{both_databases, sqlite};
use vendorkit::{Fault, Plan, WorldSize};

use crate::stage::{NINJAONE, PAX8, stage};

const PAGES: WorldSize = WorldSize { businesses: 24, devices: 260, people: 24 };

/// Each fault at each rate, with another seed in each round (`PANELONE_TEST_ROUND`).
#[tokio::test]
async fn the_end_is_the_snapshot_whatever_fails_on_the_way() {
    let faults = [
        ("throttled", Fault::Throttled(20)),
        ("500", Fault::Status(500)),
        ("a web page", Fault::Html),
        ("reset", Fault::Reset),
        ("answer lost", Fault::AnswerLost),
        ("half a body", Fault::Truncated),
    ];
    for vendor in [NINJAONE, PAX8] {
        let least = {
            let stage = stage(sqlite().await, vendor, PAGES).await;
            stage.work().await;
            stage.requests()
        };
        for (what, fault) in &faults {
            for percent in [5, 20] {
                let seed = testkit::round();
                let stage = stage(sqlite().await, vendor, PAGES).await;
                stage.faulty.set(Plan::Rate { percent, seed, faults: vec![fault.clone()] });
                stage.finish().await;
                let broken = stage.faulty.broken();
                // Those that failed before they reached the vendor are not in its log.
                let asked = stage.requests();
                stage.faulty.set(Plan::Never);
                stage.assert_true().await;
                // A page of NinjaOne's alerts and documents takes two requests: when the second breaks, both
                // are asked again. The items of a Pax8 invoice make its records together: a try that goes on
                // in the midst of them asks for those before, here five pages at most.
                let again = if vendor == NINJAONE { 2 } else { 6 };
                assert!(
                    asked <= least + again * broken,
                    "{vendor}, {what} at {percent} %, seed {seed}: {asked} requests for {least}, {broken} broken"
                );
                assert_eq!(stage.connection().await.state, ConnectionState::Connected, "{vendor}, {what}");
            }
        }
    }
}

both_databases! {
    async fn throttling_is_waited_out_as_long_as_the_vendor_asks(db: TestDb) {
        let stage = stage(db, NINJAONE, PAGES).await;
        stage.faulty.set(Plan::nth(4, Fault::Throttled(600)));
        stage.work().await;
        assert_eq!(stage.pending().await, 1);
        let run = stage.runs().await.into_iter().find(|run| run.state == RunState::Running);
        assert!(run.is_some(), "the run waits where it is");
        stage.advance(599);
        assert_eq!(stage.work().await, 0, "asked again too early");
        stage.advance(10);
        stage.work().await;
        stage.assert_true().await;
    }

    async fn a_vendor_that_is_down_for_long_fails_the_run_and_says_so(db: TestDb) {
        let stage = stage(db, NINJAONE, PAGES).await;
        stage.faulty.set(Plan::Always(Fault::Status(503)));
        stage.finish().await;
        assert!(stage.faulty.broken() <= 15, "{} requests", stage.faulty.broken());
        let run = stage.run(RecordKind::Entity).await;
        assert_eq!((run.state, run.code.as_deref()), (RunState::Failed, Some("vendor_unavailable")));
        let connection = stage.connection().await;
        assert_eq!(connection.state, ConnectionState::Degraded);
        assert!(connection.state_reason.is_some_and(|why| why.contains("NinjaOne")));
        assert_eq!(connection.last_synced_at, None);
        stage.faulty.set(Plan::Never);
        stage.sync().await;
        stage.assert_true().await;
        let connection = stage.connection().await;
        assert_eq!((connection.state, connection.state_reason), (ConnectionState::Connected, None));
    }

    async fn one_listing_that_fails_does_not_keep_the_others(db: TestDb) {
        let stage = stage(db, NINJAONE, PAGES).await;
        let no_locations = Arc::new(|request: &integration::Request, mut response: integration::Response| {
            if request.url.path().contains("locations") {
                response.status = 500;
            }
            response
        });
        stage.faulty.set(Plan::Always(Fault::Alter(no_locations)));
        stage.finish().await;
        assert_eq!(stage.run(RecordKind::Location).await.state, RunState::Failed);
        assert_eq!(stage.run(RecordKind::Device).await.state, RunState::Complete);
        assert_eq!(stage.connection().await.state, ConnectionState::Degraded);
        assert!(!stage.rows().await.is_empty());
    }

    async fn an_expired_token_heals_and_a_refused_one_asks_for_a_person(db: TestDb) {
        let stage = stage(db, NINJAONE, PAGES).await;
        let simulated = stage.simulated.clone();
        let expire = Fault::Before(Arc::new(move || simulated.simulator.expire_tokens()));
        stage.faulty.set(Plan::nth(4, expire));
        stage.work().await;
        stage.assert_true().await;

        let before = stage.stored().await;
        stage.faulty.set(Plan::Always(Fault::Status(401)));
        stage.sync().await;
        let connection = stage.connection().await;
        assert_eq!(connection.state, ConnectionState::ReauthRequired);
        assert!(connection.state_reason.is_some());
        assert_eq!((stage.pending().await, connection.next_sync_at), (0, None), "it would knock again and again");
        assert!(stage.faulty.broken() <= 4, "{} requests with credentials that do not work", stage.faulty.broken());
        assert_eq!(stage.stored().await, before);
        assert_eq!(stage.run(RecordKind::Entity).await.code.as_deref(), Some("vendor_credentials"));
    }

    async fn records_that_vanish_while_they_are_listed_mean_a_new_walk(db: TestDb) {
        let stage = stage(db, PAX8, PAGES).await;
        stage.work().await;
        let simulated = stage.simulated.clone();
        let vanish = Fault::Before(Arc::new(move || {
            simulated.change(|world| {
                let first = world.known_to(PAX8).next().map(|business| business.key);
                first.and_then(|key| world.remove_business(key)).map(drop)
            });
        }));
        stage.faulty.set(Plan::nth(2, vanish));
        stage.sync().await;
        stage.assert_true().await;
        let run = stage.run(RecordKind::Entity).await;
        assert_eq!((run.state, run.counts.removed), (RunState::Complete, 1), "{run:?}");
    }

    async fn a_record_that_comes_in_between_is_found_by_a_second_walk(db: TestDb) {
        let stage = stage(db, PAX8, PAGES).await;
        stage.work().await;
        let simulated = stage.simulated.clone();
        let come = Fault::Before(Arc::new(move || {
            simulated.change(|world| world.add_business("Aaron & Aaron Ltd", &[PAX8]));
        }));
        stage.faulty.set(Plan::nth(2, come));
        stage.sync().await;
        stage.assert_true().await;
        let run = stage.run(RecordKind::Entity).await;
        assert_eq!((run.state, run.counts.added), (RunState::Complete, 1), "{run:?}");
        assert_eq!(stage.connection().await.state, ConnectionState::Connected);
    }
}
