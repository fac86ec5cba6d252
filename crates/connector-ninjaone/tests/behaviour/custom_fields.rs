//! Custom fields of locations: types, rights, and how values are sent.

use std::sync::Arc;

use integration::{Body, Connector, CustomField, Kind, Request};
use serde_json::{Value, json};

use crate::stand_ins::{Scripted, over, replaying};

const DEFINITIONS: &str = r#"[
    {"name":"siteCode","label":"Site code","type":"TEXT","apiPermission":"READ_WRITE","definitionScope":["LOCATION"]},
    {"name":"alarmed","type":"CHECKBOX","apiPermission":"READ_WRITE","definitionScope":["LOCATION"]},
    {"name":"floors","type":"NUMERIC","apiPermission":"READ_WRITE","definitionScope":["LOCATION"]},
    {"name":"rent","type":"DECIMAL","apiPermission":"READ_WRITE","definitionScope":["LOCATION"]},
    {"name":"ends","type":"DATE","apiPermission":"READ_WRITE","definitionScope":["LOCATION"]},
    {"name":"visit","type":"DATE_TIME","apiPermission":"READ_WRITE","definitionScope":["LOCATION"]},
    {"name":"level","type":"DROPDOWN","apiPermission":"READ_WRITE","definitionScope":["LOCATION"],
     "content":{"values":[{"id":"u-1","name":"Gold","active":true},{"id":"u-2","name":"Old","active":false}]}},
    {"name":"days","type":"MULTI_SELECT","apiPermission":"READ_WRITE","definitionScope":["LOCATION"],
     "content":{"values":[{"id":"u-3","name":"Monday"},{"id":"u-4","name":"Friday"}]}},
    {"name":"secret","type":"TEXT_ENCRYPTED","apiPermission":"READ_WRITE","definitionScope":["LOCATION"]},
    {"name":"locked","type":"TEXT","apiPermission":"READ_ONLY","definitionScope":["LOCATION"]},
    {"name":"hidden","type":"TEXT","apiPermission":"NONE","definitionScope":["LOCATION"]},
    {"name":"file","type":"ATTACHMENT","apiPermission":"READ_WRITE","definitionScope":["LOCATION"]}
]"#;

/// A vendor with these fields, that takes everything and always tells the same values.
fn vendor(values: &'static str) -> Arc<Scripted<impl Fn(&Request) -> String + Send + Sync + 'static>> {
    Scripted::new(move |request: &Request| match request.url.path() {
        "/v2/device-custom-fields" => DEFINITIONS.to_owned(),
        _ => values.to_owned(),
    })
}

/// What is sent when these values are set, or the error.
async fn sent(values: &[(&str, Option<&str>)]) -> Result<Option<Value>, integration::Error> {
    let transport = vendor("{}");
    let connector = over(transport.clone());
    let values: Vec<(String, Option<String>)> =
        values.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
    let set = connector.custom_fields().unwrap().set_fields("12", "44", &values).await;
    let changes = transport.changes();
    assert!(set.is_ok() || changes.is_empty(), "a part was sent before the rest was refused: {changes:?}");
    set?;
    assert!(changes.len() <= 1, "{changes:?}");
    Ok(changes.into_iter().next().map(|(method, path, body)| {
        assert_eq!((method, path.as_str()), ("PATCH", "/v2/organization/12/location/44/custom-fields"));
        match body {
            Body::Json(body) => body,
            other => panic!("{other:?}"),
        }
    }))
}

#[tokio::test]
async fn fields_of_locations_are_told_with_what_may_be_shown() {
    let (connector, replay) = replaying(&["token", "custom-fields"]);
    let fields = connector.custom_fields().unwrap().fields("12", "44").await.unwrap();
    replay.finish().unwrap();
    let told = |name: &str, label: &str, class: &str, value: Option<&str>, editable| CustomField {
        name: name.into(),
        label: label.into(),
        class: Some(class.into()),
        value: value.map(str::to_owned),
        editable,
    };
    // Not the field of devices, and not the one that is out of use.
    assert_eq!(
        fields,
        [
            told("siteCode", "Site code", "TEXT", Some("HARB-1"), true),
            told("wanProvider", "Internet provider", "DROPDOWN", Some("Northern Fibre"), true),
            told("contractEnd", "Contract ends", "DATE", Some("2027-01-01"), true),
            told("floors", "Floors", "NUMERIC", Some("3"), false),
            told("alarmCode", "Alarm code", "TEXT_ENCRYPTED", None, false),
            told("pin", "Pin", "TEXT", None, true),
        ]
    );
}

#[tokio::test]
async fn each_type_is_sent_as_ninjaone_wants_it() {
    for (name, text, wanted) in [
        ("siteCode", " 12 steps ", json!("12 steps")),
        ("alarmed", "true", json!(true)),
        ("floors", "3", json!(3)),
        ("rent", "12.5", json!(12.5)),
        ("ends", "2027-01-01", json!(1_798_761_600_000_i64)),
        ("visit", "2027-01-01T01:00:00+01:00", json!(1_798_761_600_000_i64)),
        ("level", "Gold", json!("u-1")),
        ("level", "u-1", json!("u-1")),
        ("days", "Monday, Friday", json!(["u-3", "u-4"])),
    ] {
        let body = sent(&[(name, Some(text))]).await.unwrap();
        assert_eq!(body, Some(json!({ name: wanted })), "{name}");
    }
    assert_eq!(sent(&[]).await.unwrap(), None);
    let two = sent(&[("siteCode", None), ("floors", Some("2"))]).await.unwrap();
    assert_eq!(two, Some(json!({"siteCode": null, "floors": 2})));
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_before_anything_is_sent() {
    for (name, text, named) in [
        ("alarmed", "perhaps", "true or false"),
        ("floors", "2.5", "whole number"),
        ("rent", "a lot", "12.5"),
        ("ends", "31/01/2027", "2027-01-31"),
        ("visit", "tomorrow", "T09:00:00Z"),
        ("level", "Silver", "Gold"),
        // No longer to be chosen.
        ("level", "Old", "Gold"),
        ("days", "Monday, Someday", "Monday, Friday"),
        ("secret", "1234", "API permission"),
        ("locked", "x", "API permission"),
        ("hidden", "x", "API permission"),
        ("file", "x", "API permission"),
        ("unheardOf", "x", "API permission"),
    ] {
        let error = sent(&[("siteCode", Some("A")), (name, Some(text))]).await.unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{name}: {error}");
        assert!(error.message.contains(named), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_value_that_ninjaone_keeps_is_told() {
    let transport = vendor(r#"{"siteCode":"HARB-1"}"#);
    let connector = over(transport.clone());
    let empty = [("siteCode".to_owned(), None)];
    let error = connector.custom_fields().unwrap().set_fields("12", "44", &empty).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.message.starts_with("Site code: NinjaOne kept"), "{error}");
    assert_eq!(transport.changes().len(), 1);
}
