//! What becomes of the exchanges in `tests/vendor`, record by record.

use connector_datto_rmm::DattoRmm;
use integration::{Alert, Connector, Device, Entity, Page, Position, Pull, RecordType, Severity};
use serde_json::{Value, json};

use crate::stand_ins::replaying;

const SITE: &str = "5a1d7c1e-0b3f-4c38-9c75-2a9e7b3f1c01";

/// Every page of a listing.
async fn pages<T: RecordType>(connector: &DattoRmm, entity: Option<&str>) -> Vec<Page>
where
    DattoRmm: Pull<T>,
{
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let at = Position { entity, cursor: cursor.as_ref(), ..Position::default() };
        let page = Pull::<T>::page(connector, at).await.unwrap();
        cursor = page.next.clone();
        pages.push(page);
        if cursor.is_none() {
            return pages;
        }
    }
}

/// Id, entity and what is stored of every record.
fn stored<T: RecordType>(connector: &DattoRmm, pages: &[Page]) -> Vec<(String, Option<String>, Value)>
where
    DattoRmm: Pull<T>,
{
    let records = pages.iter().flat_map(|page| &page.records);
    let read = |raw| Pull::<T>::read(connector, raw).unwrap();
    records
        .map(|raw| read(raw))
        .map(|item| (item.id, item.entity, serde_json::to_value(item.record).unwrap()))
        .collect()
}

