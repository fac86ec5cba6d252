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
    let answers = without_sign_ins()
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
    assert!(asked[0].starts_with(&link("$deltatoken=latest&$select=id,userPrincipalName,")), "{asked:?}");
    assert!(asked[1].contains("/users?$top=120&$select=id,") && asked[1].ends_with(",signInActivity"), "{asked:?}");
    assert!(asked[2].starts_with(&link("$select=id,userPrincipalName,")), "{asked:?}");
    assert_eq!(asked[3..], [link("$skiptoken=1"), link("$deltatoken=1"), link("$skiptoken=2")]);
    let tokens = answers.addresses().len() - asked.len();
    assert_eq!(tokens, 1, "a licence that is missing is in no token");
}

/// A tenant of which Microsoft does not tell who signed in when.
fn without_sign_ins() -> Arc<Answers> {
    let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
    Arc::new(Answers::default())
        .json(&json!({ "value": [], "@odata.deltaLink": format!("{GRAPH}/users/delta?$deltatoken=0") }))
        .then(403, &[], json!({ "error": { "code": code, "message": "" } }).to_string())
}

const JO: &str = "0b8d1a52-6f0e-4a8f-bb26-0f7c3c0a9d11";

#[tokio::test]
async fn a_whole_round_with_sign_ins_leaves_the_mark_from_before_it() {
    let (feed, next) = (format!("{GRAPH}/users/delta?$deltatoken=9"), format!("{GRAPH}/users?$skiptoken=2"));
    let activity = |name: &str, at: &str| json!({ "id": JO, "signInActivity": { name: at } });
    let answers = Arc::new(Answers::default())
        .json(&json!({ "value": [], "@odata.deltaLink": feed }))
        .json(&json!({ "value": [activity("lastSignInDateTime", "2026-09-01T08:00:00Z")], "@odata.nextLink": next }))
        .json(&json!({ "value": [{ "id": "b", "signInActivity": "odd" }, { "id": "c" }] }))
        .json(&json!({ "value": [{ "id": JO, "displayName": "Jo" }, { "id": "no GUID" }],
                       "@odata.deltaLink": format!("{feed}9") }))
        .json(&parts(&[(
            200,
            json!({ "id": JO, "signInActivity": { "lastSignInDateTime": "2026-10-02T08:00:00Z",
                       "lastSuccessfulSignInDateTime": "2026-10-01T08:00:00Z" } }),
        )]));
    let connector = answers.connector();
    let users = connector.directory_users().unwrap();
    let seen = |page: &integration::Page| -> Vec<_> {
        let read = page.records.iter().map(|raw| users.read(raw).unwrap().record);
        read.map(|user| user.last_sign_in_at.map(|at| at.date_naive().to_string())).collect()
    };
    let first = users.page(at(None, None)).await.unwrap();
    assert!(first.mark.is_none() && !first.changes_only);
    assert_eq!(seen(&first), [Some("2026-09-01".to_owned())]);
    let last = users.page(at(first.next.as_ref(), None)).await.unwrap();
    assert!(last.next.is_none() && !last.changes_only);
    assert_eq!(seen(&last), [None, None]);

    let changes = users.page(at(None, last.mark.as_deref())).await.unwrap();
    assert!(changes.changes_only && changes.next.is_none());
    // The one that succeeded counts, not the one that was tried.
    assert_eq!(seen(&changes), [Some("2026-10-01".to_owned()), None]);
    assert_eq!(changes.mark, Some(format!("{}9", last.mark.unwrap())), "the next round asks for sign-ins too");
    let asked = answers.addresses();
    let expected = [next, feed, format!("{GRAPH}/$batch")];
    assert_eq!(asked[3..], expected);
}

/// The answer to a batch: its parts in another order than they were asked for in.
fn parts(told: &[(u16, serde_json::Value)]) -> serde_json::Value {
    let part = |(at, (status, body)): (usize, &(u16, serde_json::Value))| json!({ "id": at.to_string(), "status": status, "headers": { "Retry-After": "3" }, "body": body });
    json!({ "responses": told.iter().enumerate().map(part).rev().collect::<Vec<_>>() })
}

