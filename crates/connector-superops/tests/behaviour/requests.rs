//! What is sent, and how listings are walked.

use connector_superops::Region;
use integration::{
    CompanyDraft, Connector, ContactDraft, Cursor, Kind, Position, Retry, TicketDraft, WriteCompanies, WriteContacts,
    WriteTickets,
};
use serde_json::{Value, json};

use crate::stand_ins::{body, credentials, scripted, scripted_as};

fn tickets(page: u64, count: usize, more: Value, total: Value) -> Value {
    let rows: Vec<Value> =
        (0..count).map(|at| json!({ "ticketId": format!("{page}{at}"), "client": { "accountId": 7 } })).collect();
    json!({ "getTicketList": { "tickets": rows, "listInfo": { "page": page, "hasMore": more, "totalCount": total } } })
}

#[tokio::test]
async fn each_region_has_its_address_and_an_own_one_is_completed() {
    for (region, own, expected) in [
        (Region::Us, None, "https://api.superops.ai/msp"),
        (Region::Eu, None, "https://euapi.superops.ai/msp"),
        (Region::Eu, Some("https://proxy.example"), "https://proxy.example/msp"),
        (Region::Us, Some("https://proxy.example/superops/"), "https://proxy.example/superops/msp"),
        (Region::Us, Some("https://proxy.example/msp"), "https://proxy.example/msp"),
    ] {
        let (connector, script) = scripted_as(credentials(region, own), [tickets(1, 0, Value::Null, json!(0))]);
        connector.tickets().unwrap().page(Position::default()).await.unwrap();
        let asked = script.asked().remove(0);
        assert_eq!(asked.url.as_str(), expected);
        assert_eq!(asked.header_value("CustomerSubDomain"), Some("northern-it"));
        assert_eq!(asked.header_value("authorization"), Some("Bearer token-of-the-tests"));
    }
}

#[tokio::test]
async fn a_listing_ends_where_has_more_is_not_true() {
    let pages = [tickets(1, 2, json!(true), json!("3")), tickets(2, 1, Value::Null, json!(3))];
    let (connector, script) = scripted(pages);
    let listing = connector.tickets().unwrap();
    let first = listing.page(Position::default()).await.unwrap();
    assert_eq!((first.records.len(), first.total), (2, Some(3)));
    let last = listing.page(Position { cursor: first.next.as_ref(), ..Position::default() }).await.unwrap();
    assert_eq!((last.records.len(), last.next), (1, None));
    let inputs = script.inputs();
    assert_eq!((&inputs[0]["page"], &inputs[1]["page"]), (&json!(1), &json!(2)));
    assert!(script.asked().iter().all(|request| request.idempotent), "reads may be repeated");
}

#[tokio::test]
async fn a_listing_that_cannot_be_trusted_is_an_error() {
    for (data, retry) in [
        (tickets(1, 0, json!(true), json!(5)), Retry::Yes),
        (tickets(2, 1, json!(true), json!(5)), Retry::No),
        (json!({ "getTicketList": { "tickets": [] } }), Retry::No),
        (json!({ "getTicketList": { "listInfo": { "page": 1 } } }), Retry::No),
        (json!({ "getTicketList": { "tickets": null, "listInfo": { "page": 1, "totalCount": 9 } } }), Retry::No),
        (json!({ "getTicketList": null }), Retry::No),
        (json!({}), Retry::No),
    ] {
        let (connector, _) = scripted([data.clone()]);
        let error = connector.tickets().unwrap().page(Position::default()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Kind::Unreadable, retry), "{data}: {error}");
    }
}

#[tokio::test]
async fn a_listing_that_shrinks_while_it_is_walked_is_made_anew() {
    for (second, fine) in [(449, false), (450, true), (451, true)] {
        let (connector, _) = scripted([tickets(2, 1, Value::Null, json!(second))]);
        let cursor = Cursor::new("2/450/0");
        let page = connector.tickets().unwrap().page(Position { cursor: Some(&cursor), ..Position::default() }).await;
        assert_eq!(page.map_err(|error| error.kind).err(), (!fine).then_some(Kind::Expired), "{second}");
    }
    for odd in ["", "3", "3/4", "three/4/0", "-1/4/0"] {
        let (connector, script) = scripted([]);
        let cursor = Cursor::new(odd);
        let page = connector.tickets().unwrap().page(Position { cursor: Some(&cursor), ..Position::default() }).await;
        assert_eq!(page.unwrap_err().kind, Kind::Expired, "{odd}");
        assert!(script.asked().is_empty());
    }
}

