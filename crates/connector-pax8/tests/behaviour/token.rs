use integration::{Connector, Kind, Retry};
use serde_json::json;

use crate::script::{connector, connector_at, json};

const NO_COMPANIES: &str = r#"{"content":[],"page":{"size":1,"totalElements":0,"totalPages":0,"number":0}}"#;

#[tokio::test]
async fn the_token_request_is_json_at_the_usual_address() {
    let (pax8, script) = connector([(200, NO_COMPANIES)]);
    pax8.check().await.unwrap();
    let [token] = &script.token_requests()[..] else { panic!("one token request") };
    assert_eq!(token.url.as_str(), "https://api.pax8.com/v1/token");
    assert_eq!(
        *json(token),
        json!({
            "client_id": "client-0001",
            "client_secret": "secret-0001",
            "audience": "https://api.pax8.com",
            "grant_type": "client_credentials",
        })
    );
    let [check] = &script.asked()[..] else { panic!("one request besides") };
    assert_eq!(check.url.as_str(), "https://api.pax8.com/v1/companies?size=1");
    assert_eq!(check.header_value("authorization"), Some("Bearer token-of-the-script"));
}

#[tokio::test]
async fn both_addresses_can_be_replaced() {
    let (pax8, script) = connector_at(Some("https://pax8.example/api/v1/"), None, [(200, NO_COMPANIES)]);
    pax8.check().await.unwrap();
    assert_eq!(script.token_requests()[0].url.as_str(), "https://pax8.example/api/v1/token");
    assert_eq!(script.asked()[0].url.as_str(), "https://pax8.example/api/v1/companies?size=1");

    let (pax8, script) =
        connector_at(Some("https://pax8.example"), Some("https://login.example"), [(200, NO_COMPANIES)]);
    pax8.check().await.unwrap();
    assert_eq!(script.token_requests()[0].url.as_str(), "https://login.example/v1/token");
    assert_eq!(script.asked()[0].url.as_str(), "https://pax8.example/v1/companies?size=1", "the version is added");

    let (pax8, script) = connector_at(None, Some("https://login.example/oauth/token"), [(200, NO_COMPANIES)]);
    pax8.check().await.unwrap();
    assert_eq!(script.token_requests()[0].url.as_str(), "https://login.example/oauth/token");
    assert_eq!(script.asked()[0].url.host_str(), Some("api.pax8.com"));
}

#[tokio::test]
async fn the_vendors_words_are_kept_in_either_shape() {
    let details = r#"{"type":"BAD_REQUEST","message":"Bad page","status":400,
        "details":[{"message":"size is too large"},{"message":"Bad page"},{"status":400}]}"#;
    let flat = r#"{"errors":["first reason","second reason"]}"#;
    let odd = r#"{"message":7,"details":"none","errors":[7,null]}"#;
    for (body, words) in [
        (details, Some("Bad page; size is too large")),
        (flat, Some("first reason; second reason")),
        (odd, None),
        ("no JSON", None),
        ("", None),
    ] {
        let (pax8, _) = connector([(400, body)]);
        let error = pax8.check().await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::No), "{body}");
        assert_eq!(error.vendor_message.as_deref(), words, "{body}");
    }
}
