//! Zones, keys, paging and errors.

use connector_autotask::Autotask;
use integration::{
    Body, Connector, Contact, Cursor, Entity, Kind, Page, Position, Pull, Retry, TicketDraft, WriteTickets,
};

use super::stand_ins::{all, page, replay, scripted, simulated, simulated_with, zone};

const ZONE: &str = "https://webservices5.autotask.net/atservicesrest/";

async fn contacts(connector: &Autotask, cursor: Option<&Cursor>) -> integration::Result<Page> {
    Pull::<Contact>::page(connector, Position { cursor, ..Position::default() }).await
}

#[tokio::test]
async fn the_zone_is_asked_for_once_and_the_keys_go_there() {
    let (connector, script) = scripted(&[], vec![zone(ZONE), page(""), page("")]);
    contacts(&connector, None).await.unwrap();
    contacts(&connector, None).await.unwrap();
    let asked = script.asked();
    let urls: Vec<&str> = asked.iter().map(|request| request.url.as_str()).collect();
    let listing = "https://webservices5.autotask.net/atservicesrest/V1.0/Contacts/query";
    assert_eq!(
        urls,
        ["https://vendor.example/ATServicesRest/V1.0/ZoneInformation?user=example-0001", listing, listing]
    );
    assert_eq!(asked[1].header_value("username"), Some("example-0001"));
    assert_eq!(asked[1].header_value("secret"), Some("example-secret-0001"));
    assert_eq!(asked[1].header_value("apiintegrationcode"), Some("example-secret-0001"));
    assert_eq!(asked[1].header_value("impersonationresourceid"), None);
}

#[tokio::test]
async fn keys_are_not_taken_to_a_zone_that_is_not_autotasks() {
    for strange in ["https://autotask.net.elsewhere.example/", "http://webservices5.autotask.net/", "nowhere"] {
        let (connector, script) = scripted(&[], vec![zone(strange), page("")]);
        assert_eq!(contacts(&connector, None).await.unwrap_err().kind, Kind::Unreadable, "{strange}");
        assert_eq!(script.asked().len(), 1, "{strange}");
    }
}

#[tokio::test]
async fn a_moved_database_is_found_again_even_by_a_write() {
    let (connector, vendor, simulator) = simulated();
    let first = all::<Entity>(&connector).await;
    simulator.move_to("zone24");
    assert_eq!(all::<Entity>(&connector).await, first);
    connector.choices(None).await.unwrap();
    simulator.move_to("zone25");
    vendor.clear_log();
    let draft = TicketDraft { title: Some("After the move".to_owned()), ..TicketDraft::default() };
    WriteTickets::create(&connector, &first[0].id, &draft).await.unwrap();
    let made = vendor.read(|world| {
        world.tickets_after("autotask", 0).iter().filter(|(_, ticket)| ticket.title == "After the move").count()
    });
    assert_eq!(made, 1);
    assert_eq!(vendor.count(), 4, "the old zone, the question, the new zone, and what was made");
}

#[tokio::test]
async fn an_unknown_user_is_a_wrong_credential_and_trouble_is_not() {
    for (file, kind, retry) in
        [("error-unknown-user", Kind::Credentials, Retry::No), ("error-zone-trouble", Kind::Unavailable, Retry::Yes)]
    {
        let (connector, played) = replay(&[file]);
        let error = connector.check().await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{file}: {error}");
        assert!(error.message.contains("API user name"), "{error}");
        played.finish().unwrap();
    }
}

#[tokio::test]
async fn status_500_is_told_apart_by_its_words() {
    for (file, kind, retry) in [
        ("error-permission", Kind::Forbidden, Retry::No),
        ("error-threads", Kind::Throttled, Retry::Yes),
        ("error-timeout", Kind::Unavailable, Retry::Yes),
    ] {
        let (connector, played) = replay(&["zone", file]);
        let error = connector.check().await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{file}: {error}");
        assert!(error.vendor_message.is_some(), "{file}");
        played.finish().unwrap();
    }
    let draft = TicketDraft { title: Some("x".to_owned()), ..TicketDraft::default() };
    for (file, kind, words) in [
        ("error-required", Kind::Refused, Some("Required field title missing on the request.")),
        ("error-gateway", Kind::Unavailable, None),
    ] {
        let (connector, played) = replay(&["zone", file]);
        let error = WriteTickets::create(&connector, "29683512", &draft).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::No), "{file}: {error}");
        assert_eq!(error.vendor_message.as_deref(), words, "{file}");
        played.finish().unwrap();
    }
}

