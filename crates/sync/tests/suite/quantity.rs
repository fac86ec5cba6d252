//! Changing a subscription's quantity: previewed, sent once, compared, and honest when the answer is lost.

use std::sync::Arc;

use domain::{ChangeSet, ClientId, Error, MappingState, RecordId};
use integration::{Exact, Method};
use persistence::{Apply, MappingWrite, VendorWriteState};
use sync::{Idempotency, QuantitySet, Render};
use testkit::both_databases;
use vendorkit::{Fault, Plan, WorldSize};

use crate::stage::{PAX8, Stage, stage};

struct Sold {
    stage: Stage,
    client: ClientId,
    id: RecordId,
    vendor_id: uuid::Uuid,
    before: u32,
}

/// A client with an active subscription without a commitment that forbids less.
async fn sold(db: testkit::TestDb) -> Sold {
    let stage = stage(db, PAX8, WorldSize { businesses: 12, devices: 0, people: 30 }).await;
    stage.work().await;
    let (vendor_id, before) = stage.simulated.read(|world| {
        let mut all = world.known_to(PAX8).flat_map(|business| &business.subscriptions);
        let found = all.find(|s| s.status == "Active" && s.starts < world.now && s.commitment_ends.is_none());
        found.map(|s| (s.id, s.quantity)).expect("there is one")
    });
    let client = stage.db.client(stage.organisation, "Kite").await;
    let row = stage.rows().await.into_iter().find(|row| row.vendor_id == vendor_id.to_string()).expect("is stored");
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    let mapping = MappingWrite { client: Some(client), state: MappingState::Mapped, reason: None };
    tx.mapping_write(row.entity_id, &mapping).await.expect("maps");
    tx.commit("mapping_save", None).await.expect("commits");
    stage.advance(60);
    Sold { stage, client, id: row.id, vendor_id, before }
}

fn exact(text: &str) -> Exact {
    serde_json::from_str(text).expect("a number")
}

impl Sold {
    async fn set(&self, to: &str, apply: &Apply, key: Option<&Idempotency>) -> Result<ChangeSet, Error> {
        let render: Render = Arc::new(|set| (200, set.digest.clone()));
        let context = self.stage.context();
        let done = self
            .stage
            .engine
            .subscription_quantity_set(&context, self.client, self.id, exact(to), apply, key, &render)
            .await?;
        match done {
            QuantitySet::Changed(set) => Ok(set),
            QuantitySet::Repeated { status, answer } => {
                assert_eq!(status, 200);
                Ok(ChangeSet { digest: answer, ..ChangeSet::default() })
            }
        }
    }

    fn at_vendor(&self) -> u32 {
        self.stage.simulated.read(|world| world.subscription(self.vendor_id).expect("is there").1.quantity)
    }

    async fn stored(&self) -> String {
        let rows = self.stage.rows().await;
        let row = rows.into_iter().find(|row| row.id == self.id).expect("is stored");
        let body: integration::Subscription = serde_json::from_str(&row.body).expect("reads");
        body.quantity.expect("is known").0.normalize().to_string()
    }

    fn puts(&self) -> usize {
        self.stage.simulated.requests().iter().filter(|request| request.method == Method::Put).count()
    }

    async fn write(&self) -> VendorWriteState {
        let tx = self.stage.db.store.read(self.stage.context()).await.expect("reads");
        tx.vendor_write_latest(self.id).await.expect("reads").expect("is noted").state
    }
}

/// Breaks the change itself: the request before it reads the subscription.
fn only_puts(fault: Fault) -> Plan {
    Plan::nth(2, fault)
}

