//! Records that public clients of WorkflowMax describe differently, and what is left out.

use std::sync::Arc;

use connector_workflowmax::{Simulator, Workflowmax};
use integration::{Connector, Entry, RecordKind};
use serde_json::Value;
use vendorkit::{Simulated, World, WorldSize, a_tuesday};

const BASE: &str = "https://simulated.example/workflowmax";

fn connector(settings: &[(&str, &str)], without: &[&str]) -> Box<dyn Connector> {
    let size = WorldSize { businesses: 12, devices: 12, people: 24 };
    let simulator = Simulator::default();
    let credentials = vendorkit::Simulator::credentials(&simulator, BASE);
    let mut credentials = vendorkit::Simulator::consented(&simulator, credentials);
    credentials.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    without.iter().for_each(|name| drop(credentials.remove(*name)));
    let simulated = Simulated::new(Arc::new(simulator), World::generate(size, 7, a_tuesday()));
    Entry::of::<Workflowmax>().connect(&credentials, Arc::new(simulated)).unwrap()
}

async fn names(connector: &dyn Connector) -> Vec<String> {
    let pull = connector.entities().unwrap();
    let page = pull.page(integration::Position::default()).await.unwrap();
    page.records.iter().map(|raw| pull.read(raw).unwrap().record.name).collect()
}

fn read(connector: &dyn Connector, kind: RecordKind, raw: &str) -> Value {
    let listing = connector.listings().into_iter().find(|listing| listing.kind() == kind).unwrap();
    let read = listing.read(raw.as_bytes()).unwrap();
    serde_json::from_str(&read.body).unwrap()
}

#[tokio::test]
async fn prospects_are_listed_only_on_request() {
    let usual = names(connector(&[], &[]).as_ref()).await;
    assert!(!usual.is_empty() && !usual.contains(&"Perhaps Tomorrow".to_owned()), "{usual:?}");
    let all = names(connector(&[("prospects", "include")], &[]).as_ref()).await;
    assert_eq!(all.len(), usual.len() + 1);
    assert!(all.contains(&"Perhaps Tomorrow".to_owned()), "{all:?}");
    let contacts = connector(&[], &[]);
    let pull = contacts.contacts().unwrap();
    let page = pull.page(integration::Position::default()).await.unwrap();
    let clients: Vec<_> = page.records.iter().map(|raw| pull.read(raw).unwrap().entity.unwrap()).collect();
    let listed = contacts.entities().unwrap().page(integration::Position::default()).await.unwrap();
    let known: Vec<_> = listed.records.iter().map(|raw| contacts.entities().unwrap().read(raw).unwrap().id).collect();
    assert!(clients.iter().all(|client| known.contains(client)), "a contact of a prospect is listed");
}

#[test]
fn a_client_without_a_name_has_that_of_its_person() {
    let connector = connector(&[], &[]);
    let raw = r#"{"uuid":"c1","name":" ","firstName":"Ana","lastName":"Silva","archived":"Yes","contactDetails":null}"#;
    let client = read(connector.as_ref(), RecordKind::Entity, raw);
    assert_eq!((client["name"].as_str(), client["active"].as_bool()), (Some("Ana Silva"), Some(false)));
    let raw = r#"{"id":"c1","name":"Kite","contactDetails":{"website":"www.kite.example/about"},"addresses":[]}"#;
    let client = read(connector.as_ref(), RecordKind::Entity, raw);
    assert_eq!((client["domains"][0].as_str(), client["active"].as_bool()), (Some("kite.example"), None));
}

#[test]
fn jobs_are_open_only_where_that_is_known() {
    let connector = connector(&[], &[]);
    for (raw, open) in [
        (r#"{"state":"Planned","job":{"uuid":"j","name":"A","clientUUID":"c"}}"#, Some(true)),
        (r#"{"state":"With the client","job":{"uuid":"j","name":"A","clientUUID":"c"}}"#, None),
        (
            r#"{"state":"With the client","job":{"uuid":"j","name":"A","clientUUID":"c","completedDate":"2026-10-02T00:00:00.000Z"}}"#,
            Some(false),
        ),
        (r#"{"state":null,"job":{"id":"j","name":"A","client":{"uuid":"c"},"status":"cancelled"}}"#, Some(false)),
        (r#"{"state":null,"job":{"id":"j","jobNumber":17,"clientUuid":"c","status":"progress"}}"#, Some(true)),
    ] {
        let job = read(connector.as_ref(), RecordKind::Job, raw);
        assert_eq!(job["open"].as_bool(), open, "{raw}");
    }
}

#[test]
fn an_amount_without_a_currency_is_not_money() {
    let raw = r#"{"uuid":"i","invoiceNumber":"I000123","clientUUID":"c","status":"Approved","total":1320.00}"#;
    let invoice = read(connector(&[("currency", "nzd")], &[]).as_ref(), RecordKind::Invoice, raw);
    assert_eq!(invoice["total"], serde_json::json!({ "amount": "1320.00", "currency": "NZD" }));
    assert_eq!(invoice["paid"], false);
    let invoice = read(connector(&[], &["currency"]).as_ref(), RecordKind::Invoice, raw);
    assert_eq!(invoice["total"], Value::Null);
}
