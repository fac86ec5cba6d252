//! Pages end where they should, miss nothing, and never lead away.

use integration::{Connector, Cursor, Kind, Listing, Page, Position, RecordKind, Request, Result};
use serde_json::{Value, json};

use crate::stand_ins::{Scripted, listing, over};

const HOST: &str = "https://merlot-api.centrastage.net";

fn sites(keys: &[u64]) -> Value {
    keys.iter().map(|key| json!({ "uid": format!("site-{key}"), "name": "A site" })).collect()
}

async fn page(connector: &dyn Connector, kind: RecordKind, cursor: Option<&Cursor>) -> Result<Page> {
    let listings: Vec<Box<dyn Listing + '_>> = connector.listings();
    let listing = listings.iter().find(|listing| listing.kind() == kind).unwrap();
    let entity = (kind == RecordKind::Device).then_some("site-1");
    listing.page(Position { entity, cursor, ..Position::default() }).await
}

/// The error of the first page of sites when it links to this.
async fn linked(link: &str) -> (integration::Error, usize) {
    let link = link.to_owned();
    let transport = Scripted::new(move |_: &Request| listing("sites", &sites(&[1]), 2, Some(&link)));
    let error = page(&over(transport.clone()), RecordKind::Entity, None).await.unwrap_err();
    (error, transport.asked().len())
}

#[tokio::test]
async fn a_link_never_leads_away() {
    for link in [
        "https://elsewhere.example/api/v2/account/sites?max=250&page=1",
        "http://merlot-api.centrastage.net/api/v2/account/sites?max=250&page=1",
        "https://merlot-api.centrastage.net:8443/api/v2/account/sites?page=1",
        "//elsewhere.example/api/v2/account/sites?page=1",
        "https://merlot-api.centrastage.net@elsewhere.example/api/v2/account/sites?page=1",
        "https://merlot-api.centrastage.net/api/v2/account/users?page=1",
        "data:text/plain,page",
    ] {
        let (error, asked) = linked(link).await;
        assert_eq!(error.kind, Kind::Unreadable, "{link}");
        assert!(error.message.contains("Datto RMM"), "{error}");
        // One for the token, one for the page.
        assert_eq!(asked, 2, "{link}");
    }
}

#[tokio::test]
async fn a_link_may_be_short_and_forget_what_was_asked() {
    for link in [
        "https://merlot-api.centrastage.net/api/v2/account/sites?page=1",
        "https://user:word@merlot-api.centrastage.net/api/v2/account/sites?page=1",
        "/api/v2/account/sites?page=1",
        "?page=1",
    ] {
        let link = link.to_owned();
        let transport = Scripted::new(move |request: &Request| match request.url.query() {
            Some("max=250") => listing("sites", &sites(&[1]), 2, Some(&link)),
            _ => listing("sites", &sites(&[2]), 2, None),
        });
        let connector = over(transport.clone());
        let first = page(&connector, RecordKind::Entity, None).await.unwrap();
        let last = page(&connector, RecordKind::Entity, first.next.as_ref()).await.unwrap();
        assert_eq!((first.total, last.total, last.next), (Some(2), Some(2), None));
        assert_eq!(transport.asked()[2], format!("{HOST}/api/v2/account/sites?page=1&max=250"));
    }
}

#[tokio::test]
async fn pages_that_lead_in_a_circle_are_an_error() {
    // A deleted device on each page makes every place look different.
    let transport = Scripted::new(|request: &Request| {
        let rows = json!([{ "uid": "gone", "deleted": true }]);
        let next = if request.url.query().unwrap().contains("page=2") { "?page=1" } else { "?page=2" };
        listing("devices", &rows, 9, Some(next))
    });
    let connector = over(transport);
    let first = page(&connector, RecordKind::Device, None).await.unwrap();
    let error = page(&connector, RecordKind::Device, first.next.as_ref()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Limit);
    assert!(error.message.contains("Datto RMM"), "{error}");
}

