//! Addresses, keys, paging and errors.

use connector_connectwise_manage::ConnectwiseManage;
use integration::{
    Connector, Contact, ContactDraft, Cursor, Entity, Kind, Page, Position, Pull, Retry, TicketDraft, WriteContacts,
    WriteTickets,
};

use super::stand_ins::{all, replay, says, scripted, simulated};

const INFO: &str = r#"{"Codebase":"v2025_1/","IsCloud":true}"#;

async fn companies(connector: &ConnectwiseManage, cursor: Option<&Cursor>) -> integration::Result<Page> {
    Pull::<Entity>::page(connector, Position { cursor, ..Position::default() }).await
}

#[tokio::test]
async fn people_and_the_api_have_different_hosts() {
    for (site, host) in [
        ("https://na.myconnectwise.net", "api-na.myconnectwise.net"),
        ("https://eu.myconnectwise.net/v4_6_release/ConnectWise.aspx", "api-eu.myconnectwise.net"),
        ("https://api-au.myconnectwise.net/", "api-au.myconnectwise.net"),
        ("https://psa.msp.example", "psa.msp.example"),
    ] {
        let (connector, script) = scripted(&[("site", site)], vec![says(200, INFO), says(200, "[]")]);
        companies(&connector, None).await.unwrap();
        let urls: Vec<String> = script.asked().iter().map(|request| request.url.to_string()).collect();
        assert_eq!(urls[0], format!("https://{host}/login/companyinfo/example-0001"));
        assert!(urls[1].starts_with(&format!("https://{host}/v2025_1/apis/3.0/company/companies?")), "{}", urls[1]);
    }
}

#[tokio::test]
async fn every_call_but_the_first_carries_the_keys() {
    let (connector, script) = scripted(&[("api_version", "2025.16")], vec![says(200, INFO), says(200, "[]")]);
    companies(&connector, None).await.unwrap();
    let [info, list] = &script.asked()[..] else { panic!("two requests") };
    assert_eq!((info.header_value("authorization"), info.header_value("clientid")), (None, None));
    let key = "Basic ZXhhbXBsZS0wMDAxK2V4YW1wbGUtMDAwMTpleGFtcGxlLXNlY3JldC0wMDAx";
    assert_eq!(list.header_value("authorization"), Some(key));
    assert_eq!(list.header_value("clientid"), Some("example-0001"));
    assert_eq!(list.header_value("accept"), Some("application/vnd.connectwise.com+json; version=2025.16"));
}

#[tokio::test]
async fn a_server_that_does_not_say_where_its_api_is_has_it_at_the_usual_place() {
    let (connector, script) = scripted(&[], vec![says(404, "gone"), says(200, "[]")]);
    companies(&connector, None).await.unwrap();
    assert_eq!(script.asked()[1].url.path(), "/v4_6_release/apis/3.0/company/companies");
}

#[tokio::test]
async fn an_unknown_company_id_is_a_wrong_credential() {
    let (connector, played) = replay(&["error-no-company"]);
    let error = connector.check().await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No));
    assert!(error.message.contains("Company ID"), "{error}");
    played.finish().unwrap();
}

#[tokio::test]
async fn a_missing_client_id_is_named_among_what_may_be_wrong() {
    let (connector, played) = replay(&["companyinfo", "error-client-id"]);
    let error = connector.check().await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials);
    assert!(error.message.contains("client ID"), "{error}");
    played.finish().unwrap();
}

#[tokio::test]
async fn an_upgraded_cloud_is_found_again_even_by_a_write() {
    let (connector, vendor, simulator) = simulated();
    let first = all::<Entity>(&connector, None).await;
    simulator.upgrade("v2025_2");
    assert_eq!(all::<Entity>(&connector, None).await, first);
    simulator.upgrade("v2026_1");
    vendor.clear_log();
    let draft = TicketDraft { title: Some("After the upgrade".to_owned()), ..TicketDraft::default() };
    WriteTickets::create(&connector, &first[0].id, &draft).await.unwrap();
    let made = vendor.read(|world| {
        world.tickets_after("connectwise-manage", 0).iter().filter(|(_, t)| t.title == "After the upgrade").count()
    });
    assert_eq!(made, 1);
    assert_eq!(vendor.count(), 3, "the old place, the question, the new place");
    vendor.clear_log();
    let error = WriteTickets::fetch(&connector, "999999999").await.unwrap_err();
    assert_eq!((error.kind, vendor.count()), (Kind::NotFound, 1), "what is not there is no reason to look elsewhere");
}

