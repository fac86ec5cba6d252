//! What is sent, and how listings are walked.

use connector_gorelo::Region;
use integration::{
    CompanyDraft, Connector, ContactDraft, Cursor, Kind, Position, Retry, TicketDraft, WriteCompanies, WriteContacts,
    WriteTickets,
};
use serde_json::{Value, json};

use crate::stand_ins::{credentials, scripted, scripted_as, success};

fn page(ids: &[u64], next: Value, more: Value, total: u64) -> Value {
    let rows: Vec<Value> = ids.iter().map(|id| json!({ "Id": id, "Name": "N", "ClientId": 7 })).collect();
    success(json!(rows), Some(json!({ "NextCursor": next, "HasMore": more, "TotalCount": total })))
}

#[tokio::test]
async fn each_region_has_its_address() {
    for (region, own, expected) in [
        (Region::Us, None, "https://api.usw.gorelo.io/v1/clients?PageSize=200&StatusIds=1%2C2"),
        (Region::Au, None, "https://api.aue.gorelo.io/v1/clients?PageSize=200&StatusIds=1%2C2"),
        (
            Region::Au,
            Some("https://proxy.example/g/"),
            "https://proxy.example/g/v1/clients?PageSize=200&StatusIds=1%2C2",
        ),
    ] {
        let (connector, script) = scripted_as(credentials(region, own), [page(&[], Value::Null, json!(false), 0)]);
        connector.entities().unwrap().page(Position::default()).await.unwrap();
        let asked = script.asked().remove(0);
        assert_eq!(asked.url.as_str(), expected);
        assert_eq!(asked.header_value("X-API-Key"), Some("key-of-the-tests"));
    }
}

#[tokio::test]
async fn a_cursor_goes_back_with_the_very_same_filters() {
    let (connector, script) =
        scripted([page(&[1], json!("abc/+="), json!(true), 2), page(&[2], json!("left over"), json!(false), 2)]);
    let listing = connector.tickets().unwrap();
    let first = listing.page(Position::default()).await.unwrap();
    let last = listing.page(Position { cursor: first.next.as_ref(), ..Position::default() }).await.unwrap();
    assert_eq!((first.total, last.total, last.next), (Some(2), Some(2), None));
    let asked = script.asked();
    let pairs = |at: usize| asked[at].url.query_pairs().into_owned().collect::<Vec<_>>();
    let mut expected = pairs(0);
    expected.push(("Cursor".to_owned(), "abc/+=".to_owned()));
    assert_eq!(pairs(1), expected);
}

#[tokio::test]
async fn a_total_counts_only_where_nothing_was_left_out() {
    let rows =
        json!([{ "Id": 1, "ClientId": 7 }, { "Id": 2, "ClientId": 0 }, { "Id": 3, "ClientId": null }, "strange"]);
    let first = success(rows, Some(json!({ "NextCursor": "c", "HasMore": true, "TotalCount": 5 })));
    let (connector, _) = scripted([first, page(&[5], Value::Null, json!(false), 5)]);
    let listing = connector.tickets().unwrap();
    let first = listing.page(Position::default()).await.unwrap();
    // What cannot be read stays, so that it is seen to be wrong.
    assert_eq!((first.records.len(), first.total), (2, None));
    let last = listing.page(Position { cursor: first.next.as_ref(), ..Position::default() }).await.unwrap();
    assert_eq!((last.records.len(), last.total), (1, None));
}

