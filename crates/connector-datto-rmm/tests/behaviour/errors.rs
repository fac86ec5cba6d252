//! Every error that Datto RMM has a body or a status of its own for.

use integration::{Connector, Error, Kind, Position, Retry};

use crate::stand_ins::replaying;

/// The error of a listing of sites that meets these exchanges.
async fn listing(files: &[&str]) -> Error {
    let (connector, replay) = replaying(files);
    let error = connector.entities().unwrap().page(Position::default()).await.unwrap_err();
    replay.finish().unwrap();
    error
}

#[tokio::test]
async fn wrong_keys_and_a_wrong_address_are_told_apart() {
    let error = listing(&["error-wrong-keys"]).await;
    assert_eq!((error.kind, error.retry, error.status), (Kind::Credentials, Retry::No, Some(400)));
    assert!(error.message.contains("API secret key"), "{error}");
    assert_eq!(error.vendor_message.as_deref(), Some("Bad credentials"));
    let error = listing(&["error-wrong-address"]).await;
    assert_eq!((error.kind, error.retry, error.status), (Kind::Credentials, Retry::No, Some(404)));
    assert!(error.message.contains("platform"), "{error}");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (connector, replay) = replaying(&["token", "error-expired-token"]);
    let error = connector.entities().unwrap().page(Position::default()).await.unwrap_err();
    // The second token request has no exchange: the connector asked for a new token, as it should.
    assert_eq!(error.kind, Kind::Unavailable);
    let paths: Vec<String> = replay.requests().iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!(paths, ["/auth/oauth/token", "/api/v2/account/sites", "/auth/oauth/token"]);
}

#[tokio::test]
async fn a_refusal_names_both_of_its_causes() {
    let error = listing(&["token", "error-forbidden"]).await;
    assert_eq!((error.kind, error.retry, error.status), (Kind::Forbidden, Retry::No, Some(403)));
    assert!(error.message.contains("right") && error.message.contains("five minutes"), "{error}");
    assert_eq!(error.vendor_message.as_deref(), Some("Forbidden"));
}

#[tokio::test]
async fn a_site_that_is_gone_is_not_found() {
    let (connector, replay) = replaying(&["token", "error-not-found"]);
    let at = Position { entity: Some("unknown"), ..Position::default() };
    let error = connector.devices().unwrap().page(at).await.unwrap_err();
    replay.finish().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::NotFound, Retry::No));
    assert_eq!(error.vendor_message.as_deref(), Some("Not Found"));
}

#[tokio::test]
async fn empty_bodies_of_old_builds_are_understood_by_their_status() {
    let error = listing(&["token", "error-throttled"]).await;
    assert_eq!((error.kind, error.retry, error.vendor_message), (Kind::Throttled, Retry::Yes, None));
    let error = listing(&["token", "error-trouble"]).await;
    assert_eq!((error.kind, error.retry, error.vendor_message), (Kind::Unavailable, Retry::Yes, None));
}
