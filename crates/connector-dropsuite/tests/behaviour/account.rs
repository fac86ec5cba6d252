//! Tokens of two levels, addresses, and customers that are closed to us.

use chrono::TimeDelta;
use integration::{Connector, Entity, Kind, Licence, Retry};
use serde_json::{Value, json};

use crate::script::{backups, connector, connector_with, entities, login, page, read};

const WITH_PATHS: [(&str, &str); 4] = [
    ("https://dropsuite.example", "https://dropsuite.example/api/users?page=1&per_page=1"),
    ("https://dropsuite.example/api", "https://dropsuite.example/api/users?page=1&per_page=1"),
    ("https://dropsuite.example/api/", "https://dropsuite.example/api/users?page=1&per_page=1"),
    ("https://backup.example/eu", "https://backup.example/eu/api/users?page=1&per_page=1"),
];

#[tokio::test]
async fn the_address_may_be_pasted_with_or_without_its_end() {
    for (entered, asked) in WITH_PATHS {
        let (dropsuite, script) = connector_with(&[("url", entered)]);
        script.says("users", [(200, page(vec![login(7, Some("customer-7"))]))]);
        assert!(dropsuite.check().await.unwrap().warnings.is_empty());
        let [request] = &script.requests()[..] else { panic!("more than one request") };
        assert_eq!(request.url.as_str(), asked);
        assert_eq!(request.header_value("x-reseller-token"), Some("reseller-0001"));
        assert_eq!(request.header_value("x-access-token"), Some("own-0001"));
        assert_eq!(request.header_value("authorization"), None);
    }
}

#[tokio::test]
async fn each_customer_is_read_with_its_own_token() {
    let (dropsuite, script) = connector();
    script.says("users", [(200, page(vec![login(7, Some("customer-7")), login(8, Some("customer-8"))]))]);
    script.says("accounts", [(200, page(vec![]))]);
    backups(&dropsuite, "8").await.unwrap();
    backups(&dropsuite, "7").await.unwrap();
    let tokens: Vec<_> = script
        .requests()
        .iter()
        .map(|r| (r.url.path().to_owned(), r.header_value("x-access-token").unwrap().to_owned()))
        .collect();
    assert_eq!(tokens[0], ("/api/users".to_owned(), "own-0001".to_owned()));
    let (eights, sevens) = tokens[1..].split_at(tokens[1..].len() / 2);
    assert!(eights.iter().all(|(path, token)| path != "/api/users" && token == "customer-8"), "{eights:?}");
    assert!(sevens.iter().all(|(path, token)| path != "/api/users" && token == "customer-7"), "{sevens:?}");
}

#[tokio::test]
async fn a_customer_without_a_token_is_closed_not_empty() {
    let (dropsuite, script) = connector();
    script.says("users", [(200, page(vec![login(7, None), login(8, Some("  "))]))]);
    for customer in ["7", "8"] {
        let error = backups(&dropsuite, customer).await.err().unwrap();
        assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No), "{error}");
        assert!(error.message.contains("no access"), "{error}");
    }
    assert_eq!(script.asked().len(), 1, "nothing is asked that cannot be answered, and the list not twice");
    let error = backups(&dropsuite, "9").await.err().unwrap();
    assert_eq!(error.kind, Kind::NotFound, "{error}");
}

#[tokio::test]
async fn a_token_made_anew_is_learned_and_one_that_stays_refused_is_that_customers_matter() {
    let (dropsuite, script) = connector();
    let before = page(vec![login(7, Some("customer-7-old"))]);
    let after = page(vec![login(7, Some("customer-7-new"))]);
    script.says("users", [(200, before), (200, after)]);
    let no = || (401, json!({ "error": "not authorized" }));
    let yes = || (200, page(vec![json!({ "id": 1, "last_backup": null })]));
    script.says("accounts", [yes(), no(), yes(), no()]);
    backups(&dropsuite, "7").await.unwrap();
    script.advance(TimeDelta::minutes(5));
    backups(&dropsuite, "7").await.unwrap();
    let tokens: Vec<_> = script
        .requests()
        .iter()
        .filter(|r| r.url.path() == "/api/accounts")
        .map(|r| r.header_value("x-access-token").unwrap().to_owned())
        .collect();
    assert_eq!(tokens, ["customer-7-old", "customer-7-old", "customer-7-new"]);
    let error = backups(&dropsuite, "7").await.err().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No), "{error}");
}

#[tokio::test]
async fn no_token_leaves_with_a_record_or_an_error() {
    let (dropsuite, script) = connector();
    script.says("users", [(200, page(vec![login(7, Some("customer-7"))]))]);
    let account = json!({
        "id": 1, "email": "ann@alder.example", "last_backup": null, "oauth_token": "google-0001",
        "user": { "organization_id": 7, "authentication_token": "customer-7", "reseller_token": "reseller-0001",
                  "logins": [{ "Password": "plain-0001" }] },
    });
    script.says("accounts", [(200, page(vec![account])), (500, json!({ "message": "token customer-7 and own-0001" }))]);
    let customers = entities(&dropsuite).await.unwrap();
    let pages = backups(&dropsuite, "7").await.unwrap();
    let raws: Vec<_> = customers.records.iter().chain(pages.iter().flat_map(|page| &page.records)).collect();
    assert_eq!(raws.len(), 2);
    for raw in raws {
        let text = String::from_utf8_lossy(raw);
        for secret in ["customer-7", "reseller-0001", "google-0001", "plain-0001", "_token"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(text.contains("organization_id"), "what is no secret stays: {text}");
    }
    let error = backups(&dropsuite, "7").await.err().unwrap();
    assert_eq!(error.kind, Kind::Unavailable);
    assert_eq!(error.vendor_message.as_deref(), Some("token [secret] and [secret]"));
}

#[tokio::test]
async fn a_record_of_another_customer_is_refused() {
    let (dropsuite, script) = connector();
    script.says("users", [(200, page(vec![login(7, Some("customer-7"))]))]);
    let strange = json!({ "id": 2, "email": "zoe@birch.example", "user": { "organization_id": 8 } });
    script.says("accounts", [(200, page(vec![json!({ "id": 1 }), strange]))]);
    let error = backups(&dropsuite, "7").await.err().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::No), "{error}");
    assert!(!error.to_string().contains("birch"), "{error}");
}

