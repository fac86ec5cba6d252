//! How single records are read.

use chrono::NaiveDate;
use connector_superops::{Credentials, Region};
use integration::{
    Alert, Connector, Contact, CredentialsForm, Device, Entity, Invoice, Item, Location, Position, Pull, RecordType,
    Severity, Ticket,
};
use serde_json::{Value, json};

use crate::stand_ins::{credentials, replaying, scripted, scripted_as};

async fn listed<T: RecordType>(file: &str, entity: Option<&str>) -> Vec<Item<T>>
where
    connector_superops::Superops: Pull<T>,
{
    let (connector, replay) = replaying(&[file]);
    let page = Pull::<T>::page(&connector, Position { entity, ..Position::default() }).await.unwrap();
    replay.finish().unwrap();
    page.records.iter().map(|raw| Pull::<T>::read(&connector, raw).unwrap()).collect()
}

fn read<T: RecordType>(raw: &str) -> Result<Item<T>, String>
where
    connector_superops::Superops: Pull<T>,
{
    Pull::<T>::read(&scripted([]).0, raw.as_bytes())
}

const CLIENT: &str = "7928838372746166998";

#[tokio::test]
async fn a_client_brings_what_it_can_be_matched_by() {
    let item = listed::<Entity>("clients-1", None).await.remove(0);
    assert_eq!((item.id.as_str(), item.entity), (CLIENT, None));
    assert_eq!(item.record.domains, ["harbour.example"]);
    assert_eq!((item.record.active, item.record.status.as_deref()), (Some(true), Some("Active")));
    assert_eq!(item.record.place.as_deref(), Some("Porto"));
}

#[test]
fn a_stage_of_the_msps_own_is_neither_in_use_nor_not() {
    for (stage, active) in
        [("Active", Some(true)), ("Prospect", Some(false)), ("Winter sleep", None), ("inactive", Some(false))]
    {
        let raw = json!({ "accountId": "1", "name": "A", "stage": stage, "status": "Paid" }).to_string();
        assert_eq!(read::<Entity>(&raw).unwrap().record.active, active, "{stage}");
    }
}