#[tokio::test]
async fn parts_of_a_batch_are_told_apart_and_one_that_must_wait_ends_the_page() {
    let mark = format!("sign-ins {GRAPH}/users/delta?$deltatoken=1");
    let id = |n: usize| format!("0b8d1a52-6f0e-4a8f-bb26-{n:012}");
    let changed = |count: usize| {
        let users: Vec<_> = (0..count).map(|n| json!({ "id": id(n), "displayName": "Jo" })).collect();
        json!({ "value": users, "@odata.deltaLink": mark[9..] })
    };
    let told = |n: usize| {
        let at = format!("2026-10-{:02}T08:00:00Z", n + 1);
        (200, json!({ "id": id(n), "signInActivity": { "lastSuccessfulSignInDateTime": at } }))
    };
    let gone = (404, json!({ "error": { "code": "Request_ResourceNotFound", "message": "" } }));
    // Twenty go in one request: 22 users are two.
    let mut first: Vec<_> = (0..20).map(told).collect();
    first[7] = gone;
    let answers =
        Arc::new(Answers::default()).json(&changed(22)).json(&parts(&first)).json(&parts(&[told(20), told(21)]));
    let connector = answers.connector();
    let users = connector.directory_users().unwrap();
    let page = users.page(at(None, Some(&mark))).await.unwrap();
    assert_eq!(page.records.len(), 22);
    for (n, raw) in page.records.iter().enumerate() {
        let user = users.read(raw).unwrap();
        assert_eq!(user.id, id(n));
        let day = user.record.last_sign_in_at.map(|at| at.date_naive().to_string());
        assert_eq!(day, (n != 7).then(|| format!("2026-10-{:02}", n + 1)), "{n}");
    }
    let busy = |status: u16| (status, json!({ "error": { "code": "TooManyRequests", "message": "" } }));
    for (status, kind) in [(429, Kind::Throttled), (503, Kind::Unavailable)] {
        let answers = Arc::new(Answers::default()).json(&changed(2)).json(&parts(&[told(0), busy(status)]));
        let error = answers.connector().directory_users().unwrap().page(at(None, Some(&mark))).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::After(std::time::Duration::from_secs(3))));
    }
    // A part that is missing is not one that says nothing.
    let answers = Arc::new(Answers::default()).json(&changed(2)).json(&parts(&[told(0)]));
    let error = answers.connector().directory_users().unwrap().page(at(None, Some(&mark))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable);
}

#[tokio::test]
async fn what_is_not_told_of_a_sign_in_loses_nobody() {
    let mark = format!("sign-ins {GRAPH}/users/delta?$deltatoken=1");
    let denied = |code: &str| json!({ "error": { "code": code, "message": "" } }).to_string();
    let changed = json!({ "value": [{ "id": JO, "displayName": "Jo" }], "@odata.deltaLink": format!("{mark}1")[9..] });
    for (status, code) in [
        (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"),
        (403, "Authorization_RequestDenied"),
        (404, "Request_ResourceNotFound"),
        (400, "Request_UnsupportedQuery"),
    ] {
        let answers = Arc::new(Answers::default()).json(&changed).then(status, &[], denied(code));
        let connector = answers.connector();
        let users = connector.directory_users().unwrap();
        let page = users.page(at(None, Some(&mark))).await.unwrap();
        let user = users.read(&page.records[0]).unwrap().record;
        assert_eq!((user.name.as_str(), user.last_sign_in_at), ("Jo", None), "{code}");
    }
    // Trouble that passes is waited for: it says nothing of the tenant.
    for (status, kind) in [(429, Kind::Throttled), (503, Kind::Unavailable)] {
        let answers = Arc::new(Answers::default()).json(&changed).then(status, &[("retry-after", "3")], denied("Busy"));
        let error = answers.connector().directory_users().unwrap().page(at(None, Some(&mark))).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::After(std::time::Duration::from_secs(3))));
    }
}

#[tokio::test]
async fn many_changes_are_a_whole_round_instead_of_many_questions() {
    let mark = format!("sign-ins {GRAPH}/users/delta?$deltatoken=1");
    let many: Vec<_> = (0..51).map(|n| json!({ "id": format!("0b8d1a52-6f0e-4a8f-bb26-{n:012}") })).collect();
    let answers = Arc::new(Answers::default()).json(&json!({ "value": many, "@odata.deltaLink": mark[9..] }));
    let error = answers.connector().directory_users().unwrap().page(at(None, Some(&mark))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Expired);
    assert_eq!(answers.addresses().len(), 2, "the token and the changes, nothing else");
}

#[tokio::test]
async fn without_a_mark_the_next_round_is_whole_again() {
    for (status, body) in [
        (400, json!({ "error": { "code": "Request_BadRequest", "message": "" } })),
        (200, json!({ "value": [{ "id": "a" }], "@odata.nextLink": format!("{GRAPH}/users/delta?$skiptoken=1") })),
    ] {
        let answers = Arc::new(Answers::default())
            .then(status, &[], body.to_string())
            .json(&json!({ "value": [{ "id": "a" }, { "id": "b" }] }));
        let page = answers.connector().directory_users().unwrap().page(at(None, None)).await.unwrap();
        assert_eq!((page.records.len(), page.next, page.mark), (2, None, None), "{status}");
    }
}

#[tokio::test]
async fn a_page_that_neither_ends_nor_goes_on_is_not_the_end() {
    let answers = without_sign_ins().json(&json!({ "value": [{ "id": "a" }] }));
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