/// The fields of a record that say something.
fn said(record: &Value) -> Value {
    let fields = record.as_object().unwrap().iter();
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty) || *value == json!({});
    fields.filter(|(_, value)| !empty(value)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[tokio::test]
async fn sites() {
    let (connector, replay) = replaying(&["token", "sites"]);
    let pages = pages::<Entity>(&connector, None).await;
    replay.finish().unwrap();
    let records: Vec<Value> =
        stored::<Entity>(&connector, &pages).iter().map(|(id, _, record)| json!([id, said(record)])).collect();
    assert_eq!(
        Value::from(records),
        json!([
            [SITE, { "name": "Alder Dental", "external_ids": { "autotask": "29683512", "psa": "29683512" } }],
            ["6b2e8d2f-1c40-4d49-8d86-3b0f8c402d12", { "name": "Birch Legal" }],
            ["7c3f9e30-2d51-4e5a-9e97-4c1a9d513e23", {
                "name": "Site 7c3f9e30-2d51-4e5a-9e97-4c1a9d513e23", "external_ids": { "autotask": "31", "psa": "31" },
            }],
        ])
    );
}

#[tokio::test]
async fn devices() {
    let (connector, replay) = replaying(&["token", "devices"]);
    let pages = pages::<Device>(&connector, Some(SITE)).await;
    replay.finish().unwrap();
    assert_eq!(pages[0].removed, ["e0a1b2c3-1111-4222-8333-444455557777"]);
    let records: Vec<Value> =
        stored::<Device>(&connector, &pages).iter().map(|(id, _, record)| json!([id, said(record)])).collect();
    assert_eq!(
        Value::from(records),
        json!([
            ["e0a1b2c3-1111-4222-8333-444455556666", {
                "name": "ALD-RECEP-01", "hostname": "ALD-RECEP-01", "class": "Desktop",
                "os": "Microsoft Windows 11 Pro", "os_version": "10.0.26100",
                "ips": ["10.0.0.21"], "public_ip": "203.0.113.8", "online": true,
                "last_contact_at": "2025-09-16T14:00:00Z", "last_user": "ALDER\\reception",
                "created_at": "2023-01-01T00:00:00Z",
            }],
            ["e0a1b2c3-1111-4222-8333-444455558888", {
                "name": "Edge switch", "class": "rmmnetworkdevice", "os": "Switch firmware",
                "last_contact_at": "2025-09-16T14:00:00Z",
            }],
            ["e0a1b2c3-1111-4222-8333-444455559999", { "name": "Device e0a1b2c3-1111-4222-8333-444455559999" }],
        ])
    );
}

#[tokio::test]
async fn the_accounts_own_fields_are_not_handed_on() {
    let (connector, _replay) = replaying(&["token", "devices"]);
    let pages = pages::<Device>(&connector, Some(SITE)).await;
    for raw in pages.iter().flat_map(|page| &page.records) {
        let text = String::from_utf8(raw.to_vec()).unwrap();
        assert!(!text.contains("udf") && !text.contains("recovery"), "{text}");
    }
    let first: Value = serde_json::from_slice(&pages[0].records[0]).unwrap();
    assert_eq!(first["patchManagement"]["patchesInstalled"], 110, "the rest is kept as the vendor wrote it");
}

#[tokio::test]
async fn alerts() {
    let (connector, replay) = replaying(&["token", "alerts"]);
    let pages = pages::<Alert>(&connector, None).await;
    replay.finish().unwrap();
    let records: Vec<Value> = stored::<Alert>(&connector, &pages)
        .iter()
        .map(|(id, entity, record)| json!([id, entity, said(record)]))
        .collect();
    assert_eq!(
        Value::from(records),
        json!([
            ["9f8e7d6c-5b4a-4321-8765-0fedcba98765", SITE, {
                "title": "C: drive 96% used", "severity": "high", "severity_word": "High", "active": true,
                "category": "perf_disk_usage", "device_id": "e0a1b2c3-1111-4222-8333-444455556666",
                "device_name": "ALD-RECEP-01", "raised_at": "2025-09-16T13:40:00Z",
            }],
            ["9f8e7d6c-5b4a-4321-8765-0fedcba98766", "6b2e8d2f-1c40-4d49-8d86-3b0f8c402d12", {
                "title": "ransomware", "severity_word": "Unknown", "active": true, "category": "ransomware",
                "raised_at": "2025-09-16T13:40:00.500Z",
            }],
            ["9f8e7d6c-5b4a-4321-8765-0fedcba98767", SITE, {
                "title": "Service stopped", "description": "Service stopped\nExit code 3", "severity": "medium",
                "severity_word": "Moderate", "active": false, "device_id": "e0a1b2c3-1111-4222-8333-444455556666",
                "device_name": "ALD-RECEP-01", "raised_at": "2025-09-16T13:40:00Z",
                "resolved_at": "2025-09-16T14:40:00Z",
            }],
        ])
    );
}

#[test]
fn every_priority_has_its_severity_and_new_words_have_none() {
    let (connector, _) = replaying(&["token"]);
    let severity = |priority: Value| {
        let raw = json!({ "alertUid": "a", "priority": priority, "alertSourceInfo": { "siteUid": "s" } });
        let read = Pull::<Alert>::read(&connector, raw.to_string().as_bytes()).unwrap().record;
        (read.severity, read.severity_word)
    };
    for (word, wanted) in [
        ("Critical", Some(Severity::Critical)),
        ("High", Some(Severity::High)),
        ("Moderate", Some(Severity::Medium)),
        ("Low", Some(Severity::Low)),
        ("Information", Some(Severity::Info)),
        ("Unknown", None),
        ("Apocalyptic", None),
    ] {
        assert_eq!(severity(word.into()), (wanted, Some(word.to_owned())));
    }
    assert_eq!(severity(Value::Null), (None, None));
}

#[test]
fn an_alert_needs_its_site_and_a_title_is_one_short_line() {
    let (connector, _) = replaying(&["token"]);
    let read = |raw: Value| Pull::<Alert>::read(&connector, raw.to_string().as_bytes());
    for source in [json!(null), json!({}), json!("a site"), json!({ "siteUid": " " })] {
        let why = read(json!({ "alertUid": "a", "diagnostics": "secret", "alertSourceInfo": source })).unwrap_err();
        assert!(why.contains("site") && !why.contains("secret"), "{why}");
    }
    let long = "é".repeat(900);
    let alert = json!({ "alertUid": "a", "diagnostics": long, "alertSourceInfo": { "siteUid": "s" } });
    let alert = read(alert).unwrap().record;
    assert_eq!((alert.title.chars().count(), alert.description.as_deref()), (200, Some(long.as_str())));
    let bare = read(json!({ "alertUid": 7, "alertSourceInfo": { "siteUid": "s" } })).unwrap();
    assert_eq!((bare.id.as_str(), bare.record.title.as_str(), bare.record.active), ("7", "Alert", None));
}

#[test]
fn a_version_is_only_split_off_where_there_is_one() {
    let (connector, _) = replaying(&["token"]);
    let os = |text: &str| {
        let raw = json!({ "uid": "u", "operatingSystem": text });
        let read = Pull::<Device>::read(&connector, raw.to_string().as_bytes()).unwrap().record;
        (read.os.unwrap(), read.os_version)
    };
    assert_eq!(os("macOS Sequoia 15.5"), ("macOS Sequoia".into(), Some("15.5".into())));
    for whole in ["Ubuntu 24.04 LTS", "Debian GNU/Linux 12", "10.0.26100", "VMware ESXi 8.0.3-u1", "Windows 11 ."] {
        assert_eq!(os(whole), (whole.to_owned(), None));
    }
    assert!(connector.devices().unwrap().read(b"{\"hostname\":\"no id\"}").is_err());
}
