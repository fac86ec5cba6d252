use persistence::{Store, ThrottleRow};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};
use testkit::both_databases;

const NAME: &str = "account of jo";

/// Touches the count and reads it, as every attempt does.
async fn attempt(store: Store, now: domain::Timestamp) -> Option<ThrottleRow> {
    let across = store.across().await.expect("begins");
    across.throttle_touch(NAME, now).await.expect("touches");
    let row = across.throttle(NAME).await.expect("reads");
    across.commit().await.expect("commits");
    row
}

/// Whether somebody on this database waits for a lock.
async fn waits(door: &DatabaseConnection) -> bool {
    let query =
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let row = door.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, query)).await.expect("asks");
    row.expect("a row").try_get_by_index(0).expect("a truth")
}

both_databases! {
    async fn a_count_that_is_forgotten_meanwhile_is_there_for_the_next_attempt(db: TestDb) {
        let now = db.now();
        let across = db.store.across().await.expect("begins");
        across.throttle_set(NAME, Some(ThrottleRow { failures: 3, last_failure_at: now, locked_until: None })).await.expect("sets");
        across.commit().await.expect("commits");
        let forgetting = db.store.across().await.expect("begins");
        forgetting.throttle_set(NAME, None).await.expect("forgets");
        let next = tokio::spawn(attempt(db.store.clone(), now));
        // PostgreSQL lets the next in until it meets the row; SQLite has one writer, and it waits for its turn.
        if db.store.is_postgres() {
            let door = db.backdoor().await;
            while !waits(&door).await {
                assert!(!next.is_finished(), "it did not wait");
                tokio::task::yield_now().await;
            }
            door.close().await.expect("closes");
        }
        forgetting.commit().await.expect("commits");
        let row = next.await.expect("runs").expect("a count to go on with");
        assert_eq!(row.failures, 0, "it begins anew");
    }
}
