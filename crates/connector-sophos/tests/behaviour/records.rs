//! What becomes of records.

use integration::{Alert, Device, Entity, Pull, Severity, Threat};
use serde_json::json;
use vendorkit::WorldSize;

use crate::stage::{TENANT, all, replay, simulated};

#[tokio::test]
async fn tenants() {
    let (connector, played) = replay(&["token", "whoami", "tenants-1", "tenants-2"]);
    let found = all::<Entity>(&connector, None).await;
    played.finish().unwrap();
    assert_eq!(
        serde_json::to_value(&found[0].record).unwrap(),
        json!({
            "name": "Bluegum Dental", "domains": [], "external_ids": {}, "tenant_id": null,
            "phone": "+61 8 5550 0101", "place": "Fremantle, WA, AU", "active": true, "status": "active",
        })
    );
    let brief: Vec<_> = found
        .iter()
        .map(|item| (item.record.name.as_str(), item.record.active, item.record.phone.as_deref()))
        .collect();
    assert_eq!(brief[1..], [("Alder Rental", Some(false), Some("+61 4 5550 0102")), ("Birch Legal", None, None)]);
}

#[tokio::test]
async fn endpoints() {
    let (connector, played) = replay(&["token", "whoami", "tenant", "endpoints-1", "endpoints-2"]);
    let found = all::<Device>(&connector, Some(TENANT)).await;
    played.finish().unwrap();
    assert_eq!(found[0].entity, None);
    assert_eq!(
        serde_json::to_value(&found[0].record).unwrap(),
        json!({
            "name": "BGD-FRONT-02", "hostname": "BGD-FRONT-02", "class": "computer", "os": "Windows 11 Pro",
            "os_version": "10.0.26100", "manufacturer": null, "model": null, "serial": null,
            "macs": ["00:00:5E:00:53:01"], "ips": ["10.20.0.31", "fe80::200:5eff:fe00:5301"], "public_ip": null,
            "online": true, "last_contact_at": "2026-09-30T23:58:12.004Z", "last_user": "BLUEGUM\\reception",
            "location_id": null, "approval": null, "created_at": null,
        })
    );
    let bare = &found[1].record;
    assert_eq!((bare.os.as_deref(), bare.os_version.as_deref()), (Some("linux"), Some("6")));
    // Not told is not offline.
    assert_eq!((bare.online, bare.last_contact_at, bare.last_user.as_deref()), (None, None, None));
}

#[tokio::test]
async fn one_listing_is_split_in_two_and_nothing_is_lost() {
    let (connector, played) = replay(&["token", "whoami", "tenant", "alerts-threats"]);
    let threats = all::<Threat>(&connector, Some(TENANT)).await;
    played.finish().unwrap();
    let brief: Vec<_> = threats
        .iter()
        .map(|item| (&item.id[34..], item.record.severity, item.record.severity_word.as_deref()))
        .collect();
    // A category nobody heard of, and a threat under a category of the installation, are threats.
    let expected = [
        ("01", Some(Severity::High), Some("high")),
        ("03", None, Some("urgent")),
        ("04", Some(Severity::Medium), Some("medium")),
    ];
    assert_eq!(brief, expected);
    assert_eq!(
        serde_json::to_value(&threats[0].record).unwrap(),
        json!({
            "title": "Malware cleanup needs a restart on BGD-FRONT-02", "severity": "high", "severity_word": "high",
            "active": true, "status": null, "category": "malware", "verdict": null, "action": null,
            "device_id": "c0a7b7f2-0d7b-4e0d-8d55-4f2f3a9f7f01", "device_name": null, "user": null, "path": null,
            "detected_at": "2026-09-30T05:41:04.012Z", "resolved_at": null, "url": null,
            "allowed_actions": ["acknowledge"],
        })
    );
    let (connector, played) = replay(&["token", "whoami", "tenant", "alerts-alerts"]);
    let alerts = all::<Alert>(&connector, Some(TENANT)).await;
    played.finish().unwrap();
    assert_eq!(alerts.len(), 1);
    assert_eq!((&alerts[0].id[34..], alerts[0].record.severity), ("02", Some(Severity::Low)));
    assert_eq!(alerts[0].record.category.as_deref(), Some("updating"));
}

#[test]
fn what_cannot_be_read_is_named_without_its_content() {
    let (connector, _) = replay(&[]);
    for raw in [&br#"{"name":"top-secret"}"#[..], br#""top-secret""#, br#"{"id":{},"name":"top-secret"}"#] {
        let errors = [
            Pull::<Entity>::read(&connector, raw).unwrap_err(),
            Pull::<Device>::read(&connector, raw).unwrap_err(),
            Pull::<Threat>::read(&connector, raw).unwrap_err(),
            Pull::<Alert>::read(&connector, raw).unwrap_err(),
        ];
        assert!(errors.iter().all(|why| !why.contains("top-secret")), "{errors:?}");
    }
}

#[tokio::test]
async fn the_world_arrives_and_a_closed_alert_is_gone() {
    let (connector, vendor) = simulated(None, WorldSize { businesses: 20, devices: 600, people: 60 });
    let key = vendor.read(|world| {
        let mut open = world.threats_after("sophos", 0).into_iter();
        let open = open.find(|(home, threat)| {
            threat.resolved.is_none()
                && home.device(threat.device).is_some_and(|device| device.hostname.contains("-WS-"))
        });
        let (home, threat) = open.expect("an open threat on a workstation");
        (home.id_at("sophos").to_string(), threat.key, threat.name.clone())
    });
    let (tenant, threat, name) = key;
    let before = all::<Threat>(&connector, Some(&tenant)).await;
    assert!(before.iter().any(|item| item.record.title.starts_with(&name)), "{before:?}");
    let devices = all::<Device>(&connector, Some(&tenant)).await;
    for item in &before {
        let machine = item.record.device_id.as_deref().unwrap();
        assert!(devices.iter().any(|device| device.id == machine), "no endpoint {machine}");
    }
    vendor.change(|world| {
        let now = world.now;
        world.change_threat(threat, |threat| threat.resolved = Some(now))
    });
    assert_eq!(all::<Threat>(&connector, Some(&tenant)).await.len(), before.len() - 1);
    assert!(devices.iter().any(|device| device.record.online.is_none()));
    assert!(devices.iter().any(|device| device.record.online.is_some()));
}
