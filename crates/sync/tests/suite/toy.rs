//! A vendor whose pages are scripted word by word, for listings that no decent vendor would make.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::{ConnectionId, OrganisationId, Record, Run};
use integration::{
    Category, Checked, Connector, Cursor, Device, Entity, Entry, Error, Item, Kind, Page, Position, Pull, RecordKind,
    Request, Response, Secret, Transport, Vendor, credentials,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use sync::{Dial, Engine, NewConnection, Worker};
use testkit::TestDb;

use crate::stage::OPTIONS;

credentials! {
    /// What opens the toy.
    pub struct Credentials {
        /// Token
        /// Any.
        token: Secret,
    }
}

pub struct Toy {
    transport: Arc<dyn Transport>,
}

impl Vendor for Toy {
    const ID: &'static str = "toy";
    const NAME: &'static str = "Toy";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("site", "sites");
    const ENTITY_KIND: &'static str = "toy_site";
    const DOCS: &'static str = "https://toy.example/docs";
    const README: &'static str = "Toy.";
    type Credentials = Credentials;

    fn connect(_: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }
}

#[async_trait]
impl Connector for Toy {
    async fn check(&self) -> integration::Result<Checked> {
        Ok(Checked::default())
    }
    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }
    fn devices(&self) -> Option<&dyn Pull<Device>> {
        Some(self)
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
    next: Option<String>,
    total: Option<u64>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    site: Option<String>,
    name: String,
    at: Option<DateTime<Utc>>,
}

impl Toy {
    async fn get(&self, kind: &str, at: Position<'_>) -> integration::Result<Page> {
        let url = format!("https://toy.example/{kind}").parse().map_err(|why| Error::unreadable("Toy", why))?;
        let cursor = at.cursor.map_or("", Cursor::as_str);
        let response = self.transport.send(Request::get(url).query("at", cursor)).await?;
        if response.status != 200 {
            return Err(Error::from_status("Toy", &response));
        }
        let wire: Wire<'_> = serde_json::from_slice(&response.body).map_err(|why| Error::unreadable("Toy", why))?;
        Ok(Page {
            records: wire.records.iter().map(|raw| integration::raw_slice(&response.body, raw)).collect(),
            next: wire.next.map(Cursor::new),
            total: wire.total,
            ..Page::default()
        })
    }
}

fn row(raw: &[u8]) -> Result<Row, String> {
    serde_json::from_slice(raw).map_err(|why| format!("not a row: {:?}", why.classify()))
}

#[async_trait]
impl Pull<Entity> for Toy {
    async fn page(&self, at: Position<'_>) -> integration::Result<Page> {
        self.get("entity", at).await
    }
    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let row = row(raw)?;
        Ok(Item { id: row.id, entity: None, record: Entity { name: row.name, ..Entity::default() } })
    }
}

#[async_trait]
impl Pull<Device> for Toy {
    async fn page(&self, at: Position<'_>) -> integration::Result<Page> {
        self.get("device", at).await
    }
    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let row = row(raw)?;
        let record = Device { name: row.name, last_contact_at: row.at, ..Device::default() };
        Ok(Item { id: row.id, entity: row.site, record })
    }
}

/// Pages by kind and cursor; what is not scripted is an empty listing.
#[derive(Default)]
pub struct Script(Mutex<HashMap<(String, String), Bytes>>, AtomicUsize);

impl Script {
    /// Scripts pages of records given as JSON texts, one page after the other.
    pub fn pages(&self, kind: &str, pages: &[Vec<String>]) {
        let mut script = self.0.lock().expect("is whole");
        script.retain(|(of, _), _| of != kind);
        for (at, page) in pages.iter().enumerate() {
            let cursor = if at == 0 { String::new() } else { at.to_string() };
            let next = if at + 1 < pages.len() { format!("\"{}\"", at + 1) } else { "null".to_owned() };
            let body = format!(r#"{{"records":[{}],"next":{next}}}"#, page.join(","));
            script.insert((kind.to_owned(), cursor), body.into());
        }
    }

    /// How often the vendor was asked.
    pub fn asked(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }

    /// Scripts one answer.
    pub fn answer(&self, kind: &str, cursor: &str, body: &Value) {
        let mut script = self.0.lock().expect("is whole");
        script.insert((kind.to_owned(), cursor.to_owned()), body.to_string().into());
    }
}

struct Scripted(Arc<Script>, DateTime<Utc>);

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request) -> integration::Result<Response> {
        let kind = request.url.path().trim_start_matches('/').to_owned();
        let cursor = request.url.query_pairs().next().map(|(_, value)| value.into_owned()).unwrap_or_default();
        self.0.1.fetch_add(1, Ordering::SeqCst);
        let body = self.0.0.lock().expect("is whole").get(&(kind, cursor)).cloned();
        let body = body.unwrap_or_else(|| json!({ "records": [] }).to_string().into());
        Ok(Response { status: 200, headers: Vec::new(), body, received_at: self.1 })
    }
    fn now(&self) -> DateTime<Utc> {
        self.1
    }
}

