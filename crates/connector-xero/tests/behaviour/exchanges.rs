//! Exchanges that are no success: limits and refusals.

use std::{path::PathBuf, sync::Arc, time::Duration};

use connector_xero::Xero;
use integration::{Connector, Cursor, Entry, Error, Kind, Position, Retry};
use vendorkit::Replay;

fn replay(files: &[&str]) -> (Box<dyn Connector>, Arc<Replay>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vendor");
    let replay = Arc::new(Replay::files(folder, files).unwrap());
    let entry = Entry::of::<Xero>();
    (entry.connect(&entry.example(), replay.clone()).unwrap(), replay)
}

/// The error of the first page of invoices.
async fn invoices(file: &str) -> Error {
    let (connector, replay) = replay(&[file]);
    let error = connector.invoices().unwrap().page(Position::default()).await.unwrap_err();
    replay.finish().unwrap();
    error
}

#[tokio::test]
async fn the_test_asks_for_the_organisation() {
    let (connector, replay) = replay(&["check"]);
    let checked = connector.check().await.unwrap();
    assert_eq!(checked.account.as_deref(), Some("Demo Company (NZ)"));
    assert!(checked.warnings[0].contains("demo company"), "{checked:?}");
    replay.finish().unwrap();
}

#[tokio::test]
async fn each_limit_says_which_it_is_and_when_it_opens() {
    for (file, wait, says) in [
        ("throttled-day", 43_200, "in a day are used up; it opens again at 2026-10-06 21:00:00 UTC"),
        (
            "throttled-minute",
            21,
            "for this organisation in a minute are used up; it opens again at 2026-10-06 09:00:21",
        ),
        ("throttled-app-minute", 8, "your app in a minute, for all organisations together, are used up"),
        ("throttled-day-silent", 3_600, "in a day are used up; it does not say when"),
    ] {
        let error = invoices(file).await;
        assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(Duration::from_secs(wait))), "{file}");
        assert!(error.message.contains(says), "{file}: {error}");
    }
    let error = invoices("throttled-concurrent").await;
    assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::Yes), "{error}");
    assert!(error.message.contains("at once"), "{error}");
}

#[tokio::test]
async fn refusals_keep_the_vendors_words() {
    let error = invoices("forbidden").await;
    assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No));
    assert_eq!(error.vendor_message.as_deref(), Some("Forbidden: AuthenticationUnsuccessful"));
    assert_eq!(error.vendor_request_id.as_deref(), Some("79f299a4-f3a6-4c0d-a4a0-d4c48d1f3b00"));
    let error = invoices("invalid").await;
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(error.vendor_message.as_deref(), Some("A validation exception occurred: The page size is too large"));
    let error = invoices("not-found").await;
    assert_eq!(error.kind, Kind::NotFound);
    assert_eq!(error.vendor_message.as_deref(), Some("The resource you're looking for cannot be found"));
}

#[tokio::test]
async fn a_consent_that_ended_needs_a_person() {
    let (connector, replay) = replay(&["token-expired", "token-refused"]);
    let error = connector.check().await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No), "{error}");
    assert!(error.message.contains("reconnect"), "{error}");
    replay.finish().unwrap();
}

/// Each is read as the second page, where three records of three were counted before the first.
#[tokio::test]
async fn a_listing_that_does_not_add_up_is_no_end() {
    for (file, kind, retry) in [
        ("page-shrunk", Kind::Expired, Retry::No),
        ("page-empty", Kind::Unreadable, Retry::Yes),
        ("page-another", Kind::Unreadable, Retry::No),
        ("page-xml", Kind::Unreadable, Retry::Yes),
    ] {
        let (connector, replay) = replay(&[file]);
        let cursor = Cursor::new("2/2/3");
        let at = Position { cursor: Some(&cursor), ..Position::default() };
        let error = connector.invoices().unwrap().page(at).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{file}: {error}");
        replay.finish().unwrap();
    }
    let (connector, replay) = replay(&["page-uncounted"]);
    let page = connector.invoices().unwrap().page(Position::default()).await.unwrap();
    assert_eq!((page.records.len(), page.total, page.next), (1, None, None));
    replay.finish().unwrap();
}
