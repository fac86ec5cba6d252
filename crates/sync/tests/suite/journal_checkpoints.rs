//! The journal is signed once a day, by the worker, and never once it was tampered with.

use persistence::Checkpoint;
use sync::Worker;
use testkit::both_databases;

use crate::{
    stage::OPTIONS,
    toy::{ToyStage, toy},
};

const DAY: i64 = 86_400;

async fn round(stage: &ToyStage, worker: &Worker) -> Vec<Checkpoint> {
    stage.engine.journal_checkpoint_enqueue(stage.organisation).await.expect("enqueues");
    worker.run_until_idle().await.expect("works");
    let tx = stage.db.store.read(stage.db.context(stage.organisation)).await.expect("reads");
    let page = domain::PageRequest { limit: 100, after: None };
    tx.journal_checkpoint_list(&page).await.expect("lists").items
}

both_databases! {
    async fn a_day_on_which_something_was_written_ends_signed(db: TestDb) {
        let stage = toy(db).await;
        let worker = Worker::new(stage.engine.clone(), OPTIONS);
        worker.run_until_idle().await.expect("works");
        let first = round(&stage, &worker).await;
        assert_eq!(first.len(), 1);
        first[0].check(None).expect("is signed");
        stage.db.client(stage.organisation, "Later that day").await;
        assert_eq!(round(&stage, &worker).await, first, "once a day");
        stage.db.clock.advance(DAY);
        let second = round(&stage, &worker).await;
        assert_eq!(second.len(), 2);
        assert!(second[0].seq > first[0].seq && second[0].public_key == first[0].public_key);
        let tx = stage.db.store.read(stage.db.context(stage.organisation)).await.expect("reads");
        for checkpoint in &second {
            tx.journal_checkpoint_holds(checkpoint).await.expect("holds");
        }
    }

    async fn a_journal_that_was_tampered_with_is_not_signed(db: TestDb) {
        let stage = toy(db).await;
        let worker = Worker::new(stage.engine.clone(), OPTIONS);
        worker.run_until_idle().await.expect("works");
        let signed = round(&stage, &worker).await;
        stage.db.client(stage.organisation, "Honest").await;
        let end = {
            let tx = stage.db.store.read(stage.db.context(stage.organisation)).await.expect("reads");
            tx.journal_end().await.expect("reads")
        };
        let edit = format!("UPDATE journal SET reason = 'forged' WHERE seq = {end}");
        assert_eq!(stage.db.tamper(&edit).await.expect("tampers"), 1);
        stage.db.clock.advance(DAY);
        assert_eq!(round(&stage, &worker).await, signed);
    }
}
