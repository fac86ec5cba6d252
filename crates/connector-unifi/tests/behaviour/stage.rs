//! The connector over exchanges, and over the simulated vendor in both ways.

use std::sync::Arc;

use connector_unifi::{CONSOLE_KEY, Simulator, Unifi};
use integration::{
    CredentialsForm, Item, Position, Pull, RecordKind, RecordType, Request, Response, Transport, Vendor,
};
use serde_json::{Map, Value, json};
use vendorkit::{
    Replay, SharedWorld, Simulated, Simulator as _, World, WorldSize, a_tuesday,
    replay::{Exchange, load},
    world::DeviceClass,
};

/// The simulated vendor, as somebody connects who has one console and no Site Manager.
#[derive(Default)]
pub struct OneConsole(Simulator);

impl OneConsole {
    fn form(base: &str, key: &str) -> Map<String, Value> {
        form("console", Some(&format!("{base}/console/integration")), key)
    }
}

impl vendorkit::Simulator for OneConsole {
    fn id(&self) -> &'static str {
        self.0.id()
    }
    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        self.0.answer(world, request)
    }
    fn credentials(&self, base: &str) -> Map<String, Value> {
        Self::form(base, CONSOLE_KEY)
    }
    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        Self::form(base, "unifi-simulated-mistake")
    }
    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        Self::form(base, "unifi-simulated-guest")
    }
    fn expire_tokens(&self) {}
    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        if kind != RecordKind::Device {
            return world.expected(self.id(), kind);
        }
        // Switches, and an access point beside every fourth machine.
        let devices = world.known_to("unifi").flat_map(|business| &business.devices);
        Some(devices.filter(|device| device.class == DeviceClass::Switch || device.key % 4 == 0).count())
    }
}

pub fn form(way: &str, url: Option<&str>, key: &str) -> Map<String, Value> {
    json!({ "way": way, "api_key": key, "url": url }).as_object().unwrap().clone()
}

pub fn connect(form: &Map<String, Value>, transport: Arc<dyn Transport>) -> Unifi {
    Unifi::connect(<Unifi as Vendor>::Credentials::parse(form).unwrap(), transport)
}

/// Over these exchange files, as the example credentials or as those of one console.
pub fn replay(way: &str, files: &[&str]) -> (Unifi, Arc<Replay>) {
    let mut exchanges = load("tests/vendor").unwrap();
    exchanges.retain(|exchange| files.iter().any(|file| exchange.is_from(file)));
    over(way, exchanges)
}

pub fn over(way: &str, exchanges: Vec<Exchange>) -> (Unifi, Arc<Replay>) {
    let replay = Arc::new(Replay::of(exchanges));
    let form = form(way, Some("https://unifi.acme.example"), "example-secret-0001");
    (connect(&form, replay.clone()), replay)
}

/// One exchange, as written in a test.
pub fn exchange(path: &str, status: u16, body: Value) -> Exchange {
    let exchange = json!({
        "source": "written in a test", "request": { "method": "GET", "path": path },
        "response": { "status": status, "headers": { "content-type": "application/json" }, "body": body },
    });
    serde_json::from_str(&exchange.to_string()).unwrap()
}

/// Over the simulated vendor, through Site Manager.
pub fn simulated(size: WorldSize) -> (Unifi, Arc<Simulated>) {
    let simulator = Arc::new(Simulator);
    let form = simulator.credentials("http://127.0.0.1:4100/unifi");
    let vendor = Arc::new(Simulated::new(simulator, World::generate(size, 7, a_tuesday())));
    (connect(&form, vendor.clone()), vendor)
}

/// Every record of a listing, and why others were rejected.
pub async fn walk<T: RecordType>(connector: &Unifi, entity: Option<&str>) -> (Vec<Item<T>>, Vec<String>)
where
    Unifi: Pull<T>,
{
    let (mut found, mut rejected, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let at = Position { cursor: cursor.as_ref(), entity, ..Position::default() };
        let page = Pull::<T>::page(connector, at).await.unwrap();
        for raw in &page.records {
            match Pull::<T>::read(connector, raw) {
                Ok(item) => found.push(item),
                Err(why) => rejected.push(why),
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return (found, rejected);
        }
    }
}

/// The same, where nothing may be rejected.
pub async fn all<T: RecordType>(connector: &Unifi, entity: Option<&str>) -> Vec<Item<T>>
where
    Unifi: Pull<T>,
{
    let (found, rejected) = walk(connector, entity).await;
    assert_eq!(rejected, [""; 0]);
    found
}
