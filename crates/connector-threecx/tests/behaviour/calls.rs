//! Calls are counted once, within bounds, or not known.

use chrono::TimeDelta;
use integration::{Extension, Kind};
use serde_json::{Value, json};

use crate::script::{Script, all, connector, rows};

fn user(number: &str) -> Value {
    json!({ "Number": number, "DisplayName": "Front Desk" })
}

fn leg(at: &str, from: &str, to: &str, answered: bool) -> Value {
    json!({ "SegmentId": 1, "SegmentStartTime": at, "SrcDn": from, "DstDn": to, "CallAnswered": answered })
}

fn counts(extension: &Extension) -> (Option<i64>, Option<i64>, Option<i64>) {
    (extension.calls_made, extension.calls_answered, extension.calls_missed)
}

const UNKNOWN: (Option<i64>, Option<i64>, Option<i64>) = (None, None, None);

fn history_requests(script: &Script) -> usize {
    script.asked().iter().filter(|asked| asked.contains("/CallHistoryView?")).count()
}

#[tokio::test]
async fn legs_are_counted_for_both_ends_and_nobody_else_has_none() {
    let history = [
        leg("2026-09-06T00:00:00Z", "0101", "102", true),
        leg("2026-10-05T23:59:59Z", "0101", "10000", false),
        leg("2026-09-20T12:00:00Z", "10000", "0101", false),
        // As if the filter had not been heard: a day too early, and today.
        leg("2026-09-05T23:59:59Z", "0101", "102", true),
        leg("2026-10-06T08:00:00Z", "0101", "102", true),
        json!({ "SegmentStartTime": "2026-09-20T13:00:00Z", "SrcDn": null, "DstDn": "102", "CallAnswered": true }),
    ];
    let (threecx, script) = connector([rows(&[user("0101"), user("101"), user("102")]), rows(&history)]);
    let found: Vec<_> = all::<Extension>(&threecx).await.unwrap().iter().map(|item| counts(&item.record)).collect();
    // "0101" and "101" are two numbers.
    assert_eq!(
        found,
        [(Some(2), Some(0), Some(1)), (Some(0), Some(0), Some(0)), (Some(0), Some(2), Some(0))],
        "made, answered, missed"
    );
    assert_eq!(
        script.asked()[1],
        "/xapi/v1/CallHistoryView?$top=100&$skip=0&$orderby=SegmentStartTime%2CSegmentId\
         &$select=SegmentId%2CSegmentStartTime%2CSrcDn%2CDstDn%2CCallAnswered&$count=true\
         &$filter=SegmentStartTime%20ge%202026-09-06T00%3A00%3A00Z%20and%20SegmentStartTime%20lt%20\
         2026-10-06T00%3A00%3A00Z"
    );
}

#[tokio::test]
async fn what_cannot_be_known_is_not_zero() {
    let odd = |row: Value| rows(&[leg("2026-09-20T12:00:00Z", "0101", "102", true), row]);
    for (what, history) in [
        ("no right", (403, json!({ "error": { "code": "", "message": "WARNINGS.XAPI.FORBIDDEN" } }))),
        ("not there", (404, json!({}))),
        ("a filter that is not understood", (400, json!({}))),
        ("trouble", (503, json!({}))),
        ("no listing", (200, json!({ "surprise": true }))),
        ("no time", odd(json!({ "SrcDn": "0101", "CallAnswered": true }))),
        ("no outcome", odd(json!({ "SegmentStartTime": "2026-09-20T12:00:00Z", "SrcDn": "0101" }))),
    ] {
        let (threecx, _) = connector([rows(&[user("0101")]), history]);
        let found = all::<Extension>(&threecx).await.unwrap_or_else(|why| panic!("{what}: {why}"));
        assert_eq!(counts(&found[0].record), UNKNOWN, "{what}");
    }
    // Being slowed down concerns everything that would be asked next.
    let (threecx, _) = connector([rows(&[user("0101")]), (429, json!({}))]);
    assert_eq!(all::<Extension>(&threecx).await.unwrap_err().kind, Kind::Throttled);
}

#[tokio::test]
async fn a_history_over_the_bound_is_left_alone_at_once() {
    let one = leg("2026-09-20T12:00:00Z", "0101", "102", true);
    for (total, known) in [(10_001, false), (1, true)] {
        let page = json!({ "@odata.count": total, "value": [one] });
        let (threecx, script) = connector([rows(&[user("0101")]), (200, page)]);
        let found = all::<Extension>(&threecx).await.unwrap();
        assert_eq!(counts(&found[0].record) != UNKNOWN, known, "{total}");
        assert_eq!(history_requests(&script), 1);
    }
}

/// Where the vendor does not say how long it is, it is walked to the bound and no further.
#[tokio::test]
async fn a_history_without_a_count_ends_at_the_bound() {
    let page = json!({ "value": vec![leg("2026-09-20T12:00:00Z", "0101", "102", true); 100] });
    let (threecx, script) = connector([rows(&[user("0101")])]);
    for _ in 0..200 {
        script.answer(200, page.clone());
    }
    let found = all::<Extension>(&threecx).await.unwrap();
    assert_eq!((counts(&found[0].record), history_requests(&script)), (UNKNOWN, 100));
}

#[tokio::test]
async fn a_slow_history_is_given_up() {
    let page = json!({ "@odata.count": 1_000, "value": vec![leg("2026-09-20T12:00:00Z", "0101", "102", true); 100] });
    let (threecx, script) = connector([rows(&[user("0101")])]);
    for _ in 0..10 {
        script.answer(200, page.clone());
    }
    *script.slow.lock().unwrap() = TimeDelta::seconds(25);
    let found = all::<Extension>(&threecx).await.unwrap();
    assert_eq!((counts(&found[0].record), history_requests(&script)), (UNKNOWN, 3));
}

/// However many pages the extensions have, and anew for the next listing.
#[tokio::test]
async fn the_history_is_walked_once_for_a_listing() {
    let page = |from: usize, count: usize| {
        let users: Vec<Value> = (from..from + count).map(|number| user(&number.to_string())).collect();
        (200, json!({ "@odata.count": 250, "value": users }))
    };
    let history = rows(&[leg("2026-09-20T12:00:00Z", "1000", "1249", true)]);
    let (threecx, script) = connector([page(1000, 100), history, page(1100, 100), page(1200, 50)]);
    let found = all::<Extension>(&threecx).await.unwrap();
    assert_eq!((found.len(), history_requests(&script)), (250, 1));
    assert_eq!((found[0].record.calls_made, found[249].record.calls_answered), (Some(1), Some(1)));
    for answer in [rows(&[user("1000")]), rows(&[])] {
        script.answer(answer.0, answer.1);
    }
    assert_eq!(all::<Extension>(&threecx).await.unwrap()[0].record.calls_made, Some(0), "counted anew");
}