#[tokio::test]
async fn what_is_nobodys_is_left_out_and_not_counted() {
    let row = |id: u64, client: Value| json!({ "ticketId": id, "client": client });
    let page = |page: u64, rows: Value, more: bool| {
        let info = json!({ "page": page, "hasMore": more, "totalCount": 5 });
        json!({ "getTicketList": { "tickets": rows, "listInfo": info } })
    };
    let known = || json!({ "accountId": "7" });
    let first = json!([row(1, known()), row(2, Value::Null), row(3, json!({ "accountId": null }))]);
    // What cannot be read stays, so that it is seen to be wrong.
    let (connector, _) = scripted([page(1, first, true), page(2, json!([row(4, known()), "strange"]), false)]);
    let listing = connector.tickets().unwrap();
    let first = listing.page(Position::default()).await.unwrap();
    let last = listing.page(Position { cursor: first.next.as_ref(), ..Position::default() }).await.unwrap();
    assert_eq!((first.records.len(), last.records.len(), last.total), (1, 2, Some(3)));
}

#[tokio::test]
async fn a_draft_that_superops_cannot_hold_is_refused_before_anything_is_sent() {
    let (connector, script) = scripted([]);
    let nameless = CompanyDraft { city: Some("York".into()), ..CompanyDraft::default() };
    let retired = CompanyDraft { active: Some(false), ..CompanyDraft::default() };
    let idle = ContactDraft { active: Some(false), ..ContactDraft::default() };
    let errors = [
        WriteCompanies::create(&connector, &nameless).await.unwrap_err(),
        WriteCompanies::update(&connector, "1", &retired).await.unwrap_err(),
        WriteContacts::create(&connector, "1", &ContactDraft::default()).await.unwrap_err(),
        WriteContacts::update(&connector, "1", "2", &idle).await.unwrap_err(),
        WriteTickets::create(&connector, "1", &TicketDraft::default()).await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.kind == Kind::Refused && error.retry == Retry::No), "{errors:?}");
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn a_new_user_never_becomes_an_administrator() {
    let roles = |names: &[&str]| {
        let roles: Vec<Value> = (1..).zip(names).map(|(id, name)| json!({ "roleId": id, "name": name })).collect();
        json!({ "getRequesterRoleList": roles })
    };
    let draft = ContactDraft {
        given_name: Some("Bo".into()),
        email: Some("bo@harbour.example".into()),
        location_id: Some("7".into()),
        ..ContactDraft::default()
    };
    let made = json!({ "createClientUser": { "userId": "9" } });
    for (names, chosen) in [
        (&["Client Admin", "Requester"][..], Some("2")),
        (&["Administrator", "Reader", "requester"], Some("3")),
        (&["Client Admin", "Reader"], Some("2")),
        (&["Client Admin"], None),
        (&[], None),
    ] {
        let (connector, script) = scripted([roles(names), made.clone()]);
        let outcome = WriteContacts::create(&connector, "1", &draft).await;
        match chosen {
            Some(role) => assert_eq!(script.inputs()[1]["role"], json!({ "roleId": role }), "{names:?}"),
            None => assert_eq!(outcome.unwrap_err().kind, Kind::Refused, "{names:?}"),
        }
    }
}

#[tokio::test]
async fn only_a_region_that_is_a_code_is_sent() {
    for (region, sent) in [("WA", json!("WA")), ("US-NY", json!("US-NY")), ("West Yorkshire", Value::Null)] {
        let (connector, script) = scripted([json!({ "createClientV2": { "accountId": "1", "name": "A" } })]);
        let draft = CompanyDraft { name: Some("A".into()), region: Some(region.into()), ..CompanyDraft::default() };
        WriteCompanies::create(&connector, &draft).await.unwrap();
        let input = script.inputs().remove(0);
        assert_eq!(input["hqSite"]["stateCode"], sent, "{region}");
        assert_eq!(input["hqSite"]["timezoneCode"], "UTC");
    }
}

#[tokio::test]
async fn writes_are_mutations_that_nobody_repeats() {
    let (connector, script) = scripted([json!({ "createTicketNote": { "noteId": "1" } })]);
    let note = integration::TicketNote { text: "Looked \"again\"".into(), public: false };
    connector.ticket_writes().unwrap().add_note("5", &note).await.unwrap();
    let asked = script.asked().remove(0);
    assert!(!asked.idempotent);
    // What people wrote travels as a variable, never in the text of the operation.
    assert_eq!(
        body(&asked)["query"],
        "mutation createTicketNote($input: CreateTicketNoteInput!) { createTicketNote(input: $input) { noteId } }"
    );
}
