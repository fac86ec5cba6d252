//! The connector over exchanges, and over the simulated vendor.

use std::sync::Arc;

use connector_apple_business::{AppleBusiness, Simulator};
use integration::{CredentialsForm, Item, Position, Pull, RecordType, Transport, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{
    Replay, Simulated, Simulator as _, World, WorldSize, a_tuesday,
    replay::{Exchange, load},
};

pub fn example() -> Map<String, Value> {
    <AppleBusiness as Vendor>::Credentials::example()
}

pub fn connect(form: &Map<String, Value>, transport: Arc<dyn Transport>) -> AppleBusiness {
    AppleBusiness::connect(<AppleBusiness as Vendor>::Credentials::parse(form).unwrap(), transport)
}

/// Over these exchange files, with the example credentials.
pub fn replay(files: &[&str]) -> (AppleBusiness, Arc<Replay>) {
    over(files, Vec::new())
}

/// Over these exchange files and these exchanges.
pub fn over(files: &[&str], more: Vec<Exchange>) -> (AppleBusiness, Arc<Replay>) {
    let mut exchanges = load("tests/vendor").unwrap();
    exchanges.retain(|exchange| files.iter().any(|file| exchange.is_from(file)));
    exchanges.extend(more);
    let replay = Arc::new(Replay::of(exchanges));
    (connect(&example(), replay.clone()), replay)
}

/// One exchange, as written in a test.
pub fn exchange(path: &str, status: u16, body: Value) -> Exchange {
    let exchange = json!({
        "source": "written in a test", "request": { "method": "GET", "path": path },
        "response": { "status": status, "headers": { "content-type": "application/json" }, "body": body },
    });
    serde_json::from_str(&exchange.to_string()).unwrap()
}

/// Over the simulated vendor.
pub fn simulated(size: WorldSize) -> (AppleBusiness, Arc<Simulated>) {
    let simulator = Arc::new(Simulator::default());
    let form = simulator.credentials("http://127.0.0.1:4100/apple-business");
    let vendor = Arc::new(Simulated::new(simulator, World::generate(size, 7, a_tuesday())));
    (connect(&form, vendor.clone()), vendor)
}

/// Every record of a listing, and on how many pages they came.
pub async fn pages<T: RecordType>(connector: &AppleBusiness) -> (Vec<Item<T>>, usize)
where
    AppleBusiness: Pull<T>,
{
    let (mut found, mut pages, mut cursor) = (Vec::new(), 0, None);
    loop {
        let at = Position { cursor: cursor.as_ref(), ..Position::default() };
        let page = Pull::<T>::page(connector, at).await.unwrap();
        pages += 1;
        found.extend(page.records.iter().map(|raw| Pull::<T>::read(connector, raw).unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            assert!(page.total.is_none_or(|total| total == found.len() as u64));
            return (found, pages);
        }
    }
}

pub async fn all<T: RecordType>(connector: &AppleBusiness) -> Vec<Item<T>>
where
    AppleBusiness: Pull<T>,
{
    pages(connector).await.0
}
