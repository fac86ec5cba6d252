//! How rows become records.

use chrono::{DateTime, TimeZone, Utc};
use integration::{Connector, Device, Entity, Item, Location, Position, RecordType};

use crate::stand_ins::replaying;

fn device(row: &str) -> Result<Item<Device>, String> {
    replaying(&["token"]).0.devices().unwrap().read(row.as_bytes())
}

/// A device whose row has these fields besides its ids.
fn device_with(fields: &str) -> Device {
    device(&format!(r#"{{"id":7,"organizationId":12,{fields}}}"#)).unwrap().record
}

fn created(value: &str) -> Option<DateTime<Utc>> {
    device_with(&format!(r#""created":{value}"#)).created_at
}

async fn all_devices() -> Vec<Item<Device>> {
    let (connector, replay) = replaying(&["token", "devices"]);
    let page = connector.devices().unwrap().page(Position::default()).await.unwrap();
    replay.finish().unwrap();
    assert_eq!(page.next, None);
    page.records.iter().map(|raw| connector.devices().unwrap().read(raw).unwrap()).collect()
}

#[tokio::test]
async fn an_agents_device_is_read_whole() {
    let devices = all_devices().await;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!((devices[0].id.as_str(), devices[0].entity.as_deref()), ("301", Some("12")));
    assert_eq!(
        devices[0].record,
        Device {
            name: "FRONTDESK-1".into(),
            hostname: text("FRONTDESK-1"),
            class: text("WINDOWS_WORKSTATION"),
            os: text("Windows 11 Professional Edition"),
            os_version: text("26100"),
            manufacturer: text("Example Computers"),
            model: text("Desk 7010"),
            serial: text("ABC1234"),
            macs: vec!["00:00:5E:00:53:01".into()],
            ips: vec!["10.1.4.20".into(), "fe80::200:5eff:fe00:5301".into()],
            public_ip: text("203.0.113.9"),
            online: Some(true),
            last_contact_at: Some(Utc.timestamp_micros(1_764_000_123_456_000).unwrap()),
            last_user: text("HARBOUR\\reception"),
            location_id: text("44"),
            approval: text("APPROVED"),
            created_at: Some(Utc.timestamp_opt(1_726_790_400, 0).unwrap()),
            ..Device::default()
        }
    );
}

#[tokio::test]
async fn network_devices_hosts_and_mobiles_are_read_as_far_as_they_go() {
    let devices = all_devices().await;
    let firewall = &devices[1].record;
    assert_eq!((firewall.name.as_str(), firewall.hostname.as_deref()), ("Edge firewall", None));
    assert_eq!((firewall.online, firewall.last_contact_at), (Some(false), None));
    assert_eq!(firewall.macs, ["00:00:5E:00:53:02"]);
    assert_eq!((&firewall.os, &firewall.serial, &firewall.last_user), (&None, &None, &None));
    let host = &devices[2].record;
    assert_eq!(host.online, None);
    assert_eq!((host.manufacturer.as_deref(), host.model.as_deref()), (Some("Example Servers"), Some("Rack 640")));
    assert_eq!(host.serial.as_deref(), Some("TAG-77"));
    let unknown = &devices[3].record;
    assert_eq!((unknown.name.as_str(), unknown.class.as_deref()), ("toaster", Some("QUANTUM_TOASTER")));
    assert_eq!((unknown.online, unknown.created_at, unknown.manufacturer.as_deref()), (None, None, None));
    assert_eq!(unknown.approval.as_deref(), Some("PENDING"));
    assert_eq!(unknown.serial.as_deref(), Some("To Be Filled By O.E.M."));
    assert_eq!(unknown.os_version.as_deref(), Some("22G100"));
    assert!(unknown.ips.is_empty() && unknown.macs.is_empty());
}

#[test]
fn times_are_epoch_seconds_with_a_fraction() {
    assert_eq!(created("1764000000.123456").map(|at| at.timestamp_micros()), Some(1_764_000_000_123_456));
    assert_eq!(created("1764000000").map(|at| at.timestamp_micros()), Some(1_764_000_000_000_000));
    for odd in ["0", "0.0", "-5.5", "null", "\"\"", "1e300", "true", "[]", "253402300800"] {
        assert_eq!(created(odd), None, "{odd}");
    }
}

#[test]
fn one_odd_value_costs_that_value_only() {
    let odd = device_with(
        r#""displayName":"  SRV-1 ","nodeClass":7,"offline":"no","macAddresses":"00:00:5E:00:53:09","ipAddresses":[1,null,{}],
           "os":null,"system":{"serialNumber":12345,"model":{"x":1}},"locationId":"44","brandNew":{"deep":[1]}"#,
    );
    assert_eq!((odd.name.as_str(), odd.class.as_deref(), odd.online), ("SRV-1", Some("7"), None));
    assert_eq!((odd.macs, odd.ips), (vec!["00:00:5E:00:53:09".to_owned()], vec!["1".to_owned()]));
    assert_eq!((odd.serial.as_deref(), odd.model, odd.location_id.as_deref()), (Some("12345"), None, Some("44")));
}

#[test]
fn a_device_always_has_a_name() {
    assert_eq!(device_with(r#""dnsName":"a.example","netbiosName":"A""#).name, "a.example");
    assert_eq!(device_with(r#""netbiosName":"A""#).hostname.as_deref(), Some("A"));
    assert_eq!(device_with(r#""displayName":"""#).name, "Device 7");
}

#[test]
fn ids_may_be_texts_and_must_be_there() {
    let read = device(r#"{"id":"9007199254740993","organizationId":"12"}"#).unwrap();
    assert_eq!((read.id.as_str(), read.entity.as_deref()), ("9007199254740993", Some("12")));
    for row in [r#"{"id":7}"#, r#"{"organizationId":12}"#, r#"{"id":null,"organizationId":12}"#, r#"{"id":7,"#, "[]"] {
        let why = device(row).unwrap_err();
        assert!(why.starts_with("a device has an unexpected shape"), "{why}");
    }
    let why = device(r#"{"id":{"private":"Harbour"},"organizationId":12}"#).unwrap_err();
    assert!(!why.contains("Harbour"), "{why}");
}

#[test]
fn a_minute_more_of_contact_is_no_change() {
    let at = |seconds: u32| device_with(&format!(r#""lastContact":{}.5"#, 1_764_000_000 + seconds)).fingerprint();
    assert_eq!(at(0), at(60));
    assert_ne!(at(0), at(86_400));
}

#[tokio::test]
async fn organizations_and_locations_are_read() {
    let (connector, replay) = replaying(&["token", "organizations", "locations"]);
    let entities = connector.entities().unwrap();
    let locations = connector.locations().unwrap();
    let page = entities.page(Position::default()).await.unwrap();
    let read: Vec<Item<Entity>> = page.records.iter().map(|raw| entities.read(raw).unwrap()).collect();
    let names: Vec<(&str, &str)> = read.iter().map(|item| (item.id.as_str(), item.record.name.as_str())).collect();
    assert_eq!(names, [("12", "Harbour Dental"), ("15", "Kite & Co"), ("19", "Møller Tømrer ApS")]);
    assert!(read.iter().all(|item| item.entity.is_none() && item.record.active.is_none()));
    let page = locations.page(Position::default()).await.unwrap();
    let read: Vec<Item<Location>> = page.records.iter().map(|raw| locations.read(raw).unwrap()).collect();
    let owners: Vec<_> = read.iter().map(|item| (item.id.as_str(), item.entity.as_deref())).collect();
    assert_eq!(owners, [("44", Some("12")), ("45", Some("12")), ("51", Some("15"))]);
    assert_eq!(read[0].record.address.as_deref(), Some("1 Quay St"));
    assert_eq!((&read[1].record.address, &read[2].record.description), (&None, &None));
    replay.finish().unwrap();
}
