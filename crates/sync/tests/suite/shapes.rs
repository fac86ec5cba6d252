//! Listings that are odd, hostile or out of order.

use domain::{ConnectionState, RunState};
use proptest::{
    prelude::{Just, Strategy},
    strategy::ValueTree,
    test_runner::{Config, TestRng, TestRunner},
};
use serde_json::json;
use testkit::both_databases;

use crate::toy::{device, is_limit, toy};

/// Twenty devices on the site a.
fn twenty() -> Vec<String> {
    (10..30).map(|id| device(id, "a", &format!("Device {id}"))).collect()
}

both_databases! {
    async fn odd_records_are_rejected_one_by_one(db: TestDb) {
        let stage = toy(db).await;
        let odd = [
            json!({ "id": 7, "site": "a", "name": "a number for an id" }).to_string(),
            json!({ "id": "", "site": "a", "name": "no id" }).to_string(),
            json!({ "id": "x".repeat(600), "site": "a", "name": "a long id" }).to_string(),
            json!({ "id": "two\nlines", "site": "a", "name": "an id of two lines" }).to_string(),
            json!({ "id": "zero\u{0}", "site": "a", "name": "an id that PostgreSQL cannot hold" }).to_string(),
            json!({ "id": "homeless", "name": "no site" }).to_string(),
            json!({ "id": "lost", "site": "nowhere", "name": "an unknown site" }).to_string(),
            json!({ "id": "late", "site": "a", "name": "no such year", "at": "99999-01-01T00:00:00Z" }).to_string(),
            json!({ "id": "heavy", "site": "a", "name": "y".repeat(5 << 20) }).to_string(),
            r#"{"id":"twice","id":"again","site":"a","name":"a key said twice"}"#.to_owned(),
            "[]".to_owned(),
            "null".to_owned(),
            format!("{}1{}", "[".repeat(120), "]".repeat(120)),
        ];
        let fine = [
            json!({ "id": "early", "site": "a", "name": "the year 0", "at": "0000-01-01T00:00:00Z" }).to_string(),
            json!({ "id": "last", "site": "b", "name": "the year 9999", "at": "9999-12-31T23:59:59Z" }).to_string(),
            json!({ "id": "nul", "site": "b", "name": "a\u{0}b\tc" }).to_string(),
            json!({ "id": "long", "site": "c", "name": "n".repeat(70_000) }).to_string(),
            json!({ "id": "more", "site": "c", "name": "extra", "colour": { "deep": [1, 2, 3] } }).to_string(),
        ];
        stage.script.pages("device", &[[odd.to_vec(), fine.to_vec()].concat()]);
        let run = stage.sync().await;
        assert_eq!((run.counts.added, run.counts.rejected), (5, odd.len() as i64), "{run:?}");
        assert_eq!(run.state, RunState::Partial);
        let message = run.message.expect("says so");
        assert!(message.contains("13 records were rejected"), "{message}");
        assert!(!message.contains("colour") && !message.contains("an unknown site"), "no content: {message}");
        let titles = stage.titles().await;
        assert_eq!(titles[4], ("nul".to_owned(), "a b c".to_owned()));
        assert_eq!((titles[2].0.as_str(), titles[2].1.len()), ("long", 500));
        let (state, reason) = stage.state().await;
        assert_eq!(state, ConnectionState::Degraded);
        assert!(reason.is_some_and(|why| why.contains("cannot be read")));
        // Once more: nothing is written, and the odd ones are still odd.
        let again = stage.sync().await;
        assert_eq!((again.counts.unchanged, again.counts.rejected), (5, odd.len() as i64));
    }

    async fn a_record_that_became_unreadable_is_not_taken_for_gone(db: TestDb) {
        let stage = toy(db).await;
        stage.script.pages("device", &[twenty()]);
        stage.sync().await;
        let mut listed = twenty();
        listed[3] = json!({ "id": 13, "site": "a", "name": "Device 13" }).to_string();
        stage.script.pages("device", &[listed]);
        let run = stage.sync().await;
        assert_eq!((run.state, run.counts.removed), (RunState::Partial, 0));
        assert_eq!(stage.titles().await.len(), 20);
        let mut listed = twenty();
        listed[3] = device(13, "nowhere", "Device 13");
        stage.script.pages("device", &[listed]);
        let run = stage.sync().await;
        assert_eq!((run.counts.rejected, run.counts.removed, stage.titles().await.len()), (1, 0, 20));
    }

    async fn a_cursor_that_comes_back_ends_the_walk(db: TestDb) {
        let stage = toy(db).await;
        let page = |from: usize, next: &str| {
            let records: Vec<_> = (from..from + 3)
                .map(|id| json!({ "id": id.to_string(), "site": "a", "name": format!("Device {id}") }))
                .collect();
            json!({ "records": records, "next": next })
        };
        stage.script.answer("device", "", &page(0, "x"));
        stage.script.answer("device", "x", &page(3, "y"));
        stage.script.answer("device", "y", &page(6, "x"));
        let run = stage.sync().await;
        assert!(run.state == RunState::Failed && is_limit(&run), "{run:?}");
        assert_eq!(run.counts.removed, 0);
        let long = json!({ "records": [], "next": "z".repeat(9_000) });
        stage.script.answer("device", "", &long);
        let run = stage.sync().await;
        assert!(run.state == RunState::Failed && is_limit(&run), "{run:?}");
        assert!(stage.state().await.1.is_some_and(|why| why.contains("Toy")));
    }

    async fn a_record_listed_twice_is_stored_once(db: TestDb) {
        let stage = toy(db).await;
        let mut first = twenty();
        first.push(device(10, "a", "Device 10"));
        first.push(device(11, "b", "Device 11, moved"));
        let second = vec![device(12, "b", "Device 12, moved"), device(10, "a", "Device 10")];
        stage.script.pages("device", &[first, second]);
        let run = stage.sync().await;
        assert_eq!((run.counts.added, run.counts.repeated), (20, 4), "{run:?}");
        let titles = stage.titles().await;
        assert_eq!((titles.len(), titles[2].1.as_str()), (20, "Device 12"), "the first counts");
        // The next listing has them where they are.
        let mut moved = twenty();
        moved[2] = device(12, "b", "Device 12, moved");
        stage.script.pages("device", &[moved]);
        let run = stage.sync().await;
        assert_eq!((run.counts.changed, run.counts.unchanged, run.counts.removed), (1, 19, 0));
        assert_eq!(stage.titles().await[2].1, "Device 12, moved");
    }

    async fn a_device_only_heard_of_again_is_not_written(db: TestDb) {
        let stage = toy(db).await;
        let at = |time: &str| {
            vec![json!({ "id": "1", "site": "a", "name": "One", "at": format!("2026-11-20T{time}Z") }).to_string()]
        };
        stage.script.pages("device", &[at("08:00:00")]);
        stage.sync().await;
        let before = stage.devices().await;
        stage.script.pages("device", &[at("09:00:00")]);
        let run = stage.sync().await;
        assert_eq!((run.counts.unchanged, run.counts.changed, run.counts.removed), (1, 0, 0));
        assert_eq!(stage.devices().await, before);
    }

    async fn what_is_missing_is_looked_for_once_more(db: TestDb) {
        let stage = toy(db).await;
        let whole: Vec<Vec<String>> = twenty().chunks(4).map(<[String]>::to_vec).collect();
        stage.script.pages("device", &whole);
        stage.sync().await;
        // A page stays empty between others: nobody believes that.
        let mut holed = whole.clone();
        holed[2].clear();
        stage.script.pages("device", &holed);
        let run = stage.sync().await;
        assert_eq!((run.counts.removed, run.counts.repeated), (0, 16), "{run:?}");
        assert_eq!((run.state, run.code.as_deref()), (RunState::Partial, Some("incomplete")));
        // The same are missing twice, and nothing looks odd: they are gone.
        holed.remove(2);
        stage.script.pages("device", &holed);
        let run = stage.sync().await;
        assert_eq!((run.counts.removed, run.counts.repeated), (4, 16), "{run:?}");
        assert_eq!(run.state, RunState::Complete);
        stage.script.pages("device", &whole);
        let run = stage.sync().await;
        assert_eq!((run.counts.added, run.counts.unchanged), (4, 16), "they are back");
    }
}

