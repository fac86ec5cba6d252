//! Tokens, addresses, pages and errors.

use std::sync::Arc;

use chrono::TimeDelta;
use connector_threecx::Threecx;
use integration::{
    Connector, CredentialsForm, Cursor, Entity, Extension, Kind, PhoneSystem, Position, Pull, Retry, Vendor,
};
use serde_json::{Value, json};

use crate::script::{all, connector, connector_at, rows};

/// A token of three parts that says when it ends.
fn token(ends: i64) -> Value {
    // {"exp":1791280800} and {"exp":1791190800}: an hour after the present of every test, and a day before it.
    let claims = if ends > 0 { "eyJleHAiOjE3OTEyODA4MDB9" } else { "eyJleHAiOjE3OTExOTA4MDB9" };
    json!({ "token_type": "Bearer", "access_token": format!("e30.{claims}.c2ln"), "expires_in": 60 })
}

async fn ask(threecx: &Threecx, script: &crate::script::Script) {
    script.answer(200, json!({ "FQDN": "pbx.msp.example" }));
    all::<PhoneSystem>(threecx).await.unwrap();
}

#[tokio::test]
async fn a_token_lives_as_long_as_it_says_and_else_as_the_answer_says() {
    // One hour by its own words, although `expires_in` is 60.
    let (threecx, script) = connector([]);
    script.next_token(200, token(1));
    for minutes in [0, 30, 29] {
        script.advance(TimeDelta::minutes(minutes));
        ask(&threecx, &script).await;
    }
    assert_eq!(script.tokens(), 1, "a second token would have ended the first");
    script.advance(TimeDelta::seconds(56));
    ask(&threecx, &script).await;
    assert_eq!(script.tokens(), 2);

    // Without words of its own, or with a clock that is wrong: the 60 seconds of the answer, and all of them.
    for first in [json!({ "access_token": "opaque", "expires_in": 60 }), token(-1)] {
        let (threecx, script) = connector([]);
        script.next_token(200, first);
        for seconds in [0, 30, 24] {
            script.advance(TimeDelta::seconds(seconds));
            ask(&threecx, &script).await;
        }
        assert_eq!(script.tokens(), 1);
        script.advance(TimeDelta::seconds(2));
        ask(&threecx, &script).await;
        assert_eq!(script.tokens(), 2);
    }
}

#[tokio::test]
async fn a_token_that_another_program_ended_is_replaced_once() {
    let no = (401, json!({ "error": "unauthorized" }));
    let (threecx, script) = connector([no.clone(), (200, json!({ "FQDN": "pbx.msp.example" }))]);
    assert_eq!(all::<PhoneSystem>(&threecx).await.unwrap().len(), 1);
    assert_eq!(script.tokens(), 2);

    let (threecx, script) = connector([no.clone(), no]);
    let error = all::<PhoneSystem>(&threecx).await.unwrap_err();
    assert_eq!((error.kind, error.retry, script.tokens()), (Kind::Credentials, Retry::No, 2));
    assert!(error.message.contains("another program uses the same Client ID"), "{error}");
}

#[tokio::test]
async fn a_refused_token_says_what_to_look_at() {
    for (status, body, kind, named) in [
        (401, json!({ "error": "unauthorized", "error_description": "why" }), Kind::Credentials, "API key"),
        (400, json!({ "error": "invalid_client" }), Kind::Credentials, "API key"),
        (404, json!({}), Kind::Credentials, "version 20"),
        (403, json!({}), Kind::Forbidden, "console restrictions"),
        (503, json!({}), Kind::Unavailable, "trouble"),
    ] {
        let (threecx, script) = connector([]);
        script.next_token(status, body);
        let error = threecx.check().await.unwrap_err();
        assert_eq!(error.kind, kind, "{status}");
        assert!(error.message.contains(named), "{status}: {error}");
        let words = error.vendor_message.as_deref();
        assert_eq!(words.is_some(), status < 402, "{status}: the vendor's own words are kept");
    }
    let (threecx, _) = connector([]);
    let error = all::<PhoneSystem>(&threecx).await.unwrap_err();
    assert!(error.message.contains("5001"), "no answer may be the wrong port: {error}");
}

