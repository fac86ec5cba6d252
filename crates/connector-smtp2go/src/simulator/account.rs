//! What the account of one business has, in the vendor's words. On its first day it has nothing.

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use vendorkit::{World, world::Business};

/// The business's own domain, right, and one below it that is not.
pub(super) fn domains(owner: Option<&Business>) -> Vec<Value> {
    let Some(owner) = owner else { return Vec::new() };
    let (label, suffix) = owner.domain.split_once('.').unwrap_or((owner.domain.as_str(), ""));
    let row = |subdomain: Option<&str>, right: bool| {
        let full = subdomain.map_or_else(|| owner.domain.clone(), |sub| format!("{sub}.{}", owner.domain));
        json!({
            "from_master": false,
            "domain": {
                "fulldomain": full, "subdomain": subdomain, "domain": label, "suffix": suffix,
                "dkim_selector": format!("s{}", 123_000 + owner.key), "dkim_verified": true, "dkim_status": "",
                "dkim_value": "dkim.smtp2go.net", "rpath_selector": format!("em{}", 744_000 + owner.key),
                "rpath_verified": right, "rpath_status": if right { "" } else { "CNAME not found" },
                "rpath_value": "return.smtp2go.net", "setup_link": "unavailable",
            },
            "trackers": [{
                "fulldomain": format!("link.{full}"), "subdomain": "link", "domain": label, "suffix": suffix,
                "cname_verified": right, "cname_status": if right { "" } else { "CNAME not found" },
                "cname_value": "track.smtp2go.net", "enabled": true,
            }],
            "subaccount_access": { "subaccounts": [], "future_subaccounts": false },
        })
    };
    vec![row(None, true), row(Some("news"), false)]
}

/// One address outside the domains, and people who began to prove theirs.
pub(super) fn senders(owner: Option<&Business>) -> Vec<Value> {
    let Some(owner) = owner else { return Vec::new() };
    let scanner = json!({ "email_address": format!("scanner@{}", owner.domain), "verified": true });
    let people = owner.people.iter().filter(|person| !person.guest).take(3);
    let begun = people.map(|person| json!({ "email_address": person.email, "verified": person.enabled }));
    std::iter::once(scanner).chain(begun).collect()
}

pub(super) fn users(owner: Option<&Business>) -> Vec<Value> {
    let Some(owner) = owner else { return Vec::new() };
    let row = |name: &str, status: &str, description: &str| {
        json!({
            "username": format!("{name}.{}", owner.domain), "email_password": format!("plain-for-{name}"),
            "sending_allowed": status == "allowed", "custom_ratelimit": false, "custom_ratelimit_value": null,
            "custom_ratelimit_period": "0:00:00", "description": description, "feedback_enabled": false,
            "feedback_domain": "default", "feedback_html": "", "feedback_text": "", "archive_enabled": false,
            "open_tracking_enabled": false, "audit_email": null, "bounce_notifications": "from", "status": status,
        })
    };
    vec![
        row("printers", "allowed", "Scan to mail"),
        row("accounts", "allowed", ""),
        row("oldwebsite", "blocked", "Contact form, switched off"),
    ]
}

/// The period is the calendar month. What was sent lately counts in it, and in the last 30 days.
pub(super) fn summary(owner: Option<&Business>, sent: u64, now: DateTime<Utc>) -> Value {
    let first = now.date_naive().with_day(1).unwrap_or(now.date_naive());
    let last = first.checked_add_months(chrono::Months::new(1)).unwrap_or(first) - TimeDelta::days(1);
    let instant = |day: chrono::NaiveDate| day.and_time(NaiveTime::MIN).format("%Y-%m-%d %H:%M:%S+00:00").to_string();
    let people = owner.map_or(0, |owner| owner.people.len() as u64);
    let (used, count) = (people * 20 + sent, people * 110 + sent);
    let max = 10_000_u64.max(used);
    let percent = |part: u64| format!("{:.2}", part as f64 * 100.0 / count.max(1) as f64);
    json!({
        "cycle_start": instant(first), "cycle_end": instant(last), "cycle_used": used, "cycle_remaining": max - used,
        "cycle_max": max, "email_count": count, "hardbounces": people / 4, "softbounces": people / 9,
        "bounce_percent": percent(people / 4 + people / 9), "spam_emails": people / 40,
        "spam_percent": percent(people / 40), "spam_rejects": 0, "bounce_rejects": 0, "rejects": people / 30,
        "unsubscribes": people / 12, "unsubscribe_percent": percent(people / 12), "opens": people * 37,
        "clicks": people * 4,
    })
}

/// Whether the account may send from this address: by a domain that is right, or by the address itself.
pub(super) fn may_send(owner: Option<&Business>, address: &str) -> bool {
    let right = |row: &Value| row["domain"]["dkim_verified"] == true && row["domain"]["rpath_verified"] == true;
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    domains(owner).iter().any(|row| right(row) && row["domain"]["fulldomain"] == domain)
        || senders(owner).iter().any(|row| row["verified"] == true && row["email_address"] == address)
}

/// Businesses that have a subaccount of the master account. The last of them is closed.
pub(super) fn below(world: &World) -> impl Iterator<Item = &Business> {
    world.businesses().iter().skip(1).take(4)
}

pub(super) fn subaccount_id(owner: &Business) -> String {
    format!("GnlKn{}", owner.key)
}

/// A page of the subaccounts: two at a time, whatever is asked for.
pub(super) fn subaccounts(world: &World, body: &Map<String, Value>) -> Value {
    let from: usize = body.get("continue_token").and_then(Value::as_str).and_then(|at| at.parse().ok()).unwrap_or(0);
    let all = below(world).count();
    let rows = below(world).enumerate().skip(from).take(2).map(|(at, owner)| {
        let used = owner.people.len() * 20;
        json!({
            "id": subaccount_id(owner), "name": owner.name_at("smtp2go"), "email": format!("mail@{}", owner.domain),
            "state": if at == 3 { "Closed" } else { "Active" }, "plan_size": 10_000, "plan_used": used,
            "plan_remaining": 10_000 - used, "dedicated_ip": false,
        })
    });
    let rows: Vec<Value> = rows.collect();
    let next = if from + 2 < all { (from + 2).to_string() } else { String::new() };
    json!({ "subaccounts": rows, "total_count": all, "continue_token": next })
}

/// What some subaccounts sent in the last 30 days.
pub(super) fn history(world: &World, body: &Map<String, Value>) -> Value {
    let asked: Vec<&str> =
        body.get("subaccounts").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let found = below(world).filter(|owner| asked.contains(&subaccount_id(owner).as_str()));
    let rows = found.map(|owner| {
        let people = owner.people.len() as u64;
        json!({
            "subaccount": owner.name_at("smtp2go"), "used": people * 110, "bytecount": people * 110_000,
            "avgsize": 1000, "bounces": people / 4, "opens": people * 37, "clicks": people * 4,
            "rejects": people / 30, "spam": people / 40, "unsubscribes": people / 12, "lastip": "192.0.2.9",
        })
    });
    let rows: Vec<Value> = rows.collect();
    json!({ "count": rows.len(), "history": rows })
}