#[test]
fn ids_of_19_and_20_digits_keep_every_digit_quoted_or_not() {
    for digits in ["7928838372746166998", "79288383727461662754"] {
        for id in [digits.to_owned(), format!("\"{digits}\"")] {
            let raw = format!(r#"{{"ticketId":{id},"subject":"S","client":{{"accountId":{id},"name":"A"}}}}"#);
            let item = read::<Ticket>(&raw).unwrap();
            assert_eq!((item.id.as_str(), item.entity.as_deref()), (digits, Some(digits)));
        }
    }
    let why = read::<Ticket>(r#"{"subject":"top-secret"}"#).unwrap_err();
    assert!(!why.contains("top-secret"), "{why}");
}

#[tokio::test]
async fn a_site_has_its_address_on_one_line() {
    let item = listed::<Location>("sites", None).await.remove(0);
    assert_eq!(item.entity.as_deref(), Some(CLIENT));
    assert_eq!(item.record.address.as_deref(), Some("1 Quay Street, Fremantle, WA, 6160, AU"));
}

#[tokio::test]
async fn a_user_may_lack_site_and_family_name() {
    let items = listed::<Contact>("users", Some(CLIENT)).await;
    assert_eq!(items[0].record.location_id.as_deref(), Some("7928838372746166287"));
    assert_eq!((items[1].id.as_str(), items[1].record.name.as_str()), ("5928838372746169877", "Bo"));
    assert_eq!((&items[1].record.family_name, &items[1].record.phone), (&None, &None));
}

#[tokio::test]
async fn an_asset_is_read_whole() {
    let item = listed::<Device>("assets", None).await.remove(0);
    assert_eq!(item.entity.as_deref(), Some(CLIENT));
    let device = item.record;
    assert_eq!((device.online, device.class.as_deref()), (Some(true), Some("WORKSTATION")));
    assert_eq!(device.last_contact_at.unwrap().to_rfc3339(), "2026-10-06T04:35:00.270+00:00");
    assert_eq!(device.macs, ["00:00:5e:00:53:01"]);
    let unknown = read::<Device>(r#"{"assetId":"1","name":"A","status":"SLEEPING","assetClass":{"name":"Switch"}}"#);
    let unknown = unknown.unwrap().record;
    assert_eq!((unknown.online, unknown.class.as_deref(), unknown.last_contact_at), (None, Some("Switch"), None));
}

#[tokio::test]
async fn an_alert_names_client_and_machine_through_its_asset() {
    let item = listed::<Alert>("alerts", None).await.remove(0);
    assert_eq!(item.entity.as_deref(), Some(CLIENT));
    assert_eq!(item.record.device_id.as_deref(), Some("9001114136934215681"));
    assert_eq!((item.record.severity, item.record.active), (Some(Severity::Critical), Some(true)));
    // Without seconds.
    assert_eq!(item.record.raised_at.unwrap().to_rfc3339(), "2026-10-05T15:35:00+00:00");
    let odd = read::<Alert>(r#"{"id":"1","message":"M","status":"Snoozed","severity":"Dire","asset":"gone"}"#).unwrap();
    assert_eq!((odd.record.severity, odd.record.active, odd.entity), (None, None, None));
    assert_eq!(odd.record.severity_word.as_deref(), Some("Dire"));
}

#[tokio::test]
async fn a_ticket_is_settled_by_the_words_of_its_state() {
    let item = listed::<Ticket>("tickets", None).await.remove(0);
    assert_eq!(item.record.status_id.as_deref(), Some("Closed"));
    assert_eq!(item.record.closed_at.unwrap().to_rfc3339(), "2026-10-05T21:05:00+00:00");
    assert_eq!(item.record.contact_id.as_deref(), Some("5928838372746169876"));
    for (status, open) in
        [("New", Some(true)), ("on hold", Some(true)), ("Resolved", Some(false)), ("With the cat", None)]
    {
        let raw = json!({
            "ticketId": "1", "subject": "S", "status": status, "resolutionTime": "2026-10-05T21:05:00",
        });
        let ticket = read::<Ticket>(&raw.to_string()).unwrap().record;
        assert_eq!(ticket.open, open, "{status}");
        assert_eq!(ticket.closed_at.is_some(), open == Some(false), "{status}");
    }
}

#[tokio::test]
async fn an_amount_without_a_currency_is_unknown() {
    let item = listed::<Invoice>("invoices", None).await.remove(0);
    let total = item.record.total.unwrap();
    assert_eq!((total.amount.0.to_string().as_str(), total.currency.as_str()), ("1210.50", "AUD"));
    assert_eq!(item.record.paid_on, NaiveDate::from_ymd_opt(2026, 10, 3));
    let raw = r#"{"invoiceId":4,"displayId":"1","statusEnum":"VOID","totalAmount":"1210.50"}"#;
    let unknown = read::<Invoice>(raw).unwrap().record;
    assert_eq!((unknown.total, unknown.paid), (None, None));
}

#[test]
fn a_currency_is_three_letters() {
    let mut form = Credentials::example();
    for (entered, stored) in [("aud", Some("AUD")), ("dollars", None), ("A1", None), (" ", None)] {
        form.insert("currency".to_owned(), Value::from(entered));
        match Credentials::parse(&form) {
            Ok(parsed) => assert_eq!(parsed.store().get("currency").and_then(Value::as_str), stored, "{entered}"),
            Err(errors) => assert_eq!((errors[0].field.as_str(), stored), ("currency", None), "{entered}"),
        }
    }
}

#[test]
fn what_is_offered_is_what_the_readme_says() {
    let (connector, _) = scripted_as(credentials(Region::Eu, None), []);
    let kinds: Vec<&str> = connector.listings().iter().map(|listing| listing.kind().as_str()).collect();
    assert_eq!(kinds, ["entity", "location", "contact", "device", "alert", "ticket", "invoice"]);
    assert_eq!(connector.actions(), ["company_writes", "contact_writes", "ticket_writes"]);
}
