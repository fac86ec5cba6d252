//! Letters of the outbox through a vendor that sends mail: SMTP2GO, simulated.

use std::sync::Arc;

use chrono::TimeDelta;
use connector_smtp2go::{Simulator, Smtp2go};
use domain::{Letter, MailId, MailState};
use integration::Entry;
use mail::{Carrier as _, Outgoing, Sender};
use persistence::{MailRow, NewMail};
use serde_json::{Map, Value};
use sync::{VendorPost, Worker};
use testkit::{TestDb, both_databases};
use vendorkit::{Fault, Faulty, Plan, Simulated, Simulator as _, World, WorldSize};

use crate::{
    stage::OPTIONS,
    toy::{ToyStage, toy},
};

const BASE: &str = "https://simulated.example/smtp2go";

struct Office {
    stage: ToyStage,
    vendor: Arc<Simulator>,
    faulty: Arc<Faulty>,
    post: Arc<VendorPost>,
    worker: Worker,
}

async fn office(db: TestDb, form: Map<String, Value>) -> Office {
    let stage = toy(db).await;
    let vendor = Arc::new(Simulator::default());
    let world = World::generate(WorldSize::SMALL, 7, stage.db.now());
    let from = Sender::parse(&format!("PanelOne <desk@{}>", world.businesses()[0].domain)).expect("a sender");
    let faulty = Arc::new(Faulty::over(Arc::new(Simulated::new(vendor.clone(), world)), Plan::Never));
    let entry = Entry::of::<Smtp2go>();
    let connector = entry.connect(&form, faulty.clone()).expect("connects");
    let post = Arc::new(VendorPost::new(connector, entry.name, from).expect("sends mail"));
    let worker = Worker::new(stage.engine.clone(), OPTIONS).posting(post.clone());
    worker.run_until_idle().await.expect("works");
    Office { stage, vendor, faulty, post, worker }
}

fn letter() -> Letter {
    Letter::Notice { brand: "Kite".into(), subject: "Hello".into(), paragraphs: vec!["One.".into()], link: None }
}

impl Office {
    async fn write(&self, to: &str) -> MailId {
        let db = &self.stage.db;
        let tx = db.store.begin(db.context(self.stage.organisation)).await.expect("begins");
        let new = NewMail {
            recipient: to.into(),
            recipient_name: Some("Jo \"Ö\" Hart, Kite".into()),
            letter: letter(),
            key: format!("notice:{to}"),
            send_before: None,
        };
        let id = tx.mail_enqueue(&new).await.expect("enqueues").expect("is new");
        tx.commit_unjournalled().await.expect("commits");
        id
    }

    async fn work(&self, plan: Plan) -> u64 {
        self.faulty.set(plan);
        self.worker.run_until_idle().await.expect("works");
        self.vendor.sent()
    }

    async fn row(&self, id: MailId) -> MailRow {
        let db = &self.stage.db;
        let tx = db.store.read(db.context(self.stage.organisation)).await.expect("reads");
        tx.mail(id).await.expect("reads").expect("is there")
    }

    async fn state(&self, id: MailId) -> (MailState, i32) {
        let row = self.row(id).await;
        (row.state, row.attempts)
    }
}

both_databases! {
    async fn a_letter_whose_answer_was_lost_is_found_and_not_sent_again(db: TestDb) {
        let office = office(db, Simulator::default().credentials(BASE)).await;
        let id = office.write("jo@kite.example").await;
        assert_eq!(office.work(Plan::Writes(Fault::AnswerLost)).await, 1, "it is on its way, and we do not know it");
        assert_eq!(office.state(id).await, (MailState::Queued, 1));
        office.stage.db.clock.advance(90);
        // The vendor is away when it is looked for: then nothing is sent either.
        assert_eq!(office.work(Plan::Always(Fault::Reset)).await, 1);
        assert_eq!(office.state(id).await, (MailState::Queued, 2));
        assert!(office.row(id).await.last_error.is_some_and(|why| why.contains("cannot be found out")));
        office.stage.db.clock.advance(600);
        assert_eq!(office.work(Plan::Never).await, 1, "sent twice");
        assert_eq!(office.state(id).await, (MailState::Sent, 3));
    }

    async fn a_letter_that_never_arrived_is_sent_again(db: TestDb) {
        let office = office(db, Simulator::default().credentials(BASE)).await;
        let (id, other) = (office.write("jo@kite.example").await, office.write("sam@kite.example").await);
        assert_eq!(office.work(Plan::Writes(Fault::Throttled(30))).await, 0);
        office.stage.db.clock.advance(90);
        assert_eq!(office.work(Plan::Never).await, 2);
        for id in [id, other] {
            assert_eq!(office.state(id).await, (MailState::Sent, 2));
        }
    }

    async fn a_worker_that_died_after_sending_doubles_nothing(db: TestDb) {
        let office = office(db, Simulator::default().credentials(BASE)).await;
        let id = office.write("jo@kite.example").await;
        let db = &office.stage.db;
        let tx = db.store.begin(db.context(office.stage.organisation)).await.expect("begins");
        let taken = tx.mail_take(id).await.expect("takes").expect("is there");
        tx.commit_unjournalled().await.expect("commits");
        let outgoing = Outgoing {
            id,
            recipient: taken.row.recipient.clone(),
            recipient_name: taken.recipient_name,
            letter: taken.letter,
            written_at: taken.row.created_at,
            tried: 0,
        };
        office.post.carry(&outgoing).await.expect("is taken");
        // Here it dies, before it notes that.
        assert_eq!(office.work(Plan::Never).await, 1, "sent twice");
        assert_eq!(office.state(id).await, (MailState::Sent, 2));
    }

    async fn where_it_cannot_be_looked_for_a_letter_waits(db: TestDb) {
        // A new key permits sending and nothing else.
        let office = office(db, Simulator::new_key(BASE)).await;
        let (lost, fine) = (office.write("jo@kite.example").await, office.write("sam@kite.example").await);
        assert_eq!(office.work(Plan::Script([(1, Fault::AnswerLost)].into())).await, 2);
        office.stage.db.clock.advance(90);
        assert_eq!(office.work(Plan::Never).await, 2, "sent though it may be on its way");
        let rows = [office.row(lost).await, office.row(fine).await];
        let waiting: Vec<&MailRow> = rows.iter().filter(|row| row.state == MailState::Queued).collect();
        assert_eq!(waiting.len(), 1, "{rows:?}");
        let why = waiting[0].last_error.as_deref().unwrap_or_default();
        assert!(why.contains("/activity/search"), "{why}");
    }

    async fn a_refused_recipient_is_the_end_and_a_bad_key_is_not(db: TestDb) {
        let office = office(db, Simulator::default().credentials(BASE)).await;
        let id = office.write("gone@suppressed.example").await;
        assert_eq!(office.work(Plan::Never).await, 0);
        let row = office.row(id).await;
        assert_eq!((row.state, row.attempts), (MailState::Failed, 1));
        assert!(row.last_error.is_some_and(|why| why.contains("suppressed")));
        let later = office.write("jo@kite.example").await;
        office.work(Plan::Always(Fault::Status(401))).await;
        assert_eq!(office.state(later).await, (MailState::Queued, 1));
        office.stage.db.clock.advance(TimeDelta::minutes(2).num_seconds());
        assert_eq!(office.work(Plan::Never).await, 1);
        assert_eq!(office.state(later).await, (MailState::Sent, 2));
    }
}
