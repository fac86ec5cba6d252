//! What becomes of the exchanges in `tests/vendor`, record by record.

use connector_halopsa::Halopsa;
use integration::{Contact, Device, Entity, Invoice, Location, Position, Pull, RecordType, Ticket};
use serde_json::{Value, json};

use crate::{connected, replay};

/// The records of the first page as they are stored, each with its id and entity; what is unknown is left out.
async fn stored<T: RecordType>(file: &str) -> Vec<Value>
where
    Halopsa: Pull<T>,
{
    let (halopsa, _) = replay(&["token", file]);
    let page = Pull::<T>::page(&halopsa, Position::default()).await.unwrap();
    let read = page.records.iter().map(|raw| Pull::<T>::read(&halopsa, raw).unwrap());
    read.map(|item| known(item.id, item.entity, &item.record)).collect()
}

fn known<T: RecordType>(id: String, entity: Option<String>, record: &T) -> Value {
    let mut value = serde_json::to_value(record).unwrap();
    let fields = value.as_object_mut().unwrap();
    fields.retain(|_, value| !value.is_null() && *value != json!([]) && *value != json!({}));
    fields.insert("id".to_owned(), id.into());
    if let Some(entity) = entity {
        fields.insert("entity".to_owned(), entity.into());
    }
    value
}

#[tokio::test]
async fn clients() {
    let alder = json!({
        "id": "14", "name": "Alder Dental", "domains": ["alder.example"], "external_ids": { "ninjaone": "7" },
        "active": true,
    });
    assert_eq!(stored::<Entity>("clients").await, [alder]);
}

#[tokio::test]
async fn sites() {
    let main = json!({ "id": "19", "entity": "14", "name": "Main", "address": "12 Mill Lane, Leeds, LS1 4AB" });
    assert_eq!(stored::<Location>("sites").await, [main]);
}

#[tokio::test]
async fn users() {
    let ana = json!({
        "id": "33", "entity": "14", "name": "Ana Reid", "given_name": "Ana", "family_name": "Reid",
        "email": "ana@alder.example", "phone": "+441130000009", "location_id": "19", "active": true,
        "updated_at": "2025-01-05T09:00:00Z",
    });
    assert_eq!(stored::<Contact>("users").await, [ana]);
}

#[tokio::test]
async fn assets() {
    let reception = json!({
        "id": "501", "entity": "14", "name": "ALD-RECEP-01", "class": "Workstation", "os": "Windows 11 Pro",
        "serial": "ABC1234", "macs": ["00:00:5E:00:53:01", "00:00:5E:00:53:02"], "last_user": "Ana Reid",
        "location_id": "19",
    });
    assert_eq!(stored::<Device>("assets").await, [reception]);
}

#[tokio::test]
async fn tickets() {
    let backup = json!({
        "id": "70467", "entity": "14", "number": "70467", "title": "Backup failed", "description": "Nightly job failed",
        "status": "In Progress", "status_id": "2", "open": true, "priority_id": "3", "queue": "1st Line",
        "category": "Incident", "contact_id": "33", "contact_name": "Ana Reid", "contact_email": "ana@alder.example",
        "assignee": "Robin Vale", "created_at": "2025-09-15T10:20:00Z", "updated_at": "2025-09-15T10:22:31.423Z",
        "url": "https://vendor.example/tickets?id=70467",
    });
    assert_eq!(stored::<Ticket>("tickets").await, [backup]);
}

#[tokio::test]
async fn invoices() {
    let money = |amount: &str, currency: &str| json!({ "amount": amount, "currency": currency });
    let common = json!({ "status": "Posted", "issued_on": "2026-09-01", "due_on": "2026-09-15" });
    let mut unpaid = json!({
        "id": "901", "entity": "14", "number": "INV-0901", "paid": false, "tax": money("52.80", "GBP"),
        "total": money("316.80", "GBP"), "balance": money("316.80", "GBP"), "updated_at": "2026-09-01T09:00:00Z",
    });
    let mut paid = json!({
        "id": "902", "entity": "14", "number": "XI-77", "paid": true, "paid_on": "2026-09-03",
        "tax": money("52.80", "AUD"), "total": money("316.80", "AUD"), "balance": money("0", "AUD"),
        "updated_at": "2026-09-01T09:00:00Z",
    });
    for invoice in [&mut unpaid, &mut paid] {
        invoice.as_object_mut().unwrap().extend(common.as_object().unwrap().clone());
    }
    assert_eq!(stored::<Invoice>("invoices").await, [unpaid, paid]);
}

#[tokio::test]
async fn amounts_without_a_currency_are_left_out() {
    let (_, replay) = replay(&["token", "invoices"]);
    let halopsa = connected(&[("currency", "")], replay);
    let page = Pull::<Invoice>::page(&halopsa, Position::default()).await.unwrap();
    let read = Pull::<Invoice>::read(&halopsa, &page.records[0]).unwrap().record;
    assert_eq!((read.total, read.tax, read.balance), (None, None, None));
    assert_eq!(read.paid, Some(false));
}

#[tokio::test]
async fn what_closes_a_ticket_is_the_vendors_mark() {
    let (halopsa, _) = replay(&["token"]);
    for (marks, open) in [
        (r#""hasbeenclosed":true"#, Some(false)),
        (r#""hasbeenclosed":false,"dateclosed":"2025-09-15T12:00:00""#, Some(true)),
        (r#""dateclosed":"2025-09-15T12:00:00""#, Some(false)),
        (r#""dateclosed":"1900-01-01T00:00:00""#, None),
        (r#""status_id":9"#, None),
    ] {
        let raw = format!(r#"{{"id":1,"client_id":14.0,{marks}}}"#);
        assert_eq!(Pull::<Ticket>::read(&halopsa, raw.as_bytes()).unwrap().record.open, open, "{marks}");
    }
}

#[tokio::test]
async fn a_record_of_no_client_is_rejected_without_its_content() {
    let (halopsa, _) = replay(&["token"]);
    for raw in [r#"{"id":1,"summary":"private words"}"#, r#"{"id":1,"summary":"private words","client_id":0}"#] {
        let why = Pull::<Ticket>::read(&halopsa, raw.as_bytes()).unwrap_err();
        assert!(why.contains("client") && !why.contains("private"), "{why}");
    }
    let why = Pull::<Ticket>::read(&halopsa, br#"{"id":"private words"}"#).unwrap_err();
    assert!(!why.contains("private"), "{why}");
}

/// `vendor-specs/halopsa/halo-api-v2-subset.json`: in `Area` and `Site` every field but the id may be null.
#[test]
fn what_the_vendor_describes_as_nullable_may_be_null() {
    let (halopsa, _) = replay(&["token"]);
    let raw =
        br#"{"id":14,"name":null,"inactive":null,"website":null,"main_site_id":null,"main_delivery_address":null}"#;
    assert_eq!(Pull::<Entity>::read(&halopsa, raw).unwrap().record.name, "Client 14");
    let raw = br#"{"id":18,"name":null,"client_id":14.0,"notes":null,"delivery_address":null}"#;
    let site = Pull::<Location>::read(&halopsa, raw).unwrap();
    assert_eq!((site.record.name.as_str(), site.entity.as_deref()), ("Site 18", Some("14")));
}
