//! The connector over exchanges, and over the simulated vendor.

use std::sync::Arc;

use connector_sophos::{Simulator, Sophos};
use integration::{CredentialsForm, Item, Page, Position, Pull, RecordType, Result, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{
    Replay, Simulated, Simulator as _, World, WorldSize, a_tuesday,
    replay::{Exchange, load},
};

pub const TENANT: &str = "3f6f1b5e-7a43-4b3b-9a2f-6e2a7e3d1c10";

pub fn connect(form: &Map<String, Value>, transport: Arc<dyn integration::Transport>) -> Sophos {
    Sophos::connect(<Sophos as Vendor>::Credentials::parse(form).unwrap(), transport)
}

/// Over these exchange files, with the example credentials.
pub fn replay(files: &[&str]) -> (Sophos, Arc<Replay>) {
    over(&<Sophos as Vendor>::Credentials::example(), files, Vec::new())
}

/// Over these exchange files and these exchanges.
pub fn over(form: &Map<String, Value>, files: &[&str], more: Vec<Exchange>) -> (Sophos, Arc<Replay>) {
    let mut exchanges = load("tests/vendor").unwrap();
    exchanges.retain(|exchange| files.iter().any(|file| exchange.is_from(file)));
    assert_eq!(exchanges.len(), files.len(), "not all of {files:?} are there");
    exchanges.extend(more);
    let replay = Arc::new(Replay::of(exchanges));
    (connect(form, replay.clone()), replay)
}

/// One exchange, as written in a test.
pub fn exchange(path: &str, status: u16, body: Value) -> Exchange {
    let exchange = json!({
        "source": "written in a test", "request": { "method": "GET", "path": path },
        "response": { "status": status, "headers": { "content-type": "application/json" }, "body": body },
    });
    serde_json::from_str(&exchange.to_string()).unwrap()
}

/// Over the simulated vendor, as the partner or as other credentials.
pub fn simulated(client: Option<&str>, size: WorldSize) -> (Sophos, Arc<Simulated>) {
    let simulator = Arc::new(Simulator::default());
    let mut form = simulator.credentials("http://127.0.0.1:4100/sophos");
    if let Some(client) = client {
        form.insert("client_id".to_owned(), client.into());
    }
    let vendor = Arc::new(Simulated::new(simulator, World::generate(size, 7, a_tuesday())));
    (connect(&form, vendor.clone()), vendor)
}

pub async fn page<T: RecordType>(connector: &Sophos, entity: Option<&str>) -> Result<Page>
where
    Sophos: Pull<T>,
{
    Pull::<T>::page(connector, Position { entity, ..Position::default() }).await
}

/// Every record of a listing.
pub async fn all<T: RecordType>(connector: &Sophos, entity: Option<&str>) -> Vec<Item<T>>
where
    Sophos: Pull<T>,
{
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let at = Position { cursor: cursor.as_ref(), entity, ..Position::default() };
        let page = Pull::<T>::page(connector, at).await.unwrap();
        found.extend(page.records.iter().map(|raw| Pull::<T>::read(connector, raw).unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            assert!(page.total.is_none_or(|total| total == found.len() as u64));
            return found;
        }
    }
}
