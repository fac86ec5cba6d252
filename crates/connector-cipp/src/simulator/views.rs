//! How CIPP shows the world: one function for each kind of record.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use integration::Vendor;
use serde_json::{Value, json};
use uuid::Uuid;
use vendorkit::world::{self, Business, MfaState, Person};

use crate::Cipp;

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
const FREE: (&str, &str, u64) = ("Microsoft Power Automate Free", "f30db892-07e9-47e9-837c-80727f46fd3d", 10_000);

pub fn tenant(id: Uuid, name: &str, label: &str, domain: &str, excluded: bool) -> Value {
    json!({
        "PartitionKey": "Tenants", "RowKey": id, "customerId": id, "displayName": name,
        "defaultDomainName": domain, "initialDomainName": format!("{label}.onmicrosoft.example"),
        "delegatedPrivilegeStatus": "granularDelegatedAdminPrivileges", "relationshipCount": 1,
        "relationshipEnd": "2027-11-02T00:00:00Z", "hasAutoExtend": true, "domains": "", "Excluded": excluded,
        "ExcludeUser": "", "ExcludeDate": "", "GraphErrorCount": 0, "LastGraphError": "", "RequiresRefresh": false,
        "LastRefresh": "2026-09-30T01:00:12Z",
    })
}

pub fn customer(business: &Business) -> Value {
    let name = business.name_at(Cipp::ID);
    tenant(business.tenant_id, &name, label(business), &business.domain, false)
}

pub fn user(person: &Person) -> Value {
    let licences: Vec<Value> =
        person.licences.iter().map(|part| json!({ "disabledPlans": [], "skuId": sku(part) })).collect();
    let (username, domain) = person.email.split_once('@').unwrap_or_default();
    json!({
        "id": person.id, "userPrincipalName": person.email, "displayName": name(person), "mail": person.email,
        "accountEnabled": person.enabled, "userType": if person.guest { "Guest" } else { "Member" },
        "assignedLicenses": licences, "jobTitle": person.title, "department": person.department,
        "createdDateTime": instant(person.created), "onPremisesSyncEnabled": false, "username": username,
        "Aliases": "", "LicJoined": "", "primDomain": { "value": domain, "label": domain },
    })
}

/// Without Entra P1 only the state for each user is known.
pub fn registration(business: &Business, person: &Person) -> Value {
    let registered = business.premium_directory.then_some(person.mfa == MfaState::Registered);
    let methods = match registered {
        None => Value::Null,
        Some(false) => json!([]),
        // One method is given by itself.
        Some(true) if person.key.is_multiple_of(2) => json!("microsoftAuthenticatorPush"),
        Some(true) => json!(["microsoftAuthenticatorPush", "mobilePhone"]),
    };
    // Tenants with P1 use conditional access, the others security defaults, each user's own state or nothing.
    let (access, defaults, own) = match (business.premium_directory, business.key % 4) {
        (true, 0) => ("Enforced - Specific Apps", json!(false), "disabled"),
        (true, _) => ("Enforced - All Apps", json!("False"), "disabled"),
        (false, 0) => ("Not Enforced", json!(true), "disabled"),
        (false, 1) => ("Not Enforced", json!(false), "enforced"),
        (false, 2) => ("Not Enforced", json!(false), "disabled"),
        (false, _) => ("Not Enforced", json!(""), "disabled"),
    };
    json!({
        "Tenant": business.tenant_id, "ID": person.id, "UPN": person.email, "DisplayName": name(person),
        "AccountEnabled": person.enabled, "PerUser": own, "isLicensed": !person.licences.is_empty(),
        "MFARegistration": registered, "MFACapable": registered, "MFAMethods": methods,
        "CoveredByCA": access, "CAPolicies": [], "CoveredBySD": defaults, "IsAdmin": person.admin,
        "UserType": if person.guest { "Guest" } else { "Member" }, "RowKey": person.email, "PartitionKey": "users",
    })
}

/// What was bought, and what people have.
pub fn licences(business: &Business) -> Vec<Value> {
    let mut units: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for subscription in &business.subscriptions {
        if let Some(part) = &subscription.part_number {
            units.entry(part).or_default().0 += u64::from(subscription.quantity);
        }
    }
    for part in business.people.iter().flat_map(|person| &person.licences) {
        units.entry(part).or_default().1 += 1;
    }
    let row = |name: &str, sku: &str, owned: u64, used: u64| {
        let term = json!({
            "Status": "Enabled", "Term": "Yearly", "TotalLicenses": owned, "DaysUntilRenew": 143, "IsTrial": false,
        });
        // Older instances pass the terms on as a text.
        let terms = if business.key.is_multiple_of(2) { json!([term]) } else { json!(term.to_string()) };
        let left = i64::try_from(owned).unwrap_or(i64::MAX) - i64::try_from(used).unwrap_or_default();
        json!({
            "Tenant": business.tenant_id, "License": name, "CountUsed": used.to_string(),
            "CountAvailable": left.to_string(), "TotalLicenses": owned.to_string(), "skuId": sku,
            "skuPartNumber": name, "availableUnits": left.to_string(), "TermInfo": terms, "AssignedUsers": null,
            "AssignedGroups": null, "ServicePlans": [],
        })
    };
    let bought = units.into_iter().map(|(part, (owned, used))| row(part, &sku(part), owned, used));
    std::iter::once(row(FREE.0, FREE.1, FREE.2, 1)).chain(bought).collect()
}

