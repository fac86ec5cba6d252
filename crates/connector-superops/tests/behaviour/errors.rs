//! Every family of error, each as its exchange has it.

use std::time::Duration;

use integration::{Connector, Error, Kind, Position, Retry};
use serde_json::json;

use crate::stand_ins::{replaying, saying};

/// The error of a listing of tickets that meets this exchange.
async fn listing(file: &str) -> Error {
    let (connector, replay) = replaying(&[file]);
    let error = connector.tickets().unwrap().page(Position::default()).await.unwrap_err();
    replay.finish().unwrap();
    error
}

#[tokio::test]
async fn errors_in_a_success_are_told_apart_by_their_codes() {
    for (file, kind, retry) in [
        ("error-forbidden", Kind::Forbidden, Retry::No),
        ("error-plan", Kind::Forbidden, Retry::No),
        ("error-limit", Kind::Throttled, Retry::After(Duration::from_secs(60))),
        ("error-refused", Kind::Refused, Retry::No),
        ("error-schema", Kind::Refused, Retry::No),
        ("error-internal", Kind::Unavailable, Retry::Yes),
        ("error-gone", Kind::NotFound, Retry::No),
    ] {
        let error = listing(file).await;
        assert_eq!((error.kind, error.retry, error.status), (kind, retry, Some(200)), "{file}: {error}");
    }
}

#[tokio::test]
async fn the_vendors_words_name_the_field() {
    let error = listing("error-refused").await;
    let words = "Exception while fetching data: type_validation_failed (pageSize)";
    assert_eq!(error.vendor_message.as_deref(), Some(words));
    let error = listing("error-schema").await;
    assert!(error.message.contains("schema"), "{error}");
    assert!(error.vendor_message.unwrap().contains("FieldUndefined"));
}

#[tokio::test]
async fn a_replaced_token_is_told_as_such() {
    let error = listing("error-token").await;
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No));
    assert!(error.message.contains("newer one"), "{error}");
}

#[tokio::test]
async fn an_empty_400_is_about_the_subdomain() {
    let error = listing("error-subdomain").await;
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No));
    assert!(error.message.contains("subdomain"), "{error}");
}

#[tokio::test]
async fn data_beside_errors_is_not_taken_for_the_whole() {
    let connector = saying(
        json!({
            "data": { "getTicketList": { "tickets": [], "listInfo": { "page": 1, "totalCount": 0 } } },
            "errors": [{ "message": "half of it", "extensions": { "clientError": { "code": "forbidden" } } }],
        })
        .to_string(),
    );
    let error = connector.tickets().unwrap().page(Position::default()).await.unwrap_err();
    // One code may stand alone instead of in a list.
    assert_eq!(error.kind, Kind::Forbidden, "{error}");
}

#[tokio::test]
async fn a_record_that_is_null_is_not_found() {
    let (connector, replay) = replaying(&["ticket-null"]);
    let error = connector.ticket_writes().unwrap().fetch("7928838372746166987").await.unwrap_err();
    replay.finish().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::NotFound, Retry::No));
}
