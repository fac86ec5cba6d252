//! Security events.

use integration::{Body, Kind, Pull, Threat};
use serde_json::{Value, json};

use crate::script::{EMAIL, connector, envelope, page, read};

fn event(id: &str, severity: Value, state: &str) -> Value {
    json!({
        "eventId": id, "farm": "mt-prod-cp-eu-1", "customerId": "bluegum", "type": "phishing", "state": state,
        "severity": severity, "description": "", "confidenceIndicator": "malicious",
        "eventCreated": "2026-09-30T04:10:11.000Z",
        "actions": [{ "actionName": "alert" }, { "actionType": "quarantine" }],
    })
}

#[tokio::test]
async fn severity_and_state_follow_the_stated_rule() {
    let cases = [
        (json!("5"), "new", json!("critical"), json!(true)),
        (json!(4), "detected", json!("high"), json!(true)),
        (json!("3"), "pending", json!("medium"), json!(true)),
        (json!("low"), "remediated", json!("low"), json!(false)),
        (json!("1"), "dismissed", json!("info"), json!(false)),
        (json!("Very Low"), "exception", json!("info"), json!(false)),
        (json!("9"), "NewerThanUs", json!(null), json!(null)),
        (json!(null), "", json!(null), json!(null)),
    ];
    let (harmony, _) = connector(&EMAIL, []);
    for (given, state, severity, active) in cases {
        let raw = event("e1", given.clone(), state).to_string();
        let item = Pull::<Threat>::read(&harmony, raw.as_bytes()).unwrap();
        assert_eq!(item.entity.as_deref(), Some("email/mt-prod-cp-eu-1:bluegum"));
        let threat = serde_json::to_value(item.record).unwrap();
        assert_eq!((&threat["severity"], &threat["active"]), (&severity, &active), "{given} {state}");
        assert_eq!((&threat["title"], &threat["action"]), (&json!("phishing"), &json!("quarantine")));
        assert_eq!(threat["detected_at"], "2026-09-30T04:10:11Z");
    }
}

#[tokio::test]
async fn events_are_asked_for_by_day_and_scope_until_a_page_is_empty() {
    let scopes = json!(["mt-prod-cp-eu-1:bluegum", "mt-prod-cp-eu-1:wattle"]);
    let answers = [
        (200, envelope("", None, scopes.clone())),
        (200, envelope("s1", None, json!([event("e1", json!("4"), "new")]))),
        (200, envelope("s2", None, json!([]))),
    ];
    let (harmony, script) = connector(&EMAIL, answers);
    let first = page::<Threat>(&harmony, None).await.unwrap();
    assert_eq!(read::<Threat>(&harmony, &first)[0].0, "e1");
    let second = page::<Threat>(&harmony, Some(&first)).await.unwrap();
    assert!(second.records.is_empty() && second.next.is_none());
    let asked = script.asked();
    assert_eq!(asked.len(), 3, "the scopes are asked for once");
    let since = "2026-07-08T00:00:00Z";
    assert_eq!(asked[1].url.as_str(), "https://cloudinfra-gw.portal.checkpoint.com/app/hec-api/v1.0/event/query");
    assert_eq!(asked[1].body, Body::Json(json!({ "requestData": { "startDate": since, "scopes": scopes } })));
    let further = json!({ "requestData": { "startDate": since, "scopes": scopes, "scrollId": "s1" } });
    assert_eq!(asked[2].body, Body::Json(further));
    assert!(asked.iter().all(|request| request.header_value("x-av-req-id").is_some() && request.idempotent));
}

#[tokio::test]
async fn a_key_of_one_customer_names_no_scope_and_one_of_nobody_asks_nothing() {
    let answers = [(200, envelope("", None, json!(["farm:only"]))), (200, envelope("", None, json!([])))];
    let (harmony, script) = connector(&EMAIL, answers);
    assert!(page::<Threat>(&harmony, None).await.unwrap().records.is_empty());
    let body = json!({ "requestData": { "startDate": "2026-07-08T00:00:00Z" } });
    assert_eq!(script.asked()[1].body, Body::Json(body));
    let (harmony, script) = connector(&EMAIL, [(200, envelope("", None, json!([])))]);
    assert!(page::<Threat>(&harmony, None).await.unwrap().next.is_none());
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn a_place_that_is_not_ours_is_forgotten() {
    let (harmony, _) = connector(&EMAIL, []);
    let cursor = integration::Cursor::new("scroll-1");
    let at = integration::Position { cursor: Some(&cursor), ..Default::default() };
    assert_eq!(Pull::<Threat>::page(&harmony, at).await.unwrap_err().kind, Kind::Expired);
}
