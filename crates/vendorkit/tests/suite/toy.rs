//! An invented vendor with a connector, sound or with one flaw. It stands for all vendors: whatever
//! the suite is to catch in one of them is tried here first.

use std::{
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use integration::{
    Body, Category, Checked, Connector, Cursor, Device, Entity, Error, Http, Item, Page, Position, Pull, Request,
    Response, Result, Secret, Transport, Vendor, credentials,
    oauth::{Token, TokenCache},
    raw_slice,
};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use url::Url;
use vendorkit::{
    SharedWorld, World,
    world::{Business, Changed},
};

/// What is wrong with a connector.
pub trait Flaw: Send + Sync + 'static {
    /// Its name; the connector looks at it where the flaw would be.
    const NAME: &'static str;
}

macro_rules! flaws {
    ($($flaw:ident),+ $(,)?) => { $(
        pub struct $flaw;
        impl Flaw for $flaw { const NAME: &'static str = stringify!($flaw); }
    )+ };
}

flaws! {
    Sound, Forgiving, Leaky, Counting, Forgetful, Strict, Local, Homeless, Impatient, Repeating, Deaf, Eager, Hoarding,
}

credentials! {
    /// What opens the toy.
    pub struct Credentials {
        /// Address
        address: Url,
        /// Client ID
        client: String,
        /// Client secret
        secret: Secret,
    }
}

pub struct Toy<F> {
    http: Http,
    tokens: TokenCache,
    credentials: Credentials,
    flaw: PhantomData<F>,
}

const NAME: &str = "Toy";
const ROWS: usize = 400;

impl<F: Flaw> Vendor for Toy<F> {
    const ID: &'static str = "ninjaone";
    const NAME: &'static str = NAME;
    const CATEGORY: Category = Category::Network;
    const ENTITY: (&'static str, &'static str) = ("house", "houses");
    const ENTITY_KIND: &'static str = "toy_house";
    const DOCS: &'static str = "https://toy.example/docs";
    const README: &'static str = "Address, Client ID and Client secret: as printed on the box.";
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let secrets = if F::NAME == "Leaky" { vec![] } else { vec![credentials.secret.clone()] };
        Self {
            http: Http::new(NAME, transport, secrets),
            tokens: TokenCache::default(),
            credentials,
            flaw: PhantomData,
        }
    }
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
    #[serde(default)]
    gone: Vec<u64>,
    next: Option<u64>,
    mark: Option<u64>,
}

impl<F: Flaw> Toy<F> {
    fn is(&self, flaw: &str) -> bool {
        F::NAME == flaw
    }

    async fn obtain(&self) -> Result<Token> {
        let url = Url::parse(&format!("{}/token", self.base())).expect("an address");
        let secret = self.credentials.secret.expose();
        let request = Request::post(url).form([("client", self.credentials.client.as_str()), ("secret", secret)]);
        let response = self.http.send(request.idempotent()).await?;
        if response.is_success() { Token::from_response(NAME, &response) } else { Err(self.failure(&response)) }
    }

    fn base(&self) -> &str {
        self.credentials.address.as_str().trim_end_matches('/')
    }

    fn failure(&self, response: &Response) -> Error {
        let body = String::from_utf8_lossy(&response.body).into_owned();
        let mut error = self.http.failure(response, |error| error.vendor_says(&body));
        if self.is("Impatient") {
            error.retry = integration::Retry::Yes;
        }
        error
    }

