use std::str::FromStr;

use connector_pax8::Pax8;
use integration::{Cursor, Entity, Invoice, Kind, Page, Position, Pull, Result, Retry, Subscription};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::script::connector;

fn read_company(body: Value) -> Entity {
    let (pax8, _) = connector::<&str>([]);
    Pull::<Entity>::read(&pax8, body.to_string().as_bytes()).unwrap().record
}

fn read_subscription(raw: &str) -> Result<Subscription, String> {
    let (pax8, _) = connector::<&str>([]);
    Pull::<Subscription>::read(&pax8, raw.as_bytes()).map(|item| item.record)
}

/// A subscription with only what the vendor never leaves out, and these members more.
fn subscription(more: &str) -> String {
    format!(
        r#"{{"id":"b0c2a0f4-3f61-4f8a-9f3b-0a3f7b8d1e21","companyId":"4a1f6d0e-6f0c-4a55-9b5e-0d8a4a1e9b10",
        "productId":"9d2b4a61-2d5c-4c0e-8a53-6f1c2e3d4b5a","quantity":14,"status":"Active"{more}}}"#
    )
}

async fn companies(pax8: &Pax8, cursor: Option<&Cursor>) -> Result<Page> {
    Pull::<Entity>::page(pax8, Position { cursor, ..Position::default() }).await
}

fn listing(ids: &[&str], number: u64, total: u64, pages: u64) -> String {
    let content: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "name": id, "status": "Active" })).collect();
    let page = json!({ "size": 200, "number": number, "totalElements": total, "totalPages": pages });
    json!({ "content": content, "page": page }).to_string()
}

