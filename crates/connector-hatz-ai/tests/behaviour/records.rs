//! What the records say, and what they leave open.

use integration::{DirectoryUser, Entity, Kind, Licence, Position, Pull, Reach, Retry};
use serde_json::{Value, json};

use crate::script::{all, connector};

fn list(records: Value) -> [(u16, Value); 2] {
    [(200, records), (200, json!([]))]
}

#[tokio::test]
async fn only_active_is_a_state_that_is_known() {
    let states = [json!("Active"), json!("active"), json!("Suspended"), json!(null)];
    let tenants = states.iter().enumerate().map(|(at, state)| json!({ "id": at, "name": "Alder", "status": state }));
    let (hatz, _) = connector(list(tenants.collect()));
    let found = all::<Entity>(&hatz, None).await.unwrap();
    let read: Vec<_> = found.iter().map(|item| (item.record.active, item.record.status.as_deref())).collect();
    let expected =
        [(Some(true), Some("Active")), (Some(true), Some("active")), (None, Some("Suspended")), (None, None)];
    assert_eq!(read, expected);
}

/// Name, seats owned and seats used of every licence.
async fn licences(tenant: Value) -> Vec<(String, String, Option<i64>, Option<i64>)> {
    let (hatz, _) = connector(list(json!([tenant])));
    let found = all::<Licence>(&hatz, None).await.unwrap();
    assert!(found.iter().all(|item| item.entity.as_deref() == Some("tenant_a")));
    found.into_iter().map(|item| (item.id, item.record.name, item.record.total, item.record.used)).collect()
}

fn row(id: &str, name: &str, total: Option<i64>, used: Option<i64>) -> (String, String, Option<i64>, Option<i64>) {
    (id.to_owned(), name.to_owned(), total, used)
}

#[tokio::test]
async fn packages_and_credits_are_licences_of_their_own() {
    let tenant = json!({
        "id": "tenant_a", "primary_package_name": "Professional", "user_count": 25,
        "additional_package_names": ["Voice", "Extra Credits 500", "Voice"],
        "total_credits_used": 12.5, "total_credit_limit": "1000.9",
    });
    assert_eq!(
        licences(tenant).await,
        [
            row("tenant_a/package", "Professional", None, Some(25)),
            // A credit that is begun is used, one that is not whole is not owned.
            row("tenant_a/credits", "AI credits", Some(1_000), Some(13)),
            row("tenant_a/addition/Extra Credits 500", "Extra Credits 500", None, None),
            row("tenant_a/addition/Voice", "Voice", None, None),
        ]
    );
}

#[tokio::test]
async fn what_is_not_told_is_unknown_and_never_zero() {
    let bare = [row("tenant_a/package", "Users", None, None), row("tenant_a/credits", "AI credits", None, None)];
    assert_eq!(licences(json!({ "id": "tenant_a" })).await, bare);
    let odd = json!({
        "id": "tenant_a", "user_count": "many", "additional_package_names": null,
        "total_credits_used": { "amount": 3 }, "total_credit_limit": null, "primary_package_name": "",
    });
    assert_eq!(licences(odd).await, bare);
}

#[tokio::test]
async fn a_tenant_that_cannot_be_read_is_rejected_once() {
    let (hatz, _) = connector(list(json!(["tenant_a", { "name": "no id" }])));
    let page = Pull::<Licence>::page(&hatz, Position::default()).await.unwrap();
    let reads: Vec<_> = page.records.iter().map(|raw| Pull::<Licence>::read(&hatz, raw)).collect();
    assert!(reads.iter().all(Result::is_err) && reads.len() == 3, "{reads:?}");
    assert!(!format!("{reads:?}").contains("no id"));
}

#[tokio::test]
async fn users_are_read_whichever_names_their_fields_have() {
    let users = json!([
        { "id": "user_1", "email": "ann@alder.example", "first_name": "Ann", "last_name": "Lee", "status": "Active",
          "created_at": "2025-01-20T22:10:00Z", "last_login_at": "2026-10-05T09:00:00Z" },
        { "id": "user_2", "email": "bob@alder.example", "status": "disabled", "created_at": "soon" },
        { "id": "user_3", "name": "Cy Dow", "status": "Invited" },
        { "id": "user_4" },
    ]);
    let (hatz, script) = connector(list(users));
    assert_eq!(Pull::<DirectoryUser>::reach(&hatz), Reach::Entity);
    let found = all::<DirectoryUser>(&hatz, Some("tenant_a/../b")).await.unwrap();
    let first = script.requests()[0].url.path().to_owned();
    assert_eq!(first, "/v1/admin/tenants/tenant_a%2F..%2Fb/users", "an id stays one part of the path");
    let read: Vec<_> = found.iter().map(|item| (item.record.name.as_str(), item.record.enabled)).collect();
    let expected =
        [("Ann Lee", Some(true)), ("bob@alder.example", Some(false)), ("Cy Dow", None), ("User user_4", None)];
    assert_eq!(read, expected);
    let ann = &found[0].record;
    assert_eq!(ann.last_sign_in_at, Some("2026-10-05T09:00:00Z".parse().unwrap()));
    assert_eq!(ann.created_at, Some("2025-01-20T22:10:00Z".parse().unwrap()));
    assert_eq!((found[1].record.created_at, found[1].record.last_sign_in_at), (None, None));
}

#[tokio::test]
async fn a_list_of_users_that_is_not_there_is_not_an_empty_one() {
    for status in [404, 405] {
        let (hatz, _) = connector([(status, json!({ "detail": "Not Found" }))]);
        let error = all::<DirectoryUser>(&hatz, Some("tenant_a")).await.err().unwrap();
        assert_eq!((error.kind, error.retry), (Kind::NotOffered, Retry::No), "{error}");
        assert!(error.message.contains("does not offer"), "{error}");
    }
    let (hatz, _) = connector([(503, json!({}))]);
    assert_eq!(all::<DirectoryUser>(&hatz, Some("tenant_a")).await.err().unwrap().kind, Kind::Unavailable);
    let (hatz, script) = connector([]);
    assert_eq!(all::<DirectoryUser>(&hatz, None).await.err().unwrap().kind, Kind::Refused);
    assert!(script.requests().is_empty());
}
