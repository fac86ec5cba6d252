//! Letters of the outbox, carried by somebody who can be told to fail.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use domain::{Letter, MailId, MailState};
use mail::{Carrier, Outgoing, Undelivered};
use persistence::{MailRow, NewMail};
use sync::Worker;
use testkit::{TestDb, both_databases};

use crate::{
    stage::OPTIONS,
    toy::{ToyStage, toy},
};

/// Fails as it is told, one answer for each letter, and then takes everything.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Undelivered>>,
    carried: Mutex<Vec<(MailId, String)>>,
}

#[async_trait::async_trait]
impl Carrier for Scripted {
    async fn carry(&self, letter: &Outgoing) -> Result<(), Undelivered> {
        self.carried.lock().expect("sound").push((letter.id, letter.recipient.clone()));
        self.answers.lock().expect("sound").pop_front().map_or(Ok(()), Err)
    }
}

impl Scripted {
    fn fails(&self, permanent: bool, message: &str) {
        let undelivered = Undelivered { permanent, message: message.to_owned() };
        self.answers.lock().expect("sound").push_back(undelivered);
    }

    fn tries(&self) -> usize {
        self.carried.lock().expect("sound").len()
    }
}

struct Office {
    stage: ToyStage,
    carrier: Arc<Scripted>,
    worker: Worker,
}

async fn office(db: TestDb) -> Office {
    let stage = toy(db).await;
    let carrier = Arc::new(Scripted::default());
    let worker = Worker::new(stage.engine.clone(), OPTIONS).posting(carrier.clone());
    worker.run_until_idle().await.expect("works");
    Office { stage, carrier, worker }
}

impl Office {
    async fn write(&self, send_before: Option<TimeDelta>) -> MailId {
        let db = &self.stage.db;
        let tx = db.store.begin(db.context(self.stage.organisation)).await.expect("begins");
        let letter = Letter::Notice {
            brand: "Kite".into(),
            subject: "Hello".into(),
            paragraphs: vec!["One.".into()],
            link: None,
        };
        let new = NewMail {
            recipient: "jo@kite.example".into(),
            recipient_name: None,
            letter,
            key: "notice:1".into(),
            send_before: send_before.map(|after| db.now() + after),
        };
        let id = tx.mail_enqueue(&new).await.expect("enqueues").expect("is new");
        tx.commit_unjournalled().await.expect("commits");
        id
    }

    async fn work(&self) {
        self.worker.run_until_idle().await.expect("works");
    }

    async fn row(&self, id: MailId) -> MailRow {
        let db = &self.stage.db;
        let tx = db.store.read(db.context(self.stage.organisation)).await.expect("reads");
        tx.mail_list().await.expect("lists").into_iter().find(|row| row.id == id).expect("is listed")
    }
}

both_databases! {
    async fn a_letter_is_tried_until_it_is_taken_and_then_never_again(db: TestDb) {
        let office = office(db).await;
        let id = office.write(None).await;
        office.carrier.fails(false, "421 later");
        office.work().await;
        let row = office.row(id).await;
        assert_eq!((row.state, row.attempts, row.last_error.as_deref()), (MailState::Queued, 1, Some("421 later")));
        office.work().await;
        assert_eq!(office.carrier.tries(), 1, "it waits");
        office.stage.db.clock.advance(90);
        office.work().await;
        assert_eq!((office.row(id).await.state, office.carrier.tries()), (MailState::Sent, 2));
        office.stage.db.clock.advance(7_200);
        office.work().await;
        assert_eq!(office.carrier.tries(), 2);
        let carried = office.carrier.carried.lock().expect("sound").clone();
        assert!(carried.iter().all(|letter| *letter == (id, "jo@kite.example".to_owned())), "{carried:?}");
    }

    async fn a_refusal_for_good_is_not_tried_again_and_is_seen_in_the_queue(db: TestDb) {
        let office = office(db).await;
        let id = office.write(None).await;
        office.carrier.fails(true, "550 no such user");
        office.work().await;
        office.stage.db.clock.advance(86_400);
        office.work().await;
        let row = office.row(id).await;
        assert_eq!((row.state, row.last_error.as_deref()), (MailState::Failed, Some("550 no such user")));
        assert_eq!(office.carrier.tries(), 1);
        let db = &office.stage.db;
        let tx = db.store.read(db.context(office.stage.organisation)).await.expect("reads");
        let failed = tx.jobs_failed().await.expect("lists");
        assert_eq!(failed.len(), 1);
        assert_eq!((failed[0].kind.as_str(), failed[0].last_error.as_deref()), ("mail", Some("550 no such user")));
        // What it said is gone: trying the job again says so, and sends nothing.
        drop(tx);
        let tx = db.store.begin(db.context(office.stage.organisation)).await.expect("begins");
        tx.job_retry(&failed[0]).await.expect("retries");
        tx.commit("job_retry", None).await.expect("commits");
        office.work().await;
        let tx = db.store.read(db.context(office.stage.organisation)).await.expect("reads");
        let again = tx.jobs_failed().await.expect("lists");
        assert!(again[0].last_error.as_deref().is_some_and(|why| why.contains("send it anew")), "{again:?}");
        assert_eq!(office.carrier.tries(), 1);
    }

    async fn a_server_that_is_away_for_long_is_given_up(db: TestDb) {
        let office = office(db).await;
        let id = office.write(None).await;
        for _ in 0..40 {
            office.carrier.fails(false, "connection refused");
        }
        for _ in 0..40 {
            office.work().await;
            office.stage.db.clock.advance(5 * 3_600);
        }
        let row = office.row(id).await;
        assert_eq!((row.state, row.attempts, office.carrier.tries()), (MailState::Failed, 12, 12));
    }

    async fn a_letter_of_no_more_use_is_not_sent(db: TestDb) {
        let office = office(db).await;
        let id = office.write(Some(TimeDelta::hours(1))).await;
        office.stage.db.clock.advance(3_601);
        office.work().await;
        assert_eq!((office.row(id).await.state, office.carrier.tries()), (MailState::Failed, 0));
    }

    async fn a_worker_that_carries_no_mail_leaves_it_to_one_that_does(db: TestDb) {
        let office = office(db).await;
        let id = office.write(None).await;
        office.stage.worker.run_until_idle().await.expect("works");
        assert_eq!((office.row(id).await.state, office.row(id).await.attempts), (MailState::Queued, 0));
        office.stage.db.clock.advance(61);
        office.work().await;
        assert_eq!((office.row(id).await.state, office.carrier.tries()), (MailState::Sent, 1));
    }

    /// A worker that dies between the server's yes and the note of it: mail knows no other promise than at least once.
    async fn a_worker_that_died_in_between_sends_again_under_the_same_id(db: TestDb) {
        let office = office(db).await;
        let id = office.write(None).await;
        let store = &office.stage.db.store;
        let across = store.across().await.expect("begins");
        let dead = across.jobs_claim(1, office.stage.db.now(), TimeDelta::seconds(30)).await.expect("claims");
        across.commit().await.expect("commits");
        assert_eq!(dead.len(), 1);
        let tx = store.begin(office.stage.db.context(office.stage.organisation)).await.expect("begins");
        assert!(tx.mail_take(id).await.expect("takes").is_some());
        tx.commit_unjournalled().await.expect("commits");
        office.stage.db.clock.advance(31);
        office.work().await;
        let row = office.row(id).await;
        assert_eq!((row.state, row.attempts, office.carrier.tries()), (MailState::Sent, 2, 1));
    }
}
