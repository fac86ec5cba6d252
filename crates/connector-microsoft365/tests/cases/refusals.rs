//! What Microsoft's refusals become.

use std::{sync::Arc, time::Duration};

use integration::{Connector, Kind, Position, Retry};
use serde_json::json;

use super::answers::{Answers, GRAPH, PARTNER, TENANT};

const AT: Position<'static> = Position { entity: Some(TENANT), cursor: None, since: None };

fn graph_error(code: &str) -> String {
    json!({ "error": { "code": code, "message": "Words.", "innerError": { "request-id": "inner-1" } } }).to_string()
}

#[tokio::test]
async fn a_tenant_without_premium_is_not_offered_this_and_says_which_licence_is_missing() {
    let body = graph_error("Authentication_RequestFromNonPremiumTenantOrB2CTenant");
    let answers = Arc::new(Answers::default()).then(403, &[], body);
    let error = answers.connector().sign_in_methods().unwrap().page(AT).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::NotOffered, Retry::No));
    assert!(error.message.contains("Entra ID P1"), "{error}");
    assert_eq!(error.vendor_request_id.as_deref(), Some("inner-1"));
    assert_eq!(error.vendor_message.as_deref(), Some("Words."));
    assert!(error.context.contains(&("tenant", TENANT.to_owned())));
}

#[tokio::test]
async fn a_missing_permission_is_named_and_a_new_token_is_taken_after_it() {
    let answers = Arc::new(Answers::default())
        .then(403, &[("request-id", "header-1")], graph_error("Authorization_RequestDenied"))
        .json(&json!({ "value": [] }));
    let connector = answers.connector();
    let roles = connector.admin_roles().unwrap();
    let error = roles.page(AT).await.unwrap_err();
    assert_eq!(error.kind, Kind::Forbidden);
    assert!(error.message.contains("RoleManagement.Read.Directory"), "{error}");
    assert_eq!(error.vendor_request_id.as_deref(), Some("header-1"));
    roles.page(AT).await.unwrap();
    let asked = answers.asked.lock().unwrap();
    let tokens: Vec<_> = asked.iter().filter_map(|request| request.header_value("authorization")).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);
}

#[tokio::test]
async fn a_missing_right_to_either_listing_of_tenants_is_not_a_shorter_listing() {
    let denied = || graph_error("Authorization_RequestDenied");
    let answers = Arc::new(Answers::default()).json(&json!({ "value": [] })).then(403, &[], denied());
    let connector = answers.connector();
    let tenants = connector.entities().unwrap();
    let first = tenants.page(Position::default()).await.unwrap();
    let second = Position { cursor: first.next.as_ref(), ..Position::default() };
    let error = tenants.page(second).await.unwrap_err();
    assert_eq!(error.kind, Kind::Forbidden);
    assert!(error.message.contains("Directory.Read.All"), "{error}");

    let answers = Arc::new(Answers::default()).then(403, &[], denied());
    let error = answers.connector().entities().unwrap().page(Position::default()).await.unwrap_err();
    assert!(error.message.contains("DelegatedAdminRelationship.Read.All"), "{error}");
}

#[tokio::test]
async fn the_check_warns_of_one_missing_right_and_fails_for_both() {
    let denied = || graph_error("Authorization_RequestDenied");
    let answers = Arc::new(Answers::default()).json(&json!({ "value": [{}] })).then(403, &[], denied());
    let checked = answers.connector().check().await.unwrap();
    assert_eq!(checked.warnings.len(), 1);
    assert!(checked.warnings[0].contains("Directory.Read.All"), "{checked:?}");

    let answers = Arc::new(Answers::default()).then(403, &[], denied()).then(403, &[], denied());
    assert_eq!(answers.connector().check().await.unwrap_err().kind, Kind::Forbidden);

    let answers = Arc::new(Answers::default()).json(&json!({ "value": [] })).json(&json!({ "value": [] }));
    let checked = answers.connector().check().await.unwrap();
    assert!(checked.warnings[0].contains("partner tenant"), "{checked:?}");

    let answers = Arc::new(Answers::default()).json(&json!({ "value": [{}] })).json(&json!({ "value": [] }));
    assert!(answers.connector().check().await.unwrap().warnings.is_empty());
}

#[tokio::test]
async fn a_forgotten_place_is_expired_by_whatever_word() {
    for (status, code) in [
        (410, "resyncRequired"),
        (410, ""),
        (400, "syncStateNotFound"),
        (404, "SyncStateNotFound"),
        (400, "Directory_ExpiredPageToken"),
    ] {
        let answers = Arc::new(Answers::default()).then(status, &[], graph_error(code));
        let mark = format!("{GRAPH}/users/delta?$deltatoken=1");
        let since = Position { since: Some(&mark), ..AT };
        let error = answers.connector().directory_users().unwrap().page(since).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Kind::Expired, Retry::No), "{status} {code}");
    }
}

#[tokio::test]
async fn a_fraction_of_a_second_is_waited_as_asked() {
    let answers = Arc::new(Answers::default()).then(429, &[("retry-after", "2.5")], graph_error("TooManyRequests"));
    let error = answers.connector().licences().unwrap().page(AT).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(Duration::from_millis(2500))));
}

#[tokio::test]
async fn trouble_in_one_customers_tenant_is_not_trouble_with_the_credentials() {
    // Refused twice: with the first token, and with the new one taken because of it.
    let refused = graph_error("Authorization_IdentityNotFound");
    let answers = Arc::new(Answers::default()).then(401, &[], refused.as_str()).then(401, &[], refused.as_str());
    let error = answers.connector().domains().unwrap().page(AT).await.unwrap_err();
    assert_eq!(error.kind, Kind::Forbidden);

    let answers = Arc::new(Answers::default()).then(401, &[], refused.as_str()).then(401, &[], refused.as_str());
    let error = answers.connector().entities().unwrap().page(Position::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials);
}

#[tokio::test]
async fn each_tenant_has_one_token_of_its_own() {
    let answers = Arc::new(Answers::default());
    for _ in 0..4 {
        answers.json(&json!({ "value": [] }));
    }
    let connector = answers.connector();
    let other = "A1C3E5F7-0000-4000-8000-00000000AB12";
    for entity in [TENANT, other, other, TENANT] {
        let at = Position { entity: Some(entity), ..Position::default() };
        connector.domains().unwrap().page(at).await.unwrap();
    }
    let tokens: Vec<String> =
        answers.addresses().into_iter().filter(|address| address.ends_with("/oauth2/v2.0/token")).collect();
    let address = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
    assert_eq!(tokens, [address(TENANT), address(&other.to_lowercase())]);
    assert!(!tokens.contains(&address(PARTNER)));
}
