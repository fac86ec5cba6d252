//! The account's address, the token, and what 401 means.

use std::time::Duration;

use connector_syncro::{Account, Credentials};
use integration::{Connector, CredentialsForm, Field, Kind, Position, Pull, Retry, Ticket};

use crate::replay;

#[test]
fn an_account_is_entered_by_its_name_or_its_address() {
    for (entered, address) in [
        ("acme", "https://acme.syncromsp.com/"),
        (" Acme ", "https://acme.syncromsp.com/"),
        ("acme.syncromsp.com", "https://acme.syncromsp.com/"),
        ("https://acme.syncromsp.com", "https://acme.syncromsp.com/"),
        ("https://acme.syncromsp.com/customers/17", "https://acme.syncromsp.com/"),
        ("https://acme.syncromsp.com/api/v1/", "https://acme.syncromsp.com/"),
        ("acme.shield", "https://acme.shield.syncromsp.com/"),
        ("http://127.0.0.1:4100/syncro", "http://127.0.0.1:4100/syncro"),
        ("http://127.0.0.1:4100/syncro/api/v1", "http://127.0.0.1:4100/syncro"),
    ] {
        let account = Account::parse(entered).unwrap();
        assert_eq!(account.0.as_str(), address, "{entered}");
        assert_eq!(Account::parse(&account.store().unwrap()).unwrap(), account, "{entered}");
    }
    for strange in
        ["", "acme/x", "acme.", ".syncromsp.com", "a b", "acme@evil.example", "https://u:p@acme.example", "é"]
    {
        assert!(Account::parse(strange).is_err(), "{strange}");
    }
}

#[test]
fn a_currency_is_a_code() {
    for strange in ["$", "US", "dollars"] {
        let mut values = Credentials::example();
        values.insert("currency".to_owned(), strange.into());
        let errors = Credentials::parse(&values).unwrap_err();
        assert_eq!(errors[0].field, "currency", "{strange}");
    }
}

#[tokio::test]
async fn the_connection_test_names_what_the_token_lacks_and_keeps_its_secret() {
    let (syncro, replay) = replay(&["check"]);
    let checked = syncro.check().await.unwrap();
    replay.finish().unwrap();
    assert_eq!(checked.account.as_deref(), Some("acme"));
    assert_eq!(checked.warnings.len(), 2, "{:?}", checked.warnings);
    assert!(checked.warnings[0].contains("assets") && checked.warnings[1].contains("invoices"));
}

#[tokio::test]
async fn a_web_page_at_the_connection_test_points_to_the_subdomain() {
    let (syncro, replay) = replay(&["web-page"]);
    let error = syncro.check().await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable);
    assert!(error.message.contains("subdomain"), "{error}");
    replay.finish().unwrap();
}

#[tokio::test]
async fn a_refusal_is_told_apart_by_asking_whose_token_it_is() {
    for (files, kind) in [(&["forbidden"], Kind::Forbidden), (&["refused-token"], Kind::Credentials)] {
        let (syncro, replay) = replay(files);
        let error = Pull::<Ticket>::page(&syncro, Position::default()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::No), "{files:?}");
        assert!(error.vendor_message.unwrap().contains("group permissions"));
        replay.finish().unwrap();
    }
}

#[tokio::test]
async fn throttled_without_a_word_waits_a_minute() {
    let (syncro, _) = replay(&["throttled"]);
    let error = Pull::<Ticket>::page(&syncro, Position::default()).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(Duration::from_secs(60))));
}

#[tokio::test]
async fn the_token_is_in_the_header_and_nowhere_else() {
    let (syncro, replay) = replay(&["tickets"]);
    Pull::<Ticket>::page(&syncro, Position::default()).await.unwrap();
    let request = replay.requests().remove(0);
    assert_eq!(request.header_value("authorization"), Some("Bearer example-secret-0001"));
    assert!(!request.url.as_str().contains("secret"), "{}", request.url);
}
