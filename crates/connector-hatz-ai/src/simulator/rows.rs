//! The world in the vendor's words.

use chrono::{DateTime, TimeDelta, Utc};
use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::world::{Business, Person};

use crate::HatzAi;

/// The reseller's own account.
pub(super) fn msp<'w>(tenants: impl Iterator<Item = &'w Business>) -> Value {
    let users: usize = tenants.map(|tenant| tenant.people.len()).sum();
    json!({
        "name": "Northern Managed Services", "created_at": "2024-06-03T08:15:00Z", "primary_package_name": "Partner",
        "additional_package_names": [], "packages": {}, "total_credits_used": 20_412.5, "total_credit_limit": 80_000,
        "admin_user_count": 4, "admin_recent_signin_count": 2, "admin_login_rate": 0.5, "tenant_user_count": users,
        "tenant_recent_signin_count": users / 2, "tenant_login_rate": 0.5,
    })
}

pub(super) fn additions(tenant: &Business) -> &'static [&'static str] {
    if tenant.key.is_multiple_of(3) { &["Extra Credits 500", "Voice"] } else { &[] }
}

pub(super) fn tenant(tenant: &Business) -> Value {
    let (key, people) = (tenant.key, tenant.people.len() as u64);
    json!({
        "id": format!("tenant_a1B2{key:06}"),
        "name": tenant.name_at(HatzAi::ID),
        "primary_package_name": if key.is_multiple_of(4) { "Starter" } else { "Professional" },
        "additional_package_names": additions(tenant),
        "user_count": people,
        "status": if key.is_multiple_of(17) { "Suspended" } else { "Active" },
        "created_at": iso(tenant.since),
        "total_credits_used": if key.is_multiple_of(2) { json!(people * 12) } else { json!(people as f64 * 7.5) },
        "total_credit_limit": people * 100,
        "tenant_config": { "beta_features": false, "mfa_required": true, "default_model_name": null },
        "disabled_model_names": [],
    })
}

pub(super) fn user(person: &Person, now: DateTime<Utc>) -> Value {
    let hours = i64::try_from(person.key % 200).unwrap_or(0);
    json!({
        "id": format!("user_c3D4{:08}", person.key),
        "email": person.email,
        "first_name": person.given,
        "last_name": person.family,
        "role": if person.admin { "client_admin" } else { "general_user" },
        "status": if person.enabled { "Active" } else { "Inactive" },
        "created_at": iso(person.created),
        "last_sign_in_at": person.enabled.then(|| iso(now - TimeDelta::hours(hours))),
    })
}

fn iso(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
