//! What becomes of what Site Manager says.

use std::time::Duration;

use integration::{Connector, Device, Entity, Kind, Retry};
use serde_json::{Value, json};
use vendorkit::WorldSize;

use crate::stage::{all, exchange, over, replay, simulated};

const DEFAULT_SITE: &str = "66a1b2c3d4e5f60718293a01";

#[tokio::test]
async fn a_site_without_a_name_of_its_own_has_its_consoles() {
    let (unifi, played) = replay("site_manager", &["entities"]);
    let sites = all::<Entity>(&unifi, None).await;
    played.finish().unwrap();
    let names: Vec<(&str, &str)> = sites.iter().map(|site| (site.id.as_str(), site.record.name.as_str())).collect();
    assert_eq!(
        names,
        [
            (DEFAULT_SITE, "BGD-UDM / Default"),
            ("66a1b2c3d4e5f60718293a02", "Alder Dental"),
            ("66a1b2c3d4e5f60718293a03", "Birch Legal"),
            ("66a1b2c3d4e5f60718293a04", "Dogwood Books"),
        ]
    );
}

#[tokio::test]
async fn devices_arrive_as_both_apis_say_it() {
    let (unifi, played) = replay("site_manager", &["devices"]);
    let devices = all::<Device>(&unifi, None).await;
    played.finish().unwrap();
    let seen: Vec<Value> = devices
        .iter()
        .map(|item| {
            let record = &item.record;
            json!([
                item.id,
                item.entity,
                record.name,
                record.class,
                record.model,
                record.macs,
                record.ips,
                record.online
            ])
        })
        .collect();
    assert_eq!(
        Value::from(seen),
        json!([
            [
                "70A741000001",
                DEFAULT_SITE,
                "BGD-UDM",
                "console",
                "UDM Pro",
                ["70:A7:41:00:00:01"],
                ["203.0.113.24"],
                true
            ],
            [
                "9C05D6A1B203",
                DEFAULT_SITE,
                "AP Reception",
                "network",
                "U6 Pro",
                ["9C:05:D6:A1:B2:03"],
                ["10.20.0.5"],
                true
            ],
            // A word that is neither on nor off.
            [
                "9C05D6A1B204",
                DEFAULT_SITE,
                "Switch Comms",
                "network",
                "USW 24 PoE",
                ["9C:05:D6:A1:B2:04"],
                ["10.20.0.5"],
                null
            ],
            // Its console tells no state, and reported days ago.
            [
                "9C05D6A1B207",
                "66a1b2c3d4e5f60718293a04",
                "AP Shop",
                "network",
                "U6 Pro",
                ["9C:05:D6:A1:B2:07"],
                ["10.20.0.5"],
                null
            ],
            // Of a console with several sites.
            [
                "9C05D6A1B206",
                "66a1b2c3d4e5f60718293a02",
                "AP Front",
                "accessPoint",
                "U6 Pro",
                ["9C:05:D6:A1:B2:06"],
                ["10.20.0.5"],
                true
            ],
        ])
    );
    let console = &devices[0].record;
    assert_eq!(console.created_at.map(|at| at.to_rfc3339()).as_deref(), Some("2025-03-02T04:11:09+00:00"));
    assert_eq!((console.os_version.as_deref(), console.manufacturer.as_deref()), (Some("6.6.77"), Some("Ubiquiti")));
}

/// One console with one device that is said to be online.
async fn online(reported_state: Value, blocked: bool, updated_at: Value) -> Option<bool> {
    let page = |data: Value| json!({ "data": data, "httpStatusCode": 200, "traceId": "trace-0001" });
    let (unifi, _) = over(
        "site_manager",
        vec![
            exchange(
                "/v1/hosts",
                200,
                page(json!([{ "id": "h", "isBlocked": blocked, "reportedState": reported_state }])),
            ),
            exchange("/v1/sites", 200, page(json!([{ "siteId": "s", "hostId": "h", "meta": null }]))),
            exchange(
                "/v1/devices",
                200,
                page(
                    json!([{ "hostId": "h", "updatedAt": updated_at, "devices": [{ "mac": "m", "status": "online" }] }]),
                ),
            ),
        ],
    );
    all::<Device>(&unifi, None).await[0].record.online
}

