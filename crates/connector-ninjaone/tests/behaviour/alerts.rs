//! Alerts: each organisation's own, and how bad they are.

use chrono::{TimeZone, Utc};
use integration::{Alert, Connector, Item, Position, Request, Severity};

use crate::stand_ins::{Scripted, over, replaying};

#[tokio::test]
async fn the_devices_of_alerts_are_looked_up_by_the_hundred() {
    let transport = Scripted::new(|request: &Request| match request.url.path() {
        "/v2/alerts" => {
            let rows: Vec<String> =
                (1..=250).map(|id| format!(r#"{{"uid":"a{id}","deviceId":{}}}"#, id % 150 + 1)).collect();
            format!("[{}]", rows.join(","))
        }
        _ => {
            let (_, df) = request.url.query_pairs().find(|(key, _)| key == "df").unwrap();
            let ids = df.strip_prefix("id in (").and_then(|ids| ids.strip_suffix(')')).unwrap();
            let rows: Vec<String> = ids.split(',').map(|id| format!(r#"{{"id":{id},"organizationId":12}}"#)).collect();
            format!("[{}]", rows.join(","))
        }
    });
    let connector = over(transport.clone());
    let alerts = connector.alerts().unwrap();
    let page = alerts.page(Position::default()).await.unwrap();
    assert!(page.records.iter().all(|raw| alerts.read(raw).unwrap().entity.as_deref() == Some("12")));
    let asked = transport.asked();
    assert_eq!((page.records.len(), asked.len()), (250, 4));
    // Byte for byte: not with plus signs.
    assert!(
        asked[2].starts_with("https://eu.ninjarmm.com/v2/devices?pageSize=100&df=id%20in%20(1,2,3,"),
        "{}",
        asked[2]
    );
}

#[tokio::test]
async fn an_alert_of_a_device_that_is_nowhere_is_not_read_as_somebodys() {
    let transport = Scripted::new(|request: &Request| match request.url.path() {
        "/v2/alerts" => r#"[{"uid":"a","deviceId":7},{"uid":"b"},{"uid":"c","deviceId":"x"}]"#.to_owned(),
        "/v2/devices" => "[]".to_owned(),
        _ => r#"{"id":7}"#.to_owned(),
    });
    let connector = over(transport.clone());
    let alerts = connector.alerts().unwrap();
    let page = alerts.page(Position::default()).await.unwrap();
    assert_eq!(page.records.len(), 3);
    for raw in &page.records {
        assert!(alerts.read(raw).unwrap_err().contains("no device"));
    }
}

#[tokio::test]
async fn alerts_are_read_as_far_as_they_go() {
    let (connector, replay) = replaying(&["token", "alerts"]);
    let alerts = connector.alerts().unwrap();
    let page = alerts.page(Position::default()).await.unwrap();
    replay.finish().unwrap();
    // What moves by the minute is not kept.
    assert!(page.records.iter().take(1).all(|raw| !String::from_utf8_lossy(raw).contains("lastContact")));
    let read: Vec<Item<Alert>> = page.records.iter().map(|raw| alerts.read(raw).unwrap()).collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!((read[0].id.as_str(), read[0].entity.as_deref()), ("7c0a6a0e-2d8e-4d7a-8f3d-5f2c7d8b9a01", Some("12")));
    let low = Alert {
        title: "Disk C: free space below 10%".into(),
        severity: Some(Severity::High),
        severity_word: text("MAJOR"),
        active: Some(true),
        category: text("CONDITION_AGENT_DISK_FREE_SPACE"),
        device_id: text("301"),
        device_name: text("FRONTDESK-1"),
        raised_at: Some(Utc.timestamp_micros(1_763_970_000_500_000).unwrap()),
        ..Alert::default()
    };
    assert_eq!(read[0].record, low);
    let backup = &read[1].record;
    assert_eq!((backup.title.as_str(), backup.severity), ("Backup failed", Some(Severity::Critical)));
    assert_eq!(backup.description.as_deref(), Some("Backup failed\nNo space left on NAS-1"));
    assert_eq!(backup.device_name.as_deref(), Some("FRONTDESK-1"));
    // Nobody rated it: that is not the same as harmless.
    let unrated = &read[2].record;
    assert_eq!((unrated.title.as_str(), unrated.severity), ("Low disk", None));
    assert_eq!((unrated.severity_word.as_deref(), unrated.device_name.as_deref()), (Some("NONE"), Some("SYS-302")));
    // Of a device that is not approved: the list of devices lacks it.
    assert_eq!(read[3].entity.as_deref(), Some("15"));
    let odd = &read[3].record;
    assert_eq!((odd.title.as_str(), odd.severity), ("CONDITION_AGENT_DISK_FREE_SPACE", None));
    assert_eq!((odd.severity_word.as_deref(), odd.raised_at), (Some("QUANTUM"), None));
    assert_eq!(read[4].entity.as_deref(), Some("15"));
    assert_eq!(read[4].record, Alert { title: "Alert".into(), active: Some(true), ..Alert::default() });
}

#[test]
fn the_words_for_severity_are_ours() {
    let (connector, _) = replaying(&["token"]);
    for (word, severity) in [
        ("CRITICAL", Some(Severity::Critical)),
        ("MAJOR", Some(Severity::High)),
        ("MODERATE", Some(Severity::Medium)),
        ("MINOR", Some(Severity::Low)),
        ("NONE", None),
        ("critical", None),
    ] {
        let row = format!(r#"{{"uid":"a","device":{{"id":7,"organizationId":12}},"severity":"{word}"}}"#);
        assert_eq!(connector.alerts().unwrap().read(row.as_bytes()).unwrap().record.severity, severity, "{word}");
    }
}