#[tokio::test]
async fn of_a_link_only_the_number_is_followed() {
    let link =
        Some(r#"<https://elsewhere.example/x?pageId=7&page=2>; rel="next", <https://v.example?page=9>; rel="last""#);
    let (connector, script) =
        scripted(&[], vec![says(200, INFO), (200, link, "[]".to_owned()), says(200, "[]"), says(200, "[]")]);
    let page = companies(&connector, None).await.unwrap();
    assert_eq!(page.next, Some(Cursor::new("pageId=7")));
    assert_eq!(companies(&connector, page.next.as_ref()).await.unwrap().next, None);
    let last = script.asked().pop().unwrap();
    assert_eq!(last.url.host_str(), Some("vendor.example"));
    assert!(last.url.query_pairs().any(|pair| pair == ("pageId".into(), "7".into())));
    // A server that pages by number all the same.
    companies(&connector, Some(&Cursor::new("page=3"))).await.unwrap();
    assert!(script.asked().pop().unwrap().url.query_pairs().any(|pair| pair == ("page".into(), "3".into())));
}

#[tokio::test]
async fn a_link_that_names_no_page_does_not_end_the_listing() {
    let link = Some(r#"<https://vendor.example/x?pageSize=1000>; rel="next""#);
    let (connector, _) = scripted(&[], vec![says(200, INFO), (200, link, "[]".to_owned())]);
    assert_eq!(companies(&connector, None).await.unwrap_err().kind, Kind::Unreadable);
    for wrong in ["", "pageId=", "pageId=x", "https://elsewhere.example/"] {
        let error = companies(&connector, Some(&Cursor::new(wrong))).await.unwrap_err();
        assert_eq!(error.kind, Kind::Expired, "{wrong}");
    }
}

#[tokio::test]
async fn a_full_page_without_a_link_is_not_the_last() {
    let rows: Vec<String> = (1..=1000).map(|id| format!(r#"{{"id":{id},"name":"C {id}"}}"#)).collect();
    let full = format!("[{}]", rows.join(","));
    let (connector, _) = scripted(&[], vec![says(200, INFO), says(200, &full)]);
    assert_eq!(companies(&connector, None).await.unwrap().next, Some(Cursor::new("pageId=1000")));
}

#[tokio::test]
async fn a_portal_password_is_never_kept() {
    let (connector, vendor, _) = simulated();
    let page = Pull::<Contact>::page(&connector, Position::default()).await.unwrap();
    let entity = all::<Entity>(&connector, None).await.remove(0).id;
    let draft = ContactDraft { given_name: Some("Bo".to_owned()), ..ContactDraft::default() };
    let made = WriteContacts::create(&connector, &entity, &draft).await.unwrap();
    for raw in page.records.iter().chain([&made]) {
        assert!(!String::from_utf8_lossy(raw).contains("portalPassword"));
    }
    assert!(vendor.count() > 0 && !page.records.is_empty());
}

#[tokio::test]
async fn a_refusal_says_why_and_a_broken_write_is_left_to_people() {
    let (connector, played) = replay(&["companyinfo", "error-in-use"]);
    let error = connector.remove("250", "612").await.unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::Refused, Some(409)));
    assert_eq!(error.vendor_message.as_deref(), Some("contact object is invalid; The contact is used by tickets"));
    played.finish().unwrap();
    let (connector, played) = replay(&["companyinfo", "error-gateway"]);
    let draft = TicketDraft { title: Some("x".to_owned()), ..TicketDraft::default() };
    let error = WriteTickets::create(&connector, "250", &draft).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::No));
    played.finish().unwrap();
}

#[tokio::test]
async fn tickets_that_may_not_be_read_are_a_warning() {
    let (connector, _) = scripted(&[], vec![says(200, INFO), says(200, "[]"), says(403, r#"{"code":"Forbidden"}"#)]);
    let checked = connector.check().await.unwrap();
    assert!(checked.warnings[0].contains("Service Tickets"), "{:?}", checked.warnings);
}