#[tokio::test]
async fn logins_of_one_organisation_are_one_customer() {
    let (dropsuite, script) = connector();
    let mut assistant = login(7, None);
    assistant["id"] = json!("7-13");
    assistant["admin"] = json!(false);
    assistant["organization_name"] = json!("as the assistant has it");
    let mut first = page(vec![assistant, login(8, Some("customer-8"))]);
    let mut second = page(vec![login(7, Some("customer-7"))]);
    for (number, page) in [(1, &mut first), (2, &mut second)] {
        page["pagination"] = json!({ "current_page": number, "total_pages": 2, "total_entries": 3 });
    }
    script.says("users", [(200, first), (200, second)]);
    let page = entities(&dropsuite).await.unwrap();
    assert_eq!((page.total, page.next.is_none()), (Some(2), true));
    let found = read::<Entity>(&dropsuite, &[page]);
    let named: Vec<_> = found.iter().map(|item| (item.id.as_str(), item.record.name.as_str())).collect();
    assert_eq!(named, [("7", "Alder Dental"), ("8", "Alder Dental")]);
}

#[tokio::test]
async fn what_the_marks_say_of_a_customer() {
    let (dropsuite, script) = connector();
    let marked = |number: u64, marks: Value| {
        let mut login = login(number, None);
        for (name, value) in marks.as_object().unwrap() {
            login[name] = value.clone();
        }
        login
    };
    let bare = json!({ "id": "9-14", "organization_id": "5", "email": "it@cedar.example" });
    let all = vec![
        marked(1, json!({})),
        marked(2, json!({ "flg_suspended": true })),
        marked(3, json!({ "customer_deactivated": true, "flg_suspended": true })),
        marked(4, json!({ "login_disabled": true })),
        bare,
    ];
    script.says("users", [(200, page(all))]);
    let page = entities(&dropsuite).await.unwrap();
    let found = read::<Entity>(&dropsuite, &[page]);
    let states: Vec<_> = found.iter().map(|item| (item.record.active, item.record.status.as_deref())).collect();
    let expected = [
        (Some(true), Some("active")),
        (Some(false), Some("suspended")),
        (Some(false), Some("deactivated")),
        (Some(false), Some("login disabled")),
        (None, None),
    ];
    assert_eq!(states, expected);
    assert_eq!((found[4].id.as_str(), found[4].record.name.as_str()), ("5", "it@cedar.example"));
    assert!(found[4].record.domains.is_empty(), "the address may be the reseller's own");
}

#[tokio::test]
async fn seats_are_shown_as_the_vendor_counts_them() {
    let (dropsuite, script) = connector();
    let mut counted = login(1, None);
    for (name, value) in [("plan_id", 312), ("active_seats", 24), ("seats_used", 25), ("seats_available", 6)] {
        counted[name] = json!(value);
    }
    let mut older = login(2, None);
    older["seats_used"] = json!("11");
    script.says("users", [(200, page(vec![counted, older, login(3, None)]))]);
    let page = integration::Pull::<Licence>::page(&dropsuite, integration::Position::default()).await.unwrap();
    let found = read::<Licence>(&dropsuite, &[page]);
    let seats: Vec<_> = found
        .iter()
        .map(|item| (item.entity.as_deref(), item.record.used, item.record.total, item.record.status.as_deref()))
        .collect();
    let expected = [
        (Some("1"), Some(24), None, Some("6 seats available")),
        (Some("2"), Some(11), None, None),
        (Some("3"), None, None, None),
    ];
    assert_eq!(seats, expected);
    assert_eq!((found[0].record.part_number.as_str(), found[0].record.sku_id.as_str()), ("312", "312"));
}

#[tokio::test]
async fn wrong_tokens_and_missing_rights_say_what_to_do() {
    for (status, kind, words) in [(401, Kind::Credentials, "Authentication Token"), (403, Kind::Forbidden, "reseller")]
    {
        let (dropsuite, script) = connector();
        script.says("users", [(status, json!({ "error": { "message": "no" } }))]);
        let error = dropsuite.check().await.unwrap_err();
        assert_eq!((error.kind, error.vendor_message.as_deref()), (kind, Some("no")));
        assert!(error.message.contains(words), "{error}");
    }
    let (dropsuite, script) = connector();
    script.says("users", [(200, page(vec![]))]);
    assert_eq!(dropsuite.check().await.unwrap().warnings.len(), 1, "no customer at all is worth a word");
}