    async fn get(&self, path: &str, pairs: &[(&str, String)]) -> Result<Response> {
        let mut request = Request::get(Url::parse(&format!("{}{path}", self.base())).expect("an address"));
        for (key, value) in pairs {
            request = request.query(key, value);
        }
        let account = if self.is("Forgetful") { request.url.to_string() } else { String::new() };
        let response = self.tokens.send(&self.http, &account, request, || self.obtain()).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    async fn list(&self, path: &str, at: Position<'_>) -> Result<Page> {
        let mut pairs = Vec::new();
        pairs.extend(
            at.cursor.map(|cursor| ("after", cursor.as_str().split(' ').next().unwrap_or_default().to_owned())),
        );
        pairs.extend(at.since.map(|mark| ("since", mark.to_owned())));
        let response = self.get(path, &pairs).await?;
        let body = Bytes::copy_from_slice(response.json_bytes(NAME)?);
        let list: List<'_> = match serde_json::from_slice(&body) {
            Ok(list) => list,
            Err(_) if self.is("Forgiving") => return Ok(Page::default()),
            Err(why) => return Err(Error::unreadable(NAME, why)),
        };
        let count =
            at.cursor.and_then(|cursor| cursor.as_str().split(' ').nth(1)?.parse::<u32>().ok()).unwrap_or(0) + 1;
        let counting = self.is("Counting");
        let mut records: Vec<Bytes> = list.items.iter().map(|item| raw_slice(&body, item)).collect();
        if self.is("Repeating") {
            records.extend(records.first().cloned());
        }
        Ok(Page {
            records,
            removed: if self.is("Deaf") { vec![] } else { list.gone.iter().map(u64::to_string).collect() },
            next: list
                .next
                .map(|next| Cursor::new(if counting { format!("{next} {count}") } else { next.to_string() })),
            mark: list.mark.map(|mark| mark.to_string()),
            changes_only: at.since.is_some(),
            total: None,
        })
    }
}

#[async_trait]
impl<F: Flaw> Connector for Toy<F> {
    async fn check(&self) -> Result<Checked> {
        for _ in 0..if self.is("Eager") { 9 } else { 1 } {
            self.list("/houses", Position::default()).await?;
        }
        Ok(Checked::default())
    }
    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }
    fn devices(&self) -> Option<&dyn Pull<Device>> {
        Some(self)
    }
}

#[async_trait]
impl<F: Flaw> Pull<Entity> for Toy<F> {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.list("/houses", at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        #[derive(Deserialize)]
        struct House {
            id: u64,
            name: String,
        }
        let house: House = serde_json::from_slice(raw).map_err(|why| why.to_string())?;
        Ok(Item { id: house.id.to_string(), entity: None, record: Entity { name: house.name, ..Entity::default() } })
    }
}

#[async_trait]
impl<F: Flaw> Pull<Device> for Toy<F> {
    fn incremental(&self) -> bool {
        true
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.list("/machines", at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        #[derive(Deserialize)]
        struct Machine {
            id: u64,
            house: u64,
            name: String,
            status: String,
            version: String,
            seen: i64,
        }
        let fields: Map<String, Value> = serde_json::from_slice(raw).map_err(|why| why.to_string())?;
        if self.is("Strict") && fields.contains_key("unheardOf") {
            return Err("a field that is not known".into());
        }
        let machine: Machine = serde_json::from_slice(raw).map_err(|why| why.to_string())?;
        if self.is("Hoarding") && !matches!(machine.status.as_str(), "up" | "down") {
            return Err("a state that is not known".into());
        }
        let seen = if self.is("Local") { machine.seen / 1000 } else { machine.seen };
        let record = Device {
            name: machine.name,
            os_version: Some(machine.version),
            online: Some(machine.status == "up"),
            last_contact_at: DateTime::from_timestamp(seen, 0),
            ..Device::default()
        };
        let house = if self.is("Homeless") { machine.house + 1_000_000 } else { machine.house };
        Ok(Item { id: machine.id.to_string(), entity: Some(house.to_string()), record })
    }
}

/// The vendor's side.
#[derive(Default)]
pub struct ToySimulator {
    tokens: Mutex<HashMap<String, (bool, DateTime<Utc>)>>,
    given: Mutex<u64>,
}

impl vendorkit::Simulator for ToySimulator {
    fn id(&self) -> &'static str {
        Toy::<Sound>::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap();
        let (status, body) = self.route(&world, request);
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Response { status, headers, body: body.to_string().into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "child", "toy-secret-right")
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "child", "toy-secret-wrong")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "guest", "toy-secret-right")
    }

    fn expire_tokens(&self) {
        self.tokens.lock().unwrap().clear();
    }
}

