//! The word in an error body says more than its status.

use std::time::Duration;

use integration::{Connector, Cursor, Error, Kind, Position, Retry};

use crate::stand_ins::replaying;

/// The error of the first page of groups that meets this exchange.
async fn listing(file: &str) -> Error {
    let (connector, replay) = replaying(&[file]);
    let error = connector.entities().unwrap().page(Position::default()).await.unwrap_err();
    replay.finish().unwrap();
    error
}

#[tokio::test]
async fn each_word_has_its_meaning() {
    let after = Retry::After(Duration::from_secs(12));
    for (file, kind, retry, status, hint) in [
        ("error-token", Kind::Credentials, Retry::No, 401, "script token"),
        ("error-token-expired", Kind::Credentials, Retry::No, 400, "script token"),
        ("error-rights", Kind::Forbidden, Retry::No, 403, "Device Groups"),
        ("error-plan", Kind::Forbidden, Retry::No, 403, "plan"),
        ("error-limit", Kind::Throttled, after, 403, "slow down"),
        ("error-invalid", Kind::Refused, Retry::No, 400, "refused"),
        ("error-internal", Kind::Unavailable, Retry::Yes, 500, "trouble"),
        ("error-edge", Kind::Unavailable, Retry::Yes, 502, "trouble"),
    ] {
        let error = listing(file).await;
        assert_eq!((error.kind, error.retry, error.status), (kind, retry, Some(status)), "{file}");
        assert!(error.message.contains("TeamViewer") && error.message.contains(hint), "{file}: {error}");
    }
}

#[tokio::test]
async fn the_vendors_words_and_its_signature_are_kept() {
    let error = listing("error-token").await;
    assert_eq!(error.vendor_message.as_deref(), Some("The access token is invalid or was revoked."));
    assert_eq!(error.vendor_request_id.as_deref(), Some("b61a7a1c-30f1-4f54-a2c9-3d5f2f6b1f10"));
    assert_eq!(listing("error-edge").await.vendor_message, None);
}

#[tokio::test]
async fn a_refused_place_begins_the_listing_anew() {
    let (connector, replay) = replaying(&["error-place"]);
    let cursor = Cursor::new("old");
    let at = Position { cursor: Some(&cursor), ..Position::default() };
    let error = connector.entities().unwrap().page(at).await.unwrap_err();
    replay.finish().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::Expired, Retry::Yes));
    assert_eq!(error.vendor_message.as_deref(), Some("The pagination token is not valid."));
}

#[tokio::test]
async fn a_group_that_is_gone_is_not_found() {
    let (connector, replay) = replaying(&["error-gone"]);
    let at = Position { entity: Some("gone"), ..Position::default() };
    let error = connector.devices().unwrap().page(at).await.unwrap_err();
    replay.finish().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::NotFound, Retry::No));
}

#[tokio::test]
async fn the_connection_test_tells_what_to_do() {
    let (connector, replay) = replaying(&["check"]);
    let checked = connector.check().await.unwrap();
    replay.finish().unwrap();
    assert_eq!((checked.account.as_deref(), checked.warnings.len()), (Some("Bright MSP"), 0));

    // A ping that succeeds can still say no.
    let (connector, replay) = replaying(&["ping-invalid"]);
    let error = connector.check().await.unwrap_err();
    replay.finish().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No));

    let (connector, replay) = replaying(&["ping", "error-rights"]);
    let error = connector.check().await.unwrap_err();
    replay.finish().unwrap();
    assert_eq!(error.kind, Kind::Forbidden);

    // The name of the account is not worth a failure; that there is no group is worth a warning.
    let (connector, replay) = replaying(&["ping", "groups-none", "account-refused"]);
    let checked = connector.check().await.unwrap();
    replay.finish().unwrap();
    assert_eq!(checked.account, None);
    assert!(checked.warnings[0].contains("manager"), "{:?}", checked.warnings);
}