#[test]
fn three_ways_to_write_a_date_are_one_instant() {
    let read = |start: &str| read_subscription(&subscription(&format!(r#","startDate":"{start}""#)));
    let instant = |start: &str| read(start).unwrap().starts_at.unwrap().to_rfc3339();
    assert_eq!(instant("2023-08-11T11:33:12.314-0600"), "2023-08-11T17:33:12.314+00:00");
    assert_eq!(instant("2023-08-11T17:33:12.314Z"), "2023-08-11T17:33:12.314+00:00");
    assert_eq!(instant("2023-08-11T11:33:12-06:00"), "2023-08-11T17:33:12+00:00");
    assert_eq!(instant("2020-12-03"), "2020-12-03T00:00:00+00:00");
    assert_eq!(read("").unwrap().starts_at, None);
    // A date we do not understand is not a date we may leave out.
    let why = read("the third of May").unwrap_err();
    assert!(why.contains("startDate") && !why.contains("May"), "{why}");
    let nested = subscription(r#","commitmentTerm":{"term":"1-Year","endDate":"soon"}"#);
    assert!(read_subscription(&nested).unwrap_err().contains("commitmentTerm.endDate"));
}

#[test]
fn money_and_quantity_keep_every_digit() {
    let raw = subscription(r#","price":22.00,"partnerCost":0.1234567890123456789,"currencyCode":"usd""#);
    let record = read_subscription(&raw).unwrap();
    let (price, cost) = (record.price.unwrap(), record.cost.unwrap());
    assert_eq!((price.amount.0.to_string().as_str(), price.currency.as_str()), ("22.00", "USD"));
    assert_eq!(cost.amount.0.to_string(), "0.1234567890123456789");
    let usage = subscription("").replace("14", "0.7");
    assert_eq!(read_subscription(&usage).unwrap().quantity.unwrap().0, Decimal::from_str("0.7").unwrap());
}

#[test]
fn what_is_not_said_stays_unknown() {
    let record = read_subscription(&subscription(r#","price":5,"commitmentTerm":null"#)).unwrap();
    assert_eq!(record.price, None, "5 of what?");
    assert_eq!((record.cost, record.commitment_term, record.updated_at), (None, None, None));
    let record = read_subscription(&subscription("").replace("14", "null")).unwrap();
    assert_eq!(record.quantity, None);
}

#[test]
fn a_subscription_without_product_name_is_still_told_apart() {
    for more in ["", r#","productName":null"#, r#","productName":"  ""#] {
        let record = read_subscription(&subscription(more)).unwrap();
        assert_eq!(record.product, "Product 9d2b4a61-2d5c-4c0e-8a53-6f1c2e3d4b5a");
    }
    let record = read_subscription(&subscription(r#","productName":"Backup, small""#)).unwrap();
    assert_eq!(record.product, "Backup, small");
}

#[test]
fn a_status_we_never_heard_of_is_kept() {
    let raw = subscription(r#","billingTerm":"Fortnightly""#).replace("Active", "Hibernating");
    let record = read_subscription(&raw).unwrap();
    assert_eq!(record.status, "Hibernating");
    assert_eq!(record.billing_term.as_deref(), Some("Fortnightly"));
}

#[test]
fn what_is_missing_is_named_without_the_content() {
    let why = read_subscription(r#"{"id":"abc","companyId":"top-secret","quantity":1}"#).unwrap_err();
    assert!(why.contains("`status`") && !why.contains("top-secret"), "{why}");
    let why = read_subscription(&subscription("").replace("14", r#""top-secret""#)).unwrap_err();
    assert!(why.contains("quantity") && !why.contains("top-secret"), "{why}");
    assert!(!read_subscription(r#""top-secret""#).unwrap_err().contains("top-secret"));
}

#[test]
fn a_company_brings_what_it_can_be_matched_by() {
    let record = read_company(json!({
        "id": "c", "name": " Alder Dental ", "status": "Inactive", "externalId": "1042", "phone": "",
        "website": "https://www.alder.example/about",
        "address": { "street": "12 Mill Lane", "city": "Leeds", "stateOrProvince": "", "country": "GB" },
    }));
    assert_eq!((record.name.as_str(), record.active), ("Alder Dental", Some(false)));
    assert_eq!(record.status.as_deref(), Some("Inactive"));
    assert_eq!(record.external_ids.get("psa").map(String::as_str), Some("1042"));
    assert_eq!(record.domains, ["alder.example"]);
    assert_eq!((record.place.as_deref(), record.phone), (Some("Leeds, GB"), None));

    let bare = read_company(json!({ "id": "c", "name": "Birch Legal", "externalId": " ", "address": null }));
    assert_eq!(bare, Entity { name: "Birch Legal".into(), ..Entity::default() });
}

#[test]
fn only_a_website_of_its_own_is_a_domain() {
    for (website, expected) in [
        ("https://alder.example", Some("alder.example")),
        ("HTTP://WWW.Alder.Example/about?x=1", Some("alder.example")),
        ("www.birch.example", Some("birch.example")),
        ("birch.example:8080/shop", Some("birch.example")),
        ("  birch.example. ", Some("birch.example")),
        ("https://www.facebook.com/alder", None),
        ("https://sites.google.com/view/alder", None),
        ("https://notx.com.example", Some("notx.com.example")),
        ("https://notx.com", Some("notx.com")),
        ("http://192.0.2.7/", None),
        ("localhost", None),
        ("none yet", None),
        ("", None),
    ] {
        let record = read_company(json!({ "id": "c", "name": "C", "website": website }));
        assert_eq!(record.domains.first().map(String::as_str), expected, "{website}");
    }
}

#[tokio::test]
async fn deleted_companies_are_told_as_removed() {
    let body = json!({
        "content": [
            { "id": "a", "name": "A", "status": "Active" },
            { "id": "b", "name": "B", "status": "Deleted" },
            { "id": "c", "name": "C", "status": "Inactive" },
            { "name": "unreadable" },
        ],
        "page": { "size": 200, "totalElements": 4, "totalPages": 1, "number": 0 },
    });
    let (pax8, script) = connector([(200, body.to_string())]);
    let page = companies(&pax8, None).await.unwrap();
    assert_eq!(page.removed, ["b"]);
    assert_eq!((page.records.len(), page.total, page.next), (3, Some(4), None));
    let read: Vec<_> = page.records.iter().map(|raw| Pull::<Entity>::read(&pax8, raw).map(|item| item.id)).collect();
    assert_eq!(read[..2], [Ok("a".to_owned()), Ok("c".to_owned())]);
    assert!(read[2].is_err());
    let asked = script.asked();
    assert_eq!(asked[0].url.query(), Some("page=0&size=200&sort=name"));
}

#[tokio::test]
async fn counts_beside_the_content_are_read_too() {
    let flat = |ids: [&str; 1], number: u64| {
        let content: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "name": id })).collect();
        json!({ "content": content, "number": number, "size": 200, "totalElements": 201, "totalPages": 2 }).to_string()
    };
    let (pax8, script) = connector([(200, flat(["a"], 0)), (200, flat(["b"], 1))]);
    let first = companies(&pax8, None).await.unwrap();
    assert_eq!(first.total, Some(201));
    let last = companies(&pax8, first.next.as_ref()).await.unwrap();
    assert_eq!(last.next, None);
    assert_eq!(script.asked()[1].url.query(), Some("page=1&size=200&sort=name"));
}

#[tokio::test]
async fn an_empty_account_is_fine() {
    let (pax8, _) = connector([(200, listing(&[], 0, 0, 0))]);
    let page = companies(&pax8, None).await.unwrap();
    assert_eq!((page.records.len(), page.total, page.next), (0, Some(0), None));
}

#[tokio::test]
async fn a_listing_that_came_back_short_is_an_error() {
    for (body, retry) in [
        // It ends before the end it announced itself.
        (listing(&[], 0, 450, 3), Retry::Yes),
        // It does not say where it ends.
        (r#"{"content":[{"id":"a","name":"A"}]}"#.to_owned(), Retry::No),
        // It did not hear which page was wanted, so it would come again for ever.
        (listing(&["a"], 1, 450, 3), Retry::No),
        ("{}".to_owned(), Retry::No),
        ("[]".to_owned(), Retry::No),
        (listing(&["a"], 0, 450, 3)[..40].to_owned(), Retry::Yes),
    ] {
        let (pax8, _) = connector([(200, body.as_str())]);
        let error = companies(&pax8, None).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Kind::Unreadable, retry), "{body}");
    }
}

#[tokio::test]
async fn a_listing_that_shrinks_while_it_is_walked_is_made_anew() {
    let walk = async |second: u64| {
        let pages = [(200, listing(&["a"], 0, 401, 3)), (200, listing(&["b"], 1, second, 3))];
        let (pax8, _) = connector(pages);
        let first = companies(&pax8, None).await.unwrap();
        companies(&pax8, first.next.as_ref()).await
    };
    assert_eq!(walk(400).await.unwrap_err().kind, Kind::Expired);
    assert!(walk(401).await.is_ok());
    assert!(walk(402).await.is_ok(), "a record more hides none");
}

#[tokio::test]
async fn a_cursor_of_another_making_is_forgotten() {
    for odd in ["", "3", "three/4", "1/2/3", "-1/4"] {
        let (pax8, script) = connector::<&str>([]);
        let error = companies(&pax8, Some(&Cursor::new(odd))).await.unwrap_err();
        assert_eq!(error.kind, Kind::Expired, "{odd}");
        assert!(script.asked().is_empty());
    }
}

fn heads(ids: &[&str], total: u64) -> String {
    let content: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "invoiceDate": "2026-01-05" })).collect();
    let page = json!({ "size": 50, "number": 0, "totalElements": total, "totalPages": 1 });
    json!({ "content": content, "page": page }).to_string()
}

fn items(companies: &[&str], number: u64, total: u64, pages: u64) -> String {
    let item = |id: &&str| json!({ "companyId": id, "amountDue": 1, "salesTax": 0, "currencyCode": "USD" });
    let content: Vec<Value> = companies.iter().map(item).collect();
    let page = json!({ "size": 200, "number": number, "totalElements": total, "totalPages": pages });
    json!({ "content": content, "page": page }).to_string()
}

async fn invoices(pax8: &Pax8, cursor: Option<&Cursor>) -> Result<Page> {
    Pull::<Invoice>::page(pax8, Position { cursor, ..Position::default() }).await
}

fn net(pax8: &Pax8, page: &Page) -> Vec<(String, String)> {
    let read = page.records.iter().map(|raw| Pull::<Invoice>::read(pax8, raw).unwrap());
    read.map(|item| (item.entity.unwrap(), item.record.net.unwrap().amount.0.to_string())).collect()
}

/// Each page of the listing is one request, however many pages the items have.
#[tokio::test]
async fn a_share_is_known_after_the_last_page_of_items() {
    let (first, last) = (items(&["x", "y"], 0, 4, 2), items(&["x", "z"], 1, 4, 2));
    let expected = ["x", "y", "z"].map(str::to_owned).into_iter().zip(["2", "1", "1"].map(str::to_owned));
    let expected: Vec<_> = expected.collect();
    let (pax8, script) = connector([(200, heads(&["a-1"], 1)), (200, first.clone()), (200, last.clone())]);
    let listed = invoices(&pax8, None).await.unwrap();
    assert_eq!((listed.records.len(), listed.total), (0, None));
    let begun = invoices(&pax8, listed.next.as_ref()).await.unwrap();
    assert_eq!((begun.records.len(), script.asked().len()), (0, 2));
    let ended = invoices(&pax8, begun.next.as_ref()).await.unwrap();
    assert_eq!((net(&pax8, &ended), ended.next, ended.total), (expected.clone(), None, Some(3)));
    assert_eq!(script.asked().len(), 3);

    // Another process goes on: what it does not know it asks for again.
    let (pax8, script) = connector([(200, first.clone()), (200, last)]);
    let ended = invoices(&pax8, begun.next.as_ref()).await.unwrap();
    assert_eq!((net(&pax8, &ended), script.asked().len()), (expected, 2));
    let (pax8, _) = connector([(200, items(&["x"], 0, 1, 1))]);
    assert_eq!(invoices(&pax8, begun.next.as_ref()).await.unwrap_err().kind, Kind::Expired);
}

/// Fewer rows than are counted must not pass for a smaller sum, or for invoices that are gone.
#[tokio::test]
async fn invoices_that_came_back_short_are_an_error() {
    let (pax8, _) = connector([(200, heads(&[], 2))]);
    let error = invoices(&pax8, None).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::Yes));
    let (pax8, _) = connector([(200, heads(&["a-1"], 1)), (200, items(&["x"], 0, 2, 1))]);
    let listed = invoices(&pax8, None).await.unwrap();
    let error = invoices(&pax8, listed.next.as_ref()).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::Yes));
    let (pax8, _) = connector([(200, heads(&[], 0))]);
    let none = invoices(&pax8, None).await.unwrap();
    assert_eq!((none.records.len(), none.next, none.total), (0, None, Some(0)));
}

/// An item that cannot be attributed would make a sum wrong without anybody seeing it.
#[tokio::test]
async fn an_unreadable_item_is_no_small_matter() {
    for item in [r#"{"companyId":7,"amountDue":1}"#, "\"text\""] {
        let page = r#""page":{"size":200,"totalElements":1,"totalPages":1,"number":0}"#;
        let answers = [(200, heads(&["a-1"], 1)), (200, format!(r#"{{"content":[{item}],{page}}}"#))];
        let (pax8, _) = connector(answers);
        let listed = invoices(&pax8, None).await.unwrap();
        let error = invoices(&pax8, listed.next.as_ref()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::No), "{item}");
        assert!(error.to_string().contains("[invoice a-1]") && !error.to_string().contains("text"), "{error}");
    }
    let (pax8, script) = connector([(200, heads(&["../companies"], 1))]);
    assert_eq!(invoices(&pax8, None).await.unwrap_err().kind, Kind::Unreadable);
    assert_eq!(script.asked().len(), 1, "an address was made of it");
    let cursor = Cursor::new("from another version");
    assert_eq!(invoices(&pax8, Some(&cursor)).await.unwrap_err().kind, Kind::Expired);
}