#[tokio::test]
async fn the_next_page_is_asked_for_with_the_same_body() {
    let next = "https://webservices5.autotask.net/ATServicesRest/V1.0/Contacts/query/next?paging=a%3D%3D";
    let (connector, script) = scripted(&[], vec![zone(ZONE), page(next), page("")]);
    let first = contacts(&connector, None).await.unwrap();
    assert_eq!(first.next, Some(Cursor::new(next)));
    assert_eq!(contacts(&connector, first.next.as_ref()).await.unwrap().next, None);
    let asked = script.asked();
    assert_eq!(asked[2].url.as_str(), next, "as it was given");
    assert_eq!((asked[1].method, &asked[1].body), (asked[2].method, &asked[2].body));
    assert!(asked[1..].iter().all(|request| request.idempotent && request.body != Body::Empty));
}

#[tokio::test]
async fn a_link_that_leaves_the_zone_is_not_followed() {
    for strange in [
        "https://elsewhere.example/atservicesrest/V1.0/Contacts/query/next?paging=2",
        "http://webservices5.autotask.net/atservicesrest/V1.0/Contacts/query/next?paging=2",
        "https://webservices5.autotask.net:8443/atservicesrest/V1.0/Contacts/query/next?paging=2",
        "https://webservices5.autotask.net/other/V1.0/Contacts/query/next?paging=2",
        "https://webservices5.autotask.net/atservicesrest/../other?paging=2",
        "https://user@webservices5.autotask.net/atservicesrest/V1.0/Contacts/query/next?paging=2",
        "/atservicesrest/V1.0/Contacts/query/next?paging=2",
    ] {
        let (connector, script) = scripted(&[], vec![zone(ZONE), page(strange)]);
        assert_eq!(contacts(&connector, None).await.unwrap_err().kind, Kind::Unreadable, "{strange}");
        // A place that was kept from before the database moved.
        let error = contacts(&connector, Some(&Cursor::new(strange))).await.unwrap_err();
        assert_eq!(error.kind, Kind::Expired, "{strange}");
        assert_eq!(script.asked().len(), 2, "{strange}");
    }
    let long = format!("{ZONE}V1.0/Contacts/query/next?paging={}", "x".repeat(9000));
    let (connector, _) = scripted(&[], vec![zone(ZONE), page(&long)]);
    assert_eq!(contacts(&connector, None).await.unwrap_err().kind, Kind::Limit);
}

#[tokio::test]
async fn the_msps_own_company_is_no_client() {
    let (connector, vendor, _) = simulated();
    let found = all::<Entity>(&connector).await;
    assert_eq!(found.len(), vendor.read(|world| world.known_to("autotask").count()));
    assert!(found.iter().all(|item| item.id != "0" && item.record.status.as_deref() == Some("Customer")));
}

#[tokio::test]
async fn without_a_currency_there_are_no_amounts() {
    for (currency, known) in [("GBP", true), ("eur", true), ("pounds", false), ("", false)] {
        let (connector, _, _) = simulated_with(&[("currency", currency)]);
        let found = all::<integration::Invoice>(&connector).await;
        let totals = found.iter().filter_map(|item| item.record.total.as_ref());
        let codes: Vec<&str> = totals.map(|total| total.currency.as_str()).collect();
        let expected = if known { vec![currency.to_uppercase(); found.len()] } else { Vec::new() };
        assert_eq!(codes, expected, "{currency}");
    }
}

#[tokio::test]
async fn tickets_that_may_not_be_read_are_a_warning() {
    let refusal = (500, r#"{"errors":["No adequate permissions"]}"#.to_owned());
    let (connector, _) = scripted(&[], vec![zone(ZONE), page(""), refusal]);
    let checked = connector.check().await.unwrap();
    assert!(checked.warnings[0].contains("Service Desk"), "{:?}", checked.warnings);
}