#[tokio::test]
async fn a_list_that_shrinks_while_it_is_walked_is_walked_anew() {
    let transport = Scripted::new(|request: &Request| match request.url.query() {
        Some("max=250") => listing("sites", &sites(&[1, 2]), 4, Some("?max=250&page=1")),
        _ => listing("sites", &sites(&[4]), 3, None),
    });
    let connector = over(transport);
    let first = page(&connector, RecordKind::Entity, None).await.unwrap();
    let error = page(&connector, RecordKind::Entity, first.next.as_ref()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Expired);
    for cursor in ["", "7", "{\"list\":1}", "{\"list\":-1}"] {
        let error = page(&connector, RecordKind::Entity, Some(&Cursor::new(cursor))).await.unwrap_err();
        assert_eq!(error.kind, Kind::Expired, "{cursor}");
    }
}

#[tokio::test]
async fn open_and_resolved_alerts_are_one_listing_with_one_total() {
    let alerts = |keys: &[u64]| -> Value { keys.iter().map(|key| json!({ "alertUid": key.to_string() })).collect() };
    let transport = Scripted::new(move |request: &Request| {
        match (request.url.path().ends_with("/open"), request.url.query()) {
            (true, Some("max=250")) => listing("alerts", &alerts(&[1, 2]), 3, Some("?max=250&page=1")),
            (true, _) => listing("alerts", &alerts(&[3]), 3, None),
            // Shorter than the open ones: no sign of anything.
            (false, _) => listing("alerts", &alerts(&[4]), 1, None),
        }
    });
    let connector = over(transport.clone());
    let (mut cursor, mut ids) = (None, 0);
    let total = loop {
        let page = page(&connector, RecordKind::Alert, cursor.as_ref()).await.unwrap();
        ids += page.records.len();
        cursor = page.next;
        if cursor.is_none() {
            break page.total;
        }
        assert_eq!(page.total, None, "before the second list nothing is known of it");
    };
    assert_eq!((ids, total), (4, Some(4)));
    let wanted = ["open?max=250", "open?max=250&page=1", "resolved?max=250"];
    let wanted = wanted.map(|end| format!("{HOST}/api/v2/account/alerts/{end}"));
    assert_eq!(transport.asked()[1..], wanted);
}

#[tokio::test]
async fn deleted_devices_are_removed_and_not_counted() {
    let transport = Scripted::new(|request: &Request| match request.url.query() {
        Some("max=250") => {
            let rows = json!([{ "uid": "a" }, { "uid": "b", "deleted": true }, "odd"]);
            listing("devices", &rows, 5, Some("?max=250&page=1"))
        }
        _ => listing("devices", &json!([{ "uid": "c", "deleted": true }, { "uid": "d", "deleted": false }]), 5, None),
    });
    let connector = over(transport);
    let first = page(&connector, RecordKind::Device, None).await.unwrap();
    assert_eq!((first.records.len(), first.removed.as_slice()), (2, ["b".to_owned()].as_slice()));
    // What cannot be read is not taken for deleted, but rejected.
    assert!(connector.devices().unwrap().read(&first.records[1]).is_err());
    let last = page(&connector, RecordKind::Device, first.next.as_ref()).await.unwrap();
    assert_eq!((last.records.len(), last.removed, last.total), (1, vec!["c".to_owned()], Some(3)));
}

#[tokio::test]
async fn a_missing_list_is_empty_only_where_nothing_was_counted() {
    let none = json!({ "pageDetails": { "count": 0, "totalCount": 0, "nextPageUrl": null }, "sites": null });
    let found = page(&over(Scripted::new(move |_: &Request| none.clone())), RecordKind::Entity, None).await.unwrap();
    assert_eq!((found.records.len(), found.total, found.next), (0, Some(0), None));
    let some = json!({ "pageDetails": { "count": 2, "totalCount": 2, "nextPageUrl": null }, "sites": null });
    let error =
        page(&over(Scripted::new(move |_: &Request| some.clone())), RecordKind::Entity, None).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable);
}
