//! One console, connected without Site Manager.

use std::sync::Arc;

use integration::{Connector, Device, Entity, Kind, Position, Pull, Reach, Retry};
use serde_json::json;
use vendorkit::Replay;

use crate::stage::{all, connect, exchange, form, over, replay};

const SITE: &str = "0c1f1f0e-5c1b-4f5c-8b7a-6d6a2f5f7a11";

#[tokio::test]
async fn sites_and_devices_of_one_console() {
    let (unifi, played) = replay("console", &["console-sites", "console-devices-1", "console-devices-2"]);
    let sites = all::<Entity>(&unifi, None).await;
    let names: Vec<&str> = sites.iter().map(|site| site.record.name.as_str()).collect();
    assert_eq!(names, ["unifi.acme.example / Default", "Birch Legal"]);
    assert_eq!(Pull::<Device>::reach(&unifi), Reach::Entity);
    let devices = all::<Device>(&unifi, Some(SITE)).await;
    played.finish().unwrap();
    let seen: Vec<_> =
        devices.iter().map(|item| (item.id.as_str(), item.entity.as_deref(), item.record.online)).collect();
    assert_eq!(
        seen,
        [("9C05D6A1B206", None, Some(true)), ("9C05D6A1B207", None, Some(false)), ("9C05D6A1B208", None, None)]
    );
}

/// Where the first request goes.
async fn goes_to(way: &str, url: Option<&str>) -> String {
    let replay = Arc::new(Replay::of(Vec::new()));
    let unifi = connect(&form(way, url, "example-secret-0001"), replay.clone());
    unifi.check().await.unwrap_err();
    let mut url = replay.requests()[0].url.clone();
    url.set_query(None);
    url.to_string()
}

#[tokio::test]
async fn the_address_is_taken_as_entered_and_completed_where_it_is_bare() {
    for (way, url, goes) in [
        ("site_manager", None, "https://api.ui.com/v1/sites"),
        ("site_manager", Some("https://proxy.example/unifi/"), "https://proxy.example/unifi/v1/sites"),
        ("console", Some("https://10.20.0.1"), "https://10.20.0.1/proxy/network/integration/v1/sites"),
        ("console", Some("https://10.20.0.1:8443/integration"), "https://10.20.0.1:8443/integration/v1/sites"),
    ] {
        assert_eq!(goes_to(way, url).await, goes);
    }
}

#[tokio::test]
async fn a_console_without_an_address_is_not_asked() {
    let replay = Arc::new(Replay::of(Vec::new()));
    let unifi = connect(&form("console", None, "example-secret-0001"), replay.clone());
    let error = unifi.check().await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No));
    assert!(error.message.contains("address"), "{error}");
    assert_eq!(replay.requests().len(), 0);
}

#[tokio::test]
async fn a_listing_that_shrinks_or_does_not_count_is_not_believed() {
    let path = format!("/proxy/network/integration/v1/sites/{SITE}/devices");
    let row = json!({ "id": "1", "macAddress": "9c:05:d6:a1:b2:06" });
    let first = json!({ "offset": 0, "limit": 200, "count": 1, "totalCount": 3, "data": [row] });
    for (second, kind, retry) in [
        (json!({ "offset": 1, "limit": 200, "count": 1, "totalCount": 2, "data": [row] }), Kind::Expired, Retry::No),
        (json!({ "offset": 0, "limit": 200, "count": 1, "totalCount": 3, "data": [row] }), Kind::Unreadable, Retry::No),
        (json!({ "offset": 1, "limit": 200, "count": 0, "totalCount": 3, "data": [] }), Kind::Unreadable, Retry::Yes),
        (json!({ "offset": 1, "limit": 200, "count": 1, "data": [row] }), Kind::Unreadable, Retry::No),
    ] {
        let (unifi, _) =
            over("console", vec![exchange(&path, 200, first.clone()), exchange(&path, 200, second.clone())]);
        let at = Position { entity: Some(SITE), ..Position::default() };
        let page = Pull::<Device>::page(&unifi, at).await.unwrap();
        assert_eq!(page.total, Some(3));
        let at = Position { cursor: page.next.as_ref(), ..at };
        let error = Pull::<Device>::page(&unifi, at).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{second}");
    }
}
