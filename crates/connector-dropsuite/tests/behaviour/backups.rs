//! How a backup stands, and what of a customer is listed.

use std::sync::Arc;

use chrono::TimeDelta;
use connector_dropsuite::{Dropsuite, Hours};
use integration::{Backup, BackupState, Field, Item, Kind, Page, Pull, Retry};
use serde_json::{Value, json};

use crate::script::{Script, backups, connector, connector_with, login, page, read};

use BackupState::{AtRisk, Failed, Healthy};

/// A connector to a customer "7" with these mailboxes, and no other product.
fn mailboxes(settings: &[(&str, &str)], accounts: Vec<Value>) -> (Dropsuite, Arc<Script>) {
    let (dropsuite, script) = connector_with(settings);
    script.says("users", [(200, page(vec![login(7, Some("customer-7"))]))]);
    script.says("accounts", [(200, page(accounts))]);
    (dropsuite, script)
}

async fn listed(dropsuite: &Dropsuite) -> Vec<Item<Backup>> {
    let pages: Vec<Page> = backups(dropsuite, "7").await.unwrap();
    read::<Backup>(dropsuite, &pages)
}

/// The state of one mailbox. The script's clock says 1 October, 08:00.
async fn state_of(mut account: Value) -> (Option<BackupState>, Option<String>) {
    account["id"] = json!(1);
    let (dropsuite, _) = mailboxes(&[], vec![account]);
    let record = listed(&dropsuite).await.remove(0).record;
    (record.state, record.status)
}

#[tokio::test]
async fn the_state_follows_the_rule() {
    let fresh = "2026-10-01T06:43:27.040Z";
    let cases = [
        (json!({ "last_backup": fresh, "errors": {}, "current_backup_status": "Completed" }), Some(Healthy)),
        (json!({ "last_backup": fresh, "errors": [], "current_backup_status": "Abgeschlossen" }), Some(Healthy)),
        (json!({ "last_backup": fresh, "errors": "", "current_backup_status": null }), Some(Healthy)),
        (json!({ "last_backup": fresh, "errors": { "host": null } }), Some(Healthy)),
        (json!({ "last_backup": fresh, "errors": "{}" }), Some(Healthy)),
        (json!({ "last_backup": fresh, "errors": { "host": "timeout" } }), Some(Failed)),
        (json!({ "last_backup": fresh, "errors": { "host": ["timeout"] } }), Some(Failed)),
        (json!({ "last_backup": fresh, "errors": { "code": 500 } }), Some(Failed)),
        (json!({ "last_backup": fresh, "errors": "quota exceeded" }), Some(Failed)),
        (json!({ "last_backup": null, "current_backup_status": "Backup FAILED" }), Some(Failed)),
        (json!({ "last_backup": null }), Some(AtRisk)),
        // Exactly 48 hours are not older than that.
        (json!({ "last_backup": "2026-09-29T08:00:00Z" }), Some(Healthy)),
        (json!({ "last_backup": "2026-09-29T07:59:59Z" }), Some(AtRisk)),
        // A day for preparing.
        (json!({ "last_backup": "2026-09-30T08:00:00Z", "current_backup_status": "Preparing Backup" }), Some(Healthy)),
        (json!({ "last_backup": "2026-09-30T07:59:00Z", "current_backup_status": "Preparing Backup" }), Some(AtRisk)),
        (json!({ "last_backup": "2026-09-30T07:59:00Z", "current_backup_status": "Running" }), Some(Healthy)),
        // What is not told is not guessed.
        (json!({ "errors": "" }), None),
        (json!({ "last_backup": "yesterday" }), None),
    ];
    for (account, expected) in cases {
        assert_eq!(state_of(account.clone()).await.0, expected, "{account}");
    }
}

#[tokio::test]
async fn errors_are_shown_after_the_vendors_word() {
    let words = |account| async { state_of(account).await.1 };
    let both =
        json!({ "errors": { "host": "timeout", "x": ["a", null] }, "current_backup_status": "Preparing Backup" });
    assert_eq!(words(both).await.as_deref(), Some("Preparing Backup: timeout; a"));
    assert_eq!(words(json!({ "errors": "quota exceeded" })).await.as_deref(), Some("quota exceeded"));
    assert_eq!(words(json!({ "errors": {}, "current_backup_status": "Running" })).await.as_deref(), Some("Running"));
    assert_eq!(words(json!({})).await, None);
    let long = words(json!({ "errors": "é".repeat(900) })).await.unwrap();
    assert_eq!(long.chars().count(), 200);
}

#[tokio::test]
async fn what_was_late_when_it_was_seen_stays_late_however_often_it_is_read() {
    let account = json!({ "id": 1, "last_backup": "2026-09-30T08:00:00Z" });
    let (dropsuite, script) = mailboxes(&[], vec![account]);
    let early = backups(&dropsuite, "7").await.unwrap();
    script.advance(TimeDelta::days(2));
    let late = backups(&dropsuite, "7").await.unwrap();
    script.advance(TimeDelta::days(3_000));
    assert_eq!(read::<Backup>(&dropsuite, &early)[0].record.state, Some(Healthy));
    assert_eq!(read::<Backup>(&dropsuite, &late)[0].record.state, Some(AtRisk));
    assert_ne!(early[0].records, late[0].records, "else it would not be read again when it becomes late");
}

