//! Refusals in all their spellings.

use std::{sync::Arc, time::Duration};

use connector_quickbooks_online::QuickbooksOnline;
use integration::{Entry, Error, Kind, Position, Retry};
use serde_json::json;
use vendorkit::replay::Replay;

use crate::canned;

async fn played(files: &[&str]) -> Error {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendor");
    let replay = Arc::new(Replay::files(dir, files).unwrap());
    let entry = Entry::of::<QuickbooksOnline>();
    let connector = entry.connect(&entry.example(), replay.clone()).unwrap();
    let error = connector.invoices().unwrap().page(Position::default()).await.unwrap_err();
    replay.finish().unwrap();
    error
}

async fn answered(status: u16, body: serde_json::Value) -> Error {
    let (_, connector) = canned::connector([(status, body.to_string())]);
    connector.entities().unwrap().page(Position::default()).await.unwrap_err()
}

#[tokio::test]
async fn the_company_is_named_by_the_test() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendor");
    let replay = Arc::new(Replay::files(dir, &["check"]).unwrap());
    let entry = Entry::of::<QuickbooksOnline>();
    let connector = entry.connect(&entry.example(), replay.clone()).unwrap();
    let checked = connector.check().await.unwrap();
    assert_eq!(checked.account.as_deref(), Some("Harbour IT (company example-account-0001)"));
    replay.finish().unwrap();
}

#[tokio::test]
async fn too_many_requests_wait_a_minute() {
    let error = played(&["throttled"]).await;
    assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(Duration::from_secs(60))), "{error}");
    assert_eq!(error.vendor_request_id.as_deref(), Some("1-6a0e-0001"));
    // The same with another status.
    let fault =
        json!({ "Fault": { "Error": [{ "Message": "ThrottleExceeded", "code": "003001" }], "type": "SERVICE" } });
    for status in [200, 400, 403] {
        let error = answered(status, fault.clone()).await;
        assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(Duration::from_secs(60))), "{status}");
    }
}

#[tokio::test]
async fn a_token_that_stays_refused_after_one_renewal_needs_a_person() {
    let error = played(&["token-renewed", "unauthorised"]).await;
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No), "{error}");
    assert!(error.message.contains("sign in"), "{error}");
    assert!(error.vendor_message.unwrap().contains("code 3200"));
    let error = played(&["token-refused", "unauthorised-once"]).await;
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No), "{error}");
    assert!(error.message.contains("reconnect"), "{error}");
}

#[tokio::test]
async fn a_missing_right_names_both_reasons() {
    let error = played(&["forbidden"]).await;
    assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No), "{error}");
    assert!(error.message.contains("administrator") && error.message.contains("Environment"), "{error}");
}

#[tokio::test]
async fn the_vendors_words_and_number_are_kept() {
    let error = played(&["invalid"]).await;
    assert_eq!((error.kind, error.retry, error.status), (Kind::Refused, Retry::No, Some(400)), "{error}");
    let words = error.vendor_message.unwrap();
    assert_eq!(words, "Error parsing query: QueryParserError: Encountered \" <INTEGER> (code 4000)");
}

#[tokio::test]
async fn a_fault_with_status_200_is_no_success() {
    let fault =
        |code: &str, class: &str| json!({ "Fault": { "Error": [{ "Message": "No", "code": code }], "type": class } });
    for (code, class, kind) in [
        ("3200", "AUTHENTICATION", Kind::Credentials),
        ("120", "AuthorizatonFault", Kind::Forbidden),
        ("6190", "ValidationFault", Kind::Forbidden),
        ("610", "ValidationFault", Kind::NotFound),
        ("99999", "AuthenticationFault", Kind::Credentials),
        ("99999", "AuthorizatonFault", Kind::Forbidden),
        ("99999", "ValidationFault", Kind::Refused),
        ("99999", "SystemFault", Kind::Unavailable),
        ("", "Unheard of", Kind::Refused),
    ] {
        let error = answered(200, fault(code, class)).await;
        assert_eq!(error.kind, kind, "{code} {class}: {error}");
        let retry = if kind == Kind::Unavailable { Retry::Yes } else { Retry::No };
        assert_eq!(error.retry, retry, "{code} {class}");
    }
    let inside = json!({ "QueryResponse": fault("120", "AuthorizatonFault") });
    assert_eq!(answered(200, inside).await.kind, Kind::Forbidden);
    let ended = answered(403, fault("6190", "ValidationFault")).await;
    assert!(ended.message.contains("subscription"), "{ended}");
}

#[tokio::test]
async fn a_server_in_trouble_is_trouble_whatever_it_says() {
    let fault = json!({ "Fault": { "Error": [{ "Message": "Authorization Failure", "code": "120" }], "type": "AuthorizatonFault" } });
    let error = answered(500, fault).await;
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::Yes), "{error}");
    assert_eq!(error.vendor_message.as_deref(), Some("Authorization Failure (code 120)"));
}