both_databases! {
    async fn a_quantity_is_previewed_set_and_journalled(db: TestDb) {
        let sold = sold(db).await;
        let (to, apply) = ((sold.before + 3).to_string(), Apply::default());
        let preview = sold.set(&to, &Apply { dry_run: true, ..Apply::default() }, None).await.expect("previews");
        assert_eq!((sold.puts(), sold.at_vendor()), (0, sold.before));
        let expect = Apply { expect: Some(preview.digest.clone()), ..apply.clone() };
        let done = sold.set(&to, &expect, None).await.expect("sets");
        assert_eq!((done.digest, done.changes), (preview.digest, preview.changes));
        assert!(done.entry.is_some());
        assert_eq!((sold.at_vendor(), sold.stored().await, sold.puts()), (sold.before + 3, to.clone(), 1));
        assert_eq!(sold.write().await, VendorWriteState::Done);
        assert_eq!(sold.stage.journal("subscription_quantity_set").await, 1);
        // The same again changes nothing and sends nothing.
        assert!(sold.set(&to, &apply, None).await.expect("is right already").changes.is_empty());
        assert_eq!(sold.puts(), 1);
        // The next sync finds what is stored.
        sold.stage.sync().await;
        sold.stage.assert_true().await;
    }

    async fn a_key_is_worth_one_change(db: TestDb) {
        let sold = sold(db).await;
        let to = (sold.before + 2).to_string();
        let key = Idempotency { caller: "staff:1".into(), key: "k".into(), request: b"PUT 2".to_vec() };
        let first = sold.set(&to, &Apply::default(), Some(&key)).await.expect("sets");
        sold.stage.simulated.change(|world| world.set_quantity(sold.vendor_id, 99));
        let again = sold.set(&to, &Apply::default(), Some(&key)).await.expect("answers");
        assert_eq!((again.digest, sold.puts(), sold.at_vendor()), (first.digest, 1, 99));
    }

    async fn what_moved_at_the_vendor_is_stored_and_not_overwritten(db: TestDb) {
        let sold = sold(db).await;
        sold.stage.simulated.change(|world| world.set_quantity(sold.vendor_id, 41));
        let key = Idempotency { caller: "staff:1".into(), key: "k".into(), request: b"PUT".to_vec() };
        let error = sold.set("50", &Apply::default(), Some(&key)).await.expect_err("is refused");
        assert!(matches!(error, Error::Conflict { code: "moved_at_vendor", .. }), "{error}");
        assert_eq!((sold.at_vendor(), sold.stored().await, sold.puts()), (41, "41".to_owned(), 0));
        assert_eq!(sold.write().await, VendorWriteState::Refused);
        // The key is free again.
        sold.set("50", &Apply::default(), Some(&key)).await.expect("sets");
        assert_eq!(sold.at_vendor(), 50);
    }

    async fn what_the_vendor_would_refuse_is_not_sent(db: TestDb) {
        let sold = sold(db).await;
        for to in ["0", "1.5", "-1"] {
            let error = sold.set(to, &Apply::default(), None).await.expect_err("is refused");
            let Error::Invalid(problems) = error else { panic!("another error: {error}") };
            assert_eq!((problems[0].pointer.as_str(), problems[0].code), ("/quantity", "refused_by_vendor"));
        }
        assert_eq!(sold.puts(), 0);
    }

    async fn a_lost_answer_is_unknown_until_a_sync_tells(db: TestDb) {
        let sold = sold(db).await;
        let to = sold.before + 5;
        sold.stage.faulty.set(only_puts(Fault::AnswerLost));
        let error = sold.set(&to.to_string(), &Apply::default(), None).await.expect_err("is not known");
        let Error::Vendor { code, message, .. } = error else { panic!("another error: {error}") };
        assert_eq!(code, "outcome_unknown");
        assert!(message.contains("sync the connection"), "{message}");
        assert_eq!((sold.write().await, sold.puts()), (VendorWriteState::Unknown, 1));
        assert_eq!(sold.stored().await, sold.before.to_string());
        sold.stage.faulty.set(Plan::Never);
        sold.stage.sync().await;
        assert_eq!(sold.stored().await, to.to_string());
    }

    async fn a_refusal_is_told_in_the_vendors_words(db: TestDb) {
        let sold = sold(db).await;
        sold.stage.faulty.set(only_puts(Fault::Status(422)));
        let error = sold.set("70", &Apply::default(), None).await.expect_err("is refused");
        assert!(matches!(error, Error::Vendor { code: "vendor_refused", .. }), "{error}");
        assert_eq!(sold.write().await, VendorWriteState::Refused);
        assert_eq!((sold.at_vendor(), sold.stored().await), (sold.before, sold.before.to_string()));
        assert_eq!(sold.stage.journal("subscription_quantity_set").await, 1, "a failed attempt leaves an entry");
    }

    async fn a_client_of_another_subscription_does_not_reach_it(db: TestDb) {
        let sold = sold(db).await;
        let other = sold.stage.db.client(sold.stage.organisation, "Other").await;
        let sold = Sold { client: other, ..sold };
        let error = sold.set("70", &Apply::default(), None).await.expect_err("is not there");
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
        assert_eq!(sold.puts(), 0);
    }
}