#[tokio::test]
async fn a_listing_that_cannot_be_trusted_is_an_error() {
    for (answer, retry) in [
        (page(&[], json!("c"), json!(true), 5), Retry::Yes),
        (page(&[1], Value::Null, json!(true), 5), Retry::No),
        (page(&[1], json!("c"), Value::Null, 5), Retry::No),
        (success(json!([]), None), Retry::No),
        (success(Value::Null, Some(json!({ "HasMore": false }))), Retry::No),
        (json!({ "Data": [] }), Retry::No),
    ] {
        let (connector, _) = scripted([answer.clone()]);
        let error = connector.tickets().unwrap().page(Position::default()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Kind::Unreadable, retry), "{answer}: {error}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_making_is_forgotten() {
    for odd in ["", "abc", "custom:abc"] {
        let (connector, script) = scripted([]);
        let cursor = Cursor::new(odd);
        let page = connector.devices().unwrap().page(Position { cursor: Some(&cursor), ..Position::default() }).await;
        assert_eq!(page.unwrap_err().kind, Kind::Expired, "{odd}");
        assert!(script.asked().is_empty());
    }
}

#[tokio::test]
async fn an_entity_in_a_path_cannot_leave_it() {
    let (connector, script) = scripted([success(json!([]), None)]);
    let at = Position { entity: Some("../tickets?x=1#y"), ..Position::default() };
    connector.locations().unwrap().page(at).await.unwrap();
    assert_eq!(script.asked()[0].url.path(), "/v1/clients/..%2Ftickets%3Fx=1%23y/locations");
    assert_eq!(script.asked()[0].url.query(), None);
}

#[tokio::test]
async fn a_draft_that_gorelo_cannot_hold_is_refused_before_anything_is_sent() {
    let (connector, script) = scripted([]);
    let moved = CompanyDraft { city: Some("York".into()), ..CompanyDraft::default() };
    let retired = CompanyDraft { name: Some("A".into()), active: Some(false), ..CompanyDraft::default() };
    let nameless = ContactDraft { email: Some("a@b.example".into()), ..ContactDraft::default() };
    let titled = TicketDraft { title: Some("T".into()), ..TicketDraft::default() };
    let strange = TicketDraft { status_id: Some("New".into()), ..titled.clone() };
    let errors = [
        WriteCompanies::create(&connector, &moved).await.unwrap_err(),
        WriteCompanies::create(&connector, &retired).await.unwrap_err(),
        WriteCompanies::update(&connector, "1", &moved).await.unwrap_err(),
        WriteContacts::create(&connector, "1", &nameless).await.unwrap_err(),
        WriteTickets::create(&connector, "1", &TicketDraft::default()).await.unwrap_err(),
        WriteTickets::create(&connector, "not a number", &titled).await.unwrap_err(),
        WriteTickets::update(&connector, "1", &strange).await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.kind == Kind::Refused && error.retry == Retry::No), "{errors:?}");
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn a_change_of_nothing_is_only_a_read() {
    let (connector, script) = scripted([success(json!({ "Id": "x", "Title": "T" }), None)]);
    WriteTickets::update(&connector, "x", &TicketDraft::default()).await.unwrap();
    let asked = script.asked();
    assert!(asked.len() == 1 && asked[0].idempotent, "{asked:?}");
}

#[tokio::test]
async fn only_a_domain_of_its_own_goes_with_a_new_client() {
    for (website, domain) in [
        ("https://www.tern.example/about", json!("tern.example")),
        ("tern.example", json!("tern.example")),
        ("http://192.0.2.7/", Value::Null),
        ("none yet", Value::Null),
    ] {
        let (connector, script) = scripted([success(json!({ "Id": 1, "Name": "Tern" }), None)]);
        let draft =
            CompanyDraft { name: Some("Tern".into()), website: Some(website.into()), ..CompanyDraft::default() };
        WriteCompanies::create(&connector, &draft).await.unwrap();
        assert_eq!(script.last_body()["Domain"], domain, "{website}");
        assert!(!script.asked()[0].idempotent);
    }
}

#[tokio::test]
async fn a_number_without_a_country_is_sent_as_it_is() {
    let (connector, script) = scripted([success(json!({ "Id": 1 }), None)]);
    let draft = ContactDraft {
        given_name: Some("Ana".into()),
        family_name: Some("Silva".into()),
        email: Some("ana@tern.example".into()),
        phone: Some("01632 960001".into()),
        ..ContactDraft::default()
    };
    WriteContacts::create(&connector, "7", &draft).await.unwrap();
    let body = script.last_body();
    assert_eq!((&body["OfficePhone"], &body["OfficePhoneCountryCode"]), (&json!("01632 960001"), &Value::Null));
}
