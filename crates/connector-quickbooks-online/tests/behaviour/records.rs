//! What becomes of single records.

use std::sync::Arc;

use connector_quickbooks_online::{QuickbooksOnline, Simulator};
use integration::{Connector, Entry, Position, RecordKind};
use serde_json::{Value, json};
use vendorkit::{Simulated, World, WorldSize, a_tuesday};

fn connector(settings: &[(&str, &str)]) -> Box<dyn Connector> {
    let simulator = Simulator::default();
    let credentials = vendorkit::Simulator::credentials(&simulator, "https://simulated.example/quickbooks-online");
    let mut credentials = vendorkit::Simulator::consented(&simulator, credentials);
    credentials.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    let size = WorldSize { businesses: 60, devices: 12, people: 90 };
    let simulated = Simulated::new(Arc::new(simulator), World::generate(size, 7, a_tuesday()));
    Entry::of::<QuickbooksOnline>().connect(&credentials, Arc::new(simulated)).unwrap()
}

fn read_as(settings: &[(&str, &str)], kind: RecordKind, raw: &str) -> (Option<String>, Value) {
    let connector = connector(settings);
    let listing = connector.listings().into_iter().find(|listing| listing.kind() == kind).unwrap();
    let read = listing.read(raw.as_bytes()).unwrap();
    (read.entity, serde_json::from_str(&read.body).unwrap())
}

fn read(kind: RecordKind, raw: &str) -> Value {
    read_as(&[], kind, raw).1
}

#[tokio::test]
async fn those_below_others_and_inactive_ones_are_listed_under_their_whole_names() {
    let connector = connector(&[]);
    let pull = connector.entities().unwrap();
    let page = pull.page(Position::default()).await.unwrap();
    let all: Vec<_> = page.records.iter().map(|raw| pull.read(raw).unwrap()).collect();
    let below: Vec<_> = all.iter().filter(|item| item.record.name.contains(':')).collect();
    assert!(!below.is_empty() && below.len() < all.len());
    for item in &below {
        let parent = item.record.name.split(':').next().unwrap();
        assert!(all.iter().any(|other| other.record.name == parent), "{} is below nobody", item.record.name);
        let status = item.record.status.as_deref().unwrap();
        assert!(status.ends_with(", project") || status.ends_with(", sub-customer"), "{status}");
    }
    let inactive: Vec<_> = all.iter().filter(|item| item.record.active == Some(false)).collect();
    assert!(!inactive.is_empty(), "inactive customers are left out");
    assert!(inactive.iter().all(|item| !item.record.name.ends_with("(deleted)")));
}

#[test]
fn a_customer_says_where_it_is_and_whose_domain() {
    let raw = r#"{"Id":"1","DisplayName":" Kite ","Active":true,"WebAddr":{"URI":"www.kite.example/about"},
        "PrimaryPhone":{},"Mobile":{"FreeFormNumber":"555 0100"},
        "BillAddr":{"Line1":"1 High St"},"ShipAddr":{"City":"Perth","CountrySubDivisionCode":"WA"}}"#;
    let customer = read(RecordKind::Entity, raw);
    assert_eq!(customer["name"], "Kite");
    assert_eq!(customer["domains"], json!(["kite.example"]));
    assert_eq!(customer["phone"], "555 0100");
    assert_eq!(customer["place"], "Perth, WA");
    assert_eq!((customer["active"].as_bool(), customer["status"].as_str()), (Some(true), Some("Active")));
    for shared in ["https://www.facebook.com/kite", "http://192.0.2.1/", "none", "://"] {
        let raw = json!({ "Id": "1", "DisplayName": "Kite", "WebAddr": { "URI": shared } }).to_string();
        assert_eq!(read(RecordKind::Entity, &raw)["domains"], json!([]), "{shared}");
    }
    let raw = r#"{"Id":4,"CompanyName":"Kite Ltd","BillAddr":"unheard of","Active":"perhaps"}"#;
    let customer = read(RecordKind::Entity, raw);
    assert_eq!((customer["name"].as_str(), customer["active"].as_bool()), (Some("Kite Ltd"), None));
    assert_eq!(customer["status"], Value::Null);
    // Only somebody inactive has the suffix from the vendor.
    let raw = r#"{"Id":"1","DisplayName":"Kite (deleted)","Active":true}"#;
    assert_eq!(read(RecordKind::Entity, raw)["name"], "Kite (deleted)");
}

#[tokio::test]
async fn a_contact_is_the_person_or_the_address_of_a_customer() {
    let raw = r#"{"Id":"1","DisplayName":"Kite","GivenName":"Ana","FamilyName":"Silva","Active":true,
        "PrimaryEmailAddr":{"Address":"ana@kite.example"},"MetaData":{"LastUpdatedTime":"2026-05-05T02:11:28-07:00"}}"#;
    let (entity, contact) = read_as(&[], RecordKind::Contact, raw);
    assert_eq!((entity.as_deref(), contact["name"].as_str()), (Some("1"), Some("Ana Silva")));
    assert_eq!(contact["updated_at"], "2026-05-05T09:11:28Z");
    let raw = r#"{"Id":"1","DisplayName":"Kite","PrimaryEmailAddr":{"Address":"accounts@kite.example"}}"#;
    assert_eq!(read(RecordKind::Contact, raw)["name"], "accounts@kite.example");
    let connector = connector(&[]);
    let entities = connector.entities().unwrap().page(Position::default()).await.unwrap();
    let contacts = connector.contacts().unwrap().page(Position::default()).await.unwrap();
    assert!(contacts.records.len() < entities.records.len(), "those who name nobody are contacts");
    assert!(contacts.removed.is_empty(), "a whole listing has no removals");
}

