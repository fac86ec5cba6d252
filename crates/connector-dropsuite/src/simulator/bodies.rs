//! The world in the vendor's words.

use chrono::{DateTime, TimeDelta, Utc};
use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::world::{Business, Person};

use crate::Dropsuite;

/// Whether the customer's own lists are open to the reseller.
pub(super) fn open(business: &Business) -> bool {
    !business.key.is_multiple_of(11)
}

pub(super) fn has_onedrive(business: &Business) -> bool {
    !business.key.is_multiple_of(4)
}

pub(super) fn has_sharepoint(business: &Business) -> bool {
    !business.key.is_multiple_of(5)
}

pub(super) fn has_teams(business: &Business) -> bool {
    !business.key.is_multiple_of(3)
}

fn organization(business: &Business) -> u64 {
    10_000 + business.key
}

/// People with a mailbox here; guests have none.
fn members(business: &Business) -> impl Iterator<Item = &Person> {
    business.people.iter().filter(|person| !person.guest)
}

/// What of the customer is backed up; of people who left the backup has ended.
pub(super) fn backed_up(business: &Business) -> usize {
    let people = members(business).filter(|person| person.enabled).count();
    let drives = if has_onedrive(business) { people } else { 0 };
    people + drives + usize::from(has_sharepoint(business)) + usize::from(has_teams(business))
}

/// The logins of a customer, each with whether it is an administrator's: every seventh has an assistant's before it.
pub(super) fn logins(business: &Business) -> Vec<(&Business, bool)> {
    let assistant = business.key.is_multiple_of(7).then_some((business, false));
    assistant.into_iter().chain([(business, true)]).collect()
}

fn login_id(business: &Business, admin: bool) -> String {
    format!("{}-{}", 1_788_000 + business.key, if admin { 14 } else { 13 })
}

/// The ids of a customer's logins.
pub(super) fn login_ids(business: &Business) -> Vec<String> {
    logins(business).iter().map(|(_, admin)| login_id(business, *admin)).collect()
}

/// The tenants that a customer is connected to: most to their Microsoft tenant, some not yet.
pub(super) fn tenants(business: &Business) -> Vec<Value> {
    if business.key.is_multiple_of(13) {
        return Vec::new();
    }
    let label = business.domain.split('.').next().unwrap_or_default();
    vec![json!({
        "id": 4_000 + business.key, "organization_id": organization(business), "domain": business.domain,
        "managed_domain": format!("{label}.onmicrosoft.com"), "tenant_id": business.tenant_id, "status": 7,
        "total_users": business.people.len(), "type": "m365", "created_at": iso(business.since),
        "updated_at": iso(business.since),
    })]
}

pub(super) fn login(business: &Business, admin: bool, token: Option<&str>) -> Value {
    let key = business.key;
    let seats = members(business).filter(|person| person.enabled).count();
    json!({
        "id": login_id(business, admin),
        // The reseller made most of them under its own address.
        "email": if key.is_multiple_of(3) { format!("it@{}", business.domain) } else { "backup@msp.example".to_owned() },
        "organization_id": organization(business),
        "organization_name": business.name_at(Dropsuite::ID),
        "plan_id": 300 + key % 3,
        "reseller_token": super::RESELLER,
        "authentication_token": token.filter(|_| admin),
        "notification_email": ["alerts@msp.example"],
        "external_id": null,
        "is_business": true,
        "admin": admin,
        "customer_deactivated": key.is_multiple_of(29),
        "flg_suspended": key.is_multiple_of(23),
        "login_disabled": false,
        "seats_used": seats,
        "seats_available": key % 8,
        "active_seats": seats,
        "deactivated_seats": members(business).count() - seats,
        "required_seats": seats,
        "paid_shared_mailboxes": 0,
        "free_shared_mailboxes": key % 4,
        "storage_used": seats * 7,
        "storage_available": 0,
        "archive": false,
        "auto_license": true,
        "backup_summary": null,
    })
}

pub(super) fn mailboxes(business: &Business, now: DateTime<Utc>, token: &str) -> Vec<Value> {
    let mailbox = |person: &Person| {
        let run = Run::of(person.key, now);
        json!({
            "id": person.key,
            "email": person.email,
            "display_name": format!("{} {}", person.given, person.family),
            "username": person.email,
            "storage": 7_000 + person.key,
            "msg_count": person.key * 31,
            "last_backup": run.last,
            "flg_deleted": false,
            "errors": if run.failed { json!({ "host": "timeout" }) } else { json!([]) },
            "current_backup_status": run.status,
            "deactivated_since": (!person.enabled).then(|| iso(now - TimeDelta::days(40))),
            "added_on": iso(person.created),
            // The customer's whole login, with its secrets.
            "user": {
                "id": 1_788_000 + business.key, "organization_id": organization(business), "admin": true,
                "authentication_token": token, "reseller_token": super::RESELLER,
            },
        })
    };
    members(business).map(mailbox).collect()
}

/// Whether this mailbox is in the list of connection failures.
pub(super) fn is_unreachable(mailbox: &Value) -> bool {
    mailbox["id"].as_u64().is_some_and(|key| key.is_multiple_of(19)) && mailbox["deactivated_since"].is_null()
}

pub(super) fn onedrives(business: &Business, now: DateTime<Utc>) -> Vec<Value> {
    let drive = |person: &Person| {
        let run = Run::of(person.key + 5, now);
        json!({
            // Numbers of their own, which may be those of other people's mailboxes.
            "id": person.key + 1,
            "email": person.email,
            "file_count": person.key * 3,
            "last_backup": run.last,
            "storage": 9_000_000 + person.key,
            "errors": if run.failed { "quota exceeded" } else { "" },
            "current_backup_status": run.status,
            "last_activity": run.last,
            "deactivated_since": (!person.enabled).then(|| iso(now - TimeDelta::days(40))),
            "added_on": iso(person.created),
        })
    };
    members(business).map(drive).collect()
}

pub(super) fn sharepoint(business: &Business, now: DateTime<Utc>) -> Value {
    json!({
        "id": 700 + business.key, "domain_name": business.domain, "site_count": 6, "file_count": 1_200,
        "storage": 88_000_000, "last_backup": iso(now - TimeDelta::hours(5)), "errors": "",
        "deactivated_since": null, "added_on": iso(business.since),
    })
}

pub(super) fn teams(business: &Business, now: DateTime<Utc>) -> Value {
    json!({
        "id": 700 + business.key, "domain_name": business.domain, "group_count": 4,
        "last_backup": iso(now - TimeDelta::hours(6)), "errors": "", "deactivated_since": null,
        "added_on": iso(business.since),
    })
}

/// How the last backup went.
struct Run {
    last: Option<String>,
    status: &'static str,
    failed: bool,
}

impl Run {
    fn of(key: u64, now: DateTime<Utc>) -> Self {
        let ago = |hours: u64| Some(iso(now - TimeDelta::hours(i64::try_from(hours).unwrap_or(0))));
        match key % 20 {
            3 => Self { last: ago(30), status: "Failed", failed: true },
            7 => Self { last: ago(72), status: "Completed", failed: false },
            11 => Self { last: None, status: "Preparing Backup", failed: false },
            15 => Self { last: ago(2), status: "Running", failed: false },
            rest => Self { last: ago(rest % 11 + 1), status: "Completed", failed: false },
        }
    }
}

fn iso(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
