//! The product's own events, told to a receiver that answers as it is told.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    ClientId, Context, DeliveryState, Error, EventType, PageRequest, Role, WebhookDelivery, WebhookSubscription,
    WebhookSubscriptionId,
};
use hmac::{Hmac, KeyInit, Mac};
use persistence::{Apply, MailRow, StaffRow, Tx};
use serde_json::Value;
use sha2::Sha256;
use sync::{Herald, Post, Reply, WebhookDraft, WebhookPatch, Worker};
use testkit::{TestDb, both_databases};
use tokio::sync::Notify;

use crate::{
    stage::OPTIONS,
    toy::{ToyStage, device, toy},
};

/// Answers as it is told, then always with yes. An address with "slow" in it is not answered before it is let go.
#[derive(Default)]
pub struct Receiver {
    pub answers: Mutex<VecDeque<Result<Reply, String>>>,
    got: Mutex<Vec<Post>>,
    pub arrived: Notify,
    pub released: Notify,
}

#[async_trait::async_trait]
impl Herald for Receiver {
    async fn send(&self, post: Post) -> Result<Reply, String> {
        let slow = post.url.contains("slow");
        self.got.lock().expect("sound").push(post);
        self.arrived.notify_one();
        if slow {
            self.released.notified().await;
        }
        let answer = self.answers.lock().expect("sound").pop_front();
        answer.unwrap_or_else(|| Ok(Reply { status: 204, retry_after: None, answer: String::new() }))
    }
}

impl Receiver {
    pub fn answers(&self, status: u16, retry_after: Option<u64>) {
        let reply = Reply { status, retry_after, answer: "said the receiver\n\u{7}".to_owned() };
        self.answers.lock().expect("sound").push_back(Ok(reply));
    }

    pub fn got(&self) -> Vec<Post> {
        self.got.lock().expect("sound").clone()
    }
}

pub fn header(post: &Post, name: &str) -> String {
    post.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).expect("is there")
}

pub fn json(post: &Post) -> Value {
    serde_json::from_slice(&post.body).expect("is JSON")
}

/// Whether one of the signatures is that of this secret: computed here, not by what is tested.
fn signed_by(post: &Post, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).expect("a key");
    mac.update(header(post, "webhook-id").as_bytes());
    mac.update(b".");
    mac.update(header(post, "webhook-timestamp").as_bytes());
    mac.update(b".");
    mac.update(&post.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    header(post, "webhook-signature").split(' ').any(|one| one == expected)
}

pub struct Office {
    pub stage: ToyStage,
    pub receiver: Arc<Receiver>,
    pub worker: Worker,
}

pub async fn office(db: TestDb) -> Office {
    let stage = toy(db).await;
    let receiver = Arc::new(Receiver::default());
    let worker = Worker::new(stage.engine.clone(), OPTIONS).heralding(receiver.clone());
    worker.run_until_idle().await.expect("works");
    Office { stage, receiver, worker }
}

impl Office {
    pub fn context(&self) -> Context {
        self.stage.db.context(self.stage.organisation)
    }

    pub async fn begin(&self) -> Tx {
        self.stage.db.store.begin(self.context()).await.expect("begins")
    }

    pub async fn read(&self) -> Tx {
        self.stage.db.store.read(self.context()).await.expect("reads")
    }

    pub async fn client(&self, name: &str) -> ClientId {
        self.stage.db.client(self.stage.organisation, name).await
    }

    pub async fn subscribe(
        &self,
        url: &str,
        events: &[&str],
        clients: Option<BTreeSet<ClientId>>,
    ) -> (WebhookSubscriptionId, String) {
        let tx = self.begin().await;
        let events = events.iter().map(|name| (*name).to_owned()).collect();
        let draft = WebhookDraft { url: url.to_owned(), description: "Ours".to_owned(), events, clients };
        let chance = self.stage.db.store.chance().clone();
        let made = sync::webhook_subscription_create(&tx, draft, chance.as_ref(), &|_| Ok(())).await;
        let (one, secret) = made.expect("makes");
        tx.commit("webhook_subscription_create", None).await.expect("commits");
        (one.id, secret)
    }