fn invoice(settings: &[(&str, &str)], fields: &str) -> Value {
    let raw = format!(r#"{{"Id":"130","DocNumber":"1037","CustomerRef":{{"value":"1"}},{fields}}}"#);
    let (entity, invoice) = read_as(settings, RecordKind::Invoice, &raw);
    assert_eq!(entity.as_deref(), Some("1"));
    invoice
}

#[test]
fn amounts_are_exact_and_the_net_sum_needs_the_tax() {
    let sums =
        r#""CurrencyRef":{"value":"usd"},"TotalAmt":1234567890123.10,"TxnTaxDetail":{"TotalTax":0.3},"Balance":0.20"#;
    let read = invoice(&[], sums);
    assert_eq!(read["total"], json!({ "amount": "1234567890123.10", "currency": "USD" }));
    assert_eq!(read["net"], json!({ "amount": "1234567890122.80", "currency": "USD" }));
    assert_eq!((read["tax"]["amount"].as_str(), read["balance"]["amount"].as_str()), (Some("0.3"), Some("0.20")));
    let read = invoice(&[], r#""CurrencyRef":{"value":"USD"},"TotalAmt":22,"Balance":22"#);
    assert_eq!(
        (&read["net"], &read["tax"], read["total"]["amount"].as_str()),
        (&Value::Null, &Value::Null, Some("22"))
    );
}

#[test]
fn an_amount_without_a_currency_is_not_money() {
    let fields = r#""TotalAmt":22.00,"Balance":0"#;
    let read = invoice(&[], fields);
    assert_eq!((&read["total"], read["paid"].as_bool()), (&Value::Null, Some(true)));
    let read = invoice(&[("currency", "nzd")], fields);
    assert_eq!(read["total"], json!({ "amount": "22.00", "currency": "NZD" }));
    let named = invoice(&[("currency", "nzd")], r#""CurrencyRef":{"value":"EUR"},"TotalAmt":22.00"#);
    assert_eq!(named["total"]["currency"], "EUR");
}

#[test]
fn the_state_follows_from_what_is_still_to_be_paid() {
    for (fields, paid, status) in [
        (r#""TotalAmt":10,"Balance":0"#, Some(true), Some("Paid")),
        (r#""TotalAmt":10,"Balance":0.00"#, Some(true), Some("Paid")),
        (r#""TotalAmt":10,"Balance":4.5"#, Some(false), Some("Partially paid")),
        (r#""TotalAmt":10,"Balance":10.0"#, Some(false), Some("Open")),
        (r#""TotalAmt":0,"Balance":0,"PrivateNote":"Voided - by mistake""#, None, Some("Voided")),
        (r#""TotalAmt":0,"Balance":0,"PrivateNote":"free of charge""#, Some(true), Some("Paid")),
        (r#""TotalAmt":10,"Balance":0,"PrivateNote":"Voided before""#, Some(true), Some("Paid")),
        (r#""TotalAmt":10"#, None, None),
    ] {
        let read = invoice(&[], fields);
        assert_eq!((read["paid"].as_bool(), read["status"].as_str()), (paid, status), "{fields}");
    }
}

#[test]
fn an_invoice_without_a_number_has_its_id() {
    let raw = r#"{"Id":"130","CustomerRef":{"value":"1"},"TxnDate":"2026-04-08","DueDate":"soon"}"#;
    let read = read(RecordKind::Invoice, raw);
    assert_eq!((read["number"].as_str(), read["issued_on"].as_str()), (Some("130"), Some("2026-04-08")));
    assert_eq!(read["due_on"], Value::Null);
}

#[test]
fn a_template_says_how_often_in_words() {
    for (interval, number, words) in [
        ("Monthly", "1", Some("every month")),
        ("Monthly", "\"3\"", Some("every 3 months")),
        ("Weekly", "2", Some("every 2 weeks")),
        ("Yearly", "1", Some("every year")),
        ("Daily", "null", Some("Daily")),
        ("Lunar", "1", Some("Lunar")),
        ("", "1", None),
    ] {
        let raw = format!(
            r#"{{"Invoice":{{"Id":"7","CustomerRef":{{"value":"1"}},"CurrencyRef":{{"value":"USD"}},"TotalAmt":250.50,
            "RecurringInfo":{{"Name":"Care","RecurType":"Automated","Active":true,
            "ScheduleInfo":{{"IntervalType":"{interval}","NumInterval":{number},"NextDate":"2026-11-01"}}}}}}}}"#
        );
        let template = read(RecordKind::RepeatingInvoice, &raw);
        assert_eq!(template["schedule"].as_str(), words, "{interval} {number}");
        assert_eq!((template["name"].as_str(), template["status"].as_str()), (Some("Care"), Some("Automated")));
        assert_eq!(
            (template["next_on"].as_str(), template["total"]["amount"].as_str()),
            (Some("2026-11-01"), Some("250.50"))
        );
    }
    let raw =
        r#"{"Invoice":{"Id":"7","CustomerRef":{"value":"1"},"RecurringInfo":{"RecurType":"Reminded","Active":false}}}"#;
    let template = read(RecordKind::RepeatingInvoice, raw);
    assert_eq!((template["name"].as_str(), template["status"].as_str()), (Some("Template 7"), Some("Inactive")));
}