#[tokio::test]
async fn addresses_are_taken_as_people_paste_them() {
    for (entered, asked) in [
        ("https://name.3cx.example", "https://name.3cx.example/xapi/v1/SystemStatus"),
        ("https://pbx.example:5001/", "https://pbx.example:5001/xapi/v1/SystemStatus"),
        ("https://pbx.example/xapi/v1", "https://pbx.example/xapi/v1/SystemStatus"),
        ("https://pbx.example/behind/webclient/", "https://pbx.example/behind/xapi/v1/SystemStatus"),
    ] {
        let (threecx, script) = connector_at(entered, [(200, json!({ "FQDN": "pbx.msp.example" }))]);
        all::<PhoneSystem>(&threecx).await.unwrap();
        let request = &script.requests()[1];
        assert_eq!(request.url.as_str().split('?').next(), Some(asked));
        assert!(script.requests()[0].url.path().ends_with("/connect/token"));
    }
}

#[tokio::test]
async fn only_what_is_asked_for_is_kept() {
    let user = json!({
        "Number": "0101", "FirstName": "Mia", "LastName": "Harbour", "DisplayName": "", "AuthPassword": "pw",
        "VMPIN": "1234", "IsRegistered": "yes", "Enabled": false, "CurrentProfileName": "Custom 7",
    });
    let (threecx, script) = connector([rows(&[user]), rows(&[])]);
    let page = Pull::<Extension>::page(&threecx, Position::default()).await.unwrap();
    let text = std::str::from_utf8(&page.records[0]).unwrap();
    assert!(!text.contains("pw") && !text.contains("1234"), "{text}");
    let item = Pull::<Extension>::read(&threecx, &page.records[0]).unwrap();
    assert_eq!((item.id.as_str(), item.entity.as_deref()), ("0101", Some("0101")));
    assert_eq!(
        item.record,
        Extension {
            number: "0101".into(),
            name: Some("Mia Harbour".into()),
            class: Some("Extension".into()),
            enabled: Some(false),
            registered: None,
            presence: Some("Custom 7".into()),
            calls_made: Some(0),
            calls_answered: Some(0),
            calls_missed: Some(0),
            ..Extension::default()
        }
    );
    let users = &script.asked()[0];
    for secret in ["Auth", "Password", "PIN", "Id%2C"] {
        assert!(!users.contains(secret), "{users}");
    }
    assert!(users.ends_with("&$filter=not%20startsWith%28Number%2C%27HD%27%29"), "{users}");
}

#[tokio::test]
async fn what_stands_for_nobody_is_left_out() {
    let peer = |number: &str, name: &str, class: &str| json!({ "Number": number, "Name": name, "Type": class });
    let peers = [
        peer("0101", "Mia Harbour", "Extension"),
        peer("800", "Harbour Dental queue", "Queue"),
        peer("900", "900", "NewerThanUs"),
        peer("10000", "Trunk", "ExternalLine"),
        peer("SP0", "Park", "Parking"),
        peer("HD1", "Hot desk", "Extension"),
        peer("", "DEFAULT", "Group"),
        peer("panelone", "", "RoutePoint"),
        peer("0101", "Again", "Extension"),
    ];
    let (threecx, _) = connector([rows(&peers)]);
    let page = Pull::<Entity>::page(&threecx, Position::default()).await.unwrap();
    let read: Vec<_> = page.records.iter().map(|raw| Pull::<Entity>::read(&threecx, raw).unwrap()).collect();
    let named: Vec<_> = read.iter().map(|item| (item.id.as_str(), item.record.name.as_str())).collect();
    assert_eq!(
        named,
        [
            ("system", "Phone system pbx.msp.example"),
            ("0101", "0101 Mia Harbour"),
            ("800", "800 Harbour Dental queue"),
            ("900", "900"),
        ]
    );
    assert_eq!(page.total, Some(4));
}