    pub async fn deliveries(&self, of: WebhookSubscriptionId) -> Vec<WebhookDelivery> {
        let page = PageRequest { limit: 100, after: None };
        self.read().await.webhook_delivery_list(of, None, &page).await.expect("lists").items
    }

    pub async fn subscription(&self, id: WebhookSubscriptionId) -> WebhookSubscription {
        self.read().await.webhook_subscription(id).await.expect("is there")
    }

    pub async fn work(&self) {
        self.worker.run_until_idle().await.expect("works");
    }

    /// How many events were written.
    pub async fn events(&self) -> u64 {
        self.stage.db.tamper("UPDATE product_event SET kind = kind").await.expect("counts")
    }

    pub async fn mails(&self) -> Vec<MailRow> {
        self.read().await.mail_list().await.expect("lists")
    }

    pub async fn owner(&self) {
        let tx = self.begin().await;
        let row = StaffRow {
            organisation: self.stage.organisation,
            id: tx.new_id(),
            email: "owner@kite.example".to_owned(),
            name: "Olga Owner".to_owned(),
            role: Role::Owner,
            custom_role: None,
            password_hash: None,
            allow_clients: None,
            deny_clients: BTreeSet::new(),
            suspended_at: None,
            removed_at: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            version: 1,
        };
        tx.staff_insert(&row).await.expect("makes");
        tx.commit("staff_create", None).await.expect("commits");
    }
}

