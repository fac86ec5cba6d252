//! A pass that is cut off anywhere is begun again and ends in the same, with each edit sent once.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use testkit::{TestDb, both_databases};
use tokio_util::sync::CancellationToken;

use crate::{
    psa_house::{either, psa},
    stage::{AUTOTASK, CONNECTWISE},
};

/// A future that is dropped after so many polls.
struct CutOff<F> {
    inner: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for CutOff<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.inner.as_mut().poll(context).map(Some)
    }
}

async fn survives(db: TestDb, vendor: &str) {
    let stage = psa(db, vendor, either()).await;
    let (company, client) = stage.pair().await;
    let mut polls = 1;
    loop {
        let (name, phone) = (format!("Cut {polls} Ltd"), format!("+44 20 0000 {polls:04}"));
        stage.edit(client.id, |client| client.name.clone_from(&name)).await;
        stage.edit_there(&company, |business| business.phone.clone_from(&phone));
        stage.simulated.clear_log();
        let across = stage.db.store.across().await.expect("begins");
        let claimed = across.jobs_claim(1, stage.db.now(), chrono::TimeDelta::seconds(30)).await.expect("claims");
        across.commit().await.expect("commits");
        let job = claimed.into_iter().next().expect("an edit puts a pass on the queue");
        let stop = CancellationToken::new();
        let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let before = alive();
        let handled = async { stage.engine.handle(&job, &stop).await };
        let ended = CutOff { inner: Box::pin(handled), polls }.await;
        if let Some(sync::Ended::Finish(outcome)) = &ended {
            let across = stage.db.store.across().await.expect("begins");
            across.job_finish(&job, outcome, stage.db.now()).await.expect("finishes");
            across.commit().await.expect("commits");
        }
        // Whoever held it is gone: the lease runs out. What was being sent runs to its end.
        stage.advance(31);
        while alive() > before {
            tokio::task::yield_now().await;
        }
        stage.settle().await;
        stage.sync_and_settle().await;
        let (there, here) = (stage.there(&company).await, stage.client(client.id).await);
        assert_eq!((there.name.as_str(), here.name.as_str()), (name.as_str(), name.as_str()), "after {polls} polls");
        assert_eq!((there.phone.as_deref(), here.phone.as_deref()), (Some(phone.as_str()), Some(phone.as_str())));
        assert_eq!(stage.open().await, [], "after {polls} polls");
        assert_eq!(stage.written(), 1, "after {polls} polls: {:?}", stage.simulated.log());
        if ended.is_some() {
            return;
        }
        polls += 7;
    }
}

both_databases! {
    async fn a_sync_that_ends_while_a_pass_runs_has_another_follow(db: TestDb) {
        let stage = psa(db, CONNECTWISE, either()).await;
        let (_, client) = stage.pair().await;
        stage.edit(client.id, |client| client.name = "Seen By The Pass Ltd".to_owned()).await;
        let touched = async || {
            let tx = stage.db.store.read(stage.context()).await.expect("reads");
            tx.psa_touched(stage.connection).await.expect("reads")
        };
        let ends = async || {
            let tx = stage.db.store.begin(stage.context()).await.expect("begins");
            tx.psa_enqueue(stage.connection).await.expect("enqueues");
            tx.commit_unjournalled().await.expect("commits");
        };
        let edited = touched().await;
        stage.advance(1);
        // One that waits sees all of it anyway.
        ends().await;
        assert_eq!(touched().await, edited);
        let across = stage.db.store.across().await.expect("begins");
        let claimed = across.jobs_claim(1, stage.db.now(), chrono::TimeDelta::seconds(30)).await.expect("claims");
        across.commit().await.expect("commits");
        assert_eq!(claimed.first().map(|job| job.kind.as_str()), Some("psa"));
        ends().await;
        assert_eq!(touched().await, Some(stage.db.now()));
    }

    async fn a_pass_over_connectwise_survives_being_cut_off_anywhere(db: TestDb) {
        survives(db, CONNECTWISE).await;
    }

    async fn a_pass_over_autotask_survives_being_cut_off_anywhere(db: TestDb) {
        survives(db, AUTOTASK).await;
    }
}
