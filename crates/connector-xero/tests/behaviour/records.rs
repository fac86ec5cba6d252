//! What is listed, and how Xero's oddities are read.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use connector_xero::{Simulator, Xero};
use integration::{
    Entry,
    RecordKind::{Contact, Entity, Invoice, RepeatingInvoice},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use vendorkit::{Fault, Faulty, Plan, Simulated, World, WorldSize, a_tuesday, faulty::Alter};

use crate::stage::{all, connector, granted, read, vendor};

#[tokio::test]
async fn customers_arrive_as_the_world_has_them_and_others_on_request_only() {
    let vendor = vendor();
    let usual = all(connector(&vendor, &granted(&[])).as_ref(), Entity).await;
    let everyone = all(connector(&vendor, &granted(&[("contacts", "everyone")])).as_ref(), Entity).await;
    vendor.read(|world| {
        let ids: BTreeSet<String> = world.known_to("xero").map(|b| b.id_at("xero").to_string()).collect();
        assert_eq!(usual.iter().map(|(id, ..)| id.clone()).collect::<BTreeSet<_>>(), ids);
        for business in world.known_to("xero") {
            let id = business.id_at("xero").to_string();
            let (_, _, record) = usual.iter().find(|(one, ..)| *one == id).unwrap();
            assert_eq!(record["name"], business.name_at("xero").trim());
            assert_eq!(record["phone"], business.phone);
            let place = format!("{}, {}, {}", business.city, business.region, business.country);
            assert_eq!(record["place"], place);
            assert!(record["domains"][0].as_str().is_none_or(|domain| domain == business.domain));
            assert!(record["external_ids"]["account_number"].as_str().is_none_or(|id| id == business.psa_id));
        }
    });
    for (state, active) in [("ACTIVE", true), ("ARCHIVED", false)] {
        let of: Vec<_> = usual.iter().filter(|(_, _, record)| record["status"] == state).collect();
        assert!(!of.is_empty() && of.iter().all(|(_, _, record)| record["active"] == active), "{state}");
    }
    assert!(usual.iter().any(|(_, _, record)| !record["domains"][0].is_null()));
    let named =
        |all: &[(String, Option<String>, Value)]| all.iter().filter(|(_, _, r)| r["name"] == "Office Supplies").count();
    assert_eq!((named(&usual), named(&everyone), everyone.len()), (0, 2, usual.len() + 2));
    // The people of suppliers likewise.
    let people = all(connector(&vendor, &granted(&[])).as_ref(), Contact).await;
    let known: HashSet<&String> = usual.iter().map(|(id, ..)| id).collect();
    assert!(people.iter().all(|(_, contact, _)| contact.as_ref().is_some_and(|id| known.contains(id))));
}

#[tokio::test]
async fn invoices_arrive_as_the_world_has_them_to_the_cent() {
    let vendor = vendor();
    let found = all(connector(&vendor, &granted(&[])).as_ref(), Invoice).await;
    let exact = |money: &Value| money["amount"].as_str().unwrap().parse::<Decimal>().unwrap();
    vendor.read(|world| {
        let all = world.invoices_after("xero", 0);
        assert_eq!(found.len(), all.len(), "a bill or a draft that was thrown away is listed");
        for (business, one) in all {
            let (_, contact, record) = found.iter().find(|(_, _, record)| record["number"] == one.number).unwrap();
            assert_eq!(*contact, Some(business.id_at("xero").to_string()));
            assert_eq!((exact(&record["net"]), exact(&record["tax"])), (one.net, one.tax));
            assert_eq!(exact(&record["total"]), one.net + one.tax);
            assert_eq!(record["total"]["currency"], one.currency);
            assert_eq!((&record["issued_on"], &record["due_on"]), (&json!(one.issued), &json!(one.due)));
            assert_eq!(record["paid_on"], json!(one.paid));
            let voided = record["status"] == "VOIDED";
            assert_eq!(record["paid"], if voided { Value::Null } else { json!(one.paid.is_some()) });
            assert_eq!(exact(&record["balance"]), if voided { Decimal::ZERO } else { one.balance });
        }
    });
    let states: BTreeSet<&str> = found.iter().filter_map(|(_, _, record)| record["status"].as_str()).collect();
    assert!(["AUTHORISED", "PAID", "VOIDED"].iter().all(|state| states.contains(state)), "{states:?}");
}

#[tokio::test]
async fn without_counts_every_page_is_read_all_the_same() {
    let size = WorldSize { businesses: 1_000, devices: 10, people: 10 };
    let vendor = Arc::new(Simulated::new(Arc::new(Simulator::default()), World::generate(size, 7, a_tuesday())));
    let uncounted: Alter = Arc::new(|_, mut response| {
        if let Ok(Value::Object(mut body)) = serde_json::from_slice(&response.body) {
            body.remove("pagination");
            response.body = Value::Object(body).to_string().into();
        }
        response
    });
    let faulty = Faulty::over(vendor.clone(), Plan::Always(Fault::Alter(uncounted)));
    let connector = Entry::of::<Xero>().connect(&granted(&[]), Arc::new(faulty)).unwrap();
    let found = all(connector.as_ref(), Entity).await;
    let ids: HashSet<&String> = found.iter().map(|(id, ..)| id).collect();
    assert_eq!((ids.len(), found.len()), (vendor.read(|world| world.known_to("xero").count()), ids.len()));
    assert!(ids.len() > 500 && vendor.count() > 1, "one page shows nothing");
}

#[test]
fn amounts_and_dates_are_read_as_written() {
    let raw = r#"{"Type":"ACCREC","InvoiceID":"i","InvoiceNumber":"","Contact":{"ContactID":"c"},"Status":"DRAFT",
        "Date":"\/Date(1777593600000+0000)\/","DueDate":"2026-05-15T00:00:00","SubTotal":29,"TotalTax":0.10,
        "Total":12345678901234.56,"AmountDue":-3.1e1,"CurrencyCode":"nzd","UpdatedDateUTC":"/Date(1777600000237)/"}"#;
    let invoice = read(Invoice, raw).unwrap();
    for (field, value) in [
        ("number", json!("i")),
        ("paid", json!(false)),
        ("issued_on", json!("2026-05-01")),
        ("due_on", json!("2026-05-15")),
        ("net", json!({ "amount": "29", "currency": "NZD" })),
        ("tax", json!({ "amount": "0.10", "currency": "NZD" })),
        ("total", json!({ "amount": "12345678901234.56", "currency": "NZD" })),
        ("balance", json!({ "amount": "-31", "currency": "NZD" })),
        ("updated_at", json!("2026-05-01T01:46:40.237Z")),
    ] {
        assert_eq!(invoice[field], value, "{field}");
    }
    let bare = read(Invoice, r#"{"InvoiceID":"i","Contact":{"ContactID":"c"},"Status":"NEWER","Total":5}"#).unwrap();
    assert_eq!((&bare["total"], &bare["paid"], &bare["status"]), (&Value::Null, &Value::Null, &json!("NEWER")));
    assert!(read(Invoice, r#"{"InvoiceID":"i","Contact":{},"Total":5}"#).unwrap_err().contains("no contact"));
    assert!(read(Invoice, r#"{"InvoiceID":"i","Contact":{"ContactID":"c"},"Total":"much"}"#).is_err());
}

#[test]
fn a_contact_is_read_with_what_it_lacks() {
    let raw = r#"{"ContactID":"c","ContactStatus":"GDPRREQUEST","Name":" ","FirstName":"Ana","LastName":"Silva",
        "Phones":[{"PhoneType":"FAX","PhoneNumber":"1"},{"PhoneType":"MOBILE","PhoneNumber":"5550 1234","PhoneCountryCode":"61"}],
        "Addresses":[{"AddressType":"POBOX","City":"Fremantle"},{"AddressType":"STREET","City":"Perth","Country":"AU"}],
        "Website":"www.kite.example/about","ContactNumber":"K-1","IsCustomer":true}"#;
    let contact = read(Entity, raw).unwrap();
    assert_eq!(contact["name"], "Ana Silva");
    assert_eq!((&contact["active"], &contact["status"]), (&Value::Null, &json!("GDPRREQUEST")));
    assert_eq!((&contact["phone"], &contact["place"]), (&json!("61 5550 1234"), &json!("Perth, AU")));
    assert_eq!(contact["domains"], json!(["kite.example"]));
    assert_eq!(contact["external_ids"], json!({ "contact_number": "K-1" }));
    let fax = r#"{"ContactID":"c","Name":"K","Phones":[{"PhoneType":"FAX","PhoneNumber":"1"}],"Addresses":null}"#;
    assert_eq!(read(Entity, fax).unwrap()["phone"], Value::Null);
    assert!(read(Entity, r#"{"ContactID":"c","Name":""}"#).unwrap_err().contains("no name"));
    assert!(read(Entity, r#"{"Name":"K"}"#).unwrap_err().contains("no id"));
}

#[tokio::test]
async fn people_keep_their_ids_when_others_leave() {
    let vendor = vendor();
    let connector = connector(&vendor, &granted(&[]));
    let before = all(connector.as_ref(), Contact).await;
    let (id, leaver) = vendor.read(|world| {
        let business = world.known_to("xero").find(|business| business.people.len() == 4).unwrap();
        (business.id_at("xero").to_string(), business.people[1].clone())
    });
    let of = |all: &[(String, Option<String>, Value)]| -> BTreeSet<String> {
        all.iter().filter(|(_, contact, _)| contact.as_deref() == Some(&id)).map(|(id, ..)| id.clone()).collect()
    };
    assert!(vendor.change(|world| world.remove_person(leaver.id)));
    let after = all(connector.as_ref(), Contact).await;
    let gone: Vec<String> = of(&before).difference(&of(&after)).cloned().collect();
    assert_eq!(gone, [format!("{id}/{}", leaver.email)]);
    assert!(of(&after).is_subset(&of(&before)) && of(&after).contains(&format!("{id}/primary")));
}

#[test]
fn schedules_are_put_in_words() {
    for (schedule, words) in [
        (r#"{"Period":1,"Unit":"MONTHLY"}"#, json!("every month")),
        (r#"{"Period":13,"Unit":"WEEKLY"}"#, json!("every 13 weeks")),
        (r#"{"Period":1,"Unit":"FORTNIGHTLY"}"#, json!("FORTNIGHTLY")),
        (r#"{"Unit":"MONTHLY"}"#, Value::Null),
        ("null", Value::Null),
    ] {
        let raw = format!(
            r#"{{"RepeatingInvoiceID":"r","Type":"ACCREC","Contact":{{"ContactID":"c"}},"Schedule":{schedule},
                "LineItems":[{{"Description":null}},{{"Description":"Managed workstation\nper seat"}}],"Total":319,"CurrencyCode":"AUD"}}"#
        );
        let read = read(RepeatingInvoice, &raw).unwrap();
        assert_eq!((&read["schedule"], &read["name"]), (&words, &json!("Managed workstation")), "{schedule}");
        assert_eq!(read["total"], json!({ "amount": "319", "currency": "AUD" }));
    }
}

#[tokio::test]
async fn templates_of_bills_and_deleted_ones_are_left_out() {
    let vendor = vendor();
    let found = all(connector(&vendor, &granted(&[])).as_ref(), RepeatingInvoice).await;
    let expected = vendor.read(|world| world.known_to("xero").filter(|b| !b.subscriptions.is_empty()).count());
    assert_eq!(found.len(), expected);
    assert!(found.iter().all(|(_, contact, record)| contact.is_some() && record["next_on"] == "2026-10-31"));
}
