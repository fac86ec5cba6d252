//! Refresh tokens that rotate. What is common to all vendors (one renewal however many wait, stored before it is used)
//! is tested where it is written; here is Xero's half hour, in which an exchanged token still works.

use chrono::TimeDelta;
use integration::{Body, Kind, Retry};

use crate::stage::{connector, granted, vendor};

#[tokio::test]
async fn a_renewal_whose_answer_was_lost_can_be_made_again_for_half_an_hour() {
    let vendor = vendor();
    let form = granted(&[]);
    vendor.simulator.expire_tokens();
    connector(&vendor, &form).check().await.unwrap();
    let requests = vendor.requests();
    let [token] = requests.iter().filter(|one| one.url.path().ends_with("/connect/token")).collect::<Vec<_>>()[..]
    else {
        panic!("not one renewal")
    };
    // The app's id and secret, in base64; neither stands in the form.
    let proof = "Basic eGVyby1zaW11bGF0ZWQtYXBwOnhlcm8tc2ltdWxhdGVkLXNlY3JldA==";
    assert_eq!(token.header_value("authorization"), Some(proof));
    let Body::Form(pairs) = &token.body else { panic!("not a form") };
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["grant_type", "refresh_token"]);
    // Nothing of that renewal was kept: the next connector starts from the old grant.
    vendor.advance(TimeDelta::minutes(29));
    connector(&vendor, &form).check().await.unwrap();
    vendor.advance(TimeDelta::minutes(31));
    let error = connector(&vendor, &form).check().await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No), "{error}");
    assert!(error.message.contains("reconnect"), "{error}");
    assert_eq!(error.vendor_message.as_deref(), Some("invalid_grant"));
}

#[tokio::test]
async fn a_connector_goes_on_through_many_renewals_but_not_after_sixty_idle_days() {
    let vendor = vendor();
    let connector = connector(&vendor, &granted(&[]));
    vendor.simulator.expire_tokens();
    for _ in 0..5 {
        connector.check().await.unwrap();
        vendor.advance(TimeDelta::days(59));
    }
    connector.check().await.unwrap();
    vendor.clear_log();
    connector.check().await.unwrap();
    assert_eq!(vendor.count(), 1, "a fresh token is not renewed");
    vendor.advance(TimeDelta::days(61));
    let error = connector.check().await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials, "{error}");
}
