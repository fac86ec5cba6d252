//! A listing that comes back short never removes or detaches anything; what is really gone is removed within
//! one run.

use domain::{ConnectionState, RunState};
use integration::RecordKind;
use testkit::{both_databases, sqlite};
use vendorkit::{Fault, Plan, WorldSize, world::Random};

use crate::stage::{MICROSOFT365, NINJAONE, PAX8, Stage, stage};

/// Large enough for NinjaOne and Pax8 to need several pages.
const PAGES: WorldSize = WorldSize { businesses: 24, devices: 260, people: 24 };
const FEW: WorldSize = WorldSize { businesses: 12, devices: 60, people: 60 };

async fn synced(db: testkit::TestDb, vendor: &str, size: WorldSize) -> Stage {
    let stage = stage(db, vendor, size).await;
    stage.work().await;
    stage.assert_true().await;
    stage
}

async fn removes_nothing_under(stage: &Stage, what: &str, plan: Plan) {
    let before = stage.keys().await;
    stage.faulty.set(plan);
    stage.sync().await;
    assert!(stage.keys().await == before, "{what} removed something");
    stage.faulty.set(Plan::Never);
    stage.finish().await;
    assert!(stage.keys().await == before, "{what} removed something afterwards");
}

both_databases! {
    async fn an_account_that_shows_nothing_is_held(db: TestDb) {
        let stage = synced(db, NINJAONE, FEW).await;
        let before = stage.keys().await;
        stage.simulated.change(|world| world.forget_all(NINJAONE));
        stage.sync().await;
        assert!(stage.keys().await == before);
        let run = stage.run(RecordKind::Entity).await;
        assert_eq!((run.state, run.counts.removed), (RunState::Held, 0));
        let message = run.message.expect("says why");
        assert!(message.contains("none of the 12 entities") && message.contains("release"), "{message}");
        assert_eq!(stage.run(RecordKind::Device).await.counts.removed, 0);
        let connection = stage.connection().await;
        assert_eq!(connection.state, ConnectionState::Degraded);
        assert!(connection.state_reason.is_some_and(|why| why.starts_with(&message)));
    }

    async fn every_sort_of_short_listing_removes_nothing(db: TestDb) {
        let stage = synced(db, NINJAONE, PAGES).await;
        for page in [1, 3, 8] {
            for (what, fault) in [
                ("an empty page", Fault::Empty),
                ("403", Fault::Status(403)),
                ("404", Fault::Status(404)),
                ("500", Fault::Status(500)),
                ("a web page", Fault::Html),
                ("half a body", Fault::Truncated),
                ("a reset", Fault::Reset),
            ] {
                removes_nothing_under(&stage, &format!("{what} as answer {page}"), Plan::nth(page, fault)).await;
            }
        }
        for (what, fault) in [("always empty", Fault::Empty), ("always 403", Fault::Status(403))] {
            removes_nothing_under(&stage, what, Plan::Always(fault)).await;
        }
    }

    async fn one_device_in_a_thousand_is_seen_to_be_gone(db: TestDb) {
        let stage = synced(db, NINJAONE, PAGES).await;
        stage.simulated.change(|world| {
            let keys: Vec<u64> = world.devices_after(0).map(|(_, device)| device.key).step_by(1_000).collect();
            keys.iter().for_each(|key| assert!(world.remove_device(*key).is_some()));
        });
        stage.sync().await;
        stage.assert_true().await;
        assert!(stage.run(RecordKind::Device).await.counts.removed > 0);
    }

    async fn a_listing_with_fewer_records_than_announced_removes_nothing(db: TestDb) {
        let stage = synced(db, PAX8, FEW).await;
        let shorten = Fault::Alter(std::sync::Arc::new(|_, mut response: integration::Response| {
            let mut body: serde_json::Value = serde_json::from_slice(&response.body).expect("JSON");
            if let Some(content) = body["content"].as_array_mut() {
                content.pop();
            }
            response.body = body.to_string().into();
            response
        }));
        removes_nothing_under(&stage, "a shortened page", Plan::Always(shorten)).await;
        let run = stage.runs().await.into_iter().find(|run| run.code.as_deref() == Some("incomplete"));
        assert_eq!(run.expect("says that it is not whole").state, RunState::Partial);
        stage.sync().await;
        assert_eq!(stage.connection().await.state, ConnectionState::Connected);
    }

    async fn a_tenant_that_closes_its_door_keeps_its_records(db: TestDb) {
        let stage = synced(db, MICROSOFT365, FEW).await;
        let rows = stage.rows().await;
        let tenant = stage.simulated.read(|world| {
            let open = world.known_to(MICROSOFT365).find(|business| {
                rows.iter().any(|row| row.kind == "directory_user" && row.body.contains(&business.domain))
            });
            open.expect("has users").tenant_id.to_string()
        });
        let before = stage.keys().await;
        let closed = tenant.clone();
        let only = move |_: &integration::Request, mut response: integration::Response| {
            response.status = 403;
            response.body = r#"{"error":{"code":"Authorization_RequestDenied","message":"no"}}"#.into();
            response
        };
        let altered = std::sync::Arc::new(move |request: &integration::Request, response: integration::Response| {
            let mine = stage_tenant(request).is_some_and(|of| of == closed);
            if mine { only(request, response) } else { response }
        });
        stage.faulty.set(Plan::Always(Fault::Alter(altered)));
        stage.sync().await;
        assert!(stage.keys().await == before);
    }
}

/// The tenant that a request's token was given for, as the simulator writes it; `None` where it does not.
fn stage_tenant(request: &integration::Request) -> Option<String> {
    let bearer = request.header_value("authorization")?;
    bearer.split(['.', ' ', '_']).find(|part| part.len() == 36).map(str::to_owned)
}

/// 170 scripted listings: any sort of fault at any page, one after the other on the same store; others in each round
/// (`PANELONE_TEST_ROUND`).
#[tokio::test]
async fn short_listings_remove_nothing_and_real_removals_are_seen() {
    let stage = synced(sqlite().await, NINJAONE, WorldSize { businesses: 20, devices: 180, people: 20 }).await;
    let mut chance = Random::new(11 + testkit::round());
    let faults = [
        Fault::Empty,
        Fault::Status(403),
        Fault::Status(500),
        Fault::Html,
        Fault::Truncated,
        Fault::Reset,
        Fault::Throttled(30),
    ];
    let mut there = stage.keys().await;
    for round in 0..170 {
        let fault = faults[chance.below(faults.len())].clone();
        let plan = if chance.percent(50) {
            Plan::nth(1 + chance.below(8), fault)
        } else {
            Plan::Rate { percent: 30, seed: 170 * testkit::round() + round, faults: vec![fault] }
        };
        let what = format!("round {round}, {plan:?}");
        stage.faulty.set(plan);
        stage.sync().await;
        assert!(stage.keys().await == there, "{what} removed something");
        stage.faulty.set(Plan::Never);
        if round % 10 == 9 {
            let removed = stage.simulated.change(|world| {
                let keys: Vec<u64> = world.devices_after(0).map(|(_, device)| device.key).collect();
                world.remove_device(keys[chance.below(keys.len())]).is_some()
            });
            assert!(removed);
            stage.finish().await;
            stage.sync().await;
            stage.assert_true().await;
            there = stage.keys().await;
        }
    }
}
