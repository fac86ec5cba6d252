use persistence::{Revision, Store};
use testkit::both_databases;

async fn revision(store: &Store) -> Revision {
    store.revision().await.expect("asks").expect("it can be told")
}

both_databases! {
    async fn a_revision_is_another_after_every_commit(db: TestDb) {
        let organisation = db.organisation("Revisions").await;
        let mut seen = vec![revision(&db.store).await];
        db.client(organisation, "Of this store").await;
        seen.push(revision(&db.store).await);
        // As another process would: with connections of its own.
        let other = db.another(7).await;
        let across = other.across().await.expect("begins");
        across.throttle_touch("somebody", db.now()).await.expect("touches");
        across.commit().await.expect("commits");
        seen.push(revision(&db.store).await);
        db.tamper("UPDATE client SET name = 'Tampered with'").await.expect("changes");
        seen.push(revision(&db.store).await);
        for (nth, one) in seen.iter().enumerate() {
            assert!(!seen[nth + 1..].contains(one), "{seen:?}");
        }
    }

    async fn reading_and_what_is_given_up_leave_the_revision_of_sqlite(db: TestDb) {
        // Others write to the same PostgreSQL meanwhile.
        if !db.store.is_postgres() {
            let organisation = db.organisation("Revisions").await;
            let before = revision(&db.store).await;
            db.store.read(db.context(organisation)).await.expect("reads").client_totals().await.expect("counts");
            let across = db.store.across().await.expect("begins");
            across.throttle_touch("somebody", db.now()).await.expect("touches");
            drop(across);
            db.store.across().await.expect("begins after it");
            assert_eq!(revision(&db.store).await, before);
        }
    }
}
