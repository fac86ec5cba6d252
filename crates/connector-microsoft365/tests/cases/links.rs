//! Links that Microsoft gives: followed as they are, but never with a token to another place.

use std::sync::Arc;

use integration::{Connector, Cursor, Domain, Kind, Position, Pull};
use serde_json::json;

use super::answers::{Answers, GRAPH, TENANT};

fn at<'a>(cursor: Option<&'a Cursor>) -> Position<'a> {
    Position { entity: Some(TENANT), cursor, since: None }
}

#[tokio::test]
async fn a_link_that_leads_away_from_graph_is_refused() {
    for link in [
        "https://graph.microsoft.com.attacker.example/v1.0/domains?$skiptoken=1",
        "https://attacker.example/v1.0/domains",
        "http://graph.microsoft.com/v1.0/domains",
        "https://graph.microsoft.com:8443/v1.0/domains",
        "https://graph.microsoft.com@attacker.example/v1.0/domains",
        "https://user:password@graph.microsoft.com/v1.0/domains",
        "https://graph.microsoft.com/v1.0/../elsewhere",
        "https://graph.microsoft.com/v1.0elsewhere",
        "/v1.0/domains",
        "",
    ] {
        for name in ["@odata.nextLink", "@odata.deltaLink"] {
            let answers = Arc::new(Answers::default()).json(&json!({ "value": [], name: link }));
            let connector = answers.connector();
            let error = connector.domains().unwrap().page(at(None)).await.unwrap_err();
            assert_eq!(error.kind, Kind::Unreadable, "{name} {link}");
            assert!(!error.to_string().contains("attacker"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_link_too_long_for_a_cursor_is_refused_and_a_long_mark_is_not() {
    let link = format!("{GRAPH}/users/delta?$skiptoken={}", "x".repeat(8001));
    let since = format!("{GRAPH}/users/delta?$deltatoken=1");
    let at = Position { entity: Some(TENANT), cursor: None, since: Some(&since) };
    let answers = Arc::new(Answers::default())
        .json(&json!({ "value": [], "@odata.nextLink": link }))
        .json(&json!({ "value": [], "@odata.deltaLink": link }));
    let connector = answers.connector();
    let users = connector.directory_users().unwrap();
    assert_eq!(users.page(at).await.unwrap_err().kind, Kind::Unreadable);
    assert_eq!(users.page(at).await.unwrap().mark.as_deref(), Some(link.as_str()));

    // A mark has to wait in a cursor until the listing ends; where it has no room, there is none.
    let next = format!("{GRAPH}/users?$skiptoken=2");
    let answers = Arc::new(Answers::default())
        .json(&json!({ "value": [], "@odata.deltaLink": link }))
        .json(&json!({ "value": [], "@odata.nextLink": next }))
        .json(&json!({ "value": [] }));
    let connector = answers.connector();
    let users = connector.directory_users().unwrap();
    let first = users.page(self::at(None)).await.unwrap();
    assert!(first.next.as_ref().is_some_and(|next| next.as_str().len() < 200), "{first:?}");
    let last = users.page(self::at(first.next.as_ref())).await.unwrap();
    assert_eq!((last.next, last.mark), (None, None));
}

#[tokio::test]
async fn an_empty_page_with_a_link_goes_on() {
    let link = format!("{GRAPH}/domains?$skiptoken=a%2Bb%3D&other=1");
    let answers = Arc::new(Answers::default())
        .json(&json!({ "value": [], "@odata.nextLink": link }))
        .json(&json!({ "value": [{ "id": "one.example" }] }));
    let connector = answers.connector();
    let first = connector.domains().unwrap().page(at(None)).await.unwrap();
    assert!(first.records.is_empty());
    let second = connector.domains().unwrap().page(at(first.next.as_ref())).await.unwrap();
    assert_eq!((second.records.len(), second.next), (1, None));
    assert_eq!(*answers.addresses().last().unwrap(), link, "followed as given");
}

#[tokio::test]
async fn a_kept_link_of_another_graph_address_is_expired_and_asks_nothing() {
    let answers = Arc::new(Answers::default());
    let connector = answers.connector_with(&[("graph_host", "https://graph.national.example")]);
    let kept = Cursor::new(format!("{GRAPH}/domains?$skiptoken=1"));
    let error = connector.domains().unwrap().page(at(Some(&kept))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Expired);
    let since = Position { entity: Some(TENANT), cursor: None, since: Some(kept.as_str()) };
    let error = connector.directory_users().unwrap().page(since).await.unwrap_err();
    assert_eq!(error.kind, Kind::Expired);
    assert!(answers.addresses().is_empty());
}

#[tokio::test]
async fn hosts_may_have_a_path_of_their_own() {
    let answers = Arc::new(Answers::default()).json(&json!({ "value": [] }));
    let connector = answers.connector_with(&[
        ("login_host", "http://127.0.0.1:4100/microsoft365/login"),
        ("graph_host", "http://127.0.0.1:4100/microsoft365/graph/"),
    ]);
    connector.domains().unwrap().page(at(None)).await.unwrap();
    let base = "http://127.0.0.1:4100/microsoft365";
    let token = format!("{base}/login/{TENANT}/oauth2/v2.0/token");
    assert_eq!(answers.addresses(), [token, format!("{base}/graph/v1.0/domains")]);
}

#[tokio::test]
async fn a_tenant_that_is_no_guid_never_gets_into_an_address() {
    let answers = Arc::new(Answers::default());
    let connector = answers.connector();
    for entity in [None, Some("../../organizations"), Some("common"), Some("")] {
        let error = connector.domains().unwrap().page(Position { entity, ..Position::default() }).await.unwrap_err();
        assert_eq!(error.kind, Kind::NotFound, "{entity:?}");
    }
    assert!(answers.addresses().is_empty());
}

#[tokio::test]
async fn a_byte_order_mark_is_not_part_of_the_answer() {
    let body = "\u{feff}{\"value\":[ {\"id\":\"one.example\"} ]}";
    let answers = Arc::new(Answers::default()).then(200, &[], body);
    let connector = answers.connector();
    let page = connector.domains().unwrap().page(at(None)).await.unwrap();
    assert_eq!(page.records, [&b"{\"id\":\"one.example\"}"[..]]);
    let item = Pull::<Domain>::read(&connector, &page.records[0]).unwrap();
    assert_eq!(item.id, "one.example");
}

#[tokio::test]
async fn the_older_days_of_the_secure_score_are_not_walked() {
    let next = format!("{GRAPH}/security/secureScores?$top=1&$skip=1");
    let answers = Arc::new(Answers::default()).json(&json!({ "value": [{}], "@odata.nextLink": next }));
    let page = answers.connector().secure_scores().unwrap().page(at(None)).await.unwrap();
    assert_eq!((page.records.len(), page.next), (1, None));
}
