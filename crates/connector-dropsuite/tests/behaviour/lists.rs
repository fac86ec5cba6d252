//! The three shapes of a list, and lists that do not end as they should.

use integration::{Backup, Kind, Retry};
use serde_json::{Value, json};

use crate::script::{backups, connector, entities, login, page, read};

fn accounts(ids: std::ops::Range<u64>) -> Vec<Value> {
    ids.map(|id| json!({ "id": id, "last_backup": null })).collect()
}

async fn ids(answers: Vec<Value>) -> integration::Result<(Vec<String>, Vec<String>)> {
    let (dropsuite, script) = connector();
    script.says("users", [(200, page(vec![login(7, Some("customer-7"))]))]);
    script.says("accounts", answers.into_iter().map(|body| (200, body)));
    let pages = backups(&dropsuite, "7").await?;
    let asked = script.asked().into_iter().filter(|asked| asked.starts_with("/api/accounts?")).collect();
    Ok((read::<Backup>(&dropsuite, &pages).into_iter().map(|item| item.id).collect(), asked))
}

#[tokio::test]
async fn every_shape_of_a_list_is_read_to_its_end() {
    let second = "/api/accounts?page=2&per_page=100";
    let shapes: Vec<(Vec<Value>, usize)> = vec![
        (vec![page(accounts(0..3))], 1),
        (vec![json!([page(accounts(0..3))])], 1),
        (vec![json!({ "data": accounts(0..3), "pagination": { "current_page": 1, "next_page": null } })], 1),
        (vec![json!({ "data": accounts(0..3), "pagination": { "current_page": 1, "per_page": 100 } })], 1),
        (vec![json!(accounts(0..3))], 1),
        (
            vec![
                json!({ "data": accounts(0..2), "pagination": { "current_page": 1, "next_page": 2 } }),
                json!({ "data": accounts(2..3), "pagination": { "current_page": 2 } }),
            ],
            2,
        ),
        (
            vec![
                json!({ "result_set": accounts(0..2), "pagination": { "current_page": "1", "total_pages": "2" } }),
                json!({ "result_set": accounts(2..3), "pagination": { "current_page": 2, "total_pages": 2 } }),
            ],
            2,
        ),
    ];
    for (answers, requests) in shapes {
        let shown = json!(answers).to_string();
        let (found, asked) = ids(answers).await.unwrap();
        assert_eq!(found, ["mailbox/0", "mailbox/1", "mailbox/2"], "{shown}");
        assert_eq!(asked.len(), requests, "{shown}");
        assert!(requests == 1 || asked[1] == second, "{asked:?}");
    }
}

#[tokio::test]
async fn a_list_without_paging_is_followed_until_nothing_new_comes() {
    // Pages of 25, whatever is asked for; then one that is shorter.
    let (found, asked) = ids(vec![json!(accounts(0..25)), json!(accounts(25..30))]).await.unwrap();
    assert_eq!((found.len(), asked.len()), (30, 2));
    // The next page is empty.
    let (found, asked) = ids(vec![json!(accounts(0..25)), json!([])]).await.unwrap();
    assert_eq!((found.len(), asked.len()), (25, 2));
    // It gives everything again, because it does not know pages.
    let (found, asked) = ids(vec![json!(accounts(0..140))]).await.unwrap();
    assert_eq!((found.len(), asked.len()), (140, 2));
}

#[tokio::test]
async fn a_list_that_contradicts_itself_is_an_error() {
    let broken = [
        // Page 1 for ever, though there are two.
        (
            vec![json!({ "result_set": accounts(0..2), "pagination": { "current_page": 1, "total_pages": 2 } })],
            Retry::No,
        ),
        // The same without a number on it.
        (vec![json!({ "result_set": accounts(0..2), "pagination": { "total_pages": 2 } })], Retry::No),
        // Nothing, though it goes on.
        (vec![json!({ "data": [], "pagination": { "current_page": 1, "next_page": 2 } })], Retry::Yes),
        // No list.
        (vec![json!({ "result_set": null })], Retry::No),
        (vec![json!({ "error": "none" })], Retry::No),
    ];
    for (answers, retry) in broken {
        let shown = json!(answers).to_string();
        let error = ids(answers).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Kind::Unreadable, retry), "{shown}: {error}");
    }
}

#[tokio::test]
async fn customers_are_counted_only_where_the_vendor_counts_too() {
    let logins = || vec![login(1, None), login(2, None)];
    let told = |total: u64| json!({ "current_page": 1, "total_pages": 1, "total_entries": total });
    for (body, total) in [
        (json!({ "result_set": logins(), "pagination": told(2) }), Some(2)),
        (json!({ "result_set": logins(), "pagination": told(3) }), None),
        (json!(logins()), None),
    ] {
        let (dropsuite, script) = connector();
        script.says("users", [(200, body)]);
        let page = entities(&dropsuite).await.unwrap();
        assert_eq!((page.records.len(), page.total), (2, total));
    }
}

#[tokio::test]
async fn a_customer_that_cannot_be_read_is_rejected_not_lost() {
    let (dropsuite, script) = connector();
    script.says("users", [(200, page(vec![json!({ "email": "a@alder.example" }), json!(7), login(1, None)]))]);
    let page = entities(&dropsuite).await.unwrap();
    let reads = page.records.iter().map(|raw| integration::Pull::<integration::Entity>::read(&dropsuite, raw));
    assert_eq!(reads.map(|read| read.is_ok()).collect::<Vec<_>>(), [false, false, true]);
}
