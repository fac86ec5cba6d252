//! Every family of error, each as its exchange has it.

use std::time::Duration;

use integration::{Connector, Error, Kind, Position, Retry};

use crate::stand_ins::replaying;

/// The error of a listing of tickets that meets this exchange.
async fn listing(file: &str) -> Error {
    let (connector, replay) = replaying(&[file]);
    let error = connector.tickets().unwrap().page(Position::default()).await.unwrap_err();
    replay.finish().unwrap();
    error
}

#[tokio::test]
async fn statuses_and_codes_are_told_apart() {
    for (file, kind, words) in [
        ("error-key", Kind::Credentials, "region"),
        ("error-scope", Kind::Forbidden, "scope"),
        ("error-name", Kind::Refused, "changed"),
        ("error-cursor", Kind::Expired, "forgotten"),
        ("error-value", Kind::Refused, "refused"),
        // With the status of a success: the envelope knows better.
        ("error-inside", Kind::Forbidden, "scope"),
        ("error-inside-bare", Kind::Refused, "refused"),
        ("error-old-shape", Kind::Unreadable, "envelope"),
    ] {
        let error = listing(file).await;
        assert_eq!((error.kind, error.retry), (kind, Retry::No), "{file}: {error}");
        assert!(error.message.contains(words), "{file}: {error}");
    }
}

#[tokio::test]
async fn the_vendors_words_and_trace_are_kept() {
    let error = listing("error-name").await;
    assert_eq!(error.vendor_message.as_deref(), Some("070101: Unknown query parameter (Page)"));
    assert_eq!(error.vendor_request_id.as_deref(), Some("00-trace-0001-00"));
}

#[tokio::test]
async fn the_gateway_speaks_without_an_envelope() {
    let error = listing("error-gateway").await;
    assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(Duration::from_secs(30))));
    assert_eq!(error.vendor_message.as_deref(), Some("Rate limit is exceeded"));
}
