//! What becomes of records.

use chrono::TimeDelta;
use integration::{Device, Entity, Pull, Severity, Threat};
use serde_json::{Value, json};

use crate::stage::{all, replay, simulated};

#[tokio::test]
async fn sites() {
    let (connector, played) = replay(&["sites-1", "sites-2"]);
    let found = all::<Entity>(&connector).await;
    played.finish().unwrap();
    let brief: Vec<_> = found.iter().map(|item| (item.record.name.as_str(), item.record.active)).collect();
    // Every account has a "Default site".
    let expected =
        [("Bluegum Dental", Some(true)), ("Quayside IT / Default site", Some(true)), ("Alder Rental", Some(false))];
    assert_eq!(brief, expected);
    assert_eq!(found[0].record.external_ids.get("psa").map(String::as_str), Some("CLI-0042"));
    assert!(found[1].record.external_ids.is_empty(), "an empty id is none");
    assert_eq!(
        (found[2].record.status.as_deref(), found[2].record.place.as_deref()),
        (Some("expired"), Some("Quayside IT"))
    );
}

#[tokio::test]
async fn agents() {
    let (connector, played) = replay(&["agents"]);
    let found = all::<Device>(&connector).await;
    played.finish().unwrap();
    assert_eq!(found[0].entity.as_deref(), Some("1417899012345678901"));
    assert_eq!(
        serde_json::to_value(&found[0].record).unwrap(),
        json!({
            "name": "BGD-FRONT-02", "hostname": "BGD-FRONT-02", "class": "desktop", "os": "Windows 11 Pro",
            "os_version": "26100", "manufacturer": "Example Computers", "model": "Desk 7010", "serial": "8XJ2K33",
            "macs": ["00:00:5e:00:53:01"], "ips": ["10.20.0.31", "fe80::200:5eff:fe00:5301"],
            "public_ip": "203.0.113.24", "online": true, "last_contact_at": "2026-09-30T23:58:12.004112Z",
            "last_user": "reception", "location_id": null, "approval": null, "created_at": "2025-01-09T03:22:10.100Z",
        })
    );
    let nas = &found[1].record;
    // Isolated by the console is another thing than offline; what is not told stays unknown.
    assert_eq!((nas.online, nas.os.as_deref(), nas.last_contact_at), (Some(false), Some("linux"), None));
    assert_eq!((nas.manufacturer.as_deref(), nas.model.as_deref()), (None, Some("RackBox")));
    assert_eq!((nas.serial.as_deref(), nas.last_user.as_deref()), (None, None));
    assert_eq!((nas.ips.as_slice(), nas.macs.len()), (["10.20.0.9".to_owned()].as_slice(), 0));
}

#[tokio::test]
async fn threats() {
    let (connector, played) = replay(&["threats"]);
    let found = all::<Threat>(&connector).await;
    played.finish().unwrap();
    assert_eq!(
        serde_json::to_value(&found[0].record).unwrap(),
        json!({
            "title": "invoice_0930.exe", "severity": "high", "severity_word": "malicious", "active": true,
            "status": "mitigated", "category": "Trojan", "verdict": null,
            "action": "quarantine, remediate (pending-reboot)", "device_id": "1500111122223333444",
            "device_name": "BGD-FRONT-02", "user": "BLUEGUM\\reception",
            "path": "\\Device\\HarddiskVolume3\\Users\\reception\\Downloads\\invoice_0930.exe",
            "detected_at": "2026-09-30T05:41:03.501Z", "resolved_at": null, "url": null,
        })
    );
    // The agent is gone: the site of the detection counts.
    let gone = &found[1];
    assert_eq!(gone.entity.as_deref(), Some("1417899012345678903"));
    assert_eq!((gone.record.device_id.as_deref(), gone.record.action.as_deref()), (None, None));
    assert_eq!((gone.record.severity, gone.record.active), (Some(Severity::Critical), Some(true)));
    assert_eq!(gone.record.verdict.as_deref(), Some("true_positive"));
    assert!(gone.record.detected_at.is_some());
}

fn read(info: Value) -> Threat {
    let (connector, _) = replay(&[]);
    let raw = json!({ "id": "1", "threatInfo": info, "agentDetectionInfo": { "siteId": "2" } });
    Pull::<Threat>::read(&connector, raw.to_string().as_bytes()).unwrap().record
}

