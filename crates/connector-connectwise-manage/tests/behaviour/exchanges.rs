//! What becomes of the exchanges in `tests/vendor`, record by record.

use integration::{Contact, Entity, Invoice, Location, Ticket};
use serde_json::{Value, json};

use super::stand_ins::{all, replay};

#[tokio::test]
async fn companies() {
    let (connector, played) = replay(&["companyinfo", "companies"]);
    let found = all::<Entity>(&connector, None).await;
    played.finish().unwrap();
    assert_eq!(found.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["250", "251", "260"]);
    let [alder, birch, cedar] = &found[..] else { panic!("three companies") };
    assert_eq!(
        serde_json::to_value(&alder.record).unwrap(),
        json!({
            "name": "Alder Dental", "domains": ["alder.example"], "external_ids": { "account_number": "C-1042" },
            "tenant_id": null, "phone": "1130000001", "place": "Leeds, West Yorkshire, United Kingdom",
            "active": true, "status": "Active",
            "address": { "street": null, "city": "Leeds", "region": "West Yorkshire", "post_code": null },
        })
    );
    assert_eq!((birch.record.active, birch.record.place.as_deref()), (Some(false), None));
    // Its own word for a state says nothing to us, and a page at a social network is nobody's domain.
    assert_eq!(cedar.record.active, None);
    assert_eq!((cedar.record.status.as_deref(), cedar.record.domains.len()), (Some("Not-Approved"), 0));
}

#[tokio::test]
async fn sites() {
    let (connector, played) = replay(&["companyinfo", "sites"]);
    let found = all::<Location>(&connector, Some("250")).await;
    played.finish().unwrap();
    assert_eq!((found[0].id.as_str(), found[0].record.name.as_str()), ("1250", "Main"));
    let address = "12 Mill Lane, Leeds, West Yorkshire, LS1 4AB, United Kingdom";
    assert_eq!(found[0].record.address.as_deref(), Some(address));
}

#[tokio::test]
async fn contacts() {
    let (connector, played) = replay(&["companyinfo", "contacts"]);
    let found = all::<Contact>(&connector, None).await;
    played.finish().unwrap();
    let [ana, bo] = &found[..] else { panic!("the one without a company is left out: {found:?}") };
    assert_eq!((ana.id.as_str(), ana.entity.as_deref()), ("612", Some("250")));
    assert_eq!(
        serde_json::to_value(&ana.record).unwrap(),
        json!({
            "name": "Ana Reid", "given_name": "Ana", "family_name": "Reid", "email": "ana@alder.example",
            "phone": "1130000009", "mobile": "07700900017", "job_title": "Practice manager", "location_id": "1250",
            "primary": true, "active": true, "created_at": "2023-02-01T09:00:00Z", "updated_at": "2025-09-15T10:22:31Z",
        })
    );
    assert_eq!((bo.record.name.as_str(), bo.record.active, bo.record.email.as_deref()), ("Bo", Some(false), None));
}

#[tokio::test]
async fn tickets() {
    let (connector, played) = replay(&["companyinfo", "tickets"]);
    let found = all::<Ticket>(&connector, None).await;
    played.finish().unwrap();
    assert_eq!(found[0].entity.as_deref(), Some("250"));
    assert_eq!(
        serde_json::to_value(&found[0].record).unwrap(),
        json!({
            "number": "81234", "title": "Backup failed", "description": null, "status": "New", "status_id": "16",
            "open": true, "priority": "Priority 3 - Normal", "priority_id": "8", "queue": "Help Desk",
            "category": "Backup", "contact_id": "612", "contact_name": "Ana Reid",
            "contact_email": "ana@alder.example", "assignee": "Jo Doe", "created_at": "2025-09-15T10:20:00Z",
            "updated_at": "2025-09-15T10:22:31Z", "due_at": "2025-09-16T17:00:00Z", "closed_at": null, "url": null,
        })
    );
    let closed = serde_json::to_value(&found[1].record).unwrap();
    assert_eq!((&closed["open"], &closed["closed_at"]), (&Value::from(false), &"2025-09-15T11:00:00Z".into()));
}

#[tokio::test]
async fn invoices() {
    let (connector, played) = replay(&["companyinfo", "invoices"]);
    let found = all::<Invoice>(&connector, None).await;
    played.finish().unwrap();
    let gbp = |amount: &str| json!({ "amount": amount, "currency": "GBP" });
    assert_eq!(
        serde_json::to_value(&found[0].record).unwrap(),
        json!({
            "number": "INV-31001", "reference": "PO-7", "status": "Sent", "paid": false, "issued_on": "2025-09-01",
            "due_on": "2025-09-15", "paid_on": null, "net": gbp("1082.10"), "tax": gbp("216.42"),
            "total": gbp("1298.52"), "balance": gbp("1298.52"), "url": null, "updated_at": "2025-09-01T08:00:00Z",
        })
    );
    let second = &found[1].record;
    assert_eq!((second.paid, &second.total), (Some(true), &None), "an amount without a currency says nothing");
}
