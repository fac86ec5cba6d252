//! Jobs that were given up: who may try them again, and when that is refused.

use domain::{Context, Error, JobId, PageRequest, Permissions, Role};
use persistence::{JobFilter, JobOutcome, JobRow};
use testkit::both_databases;
use vendorkit::WorldSize;

use crate::stage::{ENTRIES, NINJAONE, PAX8, Stage, connect, stage};

const SIZE: WorldSize = WorldSize { businesses: 4, devices: 12, people: 4 };

/// Gives the waiting sync up, as a worker would after its last try.
async fn give_up(stage: &Stage) -> JobId {
    let across = stage.db.store.across().await.expect("begins");
    let lease = chrono::TimeDelta::seconds(30);
    let job = across.jobs_claim(1, stage.db.now(), lease).await.expect("claims").remove(0);
    let failed = JobOutcome::Failed("the program failed".to_owned());
    assert!(across.job_finish(&job, &failed, stage.db.now()).await.expect("finishes"));
    across.commit().await.expect("commits");
    job.id
}

async fn retry(stage: &Stage, context: Context, id: JobId) -> domain::Result<JobRow> {
    let tx = stage.db.store.begin(context).await.expect("begins");
    let row = sync::job_retry(&tx, ENTRIES, id).await?;
    tx.commit("job_retry", None).await?;
    Ok(row)
}

async fn drop_it(stage: &Stage, context: Context, id: JobId) -> domain::Result<JobRow> {
    let tx = stage.db.store.begin(context).await.expect("begins");
    let row = sync::job_drop(&tx, ENTRIES, id).await?;
    tx.commit("job_drop", None).await?;
    Ok(row)
}

async fn failed(stage: &Stage) -> Vec<JobRow> {
    let tx = stage.db.store.read(stage.context()).await.expect("reads");
    let filter = JobFilter { state: Some("failed".to_owned()), connection: Some(stage.connection) };
    tx.job_list(&filter, &PageRequest::first()).await.expect("lists").items
}

fn code<T: std::fmt::Debug>(outcome: domain::Result<T>) -> &'static str {
    match outcome {
        Err(Error::Conflict { code, .. }) => code,
        Err(Error::NotFound { .. }) => "not_found",
        Err(Error::Forbidden { .. }) => "forbidden",
        other => panic!("should be refused: {other:?}"),
    }
}

both_databases! {
    async fn a_job_that_was_given_up_is_tried_again_with_all_its_tries(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let id = give_up(&stage).await;
        let listed = failed(&stage).await;
        assert_eq!((listed.len(), listed[0].id, listed[0].connection), (1, id, Some(stage.connection)));
        assert_eq!(listed[0].last_error.as_deref(), Some("the program failed"));
        assert_eq!(stage.work().await, 0, "it is not done by itself");
        let row = retry(&stage, stage.context(), id).await.expect("is tried again");
        assert_eq!((row.state.as_str(), row.attempts), ("queued", 0));
        assert_eq!(stage.work().await, 1);
        stage.assert_true().await;
        assert_eq!(stage.journal("job_retry").await, 1);
        assert_eq!(code(retry(&stage, stage.context(), id).await), "not_failed");
        assert_eq!(code(drop_it(&stage, stage.context(), id).await), "not_failed");
    }

    async fn one_is_not_tried_again_beside_a_newer_one(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let old = give_up(&stage).await;
        stage.start().await;
        assert_eq!(code(retry(&stage, stage.context(), old).await), "job_pending");
        stage.work().await;
        retry(&stage, stage.context(), old).await.expect("nothing waits any more");
        assert_eq!(stage.work().await, 1);
    }

    async fn one_is_dropped_once_and_stays_in_the_journal(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let id = give_up(&stage).await;
        let row = drop_it(&stage, stage.context(), id).await.expect("is dropped");
        assert_eq!(row.last_error.as_deref(), Some("the program failed"));
        assert_eq!((failed(&stage).await.len(), stage.journal("job_drop").await), (0, 1));
        assert_eq!(code(drop_it(&stage, stage.context(), id).await), "not_found");
    }

    async fn neither_is_for_a_connection_that_cannot_be_synced_nor_for_strangers(db: TestDb) {
        let stage = stage(db, NINJAONE, SIZE).await;
        let id = give_up(&stage).await;
        let other = stage.db.context(stage.db.organisation("Other").await);
        assert_eq!(code(retry(&stage, other.clone(), id).await), "not_found");
        assert_eq!(code(drop_it(&stage, other, id).await), "not_found");
        let role = |role| Context { permissions: Permissions::of(role), ..stage.context() };
        assert_eq!(code(retry(&stage, role(Role::Viewer), id).await), "forbidden");
        // Finance manages billing vendors only.
        assert_eq!(code(retry(&stage, role(Role::Finance), id).await), "forbidden");
        let tx = stage.db.store.begin(stage.context()).await.expect("begins");
        sync::connection_disconnect(&tx, ENTRIES, stage.connection).await.expect("disconnects");
        tx.commit("connection_disconnect", None).await.expect("commits");
        assert_eq!(code(retry(&stage, role(Role::Engineer), id).await), "not_connected");
        drop_it(&stage, role(Role::Engineer), id).await.expect("is dropped all the same");
    }

    async fn finance_tries_a_billing_vendors_job_again(db: TestDb) {
        let stage = stage(db, PAX8, SIZE).await;
        let id = give_up(&stage).await;
        let finance = Context { permissions: Permissions::of(Role::Finance), ..stage.context() };
        retry(&stage, finance, id).await.expect("may");
        // Jobs are listed by connection.
        let second = connect(&stage.db, stage.organisation, PAX8, &stage.credentials).await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let filter = JobFilter { connection: Some(second), ..JobFilter::default() };
        let listed = tx.job_list(&filter, &PageRequest::first()).await.expect("lists");
        assert_eq!((listed.total, listed.items[0].connection), (1, Some(second)));
        let all = tx.job_list(&JobFilter::default(), &PageRequest { limit: 1, after: None }).await.expect("lists");
        let rest = PageRequest { limit: 1, after: all.next };
        assert_eq!((all.total, tx.job_list(&JobFilter::default(), &rest).await.expect("lists").items[0].id), (2, id));
    }
}
