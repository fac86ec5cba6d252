//! What becomes of the exchanges in `tests/vendor`, record by record.

use connector_syncro::Syncro;
use integration::{Alert, Contact, Device, Entity, Invoice, Position, Pull, RecordType, Ticket, WriteTickets};
use serde_json::{Value, json};

use crate::{connected, replay};

/// The records of a listing as they are stored, each with its id and entity; what is unknown is left out.
async fn stored<T: RecordType>(file: &str) -> Vec<Value>
where
    Syncro: Pull<T>,
{
    let (syncro, replay) = replay(&[file]);
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let at = Position { cursor: cursor.as_ref(), ..Position::default() };
        let page = Pull::<T>::page(&syncro, at).await.unwrap();
        found.extend(page.records.iter().map(|raw| known(&syncro, raw)));
        cursor = page.next;
        if cursor.is_none() {
            replay.finish().unwrap();
            return found;
        }
    }
}

fn known<T: RecordType>(syncro: &Syncro, raw: &[u8]) -> Value
where
    Syncro: Pull<T>,
{
    let item = Pull::<T>::read(syncro, raw).unwrap();
    let mut value = serde_json::to_value(item.record).unwrap();
    let fields = value.as_object_mut().unwrap();
    fields.retain(|_, value| !value.is_null() && *value != json!([]) && *value != json!({}));
    fields.insert("id".to_owned(), item.id.into());
    if let Some(entity) = item.entity {
        fields.insert("entity".to_owned(), entity.into());
    }
    value
}

#[tokio::test]
async fn customers() {
    assert_eq!(
        stored::<Entity>("customers").await,
        [
            json!({ "id": "501", "name": "Harbour Dental", "phone": "5550100", "place": "Porto", "active": true }),
            json!({
                "id": "502", "name": "Rui Costa", "phone": "5550199", "place": "Faro, Algarve", "active": false,
            }),
        ]
    );
}

#[tokio::test]
async fn contacts() {
    let ana = json!({
        "id": "61", "entity": "501", "name": "Ana Silva", "email": "ana@harbour.example", "phone": "5550100",
        "created_at": "2026-02-01T08:47:09.723Z", "updated_at": "2026-02-01T08:47:09.723Z",
    });
    assert_eq!(stored::<Contact>("contacts").await, [ana]);
}

#[tokio::test]
async fn assets() {
    let created = "2026-02-03T04:40:27.117Z";
    assert_eq!(
        stored::<Device>("assets").await,
        [
            json!({
                "id": "9001", "entity": "501", "name": "FRONTDESK-1", "hostname": "FRONTDESK-1", "class": "Desktop",
                "os": "Windows 11 Pro", "os_version": "26100", "manufacturer": "Dell Inc.", "model": "OptiPlex 7010",
                "serial": "ABC1234", "macs": ["00:00:5E:00:53:01", "00:00:5E:00:53:02"], "ips": ["10.0.0.5"],
                "public_ip": "203.0.113.9", "last_contact_at": "2026-10-08T04:35:00Z",
                "last_user": "HARBOUR\\reception", "created_at": created,
            }),
            json!({
                "id": "9002", "entity": "501", "name": "OLD-SRV", "hostname": "OLD-SRV", "class": "Syncro Device",
                "os": "Windows Server 2019", "serial": "77", "ips": ["10.0.0.9"], "online": false,
                "created_at": created,
            }),
            json!({
                "id": "9003", "entity": "501", "name": "Label printer", "class": "Printer", "serial": "LP-1",
                "created_at": created,
            }),
        ]
    );
}

#[tokio::test]
async fn alerts() {
    let common = json!({
        "entity": "501", "description": "Low disk", "device_id": "9001", "device_name": "FRONTDESK-1",
        "raised_at": "2026-10-08T01:00:00Z",
    });
    let mut active = json!({ "id": "31", "title": "C: below 10%", "active": true });
    let mut resolved = json!({ "id": "32", "title": "BSOD", "active": false });
    for alert in [&mut active, &mut resolved] {
        alert.as_object_mut().unwrap().extend(common.as_object().unwrap().clone());
    }
    assert_eq!(stored::<Alert>("alerts").await, [active, resolved]);
}