#[tokio::test]
async fn pages_go_on_until_the_count_and_no_link_is_followed() {
    let peers = |from: u64, count: u64| -> Vec<Value> {
        (from..from + count).map(|n| json!({ "Number": format!("{n:05}"), "Type": "Extension" })).collect()
    };
    // A page that the system cut short, then a link to elsewhere without a count, then the end.
    let answers = [
        (200, json!({ "@odata.count": 130, "value": peers(0, 50) })),
        (200, json!({ "value": peers(50, 60), "@odata.nextLink": "https://elsewhere.example/xapi/v1/Peers?$skip=9" })),
        (200, json!({ "@odata.count": "130", "value": peers(110, 20) })),
    ];
    let (threecx, script) = connector(answers);
    assert_eq!(all::<Entity>(&threecx).await.unwrap().len(), 131);
    let skips: Vec<String> = script.asked().iter().map(|asked| asked.split('&').nth(1).unwrap().to_owned()).collect();
    assert_eq!(skips, ["$skip=0", "$skip=50", "$skip=110"]);
    assert!(script.requests().iter().all(|request| request.url.host_str() == Some("pbx.msp.example")));

    let (threecx, _) = connector([(200, json!({ "@odata.count": 130, "value": [] }))]);
    let error = all::<Entity>(&threecx).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::Yes), "the rest is missing");

    let (threecx, _) = connector([]);
    let stranger = Cursor::new("elsewhere");
    let at = Position { cursor: Some(&stranger), ..Position::default() };
    assert_eq!(Pull::<Extension>::page(&threecx, at).await.unwrap_err().kind, Kind::Expired);
}

#[tokio::test]
async fn a_system_that_says_little_leaves_much_unknown() {
    let status = json!({
        "FQDN": " ", "ExpirationDate": "0001-01-01T00:00:00Z", "LastBackupDateTime": null, "DiskUsage": 30.6,
        "MaxSimCalls": "16", "HasNotRunningServices": "no",
    });
    let (threecx, _) = connector([(200, status)]);
    let [item] = &all::<PhoneSystem>(&threecx).await.unwrap()[..] else { panic!("one system") };
    assert_eq!((item.id.as_str(), item.entity.as_deref()), ("system", Some("system")));
    let expected = PhoneSystem {
        name: "pbx.msp.example".into(),
        calls_limit: Some(16),
        disk_used_percent: Some(31),
        ..PhoneSystem::default()
    };
    assert_eq!(item.record, expected);
}

/// The exchanges of a right that is missing and of a wrong key, as they are on file.
#[tokio::test]
async fn errors_as_the_vendor_writes_them() {
    let connect = |replay: Arc<vendorkit::Replay>| {
        let example = <Threecx as Vendor>::Credentials::example();
        Threecx::connect(<Threecx as Vendor>::Credentials::parse(&example).unwrap(), replay)
    };
    let chosen = ["token", "check", "error-history-forbidden"];
    let mut exchanges = vendorkit::replay::load("tests/vendor").unwrap();
    exchanges.retain(|one| chosen.iter().any(|name| one.is_from(name)));
    exchanges.retain(|one| one.response.status == 403 || !one.request.path.ends_with("CallHistoryView"));
    let replay = Arc::new(vendorkit::Replay::of(exchanges));
    let checked = connect(replay.clone()).check().await.unwrap();
    replay.finish().unwrap();
    assert!(matches!(&checked.warnings[..], [one] if one.contains("System Owner")), "{checked:?}");

    let replay = Arc::new(vendorkit::Replay::files("tests/vendor", &["error-wrong-key"]).unwrap());
    let error = connect(replay.clone()).check().await.unwrap_err();
    replay.finish().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No));
    assert_eq!(error.vendor_message.as_deref(), Some("unauthorized; The client is not known."));
}