#[tokio::test]
async fn nothing_is_online_at_a_console_that_is_silent() {
    // The present of these tests is 2026-10-06, 09:00 UTC.
    let (now, yesterday) = (json!("2026-10-06T08:30:00Z"), json!("2026-10-05T08:30:00Z"));
    for (state, blocked, updated_at, expected) in [
        (json!({ "state": "connected" }), false, &yesterday, Some(true)),
        (json!({ "state": "disconnected" }), false, &now, None),
        (json!({ "state": "a new word" }), false, &now, None),
        (json!({ "state": "connected" }), true, &now, None),
        (json!({ "name": "UDM" }), false, &now, Some(true)),
        (json!({ "name": "UDM" }), false, &yesterday, None),
        (json!(null), false, &now, Some(true)),
        (json!("odd"), false, &json!(null), None),
    ] {
        assert_eq!(
            online(state.clone(), blocked, updated_at.clone()).await,
            expected,
            "{state} {blocked} {updated_at}"
        );
    }
}

#[tokio::test]
async fn every_device_is_at_the_site_that_has_it() {
    let (unifi, vendor) = simulated(WorldSize::DEMO);
    let devices = all::<Device>(&unifi, None).await;
    let (mut own, mut shared, mut dark) = (0, 0, 0);
    vendor.read(|world| {
        for business in world.known_to("unifi") {
            let site = format!("66a1b2c3{:016x}", business.key);
            let here: Vec<_> = devices.iter().filter(|device| device.entity.as_ref() == Some(&site)).collect();
            let switches = business.devices.iter().filter(|device| device.manufacturer == "Ubiquiti");
            for switch in switches {
                let found = here.iter().find(|device| device.record.macs == [switch.mac.clone()]);
                let found = found.unwrap_or_else(|| panic!("{} is not at its site", switch.hostname));
                let dark = business.key % 9 == 0 && business.key % 4 != 0;
                assert_eq!(found.record.online, (!dark).then_some(switch.online), "{}", switch.hostname);
            }
            match (business.key % 4 == 0, business.key % 9 == 0) {
                (true, _) => shared += here.len(),
                (false, true) => dark += here.len(),
                (false, false) => own += here.len(),
            }
            assert!(business.key % 9 != 0 || business.key % 4 == 0 || here.iter().all(|d| d.record.online.is_none()));
        }
    });
    assert!(own > 20 && shared > 20 && dark > 0, "the world shows too little: {own}, {shared}, {dark}");
    assert_eq!(own + shared + dark, devices.len());
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    for (way, file, kind, retry, words, id) in [
        (
            "site_manager",
            "throttled",
            Kind::Throttled,
            Retry::After(Duration::from_millis(3250)),
            "RATE_LIMIT: rate limit exceeded, retry after 3.25s",
            "trace-0077",
        ),
        ("site_manager", "unauthorized", Kind::Credentials, Retry::No, "UNAUTHORIZED: unauthorized", "trace-0078"),
        (
            "console",
            "console-unauthorized",
            Kind::Credentials,
            Retry::No,
            "api.authentication.missing-credentials: Missing credentials",
            "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        ),
    ] {
        let (unifi, played) = replay(way, &[file]);
        let error = unifi.check().await.unwrap_err();
        played.finish().unwrap();
        assert_eq!((error.kind, error.retry), (kind, retry), "{file}");
        assert_eq!(error.vendor_message.as_deref(), Some(words), "{file}");
        assert_eq!(error.vendor_request_id.as_deref(), Some(id), "{file}");
    }
    let (unifi, played) = replay("site_manager", &["check"]);
    assert_eq!(unifi.check().await.unwrap().warnings, [""; 0]);
    played.finish().unwrap();
}
