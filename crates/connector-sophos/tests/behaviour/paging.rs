//! Listings that end early, shrink or go wrong.

use integration::{CredentialsForm, Cursor, Device, Entity, Kind, Position, Pull, Retry, Threat, Vendor};
use serde_json::{Value, json};
use vendorkit::WorldSize;

use crate::stage::{TENANT, all, exchange, over, page, simulated};

/// A page of tenants, asked for at this place.
async fn tenants(at: Option<&str>, body: Value) -> integration::Result<integration::Page> {
    let example = <connector_sophos::Sophos as Vendor>::Credentials::example();
    let (connector, played) = over(&example, &["token", "whoami"], vec![exchange("/partner/v1/tenants", 200, body)]);
    let cursor = at.map(Cursor::new);
    let page = Pull::<Entity>::page(&connector, Position { cursor: cursor.as_ref(), ..Position::default() }).await;
    played.finish().unwrap();
    page
}

#[tokio::test]
async fn a_listing_of_tenants_that_came_back_short_is_an_error() {
    let row = json!({ "id": TENANT });
    let second = Some("2/101");
    for (at, body, kind, retry) in [
        // Without totals nobody knows whether this is all.
        (None, json!({ "items": [row], "pages": { "current": 1, "size": 100 } }), Kind::Unreadable, Retry::No),
        (None, json!({ "items": [row] }), Kind::Unreadable, Retry::No),
        (
            None,
            json!({ "items": [], "pages": { "current": 1, "total": 2, "items": 101 } }),
            Kind::Unreadable,
            Retry::Yes,
        ),
        (
            second,
            json!({ "items": [row], "pages": { "current": 1, "total": 2, "items": 101 } }),
            Kind::Unreadable,
            Retry::No,
        ),
        // Some vanished in between: others moved forward, and were missed.
        (second, json!({ "items": [], "pages": { "current": 2, "total": 1, "items": 100 } }), Kind::Expired, Retry::No),
    ] {
        let error = tenants(at, body.clone()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{body}");
    }
    let page =
        tenants(second, json!({ "items": [row], "pages": { "current": 2, "total": 2, "items": 101 } })).await.unwrap();
    assert_eq!((page.records.len(), page.total, page.next), (1, Some(101), None));
}

#[tokio::test]
async fn a_cursor_of_another_listing_is_expired() {
    let example = <connector_sophos::Sophos as Vendor>::Credentials::example();
    for text in ["", "2", "x/y", "-1/3", "2/3/4"] {
        let (connector, played) = over(&example, &["token", "whoami"], Vec::new());
        let cursor = Cursor::new(text);
        let at = Position { cursor: Some(&cursor), ..Position::default() };
        assert_eq!(Pull::<Entity>::page(&connector, at).await.unwrap_err().kind, Kind::Expired, "{text}");
        played.finish().unwrap();
    }
}

#[tokio::test]
async fn more_endpoints_than_a_page_holds_all_arrive() {
    let (connector, vendor) = simulated(None, WorldSize { businesses: 3, devices: 2_600, people: 20 });
    let tenants = all::<Entity>(&connector, None).await;
    let (mut whole, mut pages) = (0, 0);
    for tenant in &tenants {
        vendor.clear_log();
        whole += all::<Device>(&connector, Some(&tenant.id)).await.len();
        pages = pages.max(vendor.count());
    }
    let expected = vendor.read(|world| vendor.simulator.expected(world, integration::RecordKind::Device));
    assert_eq!(Some(whole), expected);
    assert!(pages > 1, "no tenant has more than a page");
}

/// The total that tells whether a listing is whole is of threats and alerts together.
#[tokio::test]
async fn a_total_is_told_only_where_it_is_sure() {
    let example = <connector_sophos::Sophos as Vendor>::Credentials::example();
    let threat = json!({ "id": "a", "category": "malware" });
    let condition = json!({ "id": "b", "category": "updating" });
    for (pages, total) in [
        (json!({ "items": 2 }), Some(1)),
        // The vendor says there are more, or does not say; or there is another page.
        (json!({ "items": 3 }), None),
        (json!({}), None),
        (json!({ "items": 2, "nextKey": "k" }), None),
    ] {
        let body = json!({ "items": [threat, condition], "pages": pages });
        let more = vec![exchange("/au01/common/v1/alerts", 200, body)];
        let (connector, _) = over(&example, &["token", "whoami", "tenant"], more);
        let page = page::<Threat>(&connector, Some(TENANT)).await.unwrap();
        assert_eq!((page.records.len(), page.total), (1, total), "{pages}");
    }
}
