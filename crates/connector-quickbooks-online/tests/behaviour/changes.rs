//! What changed since, and where that cannot be told.

use chrono::TimeDelta;
use integration::{Kind, Page, Position, Result};
use serde_json::{Value, json};
use vendorkit::a_tuesday;

use crate::canned;

fn since(ago: TimeDelta) -> String {
    (a_tuesday() - ago).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn changed(found: &Value) -> (u16, String) {
    let body = json!({ "CDCResponse": [{ "QueryResponse": [found] }], "time": "2026-10-06T02:00:00.000-07:00" });
    (200, body.to_string())
}

async fn invoices(answer: (u16, String), mark: &str) -> Result<Page> {
    let (_, connector) = canned::connector([answer]);
    connector.invoices().unwrap().page(Position { since: Some(mark), ..Position::default() }).await
}

#[tokio::test]
async fn changes_and_deletions_are_told_apart() {
    let found = json!({ "Invoice": [{ "Id": "7", "DocNumber": "1042" }, { "Id": "8", "status": "Deleted" }] });
    let (canned, connector) = canned::connector([changed(&found)]);
    let mark = since(TimeDelta::hours(1));
    let page =
        connector.invoices().unwrap().page(Position { since: Some(&mark), ..Position::default() }).await.unwrap();
    assert_eq!((page.records.len(), page.removed, page.changes_only), (1, vec!["8".to_owned()], true));
    assert_eq!((page.next, page.mark.as_deref()), (None, Some("2026-10-06T08:55:00Z")));
    let request = &canned.asked()[0];
    assert!(request.url.path().ends_with("/v3/company/example-account-0001/cdc"), "{request:?}");
    let pairs: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
    let wanted = [("entities", "Invoice"), ("changedSince", "2026-10-06T08:00:00Z"), ("minorversion", "75")];
    assert_eq!(pairs, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_mark_that_is_too_old_is_not_even_asked_about() {
    let (canned, connector) = canned::connector([]);
    for mark in [since(TimeDelta::days(29) + TimeDelta::minutes(1)), "revision 7".to_owned()] {
        let at = Position { since: Some(&mark), ..Position::default() };
        let error = connector.entities().unwrap().page(at).await.unwrap_err();
        assert_eq!(error.kind, Kind::Expired, "{error}");
    }
    assert!(canned.asked().is_empty());
}

#[tokio::test]
async fn a_moment_that_the_vendor_refuses_means_a_whole_listing() {
    let fault =
        json!({ "Fault": { "Error": [{ "Message": "Invalid date", "code": "2010" }], "type": "ValidationFault" } });
    let error = invoices((400, fault.to_string()), &since(TimeDelta::days(28))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Expired, "{error}");
    assert_eq!(error.vendor_message.as_deref(), Some("Invalid date (code 2010)"));
    let error = invoices((403, "{}".to_owned()), &since(TimeDelta::days(28))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Forbidden, "what is not the moment's fault stays what it is");
}

#[tokio::test]
async fn a_full_answer_may_be_cut_and_is_not_believed() {
    let rows =
        |count: usize| (0..count).map(|id| json!({ "Id": id.to_string(), "status": "Deleted" })).collect::<Vec<_>>();
    let mark = since(TimeDelta::hours(1));
    let page = invoices(changed(&json!({ "Invoice": rows(999) })), &mark).await.unwrap();
    assert_eq!(page.removed.len(), 999);
    let error = invoices(changed(&json!({ "Invoice": rows(1000) })), &mark).await.unwrap_err();
    assert_eq!(error.kind, Kind::Expired, "{error}");
}

#[tokio::test]
async fn no_change_is_an_empty_element_and_not_a_missing_answer() {
    let mark = since(TimeDelta::hours(1));
    let page = invoices(changed(&json!({})), &mark).await.unwrap();
    assert!(page.records.is_empty() && page.removed.is_empty() && page.mark.is_some());
    for strange in [r#"{"CDCResponse":[]}"#, r#"{"CDCResponse":[{}]}"#, r#"{"time":"2026-10-06T02:00:00Z"}"#] {
        let error = invoices((200, strange.to_owned()), &mark).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unreadable, "{strange}: {error}");
    }
    let fault = json!({ "Fault": { "Error": [{ "Message": "Try later", "code": "10000" }], "type": "SystemFault" } });
    let error = invoices(changed(&fault), &mark).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_contact_is_gone_when_its_customer_names_nobody_any_more() {
    let found = json!({ "Customer": [
        { "Id": "1", "DisplayName": "A", "GivenName": "Ana" }, { "Id": "2", "DisplayName": "B" },
        { "Id": "3", "status": "Deleted" },
    ] });
    let (_, connector) = canned::connector([changed(&found)]);
    let mark = since(TimeDelta::hours(1));
    let at = Position { since: Some(&mark), ..Position::default() };
    let page = connector.contacts().unwrap().page(at).await.unwrap();
    assert_eq!((page.records.len(), page.removed), (1, vec!["3".to_owned(), "2".to_owned()]));
}
