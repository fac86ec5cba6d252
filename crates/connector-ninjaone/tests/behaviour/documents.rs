//! Documents: what is shown of them, and above all what is not.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{TimeZone, Utc};
use connector_ninjaone::{Credentials, NinjaOne, Simulator};
use integration::{Connector, CredentialsForm, Document, Item, Kind, Position, Request, Retry, Vendor};
use vendorkit::{Simulated, Simulator as _, World, WorldSize};

use crate::stand_ins::{Scripted, over, replaying};

#[tokio::test]
async fn secrets_are_dropped_before_anyone_can_store_them() {
    let (connector, replay) = replaying(&["token", "documents"]);
    let documents = connector.documents().unwrap();
    let page = documents.page(Position::default()).await.unwrap();
    replay.finish().unwrap();
    for raw in &page.records {
        let raw = String::from_utf8_lossy(raw);
        assert!(!raw.contains("of-secrets"), "{raw}");
    }
    let read: Vec<Item<Document>> = page.records.iter().map(|raw| documents.read(raw).unwrap()).collect();
    let text = |text: &str| Some(text.to_owned());
    let fields = [
        ("levels", "Silver, Gold"),
        ("notes", "Rack 2, top"),
        ("supportLevel", "Gold"),
        ("vendor", "Fortinet"),
        ("warrantyEnds", "2027-01-01"),
    ];
    let firewall = Document {
        title: "Firewall".into(),
        template_id: text("9"),
        template: text("Network"),
        fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        archived: Some(false),
        updated_at: Some(Utc.timestamp_micros(1_763_000_000_250_000).unwrap()),
        ..Document::default()
    };
    assert_eq!((read[0].id.as_str(), read[0].entity.as_deref()), ("501", Some("12")));
    assert_eq!(read[0].record, firewall);
    // Its template does not have the field any more, so nothing says that it is no secret.
    let orphan = &read[1].record;
    assert_eq!((orphan.title.as_str(), &orphan.fields), ("Old switch", &BTreeMap::new()));
    assert_eq!((orphan.description.as_deref(), orphan.updated_at), (Some("In the cellar"), None));
    assert_eq!(read[2].record.title, "Document 503");
}

#[tokio::test]
async fn a_document_without_a_template_has_no_fields() {
    let (connector, replay) = replaying(&["token", "error-template-unknown"]);
    let page = connector.documents().unwrap().page(Position::default()).await.unwrap();
    replay.finish().unwrap();
    assert!(!String::from_utf8_lossy(&page.records[0]).contains("of-secrets"));
    let read = connector.documents().unwrap().read(&page.records[0]).unwrap();
    assert_eq!((read.record.title.as_str(), read.record.fields.len()), ("Safe", 0));
}

#[tokio::test]
async fn a_list_of_templates_that_comes_back_short_costs_no_field() {
    let transport = Scripted::new(|request: &Request| match request.url.path() {
        "/v2/document-templates" => "[]".to_owned(),
        "/v2/document-templates/9" => r#"{"id":9,"fields":[{"fieldName":"a","fieldType":"TEXT"}]}"#.to_owned(),
        _ => r#"[{"documentId":501,"organizationId":12,"documentTemplateId":9,"fields":[{"name":"a","value":"b"}]}]"#
            .to_owned(),
    });
    let connector = over(transport);
    let page = connector.documents().unwrap().page(Position::default()).await.unwrap();
    let read = connector.documents().unwrap().read(&page.records[0]).unwrap();
    assert_eq!(read.record.fields.get("a").map(String::as_str), Some("b"));
}

#[tokio::test]
async fn a_template_that_is_only_half_there_is_asked_for_again() {
    let transport = Scripted::new(|request: &Request| match request.url.path() {
        "/v2/document-templates" => "[]".to_owned(),
        "/v2/document-templates/9" => r#"{"id":9,"fields":[{"fieldNa"#.to_owned(),
        _ => r#"[{"documentId":501,"organizationId":12,"documentTemplateId":9,"fields":[]}]"#.to_owned(),
    });
    let connector = over(transport);
    let error = connector.documents().unwrap().page(Position::default()).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::Yes), "fields would be lost for the hour");
}

#[tokio::test]
async fn a_template_that_cannot_be_read_costs_fields_not_documents() {
    let transport = Scripted::new(|request: &Request| match request.url.path() {
        "/v2/document-templates" => r#"[{"id":9,"fields":[{"fieldName":{"odd":1}}]},7]"#.to_owned(),
        "/v2/document-templates/9" => r#"{"id":9,"fields":7}"#.to_owned(),
        _ => r#"[{"documentId":501,"organizationId":12,"documentTemplateId":9,"fields":[{"name":"a","value":"b"}]}]"#
            .to_owned(),
    });
    let connector = over(transport);
    let page = connector.documents().unwrap().page(Position::default()).await.unwrap();
    let read = connector.documents().unwrap().read(&page.records[0]).unwrap();
    assert_eq!((read.id.as_str(), read.record.fields.len()), ("501", 0));
}

#[tokio::test]
async fn the_simulated_secrets_stay_there() {
    let simulator = Arc::new(Simulator::default());
    let world = World::generate(WorldSize::DEMO, 5, Utc.timestamp_opt(1_764_000_000, 0).unwrap());
    let values = simulator.credentials("http://127.0.0.1:1/ninjaone");
    let simulated = Arc::new(Simulated::new(simulator, world));
    let connector = NinjaOne::connect(Credentials::parse(&values).unwrap(), simulated);
    let documents = connector.documents().unwrap();
    let page = documents.page(Position::default()).await.unwrap();
    let mut named = BTreeMap::new();
    for raw in &page.records {
        assert!(!String::from_utf8_lossy(raw).contains("the secret of"));
        for (name, value) in documents.read(raw).unwrap().record.fields {
            named.insert(name, value);
        }
    }
    assert_eq!(named.get("router").map(String::as_str), Some("192.0.2.1"));
    assert_eq!(named.get("keptFor").map(String::as_str), Some("30 days"), "a choice is told by its name");
    assert!(!named.contains_key("routerPassword"));
}
