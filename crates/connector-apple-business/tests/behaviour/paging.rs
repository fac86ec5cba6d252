//! More devices than a page holds, and what goes wrong on the way.

use std::sync::Arc;

use integration::{Device, DirectoryUser, Kind, Position, Pull};
use serde_json::{Value, json};
use vendorkit::{Fault, Faulty, Plan, Simulated, Simulator as _, World, WorldSize, a_tuesday};

use crate::stage::{all, connect, exchange, over, pages, simulated};

const MANY: WorldSize = WorldSize { businesses: 8, devices: 2_000, people: 20_000 };

fn page(data: Value, paging: Value) -> Value {
    json!({ "data": data, "links": { "self": "https://api-business.apple.com/v1" }, "meta": { "paging": paging } })
}

#[tokio::test]
async fn a_thousand_at_a_time_every_device_comes_once() {
    let (connector, vendor) = simulated(MANY);
    let (devices, count) = pages::<Device>(&connector).await;
    assert!(count > 1, "only one page of {} devices", devices.len());
    let (users, count) = pages::<DirectoryUser>(&connector).await;
    assert!(count > 1, "only one page of {} users", users.len());
    let expected = |kind| vendor.read(|world| vendor.simulator.expected(world, kind)).unwrap();
    assert_eq!(devices.len(), expected(integration::RecordKind::Device));
    assert_eq!(users.len(), expected(integration::RecordKind::DirectoryUser));
    let mut ids: Vec<&str> = devices.iter().map(|item| item.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), devices.len());
    // Which service has which was asked once, not once for each page.
    let services = vendor.log().iter().filter(|(_, path)| path.ends_with("/v1/mdmServers")).count();
    assert_eq!(services, 1);
}

#[tokio::test]
async fn another_process_goes_on_where_one_stopped() {
    let (first, vendor) = simulated(MANY);
    let whole = all::<Device>(&first).await;
    let form = vendor.simulator.credentials("http://127.0.0.1:4100/apple-business");
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let connector = connect(&form, vendor.clone());
        let at = Position { cursor: cursor.as_ref(), ..Position::default() };
        let page = Pull::<Device>::page(&connector, at).await.unwrap();
        found.extend(page.records.iter().map(|raw| Pull::<Device>::read(&connector, raw).unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, whole);
}

#[tokio::test]
async fn a_pause_in_the_middle_does_not_begin_anew() {
    let simulator = Arc::new(connector_apple_business::Simulator::default());
    let form = simulator.credentials("http://127.0.0.1:4100/apple-business");
    let vendor = Arc::new(Simulated::new(simulator, World::generate(WorldSize::DEMO, 7, a_tuesday())));
    let faulty = Faulty::over(vendor.clone(), Plan::Never).only(|request| !request.url.path().ends_with("/token"));
    let faulty = Arc::new(faulty);
    let connector = connect(&form, faulty.clone());
    // Each try gets one service further.
    for _ in 0..2 {
        faulty.set(Plan::nth(3, Fault::Throttled(3)));
        let error = Pull::<Device>::page(&connector, Position::default()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Throttled);
    }
    faulty.set(Plan::Never);
    let devices = all::<Device>(&connector).await;
    let asked: Vec<_> = vendor.log().into_iter().filter(|(method, _)| *method == "GET").map(|(_, path)| path).collect();
    let count = |end: &str| asked.iter().filter(|path| path.ends_with(end)).count();
    assert_eq!(
        (count("/v1/mdmServers"), count("/relationships/devices"), count("/v1/orgDevices")),
        (1, 2, 3),
        "{asked:?}"
    );
    let (fresh, _) = simulated(WorldSize::DEMO);
    assert_eq!(devices, all::<Device>(&fresh).await);
}

#[tokio::test]
async fn a_service_that_went_meanwhile_has_nothing() {
    let services =
        page(json!([{ "type": "mdmServers", "id": "gone" }, { "type": "mdmServers", "id": "odd/id" }]), json!({}));
    let none = json!({ "errors": [{ "status": "404", "code": "NOT_FOUND", "title": "t", "detail": "d" }] });
    let its = page(json!([{ "type": "orgDevices", "id": "A" }]), json!({ "limit": 1000 }));
    let devices = page(
        json!([{ "type": "orgDevices", "id": "A" }, { "type": "orgDevices", "id": "B", "attributes": null }]),
        json!(null),
    );
    let (connector, played) = over(
        &["token"],
        vec![
            exchange("/v1/mdmServers", 200, services),
            exchange("/v1/mdmServers/gone/relationships/devices", 404, none),
            exchange("/v1/mdmServers/odd%2Fid/relationships/devices", 200, its),
            exchange("/v1/orgDevices", 200, devices),
        ],
    );
    let devices = all::<Device>(&connector).await;
    played.finish().unwrap();
    let seen: Vec<_> =
        devices.iter().map(|item| (item.record.name.as_str(), item.record.management_server_id.as_deref())).collect();
    assert_eq!(seen, [("A", Some("odd/id")), ("B", None)]);
}

#[tokio::test]
async fn a_link_gives_its_cursor_but_is_not_followed() {
    let linked = |next: &str| json!({ "data": [], "links": { "self": "x", "next": next }, "meta": { "paging": { "limit": 1000 } } });
    let evil = linked("https://evil.example/v1/users?limit=1000&cursor=a%2Fb");
    let (connector, played) = over(&["token"], vec![exchange("/v1/users", 200, evil)]);
    let first = Pull::<DirectoryUser>::page(&connector, Position::default()).await.unwrap();
    let at = Position { cursor: first.next.as_ref(), ..Position::default() };
    Pull::<DirectoryUser>::page(&connector, at).await.unwrap_err();
    let next = &played.requests()[2].url;
    assert_eq!(next.as_str(), "https://vendor.example/v1/users?limit=1000&cursor=a%2Fb");

    // A listing that goes on somewhere unknown is not taken for whole.
    let (connector, _) =
        over(&["token"], vec![exchange("/v1/users", 200, linked("https://api-business.apple.com/v1/users"))]);
    let error = Pull::<DirectoryUser>::page(&connector, Position::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable);
}

#[tokio::test]
async fn a_service_whose_devices_never_end_is_an_error() {
    let services = page(json!([{ "type": "mdmServers", "id": "S" }]), json!({}));
    let again = || page(json!([{ "type": "orgDevices", "id": "A" }]), json!({ "limit": 1000, "nextCursor": "same" }));
    let path = "/v1/mdmServers/S/relationships/devices";
    let none = page(json!([]), json!({}));
    let mut exchanges = vec![exchange("/v1/orgDevices", 200, none), exchange("/v1/mdmServers", 200, services)];
    exchanges.extend((0..9).map(|_| exchange(path, 200, again())));
    let (connector, played) = over(&["token"], exchanges);
    let error = Pull::<Device>::page(&connector, Position::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Limit);
    assert!(error.message.contains("Apple Business"), "{error}");
    assert!(played.requests().len() <= 6, "{} requests", played.requests().len());
}
