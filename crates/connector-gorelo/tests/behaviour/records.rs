//! How single records are read.

use chrono::NaiveDate;
use connector_gorelo::{Credentials, Gorelo};
use integration::{
    Alert, Connector, Contact, CredentialsForm, Device, Entity, Invoice, Item, Location, Position, Pull, RecordType,
    Severity, Ticket,
};
use serde_json::{Value, json};

use crate::stand_ins::{replaying, scripted};

async fn listed<T: RecordType>(file: &str, entity: Option<&str>) -> Vec<Item<T>>
where
    Gorelo: Pull<T>,
{
    let (connector, replay) = replaying(&[file]);
    let page = Pull::<T>::page(&connector, Position { entity, ..Position::default() }).await.unwrap();
    replay.finish().unwrap();
    page.records.iter().map(|raw| Pull::<T>::read(&connector, raw).unwrap()).collect()
}

fn read<T: RecordType>(raw: &Value) -> Item<T>
where
    Gorelo: Pull<T>,
{
    Pull::<T>::read(&scripted([]).0, raw.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn a_client_brings_its_domains_and_whether_it_is_in_use() {
    let item = listed::<Entity>("clients-1", None).await.remove(0);
    assert_eq!((item.id.as_str(), item.record.active), ("1041", Some(true)));
    assert_eq!(item.record.domains, ["harbour.example"]);
    for (status, active) in [("Inactive", Some(false)), ("Onboarding", None)] {
        let raw = json!({ "Id": 1, "Name": "A", "Status": { "Id": 2, "Name": status } });
        let record = read::<Entity>(&raw).record;
        assert_eq!((record.active, record.status.as_deref()), (active, Some(status)));
    }
    let why = Pull::<Entity>::read(&scripted([]).0, br#"{"Id":1,"Status":"top-secret"}"#).unwrap_err();
    assert!(why.contains("name") && !why.contains("top-secret"), "{why}");
}

#[tokio::test]
async fn a_location_has_its_address_on_one_line() {
    let item = listed::<Location>("locations", Some("1041")).await.remove(0);
    assert_eq!((item.id.as_str(), item.entity), ("2201", None));
    assert_eq!(item.record.address.as_deref(), Some("1 Quay Street, Fremantle, WA, 6160, AU"));
}

#[tokio::test]
async fn contacts_of_nobody_and_merged_ones_are_left_out() {
    let items = listed::<Contact>("contacts", None).await;
    assert_eq!(items.len(), 1);
    let contact = &items[0];
    assert_eq!((contact.id.as_str(), contact.entity.as_deref()), ("3301", Some("1041")));
    assert_eq!((contact.record.name.as_str(), contact.record.active), ("Ana Silva", Some(true)));
    // Empty texts are not known.
    assert_eq!((contact.record.phone.as_deref(), contact.record.mobile.as_deref()), (None, Some("5550100")));
}

#[tokio::test]
async fn devices_come_from_two_listings_without_those_that_no_client_has() {
    let (connector, replay) = replaying(&["devices-agents", "devices-custom"]);
    let listing = connector.devices().unwrap();
    let first = listing.page(Position::default()).await.unwrap();
    let last = listing.page(Position { cursor: first.next.as_ref(), ..Position::default() }).await.unwrap();
    replay.finish().unwrap();
    assert_eq!((first.records.len(), last.records.len(), last.next.is_none()), (1, 1, true));
    let device = listing.read(&first.records[0]).unwrap().record;
    assert_eq!((device.name.as_str(), device.hostname.as_deref()), ("Front desk", Some("FRONTDESK-1")));
    // It was lost once, but is there now.
    assert_eq!((device.online, device.last_contact_at), (Some(true), None));
    assert_eq!((device.ips.as_slice(), device.location_id.as_deref()), (&["10.1.4.20".to_owned()][..], Some("2201")));
    let printer = listing.read(&last.records[0]).unwrap().record;
    assert_eq!((printer.class.as_deref(), printer.serial.as_deref()), (Some("Printer"), Some("PRN-7")));
    assert_eq!((printer.online, printer.ips.len()), (None, 1));
    let lost = json!({
        "Id": "x", "Name": "A", "Status": { "Name": "Offline" }, "LastDisconnectDateTime": "2026-10-04T20:00:00",
    });
    let lost = read::<Device>(&lost).record;
    assert_eq!(lost.last_contact_at.unwrap().to_rfc3339(), "2026-10-04T20:00:00+00:00");
}

#[tokio::test]
async fn an_alert_is_graded_and_one_of_nobody_left_out() {
    let items = listed::<Alert>("alerts", None).await;
    assert_eq!((items.len(), items[0].entity.as_deref()), (1, Some("1041")));
    assert_eq!((items[0].record.severity, items[0].record.active), (Some(Severity::High), Some(true)));
    assert_eq!(items[0].record.category.as_deref(), Some("Antivirus"));
    for (status, dismissed, active) in [
        ("Ticketed", Value::Null, Some(true)),
        ("Ignored", Value::Null, Some(false)),
        ("New", json!("2026-10-05T02:00:00Z"), Some(false)),
        ("Unknown", Value::Null, None),
    ] {
        let raw = json!({ "Id": "x", "Title": "T", "Status": { "Name": status }, "DismissedOn": dismissed });
        assert_eq!(read::<Alert>(&raw).record.active, active, "{status}");
    }
}

#[test]
fn a_ticket_is_settled_by_its_state_and_not_by_an_old_time() {
    let old = json!("2026-10-05T21:05:00Z");
    for (status, closed, merged, open) in [
        ("New", &Value::Null, Value::Null, Some(true)),
        ("In Progress", &old, Value::Null, Some(true)),
        ("Closed", &old, Value::Null, Some(false)),
        ("With the cat", &Value::Null, Value::Null, Some(true)),
        ("With the cat", &old, Value::Null, None),
        ("New", &Value::Null, json!(812), Some(false)),
    ] {
        let raw = json!({
            "Id": "x", "Title": "T", "Status": { "Id": 7, "Name": status }, "ClosedOn": closed,
            "MergedIntoTicketId": merged,
        });
        let ticket = read::<Ticket>(&raw).record;
        assert_eq!(ticket.open, open, "{status}");
        assert_eq!(ticket.closed_at.is_some(), open == Some(false) && !closed.is_null(), "{status}");
        assert_eq!(ticket.status_id.as_deref(), Some("7"));
    }
}

#[tokio::test]
async fn amounts_keep_every_digit_and_need_a_currency() {
    let item = listed::<Invoice>("invoices", None).await.remove(0);
    let told = |money: &Option<integration::Money>| {
        money.as_ref().map(|money| format!("{} {}", money.amount.0, money.currency))
    };
    let invoice = &item.record;
    assert_eq!(told(&invoice.total).as_deref(), Some("1210.55 AUD"));
    assert_eq!(told(&invoice.net).as_deref(), Some("1100.50 AUD"));
    assert_eq!((invoice.paid, invoice.issued_on), (Some(false), NaiveDate::from_ymd_opt(2026, 10, 1)));
    for (status, due, paid) in [
        ("Paid", json!(0.0), Some(true)),
        ("Approved", json!(0), Some(true)),
        ("Draft", json!(0), Some(false)),
        ("Void", json!(7), None),
        ("Approved", Value::Null, None),
    ] {
        let raw = json!({ "Id": "x", "Status": { "Name": status }, "Total": 12.5, "AmountDue": due });
        let invoice = read::<Invoice>(&raw).record;
        assert_eq!((invoice.paid, invoice.total), (paid, None), "{status}");
    }
}

#[test]
fn codes_are_of_a_fixed_length() {
    for (field, entered, stored) in [
        ("currency", "aud", Some("AUD")),
        ("currency", "dollars", None),
        ("phone_country", "gb", Some("GB")),
        ("phone_country", "+44", None),
    ] {
        let mut form = Credentials::example();
        form.insert(field.to_owned(), Value::from(entered));
        match Credentials::parse(&form) {
            Ok(parsed) => assert_eq!(parsed.store().get(field).and_then(Value::as_str), stored, "{entered}"),
            Err(errors) => assert_eq!((errors[0].field.as_str(), stored), (field, None), "{entered}"),
        }
    }
}