#[tokio::test]
async fn tickets() {
    let printer = json!({
        "id": "77", "entity": "501", "number": "2012", "title": "Printer offline",
        "description": "Printer does not respond", "status": "New", "status_id": "New", "open": true,
        "priority": "2 Normal", "priority_id": "2 Normal", "category": "Hardware", "contact_id": "61",
        "contact_name": "Ana Silva", "created_at": "2026-10-07T08:59:31.034Z", "updated_at": "2026-10-07T09:10:00Z",
        "due_at": "2026-10-09T08:00:00Z", "url": "https://acme.syncromsp.com/tickets/77",
    });
    assert_eq!(stored::<Ticket>("tickets").await, std::slice::from_ref(&printer));

    // Read alone it has the people as objects, and says more of them.
    let (syncro, _) = replay(&["ticket-fetch"]);
    let mut alone = printer;
    alone["contact_email"] = "ana@harbour.example".into();
    alone["assignee"] = "Robin Vale".into();
    assert_eq!(known::<Ticket>(&syncro, &WriteTickets::fetch(&syncro, "77").await.unwrap()), alone);
}

#[tokio::test]
async fn invoices() {
    let money = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let invoice = json!({
        "id": "6", "entity": "501", "number": "4444", "reference": "PO-9", "paid": false, "issued_on": "2026-10-02",
        "due_on": "2026-10-16", "net": money("120.0"), "tax": money("27.6"), "total": money("147.6"),
        "url": "https://acme.syncromsp.com/invoices/6", "updated_at": "2026-10-02T08:24:20.821Z",
    });
    assert_eq!(stored::<Invoice>("invoices").await, [invoice]);

    let (_, replay) = replay(&["invoices"]);
    let syncro = connected(&[("currency", "")], replay);
    let page = Pull::<Invoice>::page(&syncro, Position::default()).await.unwrap();
    let read = Pull::<Invoice>::read(&syncro, &page.records[0]).unwrap().record;
    assert_eq!((read.net, read.tax, read.total), (None, None, None));
}

#[tokio::test]
async fn states_decide_whether_a_ticket_is_open() {
    let (syncro, _) = replay(&["throttled"]);
    let resolved = r#""resolved_at":"2026-10-08T09:00:00.000Z""#;
    for (status, more, open) in [
        ("Resolved", r#""resolved_at":null"#, false),
        ("Customer Reply", resolved, true),
        ("Invoiced", resolved, false),
        ("Invoiced", r#""resolved_at":null"#, true),
        ("Waiting for the moon", r#""resolved_at":null"#, true),
        ("Waiting for the moon", resolved, false),
    ] {
        let raw = format!(r#"{{"id":1,"customer_id":501,"status":"{status}",{more}}}"#);
        let read = Pull::<Ticket>::read(&syncro, raw.as_bytes()).unwrap().record;
        assert_eq!(read.open, Some(open), "{raw}");
    }
}

#[tokio::test]
async fn a_hidden_first_comment_is_no_description() {
    let (syncro, _) = replay(&["throttled"]);
    let raw =
        r#"{"id":1,"customer_id":501,"comments":[{"id":8,"body":"Seen"},{"id":7,"body":"Private","hidden":true}]}"#;
    assert_eq!(Pull::<Ticket>::read(&syncro, raw.as_bytes()).unwrap().record.description, None);
}

#[tokio::test]
async fn a_record_of_no_customer_is_rejected_without_its_content() {
    let (syncro, _) = replay(&["throttled"]);
    for raw in
        [r#"{"id":1,"description":"private words"}"#, r#"{"id":1,"customer_id":0,"description":"private words"}"#]
    {
        let why = Pull::<Alert>::read(&syncro, raw.as_bytes()).unwrap_err();
        assert!(why.contains("customer") && !why.contains("private"), "{why}");
    }
    let why = Pull::<Alert>::read(&syncro, br#"{"id":"private words"}"#).unwrap_err();
    assert!(!why.contains("private"), "{why}");
}