impl ToySimulator {
    fn route(&self, world: &World, request: &Request) -> (u16, Value) {
        let pairs: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let number = |key: &str| pairs.get(key).and_then(|text| text.parse::<u64>().ok());
        let path = request.url.path().rsplit('/').next().unwrap_or_default();
        if path == "token" {
            return self.give(world.now, &request.body);
        }
        let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
        match token.and_then(|token| self.tokens.lock().unwrap().get(token).copied()) {
            Some((true, until)) if until > world.now => {}
            Some((false, _)) => return (403, json!({ "message": "guests may look at nothing" })),
            _ => return (401, json!({ "message": "who are you?" })),
        }
        let (after, since) = (number("after").unwrap_or(0), number("since"));
        match (path, since) {
            ("houses", _) => {
                let mut houses = world.known_to(self.id_text()).filter(|b| b.key > after);
                let page: Vec<&Business> = houses.by_ref().take(ROWS).collect();
                let next = page.last().filter(|_| houses.next().is_some()).map(|b| b.key);
                let items: Vec<Value> =
                    page.iter().map(|b| json!({ "id": b.key, "name": b.name_at(self.id_text()) })).collect();
                (200, json!({ "items": items, "next": next }))
            }
            ("machines", None) => {
                let known = |b: &Business| b.vendors.contains(self.id_text());
                let mut machines = world.devices_after(after).filter(|(b, _)| known(b));
                let page: Vec<_> = machines.by_ref().take(ROWS).collect();
                let next = page.last().filter(|_| machines.next().is_some()).map(|(_, d)| d.key);
                let items: Vec<Value> = page.iter().map(|(b, d)| machine(b, d)).collect();
                let mark = next.is_none().then(|| world.revision());
                (200, json!({ "items": items, "next": next, "mark": mark }))
            }
            ("machines", Some(mark)) => changes(world, mark),
            _ => (404, json!({ "message": "no such thing" })),
        }
    }

    fn id_text(&self) -> &'static str {
        Toy::<Sound>::ID
    }

    fn give(&self, now: DateTime<Utc>, body: &Body) -> (u16, Value) {
        let Body::Form(pairs) = body else { return (400, json!({ "message": "a form, please" })) };
        let value = |key: &str| pairs.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        if value("secret") != "toy-secret-right" {
            return (401, json!({ "message": "wrong secret" }));
        }
        let mut given = self.given.lock().unwrap();
        *given += 1;
        let token = format!("toy-token-{given}");
        let until = now + TimeDelta::hours(1);
        self.tokens.lock().unwrap().insert(token.clone(), (value("client") == "child", until));
        (200, json!({ "access_token": token, "expires_in": 3600 }))
    }
}

fn machine(business: &Business, device: &vendorkit::world::Device) -> Value {
    json!({
        "id": device.key, "house": business.key, "name": device.hostname, "version": device.os_version,
        "status": if device.online { "up" } else { "down" }, "seen": device.last_contact.timestamp(),
    })
}

fn changes(world: &World, mark: u64) -> (u16, Value) {
    let Some(changes) = world.changes_since(mark) else { return (410, json!({ "message": "too old" })) };
    let mut keys: Vec<u64> = changes.iter().filter(|c| c.what == Changed::Device).map(|c| c.key).collect();
    keys.sort_unstable();
    keys.dedup();
    let known = |key: &u64| world.device(*key).filter(|(b, _)| b.vendors.contains(Toy::<Sound>::ID));
    let items: Vec<Value> = keys.iter().filter_map(known).map(|(b, d)| machine(b, d)).collect();
    let gone: Vec<u64> = keys.into_iter().filter(|key| known(key).is_none()).collect();
    (200, json!({ "items": items, "gone": gone, "next": null, "mark": world.revision() }))
}

fn form(base: &str, client: &str, secret: &str) -> Map<String, Value> {
    let pairs = [("address", base), ("client", client), ("secret", secret)];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
}