impl Dial for Scripted {
    fn transport(&self, _: ConnectionId, _: bool) -> Arc<dyn Transport> {
        Arc::new(Scripted(self.0.clone(), self.1))
    }
}

static ENTRIES: &[Entry] = &[Entry::of::<Toy>()];

pub struct ToyStage {
    pub db: TestDb,
    pub script: Arc<Script>,
    pub organisation: OrganisationId,
    pub connection: ConnectionId,
    pub engine: Engine,
    pub worker: Worker,
}

/// A device as the toy writes it.
pub fn device(id: impl std::fmt::Display, site: &str, name: &str) -> String {
    json!({ "id": id.to_string(), "site": site, "name": name }).to_string()
}

/// A toy with the sites a, b and c.
pub async fn toy(db: TestDb) -> ToyStage {
    let script = Arc::new(Script::default());
    let sites = ["a", "b", "c"].map(|id| json!({ "id": id, "name": format!("Site {id}") }).to_string());
    script.pages("entity", &[sites.to_vec()]);
    let engine =
        Engine { store: db.store.clone(), entries: ENTRIES, dial: Arc::new(Scripted(script.clone(), db.now())) };
    let organisation = db.organisation("Toy").await;
    let tx = db.store.begin(db.context(organisation)).await.expect("begins");
    let credentials = [("token".to_owned(), Value::from("t0ken-of-the-toy"))].into_iter().collect();
    let input = NewConnection { integration: "toy".into(), credentials, ..NewConnection::default() };
    let made = sync::connection_create(&tx, ENTRIES, &input, Some(&Checked::default())).await.expect("creates");
    tx.commit("connection_create", None).await.expect("commits");
    ToyStage { worker: Worker::new(engine.clone(), OPTIONS), engine, db, script, organisation, connection: made.id }
}

impl ToyStage {
    /// Syncs once, and returns the run of the devices.
    pub async fn sync(&self) -> Run {
        self.sync_with(&self.worker).await
    }

    /// The same with another worker.
    pub async fn sync_with(&self, worker: &Worker) -> Run {
        self.db.clock.advance(3_600);
        let tx = self.db.store.begin(self.db.context(self.organisation)).await.expect("begins");
        sync::sync_start(&tx, ENTRIES, self.connection, None).await.expect("starts");
        tx.commit_unjournalled().await.expect("commits");
        worker.run_until_idle().await.expect("works");
        let tx = self.db.store.read(self.db.context(self.organisation)).await.expect("reads");
        let page = domain::PageRequest { limit: 100, after: None };
        let mut runs = tx.run_list(Some(self.connection), None, &page).await.expect("lists").items;
        runs.retain(|run| run.kind == RecordKind::Device.as_str());
        assert!(runs.iter().all(|run| run.counts.adds_up()), "{runs:?}");
        runs.into_iter().max_by_key(|run| run.started_at).expect("there is one")
    }

    /// Sites that are listed, by name.
    pub async fn entities(&self) -> Vec<domain::Entity> {
        let tx = self.db.store.read(self.db.context(self.organisation)).await.expect("reads");
        tx.entities_of(self.connection).await.expect("lists")
    }

    /// Devices that are stored, by vendor id.
    pub async fn devices(&self) -> Vec<Record> {
        let tx = self.db.store.read(self.db.context(self.organisation)).await.expect("reads");
        let entities: Vec<_> = tx.entities_of(self.connection).await.expect("lists").iter().map(|e| e.id).collect();
        let mut rows = tx.records_under(&entities, "device").await.expect("lists");
        rows.sort_by(|a, b| a.vendor_id.cmp(&b.vendor_id));
        rows
    }

    /// Vendor ids and titles of the devices that are stored.
    pub async fn titles(&self) -> Vec<(String, String)> {
        self.devices().await.into_iter().map(|row| (row.vendor_id, row.title)).collect()
    }

    pub async fn state(&self) -> (domain::ConnectionState, Option<String>) {
        let tx = self.db.store.read(self.db.context(self.organisation)).await.expect("reads");
        let connection = tx.connection(self.connection).await.expect("is there");
        (connection.state, connection.state_reason)
    }
}

/// What the toy cannot do.
pub fn is_limit(run: &Run) -> bool {
    run.code.as_deref() == Some(sync::vendor_code(Kind::Limit))
}
