//! Held runs: a person releases or drops them.

use domain::{ConnectionState, Error, RunId, RunState};
use integration::RecordKind;
use testkit::both_databases;
use vendorkit::{Fault, Plan, WorldSize};

use crate::stage::{NINJAONE, Stage, stage};

const SIZE: WorldSize = WorldSize { businesses: 6, devices: 120, people: 6 };

/// A connection whose device listing was held because a third of the devices are gone.
async fn held(db: testkit::TestDb) -> (Stage, RunId) {
    let stage = stage(db, NINJAONE, SIZE).await;
    stage.work().await;
    remove(&stage, 40);
    let before = stage.keys().await;
    stage.sync().await;
    assert!(stage.keys().await == before);
    let run = stage.run(RecordKind::Device).await;
    assert_eq!((run.state, run.code.as_deref()), (RunState::Held, Some("held")));
    assert!(run.message.is_some_and(|why| why.contains("40 of the 120 devices")));
    assert_eq!(stage.connection().await.state, ConnectionState::Degraded);
    (stage, run.id)
}

fn remove(stage: &Stage, devices: usize) {
    stage.simulated.change(|world| {
        let keys: Vec<u64> = world.devices_after(0).map(|(_, device)| device.key).take(devices).collect();
        keys.into_iter().for_each(|key| assert!(world.remove_device(key).is_some()));
    });
}

async fn release(stage: &Stage, id: RunId) -> Result<(), Error> {
    stage.advance(60);
    let tx = stage.db.store.begin(stage.context()).await?;
    sync::run_release(&tx, id).await?;
    tx.commit("run_release", None).await.map(drop)
}

async fn state_of(stage: &Stage, id: RunId) -> RunState {
    stage.runs().await.into_iter().find(|run| run.id == id).expect("is there").state
}

both_databases! {
    async fn a_held_run_names_what_it_would_remove(db: TestDb) {
        let (stage, id) = held(db).await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let run = tx.run(id).await.expect("is there");
        let missing = sync::run_missing(&tx, &run).await.expect("reads").expect("is held");
        assert_eq!((missing.number, missing.named.len()), (40, 40));
        let truth = stage.truth().await;
        let stored = stage.rows().await;
        let gone: std::collections::BTreeSet<_> = stored
            .iter()
            .filter(|row| row.kind == "device" && !truth.keys().any(|key| key.0 == "device" && key.2 == row.vendor_id))
            .map(|row| (row.id.0, row.title.clone()))
            .collect();
        assert_eq!(missing.named.iter().cloned().collect::<std::collections::BTreeSet<_>>(), gone);
        // Who sees no client sees no name either.
        let nobody = domain::Context { scope: domain::ClientScope::Only([].into()), ..stage.context() };
        let scoped = stage.db.store.read(nobody).await.expect("reads");
        let missing = sync::run_missing(&scoped, &run).await.expect("reads").expect("is held");
        assert_eq!((missing.number, missing.named.len()), (40, 0));
        drop((tx, scoped));
        release(&stage, id).await.expect("releases");
        stage.work().await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let run = tx.run(id).await.expect("is there");
        assert_eq!(sync::run_missing(&tx, &run).await.expect("reads"), None, "it is held no more");
    }

    async fn a_released_run_is_listed_anew_and_done(db: TestDb) {
        let (stage, id) = held(db).await;
        release(&stage, id).await.expect("releases");
        assert_eq!(stage.journal("run_release").await, 1);
        stage.work().await;
        stage.assert_true().await;
        assert_eq!(stage.run(RecordKind::Device).await.counts.removed, 40);
        assert_eq!(state_of(&stage, id).await, RunState::Complete);
        assert_eq!(stage.connection().await.state, ConnectionState::Connected);
        assert!(matches!(release(&stage, id).await, Err(Error::Conflict { code: "not_held", .. })));
    }

    async fn a_release_covers_what_was_seen_and_not_much_more(db: TestDb) {
        let (stage, id) = held(db).await;
        remove(&stage, 30);
        let before = stage.keys().await;
        release(&stage, id).await.expect("releases");
        stage.work().await;
        assert!(stage.keys().await == before);
        let run = stage.run(RecordKind::Device).await;
        assert_eq!(run.state, RunState::Held);
        assert_ne!(run.id, id);
        assert_eq!(state_of(&stage, id).await, RunState::Dropped);
    }

    async fn a_dropped_run_changes_nothing(db: TestDb) {
        let (stage, id) = held(db).await;
        let before = stage.keys().await;
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        let run = sync::run_drop(&tx, id).await.expect("drops");
        assert_eq!(run.state, RunState::Dropped);
        tx.commit("run_drop", None).await.expect("commits");
        assert!(stage.keys().await == before);
        assert_eq!(state_of(&stage, id).await, RunState::Dropped);
    }

    async fn a_listing_that_comes_back_whole_settles_what_was_held(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        stage.work().await;
        let before = stage.keys().await;
        stage.faulty.set(Plan::Always(Fault::Empty));
        stage.sync().await;
        let held = stage.run(RecordKind::Entity).await;
        assert_eq!(held.state, RunState::Held);
        stage.faulty.set(Plan::Never);
        stage.sync().await;
        assert!(stage.keys().await == before);
        assert_eq!(state_of(&stage, held.id).await, RunState::Dropped);
        assert_eq!(stage.connection().await.state, ConnectionState::Connected);
    }

    async fn thirty_times_as_many_are_not_stored(db: TestDb) {
        let stage = stage(db, NINJAONE, WorldSize { businesses: 4, devices: 20, people: 4 }).await;
        stage.work().await;
        let before = stage.rows().await.len();
        stage.simulated.change(|world| {
            let key = world.businesses()[0].key;
            world.add_devices(key, 700)
        });
        stage.sync().await;
        let run = stage.run(RecordKind::Device).await;
        assert_eq!(run.state, RunState::Held);
        assert!(stage.rows().await.len() - before < 650, "the rest was stored");
        release(&stage, run.id).await.expect("releases");
        stage.work().await;
        stage.assert_true().await;
    }
}
