//! A server of its own for each test: the API on a free port, its worker, and every vendor simulated
//! behind loopback HTTP.

use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use access::{AccessOptions, Cost, Gate};
use api::{app::App, outside::ProviderDial};
use integration::{Delivery, Entry, RecordKind, Request, Response, Secret};
use persistence::Store;
use poem::listener::{Acceptor, Listener, TcpListener};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Map, Value, json};
use sync::{Engine, Worker, WorkerOptions};
use testkit::TestDb;
use vendorkit::{ServeOptions, Served, SharedWorld, Simulator, World, WorldSize};
use worker::VendorDial;

/// The password of everyone of a team.
pub const PASSWORD: &str = "a fine long password";

/// Enough for every kind of record, and quick.
pub const FEW: WorldSize = WorldSize { businesses: 12, devices: 60, people: 60 };

/// How much may be kept of files.
pub const FILE_LIMITS: directory::FileLimits =
    directory::FileLimits { file: 64 * 1024, client: 256 * 1024, organisation: 1024 * 1024 };

/// The API with all it needs.
pub struct TestApp {
    /// The database.
    pub db: TestDb,
    /// Where the API is, without a slash at the end.
    pub base: String,
    /// What the handlers share.
    pub app: Arc<App>,
    /// Runs jobs.
    pub worker: Worker,
    /// The vendors' truth.
    pub world: SharedWorld,
    /// The vendors, listening.
    pub vendors: Served,
    /// Where contents of files are.
    pub files: tempfile::TempDir,
    simulators: Vec<Arc<dyn Simulator>>,
    pages: Arc<AtomicU64>,
    http: reqwest::Client,
    server: tokio::task::JoinHandle<()>,
}

/// How the API is built.
pub struct Setup {
    /// The store, with its clock.
    pub store: Store,
    /// How big the world is.
    pub size: WorldSize,
    /// How long vendors take at least.
    pub latency: Duration,
}

tokio::task_local! {
    /// Where an identity provider of a test is (`host:port`), for the app that is built within.
    pub static PROVIDER: String;
}

/// Who sends a request.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Nobody.
    Anonymous,
    /// A browser with this session.
    Session(String),
    /// A machine with this key.
    Key(String),
    /// A browser that is signed in to ClientOne with this session.
    Portal(String),
}

/// An answer of the API.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, as it came.
    pub text: String,
}

impl TestApp {
    /// The API over a database, with a small world.
    pub async fn new(db: TestDb) -> Self {
        let store = db.store.clone();
        Self::build(db, Setup { store, size: FEW, latency: Duration::ZERO }).await
    }

    /// The API as it is wanted.
    pub async fn build(db: TestDb, setup: Setup) -> Self {
        Self::with(db, setup, Vec::new()).await
    }

