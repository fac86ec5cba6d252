//! Addresses, pages and records.

use connector_teamviewer::Teamviewer;
use integration::{Connector, Cursor, Device, Entity, Kind, Page, Position, Pull, RecordType, Request};
use serde_json::{Value, json};

use crate::stand_ins::{Scripted, over, replaying};

const GROUP: &str = "9fd16af0-c224-4242-998e-a7138b038dbb";

fn list(rows: &Value, next: &Value) -> Value {
    json!({ "currentPaginationToken": null, "nextPaginationToken": next, "resources": rows })
}

async fn groups(connector: &dyn Connector, cursor: Option<&Cursor>) -> integration::Result<Page> {
    connector.entities().unwrap().page(Position { cursor, ..Position::default() }).await
}

#[tokio::test]
async fn there_is_one_address_and_an_entered_one_is_used_however_it_was_pasted() {
    for (pasted, base) in [
        (None, "https://webapi.teamviewer.com"),
        (Some("https://tv.example"), "https://tv.example"),
        (Some("https://tv.example/api/v1/"), "https://tv.example"),
        (Some("http://10.0.0.1:81/tv"), "http://10.0.0.1:81/tv"),
    ] {
        let transport = Scripted::new(|_: &Request| list(&json!([]), &Value::Null));
        groups(&over(pasted, transport.clone()), None).await.unwrap();
        assert_eq!(transport.asked(), [format!("{base}/api/v1/managed/groups")]);
    }
}

#[tokio::test]
async fn a_token_leads_to_the_next_page_and_none_ends() {
    let transport = Scripted::new(|request: &Request| match request.url.query() {
        None => list(&json!([{ "id": "a" }]), &json!("t/1+=&x")),
        // A page may be empty in the middle.
        Some("paginationToken=t%2F1%2B%3D%26x") => list(&json!([]), &json!("t2")),
        _ => list(&json!([{ "id": "b" }]), &json!("")),
    });
    let connector = over(None, transport.clone());
    let first = groups(&connector, None).await.unwrap();
    let second = groups(&connector, first.next.as_ref()).await.unwrap();
    let third = groups(&connector, second.next.as_ref()).await.unwrap();
    assert_eq!((first.records.len(), second.records.len(), third.records.len()), (1, 0, 1));
    assert_eq!((first.total, third.next), (None, None));
    let gone = Scripted::new(|_: &Request| json!({ "resources": [] }));
    assert_eq!(groups(&over(None, gone), None).await.unwrap().next, None);
}

#[tokio::test]
async fn a_group_id_cannot_lead_elsewhere() {
    let transport = Scripted::new(|_: &Request| list(&json!([]), &Value::Null));
    let connector = over(None, transport.clone());
    let at = Position { entity: Some("../../account?x=1"), ..Position::default() };
    connector.devices().unwrap().page(at).await.unwrap();
    let wanted = "https://webapi.teamviewer.com/api/v1/managed/groups/..%2F..%2Faccount%3Fx=1/devices";
    assert_eq!(transport.asked(), [wanted]);
    let error = connector.devices().unwrap().page(Position::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
}

/// Id and what is stored of every record of a listing, fields that say nothing left out.
async fn stored<T: RecordType>(connector: &Teamviewer, entity: Option<&str>) -> Value
where
    Teamviewer: Pull<T>,
{
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let at = Position { entity, cursor: cursor.as_ref(), ..Position::default() };
        let page = Pull::<T>::page(connector, at).await.unwrap();
        for raw in &page.records {
            let item = Pull::<T>::read(connector, raw).unwrap();
            assert_eq!(item.entity, None);
            let mut record = serde_json::to_value(item.record).unwrap();
            record
                .as_object_mut()
                .unwrap()
                .retain(|_, value| !matches!(value.to_string().as_str(), "null" | "[]" | "{}"));
            found.push(json!([item.id, record]));
        }
        cursor = page.next;
        if cursor.is_none() {
            return found.into();
        }
    }
}

#[tokio::test]
async fn groups_as_they_are_stored() {
    let (connector, replay) = replaying(&["groups"]);
    assert_eq!(
        stored::<Entity>(&connector, None).await,
        json!([
            [GROUP, { "name": "Harbour Dental" }],
            ["730ee15a-1ea4-4d80-9cfe-5a01709d0a2d", { "name": "Kite & Co" }],
            ["0c1f2a3b-4d5e-4f60-8a7b-9c0d1e2f3a4b", { "name": "Group 0c1f2a3b-4d5e-4f60-8a7b-9c0d1e2f3a4b" }],
        ])
    );
    replay.finish().unwrap();
}

#[tokio::test]
async fn devices_as_they_are_stored() {
    let (connector, replay) = replaying(&["devices"]);
    assert_eq!(
        stored::<Device>(&connector, Some(GROUP)).await,
        json!([
            ["ae222e9d-a665-4cea-85b7-d4a3a08a5e35", { "name": "FRONTDESK-1", "online": true }],
            ["6cbfcfb2-a929-4987-a91b-89e2945412cf", {
                "name": "SRV-1", "online": false, "last_contact_at": "2026-10-05T20:11:02Z",
            }],
            ["6cbfcfb2-a929-4987-a91b-89e2945412d0", { "name": "TeamViewer ID 1234567892" }],
            ["6cbfcfb2-a929-4987-a91b-89e2945412d1", { "name": "Device 6cbfcfb2-a929-4987-a91b-89e2945412d1" }],
        ])
    );
    replay.finish().unwrap();
}

#[test]
fn a_time_without_zone_is_utc_and_nonsense_is_unknown() {
    let (connector, _) = replaying(&["groups"]);
    let seen = |text: Value| {
        let raw = json!({ "id": "d", "last_seen": text }).to_string();
        Pull::<Device>::read(&connector, raw.as_bytes()).unwrap().record.last_contact_at.map(|at| at.to_rfc3339())
    };
    for text in ["2026-10-05T20:11:02", "2026-10-05T20:11:02Z", "2026-10-05T22:11:02+02:00"] {
        assert_eq!(seen(text.into()).as_deref(), Some("2026-10-05T20:11:02+00:00"), "{text}");
    }
    for nothing in [json!(""), json!("soon"), json!(null), json!(7), json!("0001-01-01T00:00:00Z")] {
        assert_eq!(seen(nothing.clone()), None, "{nothing}");
    }
    let why = Pull::<Device>::read(&connector, br#"{"id":{"secret":1}}"#).unwrap_err();
    assert!(why.contains("managed device") && !why.contains("secret"), "{why}");
}
