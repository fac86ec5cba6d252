//! What becomes of the exchanges in `tests/vendor`, record by record.

use std::{sync::Arc, time::Duration};

use connector_pax8::Pax8;
use integration::{
    Connector, CredentialsForm, Entity, Exact, Kind, Position, Pull, RecordType, Retry, SetQuantity, Vendor,
};
use serde_json::{Value, json};
use vendorkit::Replay;

const ID: &str = "b0c2a0f4-3f61-4f8a-9f3b-0a3f7b8d1e21";

fn replay(files: &[&str]) -> (Pax8, Arc<Replay>) {
    let replay = Arc::new(Replay::files("tests/vendor", files).unwrap());
    let credentials = <Pax8 as Vendor>::Credentials::parse(&<Pax8 as Vendor>::Credentials::example()).unwrap();
    (Pax8::connect(credentials, replay.clone()), replay)
}

/// Every record of a listing as it is stored, each with its entity.
async fn stored<T: RecordType>(pax8: &Pax8) -> Vec<(Option<String>, Value)>
where
    Pax8: Pull<T>,
{
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = Pull::<T>::page(pax8, Position { cursor: cursor.as_ref(), ..Position::default() }).await.unwrap();
        for raw in &page.records {
            let item = Pull::<T>::read(pax8, raw).unwrap();
            found.push((item.entity, serde_json::to_value(item.record).unwrap()));
        }
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn companies() {
    let (pax8, replay) = replay(&["token", "companies-1", "companies-2"]);
    let records: Vec<Value> = stored::<Entity>(&pax8).await.into_iter().map(|(_, record)| record).collect();
    replay.finish().unwrap();
    assert_eq!(
        Value::from(records),
        json!([
            {
                "name": "Alder Dental", "domains": ["alder.example"], "external_ids": { "psa": "1042" },
                "tenant_id": null, "phone": "+441130000001", "place": "Leeds, West Yorkshire, GB",
                "active": true, "status": "Active",
            },
            {
                "name": "Birch Legal", "domains": ["birch.example"], "external_ids": {},
                "tenant_id": null, "phone": "+441904000002", "place": "York, North Yorkshire, GB",
                "active": false, "status": "Inactive",
            },
            {
                "name": "Dogwood Books", "domains": [], "external_ids": {},
                "tenant_id": null, "phone": null, "place": "Halifax, GB", "active": true, "status": "Active",
            },
        ])
    );
}

#[tokio::test]
async fn subscriptions() {
    let (pax8, replay) = replay(&["token", "subscriptions"]);
    let (entities, records): (Vec<_>, Vec<Value>) =
        stored::<integration::Subscription>(&pax8).await.into_iter().unzip();
    replay.finish().unwrap();
    assert_eq!(entities[2].as_deref(), Some("4a1f6d0e-6f0c-4a55-9b5e-0d8a4a1e9b10"));
    assert_eq!(
        Value::from(records),
        json!([
            {
                "product": "Product f10b6c2e-8d47-4e93-b5a1-2c9d7e40a836",
                "product_id": "f10b6c2e-8d47-4e93-b5a1-2c9d7e40a836",
                "quantity": "3", "price": null, "cost": null, "status": "Active", "billing_term": "Annual",
                "commitment_term": null, "commitment_ends_at": null,
                "starts_at": "2020-12-03T00:00:00Z", "ends_at": null, "updated_at": null,
            },
            {
                "product": "Cloud backup storage", "product_id": "3ac95e17-6f08-4b2d-91e4-a8d0c7f5b264",
                "quantity": "2.5", "price": { "amount": "4.995", "currency": "GBP" }, "cost": null,
                "status": "PendingReview", "billing_term": "Usage Based",
                "commitment_term": null, "commitment_ends_at": null,
                "starts_at": "2023-08-11T17:33:12.314Z", "ends_at": null, "updated_at": null,
            },
            {
                "product": "Microsoft 365 Business Premium [New Commerce Experience]",
                "product_id": "9d2b4a61-2d5c-4c0e-8a53-6f1c2e3d4b5a",
                "quantity": "14", "price": { "amount": "22.00", "currency": "USD" },
                "cost": { "amount": "17.60", "currency": "USD" },
                "status": "Active", "billing_term": "Monthly",
                "commitment_term": "1-Year", "commitment_ends_at": "2027-02-28T00:00:00Z",
                "starts_at": "2026-03-01T00:00:00Z", "ends_at": "2027-02-28T00:00:00Z",
                "updated_at": "2026-06-02T15:15:44.021Z",
            },
        ])
    );
}

/// A share is one company's items of one invoice; what is nobody's is no share.
#[tokio::test]
async fn shares_of_invoices() {
    let (pax8, replay) = replay(&["token", "invoices"]);
    let (entities, records): (Vec<_>, Vec<Value>) = stored::<integration::Invoice>(&pax8).await.into_iter().unzip();
    replay.finish().unwrap();
    let (alder, birch) = ("4a1f6d0e-6f0c-4a55-9b5e-0d8a4a1e9b10", "0c7be6a2-7f4b-4c54-8f0e-5e3a0d1f2c33");
    assert_eq!(entities.iter().flatten().collect::<Vec<_>>(), [birch, alder, alder]);
    let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let first = json!({
        "number": "Pax8 2026-09-05", "cost": true, "reference": "aa0e8400-e29b-41d4-a716-446655440000", "status": "Paid",
        "paid": true, "issued_on": "2026-09-05", "due_on": "2026-09-20", "paid_on": null,
        // Its tax is not said, so neither is the total.
        "net": usd("10.25"), "tax": null, "total": null, "balance": null, "url": null, "updated_at": null,
    });
    let mut second = first.clone();
    (second["net"], second["tax"], second["total"]) = (usd("228.80"), usd("22.88"), usd("251.68"));
    let third = json!({
        "number": "Pax8 2026-10-05", "cost": true, "reference": "aa0e8400-e29b-41d4-a716-446655440001", "status": "Carried",
        "paid": null, "issued_on": "2026-10-05", "due_on": "2026-10-20", "paid_on": null,
        // Two currencies make no sum.
        "net": null, "tax": null, "total": null, "balance": null, "url": null, "updated_at": null,
    });
    assert_eq!(records, [first, second, third]);
}

#[tokio::test]
async fn a_decrease_is_foreseen_as_the_vendor_refuses_it() {
    let (pax8, replay) = replay(&["token", "subscription", "quantity-refused"]);
    let nine = Exact("9".parse().unwrap());
    let raw = pax8.fetch(ID).await.unwrap();
    let record = Pull::<integration::Subscription>::read(&pax8, &raw).unwrap().record;
    let foreseen = pax8.refusal(&record, nine, vendorkit::a_tuesday()).unwrap();
    assert!(foreseen.contains("2027-02-28"), "{foreseen}");
    let error = pax8.set_quantity(ID, nine).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::No));
    assert_eq!(
        error.vendor_message.as_deref(),
        Some("Quantity cannot be decreased during the commitment term; quantity is below the committed amount")
    );
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_change_that_broke_is_left_alone() {
    let (pax8, replay) = replay(&["token", "quantity-broken"]);
    let error = pax8.set_quantity(ID, Exact("15".parse().unwrap())).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::No));
    replay.finish().unwrap();
    assert_eq!(replay.requests().iter().filter(|request| !request.idempotent).count(), 1);
}

#[tokio::test]
async fn the_connection_test_tells_what_to_do() {
    let (pax8, played) = replay(&["token", "check"]);
    pax8.check().await.unwrap();
    played.finish().unwrap();
    for (files, kind, retry) in [
        (&["token-refused"][..], Kind::Credentials, Retry::No),
        (&["token", "forbidden"], Kind::Forbidden, Retry::No),
        (&["token", "throttled"], Kind::Throttled, Retry::After(Duration::from_secs(8))),
    ] {
        let (pax8, played) = replay(files);
        let error = pax8.check().await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{files:?}");
        played.finish().unwrap();
    }
}
