//! Every family of error body, each as its exchange has it.

use std::time::Duration;

use integration::{Connector, Error, Kind, Position, Retry};

use crate::stand_ins::replaying;

/// The error of a listing of organisations that meets these exchanges.
async fn listing(files: &[&str]) -> Error {
    let (connector, replay) = replaying(files);
    let error = connector.entities().unwrap().page(Position::default()).await.unwrap_err();
    replay.finish().unwrap();
    error
}

#[tokio::test]
async fn a_wrong_region_is_told_as_such() {
    let error = listing(&["error-wrong-region"]).await;
    assert_eq!((error.kind, error.retry, error.status), (Kind::Credentials, Retry::No, Some(404)));
    assert!(error.message.contains("check the region"), "{error}");
    assert_eq!(error.vendor_message.as_deref(), Some("Client app not exist"));
    assert_eq!(error.vendor_request_id.as_deref(), Some("0f9d0c8e-1111-4222-8333-444455556666"));
}

#[tokio::test]
async fn a_wrong_secret_is_told_as_such() {
    let error = listing(&["error-wrong-secret"]).await;
    assert_eq!((error.kind, error.retry, error.status), (Kind::Credentials, Retry::No, Some(401)));
    assert!(error.message.contains("client secret"), "{error}");
    assert_eq!(error.vendor_message.as_deref(), Some("Invalid credentials"));
    assert_eq!(error.vendor_request_id.as_deref(), Some("nj-0101"));
    assert!(!format!("{error} {error:?}").contains("secret-of-the-client"));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (connector, replay) = replaying(&["token", "error-expired-token"]);
    let error = connector.entities().unwrap().page(Position::default()).await.unwrap_err();
    // The second token request has no exchange: the connector asked for a new token, as it should.
    assert_eq!(error.kind, Kind::Unavailable);
    let paths: Vec<String> = replay.requests().iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!(paths, ["/ws/oauth/token", "/v2/organizations", "/ws/oauth/token"]);
}

#[tokio::test]
async fn a_missing_scope_is_forbidden() {
    let error = listing(&["token", "error-forbidden"]).await;
    assert_eq!((error.kind, error.retry, error.status), (Kind::Forbidden, Retry::No, Some(403)));
    assert!(error.message.contains("Monitoring"), "{error}");
    // The header goes before the incident of the body.
    assert_eq!(error.vendor_request_id.as_deref(), Some("nj-0103"));
}

/// The error of an attempt to archive a document that meets these exchanges.
async fn archiving(files: &[&str]) -> Error {
    let (connector, replay) = replaying(files);
    let error = connector.document_archive().unwrap().set_archived("12", "501", true).await.unwrap_err();
    replay.finish().unwrap();
    error
}

#[tokio::test]
async fn a_change_without_the_scope_names_the_other_scope() {
    for files in [["token", "error-management-missing"], ["token", "error-privileges"]] {
        let error = archiving(&files).await;
        assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No), "{files:?}");
        assert!(error.message.contains("Management"), "{files:?}: {error}");
    }
}

#[tokio::test]
async fn a_token_without_the_scope_is_not_taken_for_a_bad_one() {
    let (connector, replay) = replaying(&["token", "error-privileges-read"]);
    let error = connector.templates().unwrap().templates("node_roles").await.unwrap_err();
    replay.finish().unwrap();
    assert_eq!((error.kind, error.status), (Kind::Forbidden, Some(401)));
    assert!(error.message.contains("Monitoring"), "{error}");
}

#[tokio::test]
async fn what_only_a_person_may_do_is_told_as_such() {
    let error = archiving(&["token", "error-user-context"]).await;
    assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No));
    assert!(error.message.contains("signed in") && !error.message.contains("scope"), "{error}");
}

#[tokio::test]
async fn each_layers_words_are_kept() {
    for (file, words, id) in [
        ("error-api-layer", "Page size is not valid: pageSize", "0f9d0c8e-1111-4222-8333-444455556668"),
        ("error-billing-layer", "Billing is not enabled", "nj-0105"),
        ("error-missing-header", "missing_header", "nj-0106"),
    ] {
        let error = listing(&["token", file]).await;
        assert_eq!((error.kind, error.retry, error.status), (Kind::Refused, Retry::No, Some(400)), "{file}");
        assert_eq!(error.vendor_message.as_deref(), Some(words), "{file}");
        assert_eq!(error.vendor_request_id.as_deref(), Some(id), "{file}");
    }
}

#[tokio::test]
async fn throttling_is_seen_in_a_status_and_in_a_web_page() {
    let error = listing(&["token", "error-throttled-status"]).await;
    assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(Duration::from_secs(15))));
    let error = listing(&["token", "error-throttled-page"]).await;
    assert_eq!((error.kind, error.retry, error.status), (Kind::Throttled, Retry::Yes, Some(200)));
    assert_eq!(error.vendor_request_id.as_deref(), Some("nj-0107"));
}

#[tokio::test]
async fn another_web_page_is_unreadable_and_may_be_retried() {
    let error = listing(&["token", "error-edge-page"]).await;
    assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::Yes));
}