    /// The same with vendors that the catalogue does not have (yet).
    pub async fn with(db: TestDb, setup: Setup, more: Vec<(Entry, Arc<dyn Simulator>)>) -> Self {
        let Setup { store, size, latency } = setup;
        let (mut entries, mut vendors) = (registry::ALL.to_vec(), registry::simulators());
        for (entry, simulator) in more {
            // The one given here is the one that the test holds.
            entries.retain(|known| known.id != entry.id);
            vendors.retain(|known| known.id() != entry.id);
            entries.push(entry);
            vendors.push(simulator);
        }
        let entries: &'static [Entry] = entries.leak();
        let clock = store.clock().clone();
        let world: SharedWorld = Arc::new(RwLock::new(World::generate(size, 7, clock.now())));
        let pages = Arc::new(AtomicU64::new(0));
        let counted = |inner| Arc::new(Counted { inner, pages: pages.clone() }) as Arc<dyn Simulator>;
        let simulators: Vec<_> = vendors.into_iter().map(counted).collect();
        let provider = PROVIDER.try_with(Clone::clone).ok();
        let exceptions: Vec<&str> = provider.iter().map(String::as_str).collect();
        let options = ServeOptions { clock: Some(Arc::new(move || clock.now())), latency, ..ServeOptions::default() };
        let vendors = vendorkit::serve(simulators.clone(), world.clone(), options).await.expect("serves the vendors");
        let host = vendors.base_url().trim_start_matches("http://").to_owned();
        let dial = VendorDial::new(&[&host], 10_000.0, store.clock().clone()).expect("a way to the vendors");
        let engine = Engine { store: store.clone(), entries, dial: Arc::new(dial) };
        let options = WorkerOptions { poll: Duration::from_millis(20), ..WorkerOptions::default() };
        let worker = Worker::new(engine.clone(), options).matching(Arc::new(worker::Matching));
        let worker = worker.doing(Arc::new(bulk::BulkChore::new(engine.store.clone(), engine.entries)));
        let worker = worker.taking(Arc::new(worker::Desk));
        let access = AccessOptions { password_cost: Cost { memory: 8, passes: 1 }, ..AccessOptions::default() };
        let gate = Gate::new(access, store.chance().clone()).expect("a gate");
        let files = tempfile::tempdir().expect("makes a folder");
        let storage = storage::Storage::folder(&files.path().join("store")).expect("a store");
        let providers = ProviderDial::new(&exceptions, store.clock().clone()).expect("a way to identity providers");
        let worker = worker.reading(Arc::new(worker::Parcels(storage.clone())));
        let app = App::new(store, engine, worker.wake(), gate, false).reaching(Arc::new(providers));
        let app = Arc::new(app.storing(storage, FILE_LIMITS));
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("listens");
        let port = acceptor.local_addr().iter().find_map(|addr| addr.as_socket_addr().map(|addr| addr.port()));
        let routes = api::server::routes(app.clone(), None);
        let server = tokio::spawn(async move {
            poem::Server::new_with_acceptor(acceptor).run(routes).await.expect("serves");
        });
        let base = format!("http://127.0.0.1:{}", port.expect("a port"));
        Self { db, base, app, worker, world, vendors, files, simulators, pages, http: http(), server }
    }