#[test]
fn severity_follows_the_rule_in_the_readme() {
    let of = |confidence: &str, mitigation: &str, incident: &str, class: &str, verdict: &str| {
        let info = json!({
            "confidenceLevel": confidence, "mitigationStatus": mitigation, "incidentStatus": incident,
            "classification": class, "analystVerdict": verdict,
        });
        read(info).severity
    };
    use Severity::{Critical, High, Low, Medium};
    for (confidence, mitigation, incident, class, verdict, expected) in [
        ("malicious", "not_mitigated", "unresolved", "Trojan", "undefined", Some(Critical)),
        ("malicious", "not_mitigated", "in_progress", "Trojan", "undefined", Some(Critical)),
        ("malicious", "mitigated", "unresolved", "Trojan", "undefined", Some(High)),
        ("malicious", "a_new_word", "unresolved", "Trojan", "undefined", Some(High)),
        ("malicious", "mitigated", "unresolved", "RansomWare", "undefined", Some(Critical)),
        ("n/a", "mitigated", "unresolved", "Ransomware", "true_positive", Some(Critical)),
        ("suspicious", "not_mitigated", "unresolved", "PUA", "undefined", Some(Medium)),
        ("malicious", "not_mitigated", "resolved", "Ransomware", "undefined", Some(Low)),
        ("malicious", "marked_as_benign", "unresolved", "Trojan", "undefined", Some(Low)),
        ("suspicious", "not_mitigated", "unresolved", "Trojan", "false_positive", Some(Low)),
        ("n/a", "not_mitigated", "unresolved", "Trojan", "undefined", None),
        ("a_new_word", "mitigated", "unresolved", "Trojan", "undefined", None),
    ] {
        let found = of(confidence, mitigation, incident, class, verdict);
        assert_eq!(found, expected, "{confidence} {mitigation} {incident} {class} {verdict}");
    }
}

#[test]
fn what_is_not_said_stays_unknown() {
    let record = read(json!({ "incidentStatus": "a_new_word", "identifiedAt": "yesterday", "filePath": 7 }));
    assert_eq!((record.active, record.severity, record.detected_at), (None, None, None));
    assert_eq!((record.title.as_str(), record.path.as_deref()), ("Threat 1", Some("7")));
    assert_eq!(read(Value::Null).active, None);
}

#[test]
fn a_threat_of_nobody_is_rejected_without_its_content() {
    let (connector, _) = replay(&[]);
    let raw = br#"{"id":"1","threatInfo":{"threatName":"top-secret"},"agentRealtimeInfo":{"siteId":null}}"#;
    let why = Pull::<Threat>::read(&connector, raw).unwrap_err();
    assert!(why.contains("site") && !why.contains("top-secret"), "{why}");
    let why = Pull::<Device>::read(&connector, br#"{"id":"1","siteName":"top-secret"}"#).unwrap_err();
    assert!(why.contains("an agent") && !why.contains("top-secret"), "{why}");
}

#[tokio::test]
async fn a_threat_follows_its_machine_and_stays_when_that_is_gone() {
    let (connector, vendor) = simulated(None);
    let (key, device, old, new) = vendor.read(|world| {
        let (old, threat) = world
            .threats_after("sentinelone", 0)
            .into_iter()
            .find(|(home, threat)| home.device(threat.device).is_some_and(|device| device.hostname.contains("-WS-")))
            .expect("a threat on a workstation");
        let new = world.known_to("sentinelone").find(|other| other.key != old.key).expect("another site");
        (threat.key, threat.device, old.key, new.key)
    });
    let site_of = |found: &[integration::Item<Threat>]| {
        let end = format!("{key:09}");
        found.iter().find(|item| item.id.ends_with(&end)).and_then(|item| item.entity.clone()).unwrap()
    };
    assert!(site_of(&all::<Threat>(&connector).await).ends_with(&format!("{old:09}")));
    vendor.change(|world| world.move_device(device, new));
    assert!(site_of(&all::<Threat>(&connector).await).ends_with(&format!("{new:09}")));
    vendor.change(|world| world.remove_device(device));
    vendor.advance(TimeDelta::hours(1));
    assert!(site_of(&all::<Threat>(&connector).await).ends_with(&format!("{old:09}")));
}
