//! What each client has on a day, taken and held against what is paid.

use std::collections::BTreeMap;

use domain::{ClientId, MappingState};
use persistence::MappingWrite;
use sync::{Held, Verdict, reconcile};
use testkit::both_databases;
use vendorkit::WorldSize;

use crate::{
    life::client,
    stage::{MICROSOFT365, Stage, stage},
};

const SIZE: WorldSize = WorldSize { businesses: 4, devices: 8, people: 40 };

/// Maps everything to the client.
async fn map_all(stage: &Stage, to: ClientId) {
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    for connection in tx.connections().await.expect("reads") {
        for entity in tx.entities_of(connection.id).await.expect("reads") {
            let write = MappingWrite { client: Some(to), state: MappingState::Mapped, reason: None };
            tx.mapping_write(entity.id, &write).await.expect("maps");
        }
    }
    tx.commit("mapping_save", None).await.expect("commits");
}

both_databases! {
    async fn a_snapshot_is_taken_once_a_day_and_says_unknown_where_nothing_was_listed(db: TestDb) {
        let stage = stage(db, MICROSOFT365, SIZE).await;
        let (mine, empty) = (client(&stage, "Harbour").await, client(&stage, "Quay").await);
        let counting = stage.engine.counting();
        // Mapped to nothing: nothing is known, and nothing is said.
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let nothing = stage.engine.snapshot_now(&tx, mine, &counting).await.expect("looks");
        assert_eq!(nothing, sync::Snapshot::default());
        drop(tx);
        stage.work().await;
        map_all(&stage, mine).await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let now = stage.engine.snapshot_now(&tx, mine, &counting).await.expect("looks");
        drop(tx);
        let people = stage.simulated.read(|world| world.known_to(MICROSOFT365).map(|b| b.people.len()).sum::<usize>());
        let users: BTreeMap<_, _> = now.users.iter().map(|one| (one.integration.as_str(), one.count)).collect();
        assert_eq!(users.get(MICROSOFT365), Some(&Some(i64::try_from(people).expect("few"))));
        assert!(!now.licences.is_empty(), "no licences are counted");

        let day = stage.db.now().date_naive();
        take(&stage).await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let (kept, _) = stage.engine.snapshot_of(&tx, mine, day).await.expect("was taken");
        assert_eq!(kept, now, "the snapshot is not what there was");
        assert_eq!(tx.snapshot_days(empty).await.expect("reads"), [day]);
        assert!(stage.engine.snapshot_of(&tx, mine, day.succ_opt().expect("a day")).await.is_err());
        drop(tx);
        // The day's first look stands, and the next day has its own.
        take(&stage).await;
        stage.advance(86_400);
        take(&stage).await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        assert_eq!(tx.snapshot_days(mine).await.expect("reads").len(), 2);
        drop(tx);

        let names = stage.engine.entries.iter().map(|entry| (entry.id.to_owned(), entry.name.to_owned())).collect();
        let lines = reconcile(&now, &names);
        let used: Vec<_> = lines.iter().filter(|line| line.held == Held::SeatsUsed).collect();
        assert_eq!(used.len(), now.licences.len(), "a licence has no line");
        for line in used {
            let licence = now.licences.iter().find(|licence| licence.name == line.what).expect("a licence");
            let sign = licence.used.zip(licence.total).map(|(used, total)| used.cmp(&total));
            let verdict = match sign {
                None => Verdict::Unknown,
                Some(std::cmp::Ordering::Equal) => Verdict::Matched,
                Some(std::cmp::Ordering::Greater) => Verdict::Under,
                Some(std::cmp::Ordering::Less) => Verdict::Over,
            };
            assert_eq!(line.verdict, verdict, "{line:?}");
        }
    }
}

/// What the worker's housekeeping does each hour.
async fn take(stage: &Stage) {
    stage.engine.snapshots_enqueue(stage.organisation).await.expect("enqueues");
    stage.work().await;
}