both_databases! {
    async fn an_event_is_written_once_and_told_to_each_who_wants_it(db: TestDb) {
        let office = office(db).await;
        let (one, first) = office.subscribe("https://hooks.example/a", &[], None).await;
        let (_, second) = office.subscribe("https://hooks.example/b", &["client.created"], None).await;
        office.subscribe("https://hooks.example/c", &["client.archived"], None).await;
        let client = office.client("Quay").await;
        assert_eq!(office.events().await, 1, "one row, however many are told");
        office.work().await;
        let got = office.receiver.got();
        let mut urls: Vec<&str> = got.iter().map(|post| post.url.as_str()).collect();
        urls.sort_unstable();
        assert_eq!(urls, ["https://hooks.example/a", "https://hooks.example/b"]);
        assert_eq!(header(&got[0], "webhook-id"), header(&got[1], "webhook-id"));
        for post in &got {
            let secret = if post.url.ends_with('a') { &first } else { &second };
            let other = if post.url.ends_with('a') { &second } else { &first };
            assert!(signed_by(post, secret) && !signed_by(post, other));
            assert_eq!(header(post, "webhook-timestamp"), office.stage.db.now().timestamp().to_string());
            let body = json(post);
            assert_eq!(body["type"], "client.created");
            assert_eq!(body["data"]["id"], client.to_string());
            assert_eq!(body["data"]["client_id"], client.to_string());
            assert_eq!(body["data"]["organisation_id"], office.stage.organisation.to_string());
            assert_eq!(body["data"]["name"], "Quay");
            assert_eq!(body.as_object().map(|fields| fields.len()), Some(3), "{body}");
        }
        let rows = office.deliveries(one).await;
        assert_eq!((rows.len(), rows[0].state, rows[0].status, rows[0].attempts), (1, DeliveryState::Delivered, Some(204), 1));
        // Nothing is sent twice.
        office.stage.db.clock.advance(90_000);
        office.work().await;
        assert_eq!(office.receiver.got().len(), 2);
    }

    async fn what_was_previewed_refused_or_rolled_back_is_told_to_nobody(db: TestDb) {
        let office = office(db).await;
        let client = office.client("Quay").await;
        let (id, _) = office.subscribe("https://hooks.example/a", &[], None).await;
        let before = office.events().await;
        let rename = async |tx: &Tx| {
            let before = tx.client(client).await.expect("is there");
            let after = domain::Client { name: "Key".to_owned(), ..before.clone() };
            tx.client_update(&before, after).await.expect("changes");
        };
        let tx = office.begin().await;
        rename(&tx).await;
        let apply = Apply { dry_run: true, ..Apply::default() };
        assert_eq!(tx.finish("client_update", &apply).await.expect("previews").changes.len(), 1);
        let tx = office.begin().await;
        rename(&tx).await;
        tx.rollback().await.expect("rolls back");
        let tx = office.begin().await;
        rename(&tx).await;
        let apply = Apply { expect: Some("another digest".to_owned()), ..Apply::default() };
        assert!(matches!(tx.finish("client_update", &apply).await, Err(Error::Moved(_))));
        let tx = office.begin().await;
        tx.commit_attempt("client_update", domain::Outcome::Denied, "clients_edit").await.expect("notes");
        office.work().await;
        assert_eq!((office.events().await, office.deliveries(id).await.len()), (before, 0));
        assert!(office.receiver.got().is_empty());
        // The same, done.
        let tx = office.begin().await;
        rename(&tx).await;
        tx.commit("client_update", None).await.expect("commits");
        office.work().await;
        assert_eq!(json(&office.receiver.got()[0])["data"]["changed"], serde_json::json!(["name"]));
    }

    async fn what_nobody_wants_is_not_written(db: TestDb) {
        let office = office(db).await;
        office.client("Quay").await;
        let (id, _) = office.subscribe("https://hooks.example/a", &["threat.found"], None).await;
        office.client("Kite").await;
        assert_eq!(office.events().await, 0);
        let tx = office.begin().await;
        let off = WebhookPatch { events: Some(Vec::new()), enabled: Some(false), ..WebhookPatch::default() };
        sync::webhook_subscription_update(&tx, id, off, &|_| Ok(())).await.expect("switches off");
        tx.commit("webhook_subscription_update", None).await.expect("commits");
        office.client("Lark").await;
        assert_eq!(office.events().await, 0);
    }

    async fn clients_outside_the_filter_never_show(db: TestDb) {
        let office = office(db).await;
        let (mine, theirs) = (office.client("Mine").await, office.client("Theirs").await);
        let (id, _) = office.subscribe("https://hooks.example/a", &[], Some(BTreeSet::from([mine]))).await;
        for client in [mine, theirs] {
            let tx = office.begin().await;
            let before = tx.client(client).await.expect("is there");
            let after = domain::Client { phone: Some("1".to_owned()), ..before.clone() };
            tx.client_update(&before, after).await.expect("changes");
            tx.commit("client_update", None).await.expect("commits");
        }
        // What is about no single client is for those who are told of all.
        let tx = office.begin().await;
        let before = tx.connection(office.stage.connection).await.expect("is there");
        let after = domain::Connection { state: domain::ConnectionState::Degraded, ..before.clone() };
        tx.connection_update(&before, after).await.expect("changes");
        tx.commit("connection_state_change", None).await.expect("commits");
        office.client("Others").await;
        office.work().await;
        let got = office.receiver.got();
        assert_eq!(got.len(), 1);
        assert_eq!(json(&got[0])["data"]["client_id"], mine.to_string());
        assert!(!String::from_utf8_lossy(&got[0].body).contains(&theirs.to_string()));
        assert_eq!(office.deliveries(id).await.len(), 1);
    }

    async fn two_secrets_sign_for_a_day_after_a_rotation(db: TestDb) {
        let office = office(db).await;
        let (id, old) = office.subscribe("https://hooks.example/a", &[], None).await;
        let tx = office.begin().await;
        let chance = office.stage.db.store.chance().clone();
        let (one, new) = sync::webhook_secret_rotate(&tx, id, chance.as_ref()).await.expect("rotates");
        let set = tx.commit("webhook_secret_rotate", None).await.expect("commits");
        assert_eq!((one.secret_version, set.changes.len()), (2, 1));
        let journalled = format!("{:?}", set.changes);
        assert!(!journalled.contains(&old[6..]) && !journalled.contains(&new[6..]));
        office.client("Quay").await;
        office.work().await;
        let post = office.receiver.got().remove(0);
        assert!(signed_by(&post, &old) && signed_by(&post, &new));
        office.stage.db.clock.advance(86_401);
        office.client("Kite").await;
        office.work().await;
        let post = office.receiver.got().remove(1);
        assert!(!signed_by(&post, &old) && signed_by(&post, &new));
        assert_eq!(office.begin().await.webhook_secrets_reseal().await.expect("asks"), 0, "sealed by today's key");
    }

    async fn devices_that_come_and_go_are_told_and_those_of_a_first_listing_are_not(db: TestDb) {
        let office = office(db).await;
        office.subscribe("https://hooks.example/a", &["device.appeared", "device.removed"], None).await;
        let many: Vec<String> = (0..10).map(|n| device(n, "a", &format!("PC {n}"))).collect();
        office.stage.script.pages("device", std::slice::from_ref(&many));
        // The first listing was empty, and was a listing: what comes now has appeared.
        office.stage.sync_with(&office.worker).await;
        let told = |event: &str| {
            let names = office.receiver.got().into_iter().map(|post| json(&post)).filter(|body| body["type"] == event);
            names.map(|body| body["data"]["name"].as_str().unwrap_or_default().to_owned()).collect::<BTreeSet<_>>()
        };
        assert_eq!(told("device.appeared").len(), 10);
        office.stage.sync_with(&office.worker).await;
        assert_eq!(office.receiver.got().len(), 10, "what is as before is not told");
        let mut fewer = many[1..].to_vec();
        fewer.push(device("new", "b", "PC new"));
        office.stage.script.pages("device", &[fewer]);
        office.stage.sync_with(&office.worker).await;
        assert!(told("device.appeared").contains("PC new"));
        assert_eq!(told("device.removed"), BTreeSet::from(["PC 0".to_owned()]));
        assert_eq!(office.receiver.got().len(), 12);
        let body = json(&office.receiver.got()[0]);
        assert_eq!(body["data"]["connection_id"], office.stage.connection.to_string());
        assert!(body["data"].get("client_id").is_none(), "nobody's yet");
        // A kind that was never listed whole is told of nothing while it is first listed.
        office.stage.db.tamper("UPDATE listing SET full_at = NULL WHERE kind = 'device'").await.expect("tampers");
        let more: Vec<String> = (50..53).map(|n| device(n, "a", &format!("PC {n}"))).collect();
        office.stage.script.pages("device", &[[&many[1..], &more[..]].concat()]);
        office.stage.sync_with(&office.worker).await;
        assert!(!told("device.appeared").contains("PC 50"));
    }

    async fn a_deleted_subscription_takes_what_was_on_its_way_with_it(db: TestDb) {
        let office = office(db).await;
        let (id, _) = office.subscribe("https://hooks.example/a", &[], None).await;
        office.client("Quay").await;
        let tx = office.begin().await;
        sync::webhook_subscription_delete(&tx, id, None).await.expect("deletes");
        tx.commit("webhook_subscription_delete", None).await.expect("commits");
        office.work().await;
        assert!(office.receiver.got().is_empty());
        assert_eq!(office.stage.db.tamper("UPDATE webhook_delivery SET kind = kind").await.expect("counts"), 0);
        let gone = office.read().await.webhook_subscription(id).await;
        assert!(matches!(gone, Err(Error::NotFound { .. })));
    }

    async fn a_draft_that_cannot_work_is_refused_with_every_mistake(db: TestDb) {
        let office = office(db).await;
        let tx = office.begin().await;
        let chance = office.stage.db.store.chance().clone();
        let draft = WebhookDraft {
            url: "ftp://x".to_owned(),
            description: "two\nlines".to_owned(),
            events: vec!["client.created".to_owned(), "client.exploded".to_owned(), "ping".to_owned()],
            clients: Some(BTreeSet::from([tx.new_id()])),
        };
        let refused = sync::webhook_subscription_create(&tx, draft, chance.as_ref(), &|_| Err("no".to_owned())).await;
        let Err(Error::Invalid(problems)) = refused else { panic!("{refused:?}") };
        let pointers: Vec<&str> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/url", "/description", "/events/1", "/events/2", "/client_ids"]);
        assert_eq!(EventType::parse("client.exploded"), None);
    }
}