    /// Sends a request as it is given.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.expect("a body of text") }
    }

    /// A request of a caller, to be added to.
    pub fn request(&self, caller: &Caller, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request_at(&self.base, caller, method, path)
    }

    /// The request with a body: JSON, or a CSV file where it is a mere text.
    pub fn with_body(request: reqwest::RequestBuilder, body: Option<&Value>) -> reqwest::RequestBuilder {
        match body {
            Some(Value::String(file)) => request.header("content-type", "text/csv").body(file.clone()),
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// The same to another process over the same database.
    pub fn request_at(&self, base: &str, caller: &Caller, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{base}{path}"));
        match caller {
            Caller::Anonymous => request,
            Caller::Session(token) => request.header("cookie", format!("{}={token}", api::auth::COOKIE)),
            Caller::Key(token) => request.bearer_auth(token),
            Caller::Portal(token) => request.header("cookie", format!("clientone_session={token}")),
        }
    }

    /// Reads.
    pub async fn get(&self, caller: &Caller, path: &str) -> Answer {
        self.send(self.request(caller, Method::GET, path)).await
    }

    /// Posts JSON.
    pub async fn post(&self, caller: &Caller, path: &str, body: &Value) -> Answer {
        self.send(self.request(caller, Method::POST, path).json(body)).await
    }

    /// Puts JSON.
    pub async fn put(&self, caller: &Caller, path: &str, body: &Value) -> Answer {
        self.send(self.request(caller, Method::PUT, path).json(body)).await
    }

    /// Patches with JSON.
    pub async fn patch(&self, caller: &Caller, path: &str, body: &Value) -> Answer {
        self.send(self.request(caller, Method::PATCH, path).json(body)).await
    }

    /// Deletes.
    pub async fn delete(&self, caller: &Caller, path: &str) -> Answer {
        self.send(self.request(caller, Method::DELETE, path)).await
    }

    /// Every item of a list, page by page.
    pub async fn all(&self, caller: &Caller, path: &str) -> Vec<Value> {
        let (mut items, mut next) = (Vec::new(), Some(String::new()));
        let join = if path.contains('?') { '&' } else { '?' };
        while let Some(cursor) = next {
            let page = self.get(caller, &format!("{path}{join}limit=100{cursor}")).await.ok();
            items.extend(page["items"].as_array().cloned().unwrap_or_default());
            next = page["next_cursor"].as_str().map(|cursor| format!("&cursor={cursor}"));
        }
        items
    }

    /// Signs in and gives back the caller.
    pub async fn sign_in(&self, email: &str) -> Caller {
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = self.post(&Caller::Anonymous, "/api/session", &body).await;
        assert_eq!(answer.status, 200, "{email} signs in: {}", answer.text);
        let cookie = answer.header("set-cookie");
        let token = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie").1;
        Caller::Session(token.to_owned())
    }

    /// Runs jobs until there are none that are due.
    pub async fn run_jobs(&self) {
        self.worker.run_until_idle().await.expect("works");
    }

    /// How many requests came to vendors, without those for tokens.
    pub fn pages(&self) -> u64 {
        self.pages.load(Ordering::SeqCst)
    }

    /// A vendor's simulator.
    pub fn simulator(&self, vendor: &str) -> &Arc<dyn Simulator> {
        self.simulators.iter().find(|simulator| simulator.id() == vendor).expect("is simulated")
    }

    /// Credentials that a vendor takes.
    pub fn credentials(&self, vendor: &str) -> Map<String, Value> {
        self.simulator(vendor).credentials(&self.vendors.base_of(vendor))
    }

    /// Looks at the world.
    pub fn world<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.read().expect("a sound world"))
    }

    /// Changes the world.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world.write().expect("a sound world"))
    }

    /// Connects a vendor, syncs it, and gives back the connection's id.
    pub async fn connect(&self, caller: &Caller, vendor: &str) -> String {
        let body = json!({ "integration": vendor, "credentials": self.credentials(vendor) });
        let made = self.post(caller, "/api/connections", &body).await.ok();
        self.run_jobs().await;
        text(&made["item"]["id"])
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The body of an answer that must be good.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// The body of a refusal with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        let body = self.problem();
        assert_eq!((self.status, body["code"].as_str()), (status, Some(code)), "{}", self.text);
        body
    }

    /// The body of a refusal, which must be a whole problem.
    #[track_caller]
    pub fn problem(&self) -> Value {
        let body = self.json();
        assert!(self.status >= 400, "should be refused: {} {}", self.status, self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{} {}", self.status, self.text);
        assert_eq!(body["status"].as_u64(), Some(u64::from(self.status)), "{}", self.text);
        let code = body["code"].as_str().unwrap_or_default();
        assert!(!code.is_empty() && body["type"] == format!("urn:panelone:problem:{code}"), "{}", self.text);
        for field in ["title", "detail", "request_id"] {
            assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "no {field}: {}", self.text);
        }
        assert_eq!(body["request_id"], self.header("x-request-id"), "{}", self.text);
        for mistake in body["errors"].as_array().expect("errors") {
            for field in ["code", "message"] {
                assert!(mistake[field].as_str().is_some_and(|text| !text.is_empty()), "{}", self.text);
            }
        }
        body
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }
}

/// A simulator that counts what it is asked, but for tokens.
struct Counted {
    inner: Arc<dyn Simulator>,
    pages: Arc<AtomicU64>,
}

impl Simulator for Counted {
    fn id(&self) -> &'static str {
        self.inner.id()
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let page = !self.inner.asks_for_token(request);
        self.pages.fetch_add(u64::from(page), Ordering::SeqCst);
        self.inner.answer(world, request)
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        self.inner.credentials(base)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        self.inner.wrong_credentials(base)
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        self.inner.powerless_credentials(base)
    }

    fn consented(&self, credentials: Map<String, Value>) -> Map<String, Value> {
        self.inner.consented(credentials)
    }

    fn expire_tokens(&self) {
        self.inner.expire_tokens();
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        self.inner.expected(world, kind)
    }

    fn unpaged(&self, kind: RecordKind) -> bool {
        self.inner.unpaged(kind)
    }

    fn delivery(&self, world: &World, secret: &Secret) -> Option<Delivery> {
        self.inner.delivery(world, secret)
    }
}

/// A text out of an answer.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

#[expect(clippy::disallowed_methods, reason = "this client calls us, not a vendor")]
fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client")
}
