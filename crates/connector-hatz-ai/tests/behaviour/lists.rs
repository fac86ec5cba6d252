//! Lists that do not say where they end.

use integration::{Cursor, Entity, Kind, Position, Pull, Retry};
use serde_json::{Value, json};

use crate::script::{all, connector, pages};

fn tenants(ids: std::ops::Range<u64>) -> (u16, Value) {
    (200, ids.map(|id| json!({ "id": format!("tenant_{id}") })).collect())
}

#[tokio::test]
async fn a_short_answer_is_no_end_but_an_empty_one_is() {
    // Twenty are given, though a hundred were asked for.
    let answers = [tenants(0..20), tenants(20..40), tenants(40..47), tenants(0..0)];
    let (hatz, script) = connector(answers);
    let found = all::<Entity>(&hatz, None).await.unwrap();
    assert_eq!((found.len(), found[46].id.as_str()), (47, "tenant_46"));
    assert_eq!(script.offsets(), ["0", "20", "40", "47"]);
}

#[tokio::test]
async fn no_page_is_empty_where_a_list_ends_with_a_full_answer() {
    // The hundredth shows that there is more, and begins the next page.
    let answers = [tenants(0..100), tenants(99..199), tenants(198..200), tenants(0..0)];
    let (hatz, script) = connector(answers);
    let pages = pages::<Entity>(&hatz, None).await.unwrap();
    assert_eq!(pages.iter().map(|page| page.records.len()).collect::<Vec<_>>(), [99, 99, 2]);
    assert_eq!(script.offsets(), ["0", "99", "198", "200"]);
    assert!(pages.iter().all(|page| page.total.is_none()), "the vendor tells no total");
}

#[tokio::test]
async fn a_server_that_knows_no_paging_gives_all_at_once() {
    // It knows no offset.
    let (hatz, script) = connector([tenants(0..7), tenants(0..7)]);
    assert_eq!(all::<Entity>(&hatz, None).await.unwrap().len(), 7);
    assert_eq!(script.offsets(), ["0", "7"]);
    // It knows no limit either.
    let (hatz, script) = connector([tenants(0..140)]);
    assert_eq!(all::<Entity>(&hatz, None).await.unwrap().len(), 140);
    assert_eq!(script.offsets(), ["0"]);
}

#[tokio::test]
async fn full_pages_that_repeat_are_an_error() {
    let (hatz, _) = connector([tenants(0..100), tenants(0..100)]);
    let error = pages::<Entity>(&hatz, None).await.err().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::No), "{error}");
}

#[tokio::test]
async fn a_list_in_an_envelope_is_read_and_none_at_all_is_an_error() {
    for name in ["users", "tenants", "items", "data"] {
        let (hatz, _) = connector([(200, json!({ name: [{ "id": "tenant_1" }], "total": 1 })), tenants(0..0)]);
        assert_eq!(all::<Entity>(&hatz, None).await.unwrap().len(), 1, "{name}");
    }
    for body in [json!({}), json!({ "users": null }), json!(null), json!("none")] {
        let (hatz, _) = connector([(200, body.clone())]);
        assert_eq!(pages::<Entity>(&hatz, None).await.err().unwrap().kind, Kind::Unreadable, "{body}");
    }
}

#[tokio::test]
async fn a_place_that_is_not_ours_begins_anew() {
    let (hatz, script) = connector([]);
    let cursor = Cursor::new("page 2");
    let at = Position { cursor: Some(&cursor), ..Position::default() };
    assert_eq!(Pull::<Entity>::page(&hatz, at).await.err().unwrap().kind, Kind::Expired);
    assert!(script.requests().is_empty());
}