#[tokio::test]
async fn the_hours_can_be_set() {
    for (hours, expected) in [("12", AtRisk), ("13", Healthy)] {
        let account = json!({ "id": 1, "last_backup": "2026-09-30T19:30:00Z" });
        let (dropsuite, _) = mailboxes(&[("late_after_hours", hours)], vec![account]);
        assert_eq!(listed(&dropsuite).await[0].record.state, Some(expected), "{hours}");
    }
    for wrong in ["0", "-1", "1.5", "two days", "8761", ""] {
        assert!(Hours::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Hours::parse(" 72 ").unwrap().store().as_deref(), Some("72"));
    assert_eq!(Hours::default().delta(), TimeDelta::hours(48));
}

#[tokio::test]
async fn a_mailbox_that_cannot_be_reached_has_failed() {
    let fresh = |id: u64| json!({ "id": id, "last_backup": "2026-10-01T06:00:00Z", "errors": {} });
    let (dropsuite, script) = mailboxes(&[], vec![fresh(1), fresh(2)]);
    script.says("accounts/connection_failures", [(200, json!([fresh(2)]))]);
    script.says("onedrives", [(200, page(vec![fresh(2)]))]);
    let found = listed(&dropsuite).await;
    let states: Vec<_> = found.iter().map(|item| (item.id.as_str(), item.record.state)).collect();
    // Numbers of two products may be equal, and the failure is of the mailbox only.
    assert_eq!(states, [("mailbox/1", Some(Healthy)), ("mailbox/2", Some(Failed)), ("OneDrive/2", Some(Healthy))]);
}

#[tokio::test]
async fn what_is_no_longer_backed_up_is_not_listed() {
    let accounts = vec![
        json!({ "id": 1, "last_backup": null, "deactivated_since": "2026-01-01T00:00:00Z" }),
        json!({ "id": 2, "last_backup": null, "flg_deleted": true }),
        json!({ "id": 3, "last_backup": null, "deactivated_since": null, "flg_deleted": false }),
        json!("not an account"),
    ];
    let (dropsuite, _) = mailboxes(&[], accounts);
    let pages = backups(&dropsuite, "7").await.unwrap();
    let reads: Vec<_> =
        pages[0].records.iter().map(|raw| Pull::<Backup>::read(&dropsuite, raw).map(|item| item.id)).collect();
    assert_eq!(reads[0], Ok("mailbox/3".to_owned()));
    assert!(reads[1].is_err() && reads.len() == 2, "one that cannot be read is rejected, not lost: {reads:?}");
    assert_eq!(pages[0].total, None, "the vendor counts those too that are not listed");
}

#[tokio::test]
async fn products_that_are_not_bought_are_none_but_all_refused_is_unknown() {
    let (dropsuite, script) = mailboxes(&[], vec![]);
    script.says("accounts", [(403, json!({ "error": "product is not enabled" }))]);
    let error = backups(&dropsuite, "7").await.err().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No), "{error}");
    assert!(error.message.contains("unknown"), "{error}");
    // One answer is enough to believe the others.
    script.says("sharepoints/domains", [(200, json!([]))]);
    let pages = backups(&dropsuite, "7").await.unwrap();
    assert!(pages.len() == 1 && pages[0].records.is_empty());
    // Trouble is not "not bought".
    script.says("onedrives", [(503, json!({ "error": "try later" }))]);
    assert_eq!(backups(&dropsuite, "7").await.err().unwrap().kind, Kind::Unavailable);
}

#[tokio::test]
async fn every_product_says_what_it_is() {
    let (dropsuite, script) = mailboxes(
        &[],
        vec![json!({ "id": 5238, "email": "jo@alder.example", "display_name": "Jo Hart", "storage": 7_340_032 })],
    );
    let drive = json!({ "id": 901, "email": "jo@alder.example", "storage": 9_120_331, "last_backup": null });
    script.says("onedrives", [(200, page(vec![drive]))]);
    script.says("sharepoints/domains", [(200, json!([{ "id": 3, "domain_name": "alder.example", "storage": 77 }]))]);
    script.says("teams_and_groups/domains", [(200, json!([{ "id": 3, "domain_name": null }]))]);
    let found = listed(&dropsuite).await;
    let all: Vec<_> = found
        .iter()
        .map(|item| (item.id.as_str(), item.record.class.as_deref().unwrap(), &*item.record.name, item.record.bytes))
        .collect();
    let expected = [
        // The unit of a mailbox's storage is in doubt.
        ("mailbox/5238", "mailbox", "jo@alder.example", None),
        ("OneDrive/901", "OneDrive", "jo@alder.example", Some(9_120_331)),
        ("SharePoint/3", "SharePoint", "alder.example", Some(77)),
        ("Teams/3", "Teams", "Teams 3", None),
    ];
    assert_eq!(all, expected);
    assert!(found.iter().all(|item| item.entity.is_none()));
}

#[tokio::test]
async fn a_listing_without_its_customer_or_place_is_refused() {
    let (dropsuite, _) = connector();
    let at = integration::Position::default();
    assert_eq!(Pull::<Backup>::page(&dropsuite, at).await.err().unwrap().kind, Kind::Refused);
    let cursor = integration::Cursor::new("page two");
    let at = integration::Position { entity: Some("7"), cursor: Some(&cursor), since: None };
    assert_eq!(Pull::<Backup>::page(&dropsuite, at).await.err().unwrap().kind, Kind::Expired);
}