/// However a listing is cut into pages, shuffled and repeated, the end is the same; otherwise in each round
/// (`PANELONE_TEST_ROUND`).
#[tokio::test]
async fn pages_twice_and_in_any_order_come_to_the_same() {
    let stage = toy(testkit::sqlite().await).await;
    let seed = 7 + u8::try_from(testkit::round() % 200).expect("small");
    let rng = TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for round in 0..150 {
        let rows: Vec<String> = (0..30)
            .map(|id| device(format!("{id:02}"), ["a", "b", "c"][(id + round) % 3], &format!("Device {id} of {round}")))
            .collect();
        let twice = [rows.clone(), rows.clone()].concat();
        let shuffled = Just(twice).prop_shuffle();
        let sizes = proptest::collection::vec(1_usize..12, 60);
        let tree = (shuffled, sizes).new_tree(&mut runner).expect("generates");
        let (records, sizes) = tree.current();
        let mut rest = records.as_slice();
        let mut pages = Vec::new();
        for size in sizes {
            let (page, more) = rest.split_at(size.min(rest.len()));
            if !page.is_empty() {
                pages.push(page.to_vec());
            }
            rest = more;
        }
        stage.script.pages("device", &pages);
        let run = stage.sync().await;
        assert_eq!((run.counts.listed, run.counts.repeated, run.counts.removed), (60, 30, 0), "round {round}");
        let names: Vec<_> = stage.titles().await.into_iter().map(|(_, title)| title).collect();
        let expected: Vec<_> = (0..30).map(|id| format!("Device {id} of {round}")).collect();
        assert_eq!(names, expected, "round {round}");
    }
}
