//! A connector over the simulated vendor, and what it reads.

use std::sync::Arc;

use connector_xero::{Simulator, Xero};
use integration::{Connector, Entry, Position, RecordKind};
use serde_json::{Map, Value};
use vendorkit::{Simulated, World, WorldSize, a_tuesday};

pub const BASE: &str = "https://simulated.example/xero";

pub type Form = Map<String, Value>;

pub fn vendor() -> Arc<Simulated> {
    let size = WorldSize { businesses: 30, devices: 30, people: 60 };
    Arc::new(Simulated::new(Arc::new(Simulator::default()), World::generate(size, 7, a_tuesday())))
}

/// Credentials with what a person granted, and with these fields on top.
pub fn granted(fields: &[(&str, &str)]) -> Form {
    let simulator = Simulator::default();
    let mut form = vendorkit::Simulator::consented(&simulator, vendorkit::Simulator::credentials(&simulator, BASE));
    form.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    form
}

pub fn connector(vendor: &Arc<Simulated>, form: &Form) -> Box<dyn Connector> {
    Entry::of::<Xero>().connect(form, vendor.clone()).unwrap()
}

/// Everything of a kind: id, entity, and the record as it is stored.
pub async fn all(connector: &dyn Connector, kind: RecordKind) -> Vec<(String, Option<String>, Value)> {
    let listing = connector.listings().into_iter().find(|listing| listing.kind() == kind).unwrap();
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = listing.page(Position { cursor: cursor.as_ref(), ..Position::default() }).await.unwrap();
        for raw in &page.records {
            let read = listing.read(raw).unwrap();
            found.push((read.id, read.entity, serde_json::from_str(&read.body).unwrap()));
        }
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

/// One record as it is stored, from the vendor's raw JSON.
pub fn read(kind: RecordKind, raw: &str) -> Result<Value, String> {
    let connector = connector(&vendor(), &granted(&[]));
    let listing = connector.listings().into_iter().find(|listing| listing.kind() == kind).unwrap();
    listing.read(raw.as_bytes()).map(|read| serde_json::from_str(&read.body).unwrap())
}
