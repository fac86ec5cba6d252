//! After each sync, what is stored is what the vendor has, and only what changed was written.

use domain::{ConnectionState, RunState};
use integration::RecordKind;
use testkit::both_databases;
use vendorkit::WorldSize;

use crate::stage::{MICROSOFT365, NINJAONE, PAX8, Stage, stage};

const FEW: WorldSize = WorldSize { businesses: 12, devices: 60, people: 60 };

/// A first sync, one without news, and one after the world changed.
async fn follows(stage: &Stage) {
    assert_eq!(stage.work().await, 1);
    stage.assert_true().await;
    let connection = stage.connection().await;
    if stage.vendor.id == MICROSOFT365 {
        // Some tenants of the world have not consented.
        assert_eq!(connection.state, ConnectionState::Degraded);
        assert!(connection.state_reason.is_some_and(|why| why.contains("consent")));
    } else {
        assert_eq!(connection.state, ConnectionState::Connected, "{:?}", connection.state_reason);
        assert_eq!(connection.last_synced_at, Some(stage.db.now()));
    }
    let (rows, entries) = (stage.rows().await, stage.journal("sync_run").await);
    assert!(!rows.is_empty());

    stage.sync().await;
    assert_eq!(stage.rows().await, rows, "an unchanged sync wrote rows");
    assert_eq!(stage.journal("sync_run").await, entries, "an unchanged sync wrote the journal");
    assert_eq!(stage.run(RecordKind::Entity).await.state, RunState::Complete);

    change(stage);
    stage.sync().await;
    stage.assert_true().await;
    assert!(stage.journal("sync_run").await > entries);
}

/// Renames, moves, removes, adds, re-creates.
fn change(stage: &Stage) {
    stage.simulated.change(|world| {
        let known: Vec<u64> = world.known_to(stage.vendor.id).map(|business| business.key).collect();
        let light = |world: &vendorkit::World| {
            let mut keys = known.clone();
            keys.sort_by_key(|key| world.business(*key).map_or(0, |b| b.devices.len() + b.people.len()));
            keys
        };
        let keys = light(world);
        assert!(world.rename_business(keys[2], "Quite Another Name Pty Ltd"));
        world.recreate_business(keys[0]).expect("is there");
        world.remove_business(keys[1]).expect("is there");
        world.add_business("Brand New Orchard Ltd", &[stage.vendor.id]);
        let devices: Vec<u64> = world.business(keys[5]).expect("is there").devices.iter().map(|d| d.key).collect();
        if let [first, second, ..] = devices[..] {
            assert!(world.move_device(first, keys[4]));
            world.remove_device(second).expect("is there");
        }
        world.add_devices(keys[3], 2);
        world.add_person(keys[3]).expect("is there");
        let person = world.business(keys[5]).expect("is there").people.first().map(|person| person.id);
        assert!(person.is_some_and(|id| world.change_person(id, |person| person.title = "Other work".into())));
        let subscription = world.business(keys[5]).expect("is there").subscriptions.first().map(|s| s.id);
        if let Some(id) = subscription {
            world.set_quantity(id, 77);
        }
    });
}

both_databases! {
    async fn a_ninjaone_account_is_followed(db: TestDb) {
        follows(&stage(db, NINJAONE, FEW).await).await;
    }

    async fn a_microsoft365_partner_is_followed(db: TestDb) {
        follows(&stage(db, MICROSOFT365, FEW).await).await;
    }

    async fn a_pax8_account_is_followed(db: TestDb) {
        follows(&stage(db, PAX8, FEW).await).await;
    }
}
