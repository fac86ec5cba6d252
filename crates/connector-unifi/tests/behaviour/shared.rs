//! Consoles with several sites: whose a device is must be known, never guessed.

use std::sync::Arc;

use integration::{Cursor, Device, Kind, Position, Pull};
use serde_json::{Value, json};
use vendorkit::{Fault, Faulty, Plan, Simulated, Simulator as _, World, WorldSize, a_tuesday};

use crate::stage::{connect, exchange, over, simulated, walk};

const THROUGH: &str = "/v1/connector/consoles/h%3A1/proxy/network/integration/v1/sites";

fn page(data: Value) -> Value {
    json!({ "data": data, "httpStatusCode": 200, "traceId": "trace-0001" })
}

/// A console with two sites and one device, and what it says of its sites.
async fn asked(state: &str, told: Option<(u16, Value)>) -> (Vec<String>, Vec<String>) {
    let mut exchanges = vec![
        exchange("/v1/hosts", 200, page(json!([{ "id": "h:1", "reportedState": { "name": "Big", "state": state } }]))),
        exchange(
            "/v1/sites",
            200,
            page(json!([
                { "siteId": "s1", "hostId": "h:1", "meta": { "desc": "One", "name": "default" } },
                { "siteId": "s2", "hostId": "h:1", "meta": { "desc": "Two", "name": "abcd1234" } },
            ])),
        ),
        exchange(
            "/v1/devices",
            200,
            page(json!([{ "hostId": "h:1", "devices": [{ "mac": "9C05D6A1B203", "status": "online" }] }])),
        ),
    ];
    exchanges.extend(told.map(|(status, body)| exchange(THROUGH, status, body)));
    let (unifi, replay) = over("site_manager", exchanges);
    let (found, rejected) = walk::<Device>(&unifi, None).await;
    replay.finish().unwrap();
    (found.into_iter().map(|item| item.id).collect(), rejected)
}

#[tokio::test]
async fn a_console_that_does_not_say_is_an_error_of_its_sites() {
    let refusal = json!({ "code": "FORBIDDEN", "httpStatusCode": 403, "message": "no access", "traceId": "t" });
    let other = json!({ "offset": 0, "limit": 200, "count": 1, "totalCount": 1, "data": [{ "id": "x", "internalReference": "else", "name": "One" }] });
    for (state, told, words) in [
        ("connected", Some((403, refusal.clone())), "no access"),
        ("connected", Some((502, refusal)), "trouble"),
        // The names are the same, but names are no proof.
        ("connected", Some((200, other)), "does not know this site"),
        // One that is offline is not asked.
        ("disconnected", None, "offline"),
    ] {
        let (found, rejected) = asked(state, told).await;
        assert_eq!(found, [""; 0], "{words}");
        assert_eq!(rejected.len(), 2, "one for each site");
        for why in rejected {
            assert!(why.contains("console Big") && why.contains(words), "{why}");
        }
    }
}

#[tokio::test]
async fn trouble_with_one_console_leaves_the_others() {
    let size = WorldSize { businesses: 60, devices: 900, people: 60 };
    let (whole, vendor) = simulated(size);
    let (all, _) = walk::<Device>(&whole, None).await;
    let simulator = Arc::new(connector_unifi::Simulator);
    let form = simulator.credentials("http://127.0.0.1:4100/unifi");
    let world = World::generate(size, 7, a_tuesday());
    let broken = Faulty::over(Arc::new(Simulated::new(simulator, world)), Plan::Never)
        .only(|request| request.url.path().contains("74ACB90F4240"));
    let broken = Arc::new(broken);
    broken.set(Plan::Always(Fault::Status(502)));
    let unifi = connect(&form, broken.clone());
    let (found, rejected) = walk::<Device>(&unifi, None).await;
    let lost: Vec<_> = all.iter().filter(|item| !found.contains(item)).collect();
    let sites = vendor.read(|world| world.known_to("unifi").filter(|b| b.key % 4 == 0 && b.key < 20).count());
    assert!(!lost.is_empty() && sites > 1 && rejected.len() == sites, "{} of {sites}: {rejected:?}", rejected.len());
    assert!(found.iter().all(|item| all.contains(item)));

    // When it was only asked too fast, it is asked again.
    broken.set(Plan::Always(Fault::Throttled(5)));
    let mut cursor = None;
    let error = loop {
        match Pull::<Device>::page(&unifi, Position { cursor: cursor.as_ref(), ..Position::default() }).await {
            Ok(page) => cursor = Some(page.next.expect("the listing ends in spite of a console that was not asked")),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, Kind::Throttled);
}

#[tokio::test]
async fn another_process_goes_on_where_one_stopped() {
    let size = WorldSize { businesses: 300, devices: 3_000, people: 300 };
    let (first, vendor) = simulated(size);
    let (all, _) = walk::<Device>(&first, None).await;
    let form = connector_unifi::Simulator.credentials("http://127.0.0.1:4100/unifi");
    let (mut found, mut cursor) = (Vec::new(), None::<Cursor>);
    loop {
        // A new connector for every page: it remembers nothing.
        let unifi = connect(&form, vendor.clone());
        let page =
            Pull::<Device>::page(&unifi, Position { cursor: cursor.as_ref(), ..Position::default() }).await.unwrap();
        found.extend(page.records.iter().map(|raw| Pull::<Device>::read(&unifi, raw).unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, all);
}

#[tokio::test]
async fn a_strange_place_is_forgotten() {
    let (unifi, _) = simulated(WorldSize::SMALL);
    for place in ["", "consoles", "nowhere/1", "site/", "site/1", "site/0/0"] {
        let cursor = Cursor::new(place);
        let at = Position { cursor: Some(&cursor), ..Position::default() };
        assert_eq!(Pull::<Device>::page(&unifi, at).await.unwrap_err().kind, Kind::Expired, "{place}");
    }
}

#[tokio::test]
async fn a_site_that_cannot_be_read_stops_the_devices() {
    // Without it, its console would seem to have one site, and that would get all devices.
    let sites = page(json!([{ "siteId": "s1", "hostId": "h" }, { "siteId": "s2" }]));
    let exchanges = vec![exchange("/v1/hosts", 200, page(json!([{ "id": "h" }]))), exchange("/v1/sites", 200, sites)];
    let (unifi, _) = over("site_manager", exchanges);
    let error = Pull::<Device>::page(&unifi, Position::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable);
}
