//! The product's own events, from a write through the API to a receiver on the loopback that trusts nobody.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use access::{AccessOptions, Cost, Gate};
use api::app::App;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Role;
use hmac::{Hmac, KeyInit, Mac};
use poem::{
    Response,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use sync::Worker;
use testkit::both_databases;
use transport::AddressPolicy;
use worker::HttpHerald;

use crate::{
    dump::dump,
    harness::{Answer, Caller, TestApp, text},
    house::House,
};

/// How a receiver answers.
enum Say {
    Status(u16),
    Redirect(String),
    Huge,
    Never,
}

/// What it got.
#[derive(Clone, Debug)]
struct Got {
    id: String,
    timestamp: String,
    signature: String,
    path: String,
    body: Vec<u8>,
}

impl Got {
    /// As the receiver's own program would: nothing of ours takes part.
    fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).expect("a key");
        mac.update(format!("{}.{}.", self.id, self.timestamp).as_bytes());
        mac.update(&self.body);
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.signature.split(' ').any(|one| one == expected)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

struct Receiver {
    host: String,
    got: Arc<Mutex<Vec<Got>>>,
    answers: Arc<Mutex<VecDeque<Say>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Listens on a free port, and hands each request to a function.
async fn listen<E: poem::IntoEndpoint + Send + 'static>(routes: E) -> (String, tokio::task::JoinHandle<()>)
where
    E::Endpoint: 'static,
{
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("listens");
    let port = acceptor.local_addr().iter().find_map(|addr| addr.as_socket_addr().map(|addr| addr.port()));
    let server = tokio::spawn(async move {
        poem::Server::new_with_acceptor(acceptor).run(routes).await.expect("serves");
    });
    (format!("127.0.0.1:{}", port.expect("a port")), server)
}

impl Receiver {
    async fn new() -> Self {
        let (got, answers) = (Arc::<Mutex<Vec<Got>>>::default(), Arc::<Mutex<VecDeque<Say>>>::default());
        let (heard, script) = (got.clone(), answers.clone());
        let endpoint = poem::endpoint::make(move |mut request: poem::Request| {
            let (heard, script) = (heard.clone(), script.clone());
            async move {
                let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
                let (id, timestamp, signature) =
                    (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
                let path = request.uri().path().to_owned();
                let body = request.take_body().into_vec().await.unwrap_or_default();
                heard.lock().expect("sound").push(Got { id, timestamp, signature, path, body });
                let say = script.lock().expect("sound").pop_front().unwrap_or(Say::Status(204));
                let builder = Response::builder();
                match say {
                    Say::Status(status) => builder.status(StatusCode::from_u16(status).expect("a status")).finish(),
                    Say::Redirect(to) => builder.status(StatusCode::FOUND).header("location", to).finish(),
                    Say::Huge => builder.body(vec![b'x'; 8 << 20]),
                    Say::Never => std::future::pending().await,
                }
            }
        });
        let (host, server) = listen(endpoint).await;
        Self { host, got, answers, server }
    }

    fn says(&self, say: Say) {
        self.answers.lock().expect("sound").push_back(say);
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().expect("sound").clone()
    }
}

/// The API with a receiver that it may reach.
struct Desk {
    app: TestApp,
    house: House,
    receiver: Receiver,
    worker: Worker,
    /// Another process of the API, whose operator allows the receiver's address.
    base: String,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.server.abort();
    }
}

const SUBSCRIPTIONS: &str = "/api/webhook-subscriptions";

impl Desk {
    async fn new(db: testkit::TestDb) -> Self {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let receiver = Receiver::new().await;
        let policy = AddressPolicy::allowing([&receiver.host]).expect("a policy");
        let herald = HttpHerald::within(policy.clone(), Duration::from_millis(400)).expect("a way out");
        let worker = app.worker.clone().heralding(Arc::new(herald));
        let access = AccessOptions { password_cost: Cost { memory: 8, passes: 1 }, ..AccessOptions::default() };
        let gate = Gate::new(access, app.db.store.chance().clone()).expect("a gate");
        let second = App::new(app.db.store.clone(), app.app.engine.clone(), worker.wake(), gate, false).telling(policy);
        let (host, server) = listen(api::server::routes(Arc::new(second), None)).await;
        Self { app, house, receiver, worker, base: format!("http://{host}"), server }
    }

    async fn ask(&self, caller: &Caller, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.app.request_at(&self.base, caller, method, path);
        self.app.send(TestApp::with_body(request, body)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(&self.house.owner, Method::POST, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> Value {
        self.ask(&self.house.owner, Method::GET, path, None).await.ok()
    }

    /// A subscription of the receiver's; also its secret.
    async fn subscribe(&self, path: &str, more: Value) -> (String, String) {
        let mut body = json!({ "url": format!("http://{}{path}", self.receiver.host) });
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let made = self.post(SUBSCRIPTIONS, &body).await.ok();
        (text(&made["item"]["subscription"]["id"]), text(&made["item"]["secret"]))
    }

    async fn client(&self, name: &str) -> String {
        let made = self.app.post(&self.house.owner, "/api/clients", &json!({ "name": name })).await.ok();
        text(&made["item"]["id"])
    }

    async fn work(&self) {
        self.worker.run_until_idle().await.expect("works");
    }

    async fn deliveries(&self, id: &str) -> Vec<Value> {
        let listed = self.get(&format!("{SUBSCRIPTIONS}/{id}/deliveries?limit=100")).await;
        listed["items"].as_array().cloned().expect("a list")
    }
}

both_databases! {
    async fn a_write_is_told_to_a_receiver_that_checks_the_signature(db: TestDb) {
        let desk = Desk::new(db).await;
        let mine = desk.client("Mine").await;
        let (id, secret) = desk.subscribe("/all", json!({})).await;
        let limited = json!({ "client_ids": [mine], "events": ["client.updated", "client.created"] });
        let (_, other) = desk.subscribe("/mine", limited).await;
        // What is previewed and what is refused is told to nobody.
        desk.app.post(&desk.house.owner, "/api/clients?dry_run=true", &json!({ "name": "Never" })).await.ok();
        let viewer = desk.house.person(&desk.app, "viewer", Role::Viewer).await;
        desk.app.post(&viewer, "/api/clients", &json!({ "name": "Never" })).await.refused(403, "forbidden");
        let stale = "/api/clients?expect=another-digest";
        assert_eq!(desk.app.post(&desk.house.owner, stale, &json!({ "name": "Never" })).await.status, 409);
        desk.work().await;
        assert!(desk.receiver.got().is_empty(), "{:?}", desk.receiver.got());
        // With a key too, whose answer is kept: the second time nothing happens, and nothing is told.
        for _ in 0..2 {
            let request = desk.app.request(&desk.house.owner, Method::POST, "/api/clients");
            let request = request.header("Idempotency-Key", "k1").json(&json!({ "name": "Theirs", "notes": "SECRET-NOTE" }));
            desk.app.send(request).await.ok();
        }
        let change = json!({ "phone": "+61 2 5550 0100" });
        desk.app.patch(&desk.house.owner, &format!("/api/clients/{mine}"), &change).await.ok();
        desk.work().await;
        let got = desk.receiver.got();
        let mut told: Vec<(String, String)> = got.iter().map(|one| (one.path.clone(), text(&one.json()["type"]))).collect();
        told.sort_unstable();
        let expected = [("/all", "client.created"), ("/all", "client.updated"), ("/mine", "client.updated")];
        assert_eq!(told, expected.map(|(path, event)| (path.to_owned(), event.to_owned())));
        for one in &got {
            let (right, wrong) = if one.path == "/all" { (&secret, &other) } else { (&other, &secret) };
            assert!(one.is_signed_by(right) && !one.is_signed_by(wrong), "{one:?}");
            let text = String::from_utf8_lossy(&one.body).into_owned();
            for kept in ["SECRET-NOTE", "5550", "Olive", "@kite.example"] {
                assert!(!text.contains(kept), "{text}");
            }
        }
        let log = desk.deliveries(&id).await;
        assert_eq!(log.len(), 2);
        for row in &log {
            assert_eq!((row["state"].as_str(), row["status"].as_u64(), row["attempts"].as_u64()), (Some("delivered"), Some(204), Some(1)));
            let whole = desk.get(&format!("{SUBSCRIPTIONS}/{id}/deliveries/{}", text(&row["id"]))).await;
            let sent = got.iter().find(|one| one.path == "/all" && one.id == text(&row["message_id"])).expect("was sent");
            assert_eq!(text(&whole["body"]).as_bytes(), sent.body.as_slice());
            assert_eq!(whole["attempts"].as_array().map(Vec::len), Some(1));
        }
        // The secret is shown once and lies sealed.
        let shown = desk.get(SUBSCRIPTIONS).await.to_string();
        let journal = desk.get("/api/journal?limit=100").await.to_string();
        let everything = format!("{shown}{journal}{:?}", dump(&desk.app.db, &[]).await);
        for hidden in [&secret[6..], &other[6..]] {
            assert!(!everything.contains(hidden) && !everything.to_uppercase().contains(&hex(hidden)), "a secret lies open");
        }
    }

    async fn what_a_receiver_does_wrong_is_in_the_log(db: TestDb) {
        let desk = Desk::new(db).await;
        let (id, _) = desk.subscribe("/hook", json!({ "events": ["client.created"] })).await;
        let elsewhere = Receiver::new().await;
        desk.client("Quay").await;
        let cases = [
            (Say::Status(500), Some(500), "500"),
            (Say::Redirect(format!("http://{}/stolen", elsewhere.host)), Some(302), "redirect"),
            (Say::Never, None, "did not answer within"),
        ];
        let tries = cases.len();
        for (say, status, part) in cases {
            desk.receiver.says(say);
            desk.work().await;
            let row = desk.deliveries(&id).await.remove(0);
            assert_eq!((row["state"].as_str(), row["status"].as_u64()), (Some("queued"), status), "{row}");
            assert!(text(&row["error"]).contains(part), "{row}");
            desk.app.db.clock.advance(600);
        }
        assert!(elsewhere.got().is_empty(), "a redirect was followed");
        // A yes is a yes, however much is said with it.
        desk.receiver.says(Say::Huge);
        desk.app.db.clock.advance(3_600);
        desk.work().await;
        let row = desk.deliveries(&id).await.remove(0);
        assert_eq!((row["state"].as_str(), row["attempts"].as_u64()), (Some("delivered"), Some(tries as u64 + 1)), "{row}");
        let whole = desk.get(&format!("{SUBSCRIPTIONS}/{id}/deliveries/{}", text(&row["id"]))).await;
        let attempts = whole["attempts"].as_array().expect("a list");
        assert!(attempts[0]["answer"].as_str().is_some_and(|text| (1..=4_096).contains(&text.len())), "{whole}");
        assert!(attempts.iter().all(|one| one["ms"].as_i64().is_some_and(|ms| ms < 10_000)), "{whole}");
        let ids: std::collections::BTreeSet<String> = desk.receiver.got().into_iter().map(|one| one.id).collect();
        assert_eq!(ids.len(), 1, "each try under the same id");
        // Gone is gone.
        desk.client("Kite").await;
        desk.receiver.says(Say::Status(410));
        desk.work().await;
        let one = desk.get(&format!("{SUBSCRIPTIONS}/{id}")).await;
        assert_eq!(one["enabled"], false, "{one}");
        assert!(text(&one["disabled_reason"]).contains("410"), "{one}");
        let redeliver = format!("{SUBSCRIPTIONS}/{id}/redeliver");
        let since = json!({ "since": "2026-01-01T00:00:00Z" });
        desk.post(&redeliver, &since).await.refused(409, "subscription_disabled");
        let path = format!("{SUBSCRIPTIONS}/{id}");
        desk.ask(&desk.house.owner, Method::PATCH, &path, Some(&json!({ "enabled": true }))).await.ok();
        let preview = desk.post(&format!("{redeliver}?dry_run=true"), &since).await.ok();
        assert_eq!(preview["item"]["deliveries"], 1);
        desk.post(&redeliver, &since).await.ok();
        desk.app.db.clock.advance(60);
        desk.work().await;
        assert!(desk.deliveries(&id).await.iter().all(|row| row["state"] == "delivered"));
    }

    async fn a_ping_comes_at_once_and_a_new_secret_has_a_day(db: TestDb) {
        let desk = Desk::new(db).await;
        let (id, old) = desk.subscribe("/hook", json!({ "events": ["threat.found"] })).await;
        let test = format!("{SUBSCRIPTIONS}/{id}/test");
        desk.post(&format!("{test}?dry_run=true"), &json!({})).await.ok();
        desk.work().await;
        assert!(desk.receiver.got().is_empty(), "a preview sends a ping");
        let sent = desk.post(&test, &json!({})).await.ok();
        desk.work().await;
        let got = desk.receiver.got().remove(0);
        assert_eq!((text(&got.json()["type"]), got.id.clone()), ("ping".to_owned(), text(&sent["item"]["message_id"])));
        let rotate = format!("{SUBSCRIPTIONS}/{id}/rotate-secret");
        let preview = desk.post(&format!("{rotate}?dry_run=true"), &json!({})).await.ok();
        assert!(preview["item"]["secret"].is_null(), "{preview}");
        let new = text(&desk.post(&rotate, &json!({})).await.ok()["item"]["secret"]);
        desk.post(&test, &json!({})).await.ok();
        desk.work().await;
        let got = desk.receiver.got().remove(1);
        assert!(got.is_signed_by(&old) && got.is_signed_by(&new));
        desk.app.db.clock.advance(86_401);
        let owner = desk.app.sign_in(&desk.house.email("owner")).await;
        desk.ask(&owner, Method::POST, &test, Some(&json!({}))).await.ok();
        desk.work().await;
        let got = desk.receiver.got().remove(2);
        assert!(!got.is_signed_by(&old) && got.is_signed_by(&new));
    }

    async fn only_owners_and_admins_manage_webhooks_and_only_to_public_addresses(db: TestDb) {
        let desk = Desk::new(db).await;
        // The first process has no exceptions.
        for url in [
            format!("http://{}/", desk.receiver.host), "https://127.0.0.1/".to_owned(), "https://10.1.2.3/".to_owned(),
            "https://169.254.169.254/latest".to_owned(), "http://hooks.example/".to_owned(), "nonsense".to_owned(),
        ] {
            let problem = desk.app.post(&desk.house.owner, SUBSCRIPTIONS, &json!({ "url": url })).await;
            let problem = problem.refused(422, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/url", "{url}: {problem}");
        }
        let other = json!({ "url": "http://127.0.0.1:1/" });
        desk.post(SUBSCRIPTIONS, &other).await.refused(422, "invalid");
        let good = json!({ "url": "https://hooks.example/a" });
        for role in [Role::Engineer, Role::Viewer, Role::Finance] {
            let caller = desk.house.person(&desk.app, role.as_str(), role).await;
            desk.app.post(&caller, SUBSCRIPTIONS, &good).await.refused(403, "forbidden");
            assert_eq!(desk.app.get(&caller, SUBSCRIPTIONS).await.status, 403);
        }
        // Who does not see every client decides nothing about what is told of them.
        let client = desk.client("Quay").await;
        desk.house.staff(&desk.app, "narrow", Role::Admin, Some(vec![client])).await;
        let narrow = desk.app.sign_in(&desk.house.email("narrow")).await;
        desk.app.post(&narrow, SUBSCRIPTIONS, &good).await.refused(403, "forbidden");
        let admin = desk.house.person(&desk.app, "admin", Role::Admin).await;
        desk.app.post(&admin, SUBSCRIPTIONS, &good).await.ok();
        let names = desk.get("/api/webhook-events").await;
        assert!(names["items"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "client.created")));
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}
