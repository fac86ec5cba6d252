//! What becomes of the exchanges in `tests/vendor`, record by record.

use integration::{Contact, Entity, Invoice, Location, Ticket};
use serde_json::{Value, json};

use super::stand_ins::{all, replay};

#[tokio::test]
async fn companies() {
    let (connector, played) = replay(&["zone", "companies"]);
    let found = all::<Entity>(&connector).await;
    played.finish().unwrap();
    let [alder, birch, cedar] = &found[..] else { panic!("three companies") };
    assert_eq!(
        serde_json::to_value(&alder.record).unwrap(),
        json!({
            "name": "Alder Dental", "domains": ["alder.example"], "external_ids": { "account_number": "C-1042" },
            "tenant_id": null, "phone": "+441130000001", "place": "Leeds, West Yorkshire", "active": true,
            "status": "Customer",
            "address": { "street": null, "city": "Leeds", "region": "West Yorkshire", "post_code": null },
        })
    );
    // A type that Autotask does not explain has no words.
    assert_eq!((birch.record.status.as_deref(), birch.record.active), (None, Some(false)));
    assert_eq!((birch.record.phone.as_deref(), birch.record.external_ids.len()), (None, 0));
    assert_eq!((cedar.id.as_str(), cedar.record.status.as_deref()), ("29683600", Some("Vendor")));
}

#[tokio::test]
async fn locations() {
    let (connector, played) = replay(&["zone", "locations"]);
    let found = all::<Location>(&connector).await;
    played.finish().unwrap();
    assert_eq!((found[0].id.as_str(), found[0].entity.as_deref()), ("101", Some("29683512")));
    assert_eq!(found[0].record.address.as_deref(), Some("12 Mill Lane, Leeds, West Yorkshire, LS1 4AB"));
}

#[tokio::test]
async fn contacts() {
    let (connector, played) = replay(&["zone", "contacts"]);
    let found = all::<Contact>(&connector).await;
    played.finish().unwrap();
    assert_eq!(found[0].entity.as_deref(), Some("29683512"));
    assert_eq!(
        serde_json::to_value(&found[0].record).unwrap(),
        json!({
            "name": "Ana Reid", "given_name": "Ana", "family_name": "Reid", "email": "ana@alder.example",
            "phone": "+441130000009", "mobile": null, "job_title": "Practice manager", "location_id": "101",
            "primary": true, "active": true, "created_at": "2023-02-01T09:00:00Z", "updated_at": "2025-01-05T09:00:00Z",
        })
    );
    let second = &found[1].record;
    assert_eq!((second.name.as_str(), second.active, second.primary), ("Bo", Some(false), Some(false)));
}

#[tokio::test]
async fn tickets() {
    let (connector, played) = replay(&["zone", "tickets"]);
    let found = all::<Ticket>(&connector).await;
    played.finish().unwrap();
    assert_eq!(found[0].entity.as_deref(), Some("29683512"));
    assert_eq!(
        serde_json::to_value(&found[0].record).unwrap(),
        json!({
            "number": "T20250915.0001", "title": "Backup failed", "description": "Nightly job failed",
            "status": "In Progress", "status_id": "8", "open": true, "priority": "Medium", "priority_id": "2",
            "queue": "Service Desk", "category": "Incident", "contact_id": "30712345", "contact_name": null,
            "contact_email": null, "assignee": null, "created_at": "2025-09-15T10:20:00Z",
            "updated_at": "2025-09-15T10:22:31.400Z", "due_at": "2025-09-16T17:00:00Z", "closed_at": null, "url": null,
        })
    );
    let closed = serde_json::to_value(&found[1].record).unwrap();
    assert_eq!((&closed["open"], &closed["closed_at"]), (&Value::from(false), &"2025-09-15T11:00:00Z".into()));
    // A number that Autotask does not explain has no words, but is still known by its number.
    assert_eq!((&closed["priority"], &closed["priority_id"]), (&Value::Null, &"77".into()));
}

#[tokio::test]
async fn invoices() {
    let (connector, played) = replay(&["zone", "invoices"]);
    let found = all::<Invoice>(&connector).await;
    played.finish().unwrap();
    let gbp = |amount: &str| json!({ "amount": amount, "currency": "GBP" });
    assert_eq!(
        serde_json::to_value(&found[0].record).unwrap(),
        json!({
            "number": "31001", "reference": "PO-7", "status": null, "paid": null, "issued_on": "2025-09-01",
            "due_on": "2025-09-15", "paid_on": null, "net": null, "tax": gbp("216.42"), "total": gbp("1298.50"),
            "balance": null, "url": null, "updated_at": null,
        })
    );
    let second = serde_json::to_value(&found[1].record).unwrap();
    assert_eq!((&second["status"], &second["paid"]), (&"Voided".into(), &true.into()));
    assert_eq!((&second["paid_on"], &second["tax"]), (&"2025-09-03".into(), &Value::Null));
}
