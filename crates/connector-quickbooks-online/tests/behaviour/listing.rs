//! Listings by position, over a vendor whose records move.

use integration::{Cursor, Kind, Page, Position, Result};
use serde_json::{Value, json};

use crate::canned;

const SIZE: usize = 500;

/// A page of invoices with these numbers.
fn page(ids: impl Iterator<Item = usize>, start: usize, more: Value) -> (u16, String) {
    let rows: Vec<Value> = ids.map(|id| json!({ "Id": id.to_string() })).collect();
    let mut found = json!({ "Invoice": rows, "startPosition": start, "maxResults": rows.len() });
    found.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    (200, json!({ "QueryResponse": found, "time": "2026-10-06T02:00:00.000-07:00" }).to_string())
}

async fn read(answers: Vec<(u16, String)>, cursor: Option<&Cursor>) -> Result<Page> {
    let (_, connector) = canned::connector(answers);
    connector.invoices().unwrap().page(Position { cursor, ..Position::default() }).await
}

#[tokio::test]
async fn a_page_begins_with_the_last_record_of_the_page_before() {
    let answers = vec![page(1..=SIZE, 1, json!({})), page(SIZE..=SIZE + 20, SIZE, json!({}))];
    let (canned, connector) = canned::connector(answers);
    let invoices = connector.invoices().unwrap();
    let first = invoices.page(Position::default()).await.unwrap();
    assert_eq!((first.records.len(), first.mark.as_deref()), (SIZE, None));
    let second = invoices.page(Position { cursor: first.next.as_ref(), ..Position::default() }).await.unwrap();
    assert_eq!((second.records.len(), second.next), (20, None));
    assert_eq!(second.mark.as_deref(), Some("2026-10-06T08:55:00Z"), "five minutes before the listing began");
    let request = &canned.asked()[1];
    let query = request.url.query().unwrap();
    assert!(!query.contains('+') && query.contains("STARTPOSITION%20500%20MAXRESULTS%20500"), "{query}");
    let pairs: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
    let wanted = "SELECT * FROM Invoice ORDERBY Id STARTPOSITION 500 MAXRESULTS 500";
    assert_eq!(pairs, [("query".to_owned(), wanted.to_owned()), ("minorversion".to_owned(), "75".to_owned())]);
}

#[tokio::test]
async fn a_listing_that_moved_is_made_anew() {
    let first = read(vec![page(1..=SIZE, 1, json!({}))], None).await.unwrap();
    let next = first.next.as_ref();
    for moved in [page(SIZE + 1..=SIZE + 20, SIZE, json!({})), (200, r#"{"QueryResponse":{}}"#.to_owned())] {
        let error = read(vec![moved], next).await.unwrap_err();
        assert_eq!(error.kind, Kind::Expired, "{error}");
    }
    let error = read(Vec::new(), Some(&Cursor::new("a place of somebody else"))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Expired, "{error}");
}

#[tokio::test]
async fn another_page_than_the_one_asked_for_is_no_page() {
    let error = read(vec![page(1..=3, 501, json!({}))], None).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable, "{error}");
    assert_eq!(error.vendor_request_id.as_deref(), Some("1-trace-0001"));
}

#[tokio::test]
async fn a_short_page_is_the_last_unless_the_vendor_counts_more() {
    let short = read(vec![page(1..=100, 1, json!({}))], None).await.unwrap();
    assert_eq!((short.records.len(), short.next), (100, None));
    let counted = read(vec![page(1..=100, 1, json!({ "totalCount": 100 }))], None).await.unwrap();
    assert_eq!(counted.next, None);
    let cut = read(vec![page(1..=100, 1, json!({ "totalCount": 130 }))], None).await.unwrap();
    let rest = read(vec![page(100..=130, 100, json!({ "totalCount": 130 }))], cut.next.as_ref()).await.unwrap();
    assert_eq!((rest.records.len(), rest.next), (30, None));
    // A count that is never reached does not keep the listing going.
    let stuck = read(vec![page(100..=100, 100, json!({ "totalCount": 130 }))], cut.next.as_ref()).await.unwrap();
    assert_eq!((stuck.records.len(), stuck.next), (0, None));
}

#[tokio::test]
async fn nothing_is_an_empty_object_and_not_a_count_without_records() {
    let empty = read(vec![(200, r#"{"QueryResponse":{},"time":"2026-10-06T02:00:00Z"}"#.to_owned())], None).await;
    let empty = empty.unwrap();
    assert!(empty.records.is_empty() && empty.next.is_none() && empty.mark.is_some());
    for strange in [r#"{"QueryResponse":{"maxResults":3}}"#, r#"{"QueryResponse":null}"#, r#"{"QueryResponse":[]}"#] {
        let error = read(vec![(200, strange.to_owned())], None).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unreadable, "{strange}: {error}");
    }
}

#[tokio::test]
async fn the_slower_clock_gives_the_mark() {
    for (time, mark) in [
        (None, "2026-10-06T08:55:00Z"),
        (Some("2026-10-06T01:00:00-07:00"), "2026-10-06T07:55:00Z"),
        (Some("2027-01-01T00:00:00Z"), "2026-10-06T08:55:00Z"),
        (Some("yesterday"), "2026-10-06T08:55:00Z"),
    ] {
        let body = json!({ "QueryResponse": {}, "time": time });
        let empty = read(vec![(200, body.to_string())], None).await.unwrap();
        assert_eq!(empty.mark.as_deref(), Some(mark), "{time:?}");
    }
}

#[tokio::test]
async fn templates_of_bills_are_left_out_and_do_not_end_the_listing() {
    let mut rows: Vec<Value> = (1..SIZE).map(|id| json!({ "Bill": { "Id": id.to_string() } })).collect();
    rows.push(json!({ "Invoice": { "Id": "9", "CustomerRef": { "value": "1" } } }));
    let body = json!({ "QueryResponse": { "RecurringTransaction": rows, "startPosition": 1, "maxResults": SIZE } });
    let (_, connector) = canned::connector([(200, body.to_string())]);
    let page = connector.repeating_invoices().unwrap().page(Position::default()).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert!(page.next.is_some() && page.mark.is_none());
}
