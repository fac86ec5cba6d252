//! The change feed of users.

use std::sync::Arc;

use integration::{Connector, Kind, Position, Retry};
use serde_json::json;

use super::answers::{Answers, GRAPH, TENANT};

fn at<'a>(cursor: Option<&'a integration::Cursor>, since: Option<&'a str>) -> Position<'a> {
    Position { entity: Some(TENANT), cursor, since }
}

#[tokio::test]
async fn a_complete_round_leaves_a_mark_and_a_round_of_changes_says_so_on_every_page() {
    let link = |token: &str| format!("{GRAPH}/users/delta?{token}");
    let answers = Arc::new(Answers::default())
        .json(&json!({ "value": [{ "id": "a" }], "@odata.nextLink": link("$skiptoken=1") }))
        .json(&json!({ "value": [{ "id": "b" }], "@odata.deltaLink": link("$deltatoken=1") }))
        .json(&json!({ "value": [{ "id": "a" }], "@odata.nextLink": link("$skiptoken=2") }))
        .json(&json!({ "value": [{ "id": "b", "@removed": { "reason": "changed" } },
                                 { "@removed": { "reason": "deleted" }, "id": "c" }],
                       "@odata.deltaLink": link("$deltatoken=2") }));
    let connector = answers.connector();
    let users = connector.directory_users().unwrap();

    let first = users.page(at(None, None)).await.unwrap();
    assert!(!first.changes_only && first.mark.is_none() && first.removed.is_empty());
    let last = users.page(at(first.next.as_ref(), None)).await.unwrap();
    assert!(!last.changes_only && last.next.is_none());
    let mark = last.mark.unwrap();
    assert_eq!(mark, link("$deltatoken=1"));

    let first = users.page(at(None, Some(&mark))).await.unwrap();
    assert!(first.changes_only && first.mark.is_none());
    // Whether or not the mark is passed again with the cursor, the cursor decides.
    let last = users.page(at(first.next.as_ref(), Some(&mark))).await.unwrap();
    assert!(last.changes_only && last.records.is_empty());
    assert_eq!(last.removed, ["b", "c"]);
    assert_eq!(last.mark, Some(link("$deltatoken=2")));

    let asked: Vec<String> = answers.addresses().into_iter().filter(|address| address.starts_with(GRAPH)).collect();
    assert!(asked[0].contains("$select=id,userPrincipalName,"), "{asked:?}");
    assert_eq!(asked[1..], [link("$skiptoken=1"), link("$deltatoken=1"), link("$skiptoken=2")]);
}

#[tokio::test]
async fn a_page_that_neither_ends_nor_goes_on_is_not_the_end() {
    let answers = Arc::new(Answers::default()).json(&json!({ "value": [{ "id": "a" }] }));
    let error = answers.connector().directory_users().unwrap().page(at(None, None)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::Yes));
}

#[tokio::test]
async fn a_user_without_a_readable_id_is_rejected_without_being_quoted() {
    let connector = Arc::new(Answers::default()).connector();
    let users = connector.directory_users().unwrap();
    for raw in [r#"{"displayName":"Private Person"}"#, r#"{"id":7,"displayName":"Private Person"}"#, r#"["x"]"#] {
        let why = users.read(raw.as_bytes()).unwrap_err();
        assert!(why.starts_with("not a user") && !why.contains("Private"), "{why}");
    }
    let strange = br#"{"id":"a","accountEnabled":"Private Person"}"#;
    let why = users.read(strange).unwrap_err();
    assert!(!why.contains("Private"), "{why}");
}

#[tokio::test]
async fn what_microsoft_does_not_say_is_unknown() {
    let connector = Arc::new(Answers::default()).connector();
    let bare = connector.directory_users().unwrap().read(br#"{"id":"a"}"#).unwrap().record;
    assert_eq!(bare.name, "a");
    assert_eq!((bare.enabled, bare.guest, bare.synchronised, bare.email), (None, None, None, None));
    let odd = br#"{"id":"a","userType":"Robot","createdDateTime":"0000-13-45","assignedLicenses":null}"#;
    let odd = connector.directory_users().unwrap().read(odd).unwrap().record;
    assert_eq!((odd.guest, odd.created_at, odd.licence_ids.len()), (None, None, 0));
    let bare = connector.sign_in_methods().unwrap().read(br#"{"id":"a"}"#).unwrap().record;
    assert_eq!((bare.mfa_registered, bare.mfa_capable, bare.is_admin), (None, None, None));
    let bare = br#"{"id":"a","skuId":"s","skuPartNumber":"P"}"#;
    let bare = connector.licences().unwrap().read(bare).unwrap().record;
    assert_eq!((bare.total, bare.used, bare.unlimited, bare.name.as_str()), (None, None, false, "P"));
}
