use chrono::TimeDelta;
use domain::Error;
use persistence::{JobOutcome, NewJob};
use testkit::{TestDb, both_databases};

fn job(db: &TestDb, key: &str) -> NewJob {
    NewJob {
        kind: "sync".into(),
        payload: "{}".into(),
        unique_key: key.into(),
        priority: 0,
        run_at: db.now(),
        max_attempts: 3,
    }
}

async fn claim(store: &persistence::Store, db: &TestDb, slots: u64) -> Vec<persistence::ClaimedJob> {
    let across = store.across().await.expect("begins");
    let claimed = across.jobs_claim(slots, db.now(), TimeDelta::seconds(30)).await.expect("claims");
    across.commit().await.expect("commits");
    claimed
}

both_databases! {
    async fn a_job_is_unique_while_it_waits_or_runs(db: TestDb) {
        let organisation = db.organisation("Unique").await;
        let enqueue = async || {
            let tx = db.store.begin(db.context(organisation)).await.expect("begins");
            let new = tx.job_enqueue(&job(&db, "sync:1")).await.expect("enqueues");
            tx.commit_unjournalled().await.expect("commits");
            new
        };
        assert!(enqueue().await);
        assert!(!enqueue().await);
        let held = claim(&db.store, &db, 5).await;
        assert_eq!(held.len(), 1);
        assert!(!enqueue().await);
        let across = db.store.across().await.expect("begins");
        assert!(across.job_finish(&held[0], &JobOutcome::Done, db.now()).await.expect("finishes"));
        across.commit().await.expect("commits");
        assert!(enqueue().await);
    }

    async fn a_lost_lease_can_neither_write_nor_finish(db: TestDb) {
        let organisation = db.organisation("Lease").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        tx.job_enqueue(&job(&db, "a")).await.expect("enqueues");
        tx.commit_unjournalled().await.expect("commits");
        let first = claim(&db.store, &db, 1).await.remove(0);
        assert!(claim(&db.store, &db, 1).await.is_empty());
        db.clock.advance(31);
        let second = claim(&db.another(99).await, &db, 1).await.remove(0);
        assert_eq!((second.id, second.attempt), (first.id, 2));
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        assert!(matches!(tx.job_fence(&first).await, Err(Error::Conflict { code: "lease_lost", .. })));
        tx.job_fence(&second).await.expect("holds");
        tx.commit_unjournalled().await.expect("commits");
        let across = db.store.across().await.expect("begins");
        assert!(!across.job_heartbeat(&first, db.now()).await.expect("asks"));
        assert!(!across.job_finish(&first, &JobOutcome::Done, db.now()).await.expect("asks"));
        assert!(across.job_finish(&second, &JobOutcome::Done, db.now()).await.expect("asks"));
    }

    async fn a_job_that_kills_its_worker_is_given_up_in_the_end(db: TestDb) {
        let organisation = db.organisation("Poison").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        tx.job_enqueue(&job(&db, "a")).await.expect("enqueues");
        tx.commit_unjournalled().await.expect("commits");
        for attempt in 1..=3 {
            assert_eq!(claim(&db.store, &db, 1).await[0].attempt, attempt);
            db.clock.advance(31);
        }
        assert!(claim(&db.store, &db, 1).await.is_empty());
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        assert_eq!(tx.jobs_failed().await.expect("lists").len(), 1);
    }

    async fn many_workers_never_hold_the_same_job(db: TestDb) {
        let organisation = db.organisation("Many").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        for n in 0..40 {
            assert!(tx.job_enqueue(&job(&db, &format!("k{n}"))).await.expect("enqueues"));
        }
        tx.commit_unjournalled().await.expect("commits");
        let mut tasks = tokio::task::JoinSet::new();
        for worker in 0..4 {
            let (store, now) = (db.another(1_000 + worker).await, db.now());
            tasks.spawn(async move {
                let mut held = Vec::new();
                loop {
                    let across = store.across().await.expect("begins");
                    let claimed = across.jobs_claim(3, now, TimeDelta::seconds(30)).await.expect("claims");
                    across.commit().await.expect("commits");
                    if claimed.is_empty() {
                        return held;
                    }
                    held.extend(claimed.into_iter().map(|job| job.id));
                }
            });
        }
        let held: Vec<_> = tasks.join_all().await.concat();
        let unique: std::collections::BTreeSet<_> = held.iter().collect();
        assert_eq!((held.len(), unique.len()), (40, 40));
    }

    async fn an_idempotency_key_is_worth_one_piece_of_work(db: TestDb) {
        let organisation = db.organisation("Keys").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        assert_eq!(tx.idempotency_claim("staff:1", "k", b"body").await.expect("claims"), persistence::Claim::New);
        tx.idempotency_answer("staff:1", "k", 200, "{}".into()).await.expect("answers");
        tx.commit_unjournalled().await.expect("commits");
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let again = tx.idempotency_claim("staff:1", "k", b"body").await.expect("claims");
        assert_eq!(again, persistence::Claim::Done { status: 200, answer: "{}".into() });
        assert!(matches!(tx.idempotency_claim("staff:1", "k", b"other").await, Err(Error::Invalid(_))));
        assert_eq!(tx.idempotency_claim("staff:2", "k", b"other").await.expect("claims"), persistence::Claim::New);
    }
}