/// The first administrator is a global one; a group holds a role too, and most roles nobody.
pub fn roles(business: &Business) -> Vec<Value> {
    let mut administrators = business.people.iter().filter(|person| person.admin).map(|person| {
        json!({
            "displayName": name(person), "userPrincipalName": person.email, "id": person.id, "directoryScopeId": "/",
        })
    });
    let global: Vec<Value> = administrators.next().into_iter().collect();
    let group = world::uuid("cipp group", business.key);
    let mut others = vec![json!({ "displayName": "Helpers", "userPrincipalName": null, "id": group })];
    others.extend(administrators);
    let role = |id: &str, name: &str, members: Vec<Value>| {
        json!({
            "Id": id, "roleTemplateId": id, "DisplayName": name, "Description": "Simulated.",
            "MemberCount": members.len(), "Members": members, "isBuiltIn": true, "isEnabled": true, "SID": "",
        })
    };
    vec![
        role(GLOBAL_ADMINISTRATOR, "Global Administrator", global),
        role(USER_ADMINISTRATOR, "User Administrator", others),
        role("b0f54661-2d74-4c50-afa3-1ec803f12efe", "Billing Administrator", Vec::new()),
    ]
}

pub fn score(business: &Business, now: DateTime<Utc>) -> Value {
    let with_mfa = business.people.iter().filter(|person| person.mfa == MfaState::Registered).count();
    let most = 280.0;
    let current = 100.0 + (with_mfa * 1500 / business.people.len().max(1)) as f64 / 10.0;
    json!({
        "Tenant": business.domain, "TenantId": business.tenant_id, "TenantName": business.name_at(Cipp::ID),
        "CurrentScore": current, "MaxScore": most, "PercentageScore": (current / most * 1000.0).round() / 10.0,
        "CapturedAt": format!("{}T00:00:00Z", now.date_naive()),
    })
}

pub fn domains(business: &Business) -> Vec<Value> {
    let initial = format!("{}.onmicrosoft.example", label(business));
    let (default_key, initial_key) =
        if business.key.is_multiple_of(2) { ("isDefault", "isInitial") } else { ("isdefault", "isinitial") };
    vec![
        json!({ "id": business.domain, default_key: true, initial_key: false }),
        json!({ "id": initial, default_key: false, initial_key: true }),
    ]
}

/// Nothing before the first night; booleans are texts in some versions.
pub fn analysis(business: &Business) -> Vec<Value> {
    if business.key % 7 == 3 {
        return Vec::new();
    }
    let flag =
        |yes: bool| if business.key.is_multiple_of(2) { json!(yes) } else { json!(if yes { "True" } else { "False" }) };
    let policy = ["Reject", "Quarantine", "None"][usize::try_from(business.key % 3).unwrap_or_default()];
    vec![json!({
        "Tenant": business.domain, "TenantID": business.tenant_id, "Domain": business.domain.to_uppercase(),
        "LastRefresh": "2026-10-05T02:11:03Z", "ActualSPFRecord": "v=spf1 include:spf.protection.outlook.example -all",
        "SPFPassAll": flag(true), "ActualMXRecords": [], "MXPassTest": flag(true), "MailProvider": "Microsoft 365",
        "DMARCPresent": flag(true), "DMARCActionPolicy": policy, "DMARCReportingActive": flag(true),
        "DMARCPercentagePass": flag(true), "DKIMEnabled": flag(business.key % 5 != 1), "DNSSECPresent": flag(false),
        "AutoDiscover": "Correct", "EnterpriseEnrollment": "Correct", "EnterpriseRegistration": "Correct",
        "Score": 130, "MaximumScore": 160, "ScorePercentage": 81, "ScoreExplanation": "No DNSSEC",
    })]
}

fn label(business: &Business) -> &str {
    business.domain.split('.').next().unwrap_or_default()
}

/// The same id for the same part number, as at Microsoft.
fn sku(part: &str) -> String {
    world::uuid(part, 0).to_string()
}

fn name(person: &Person) -> String {
    format!("{} {}", person.given, person.family)
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
