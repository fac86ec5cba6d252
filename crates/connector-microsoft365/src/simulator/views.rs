//! How Microsoft shows the world: one function for each kind of record.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use vendorkit::world::{Business, MfaState, Person};

use super::{VENDOR, made_id};

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const USER_ADMINISTRATOR: &str = "fe930be7-5e62-47db-91af-98c3a49a38b1";
/// A product that is free and endless, and that everybody has.
const FREE: (&str, u64) = ("FLOW_FREE", 10_000);

pub fn delegated(business: &Business) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.delegatedAdminCustomer",
        "id": business.tenant_id, "tenantId": business.tenant_id, "displayName": business.name_at(VENDOR),
    })
}

pub fn organisation(business: &Business) -> Value {
    let domains = [
        json!({ "name": format!("{}.onmicrosoft.com", business.key), "isDefault": false, "isInitial": true }),
        json!({ "name": business.domain, "isDefault": true, "isInitial": false }),
    ];
    json!({ "id": business.tenant_id, "displayName": business.name_at(VENDOR), "verifiedDomains": domains })
}

pub fn contract(business: &Business) -> Value {
    json!({
        "id": made_id(&format!("contract {}", business.key)), "contractType": "ResellerPartner",
        "customerId": business.tenant_id, "defaultDomainName": business.domain,
        "displayName": business.name_at(VENDOR), "deletedDateTime": null,
    })
}

pub fn user(person: &Person) -> Value {
    let licences: Vec<Value> =
        person.licences.iter().map(|part| json!({ "disabledPlans": [], "skuId": made_id(part) })).collect();
    json!({
        "id": person.id, "userPrincipalName": person.email, "displayName": name(person), "mail": person.email,
        "accountEnabled": person.enabled, "userType": if person.guest { "Guest" } else { "Member" },
        "assignedLicenses": licences, "jobTitle": person.title, "department": person.department,
        "createdDateTime": instant(person.created), "onPremisesSyncEnabled": null,
    })
}

/// Some have never signed in, and of older sign-ins only the last attempt is told.
pub fn sign_in(person: &Person) -> Value {
    let at = instant(person.created + chrono::TimeDelta::minutes(i64::try_from(person.key % 900).unwrap_or_default()));
    let mut told = json!({ "id": person.id });
    match person.key % 5 {
        0 => {}
        1 | 2 => told["signInActivity"] = json!({ "lastSignInDateTime": at, "lastSignInRequestId": "" }),
        _ => {
            told["signInActivity"] = json!({
                "lastSignInDateTime": instant(person.created), "lastSuccessfulSignInDateTime": at,
            });
        }
    }
    told
}

pub fn user_with_sign_in(person: &Person) -> Value {
    let mut user = user(person);
    if let Some(activity) = sign_in(person).get("signInActivity") {
        user["signInActivity"] = activity.clone();
    }
    user
}

/// Only of those who may sign in.
pub fn registrations(business: &Business) -> Vec<Value> {
    let row = |person: &Person| {
        let registered = person.mfa == MfaState::Registered;
        let methods: &[&str] = if registered { &["mobilePhone", "microsoftAuthenticatorPush"] } else { &[] };
        json!({
            "id": person.id, "userPrincipalName": person.email, "userDisplayName": name(person),
            "userType": if person.guest { "guest" } else { "member" }, "isAdmin": person.admin,
            "isMfaRegistered": registered, "isMfaCapable": registered, "isPasswordlessCapable": false,
            "isSsprRegistered": registered, "isSsprEnabled": true, "isSsprCapable": registered,
            "methodsRegistered": methods, "userPreferredMethodForSecondaryAuthentication": "push",
        })
    };
    business.people.iter().filter(|person| person.enabled).map(row).collect()
}

/// The first administrator is a global one; a group and an app hold roles too.
pub fn assignments(business: &Business) -> Vec<Value> {
    let row = |id: String, role: &str, kind: &str| {
        json!({
            "id": made_id(&format!("{role} {id}")), "principalId": id, "directoryScopeId": "/",
            "roleDefinitionId": role,
            "principal": { "@odata.type": format!("#microsoft.graph.{kind}"), "id": id },
        })
    };
    let other = |kind: &str| made_id(&format!("{kind} {}", business.key)).to_string();
    let mut rows = vec![
        row(other("group"), USER_ADMINISTRATOR, "group"),
        row(other("servicePrincipal"), USER_ADMINISTRATOR, "servicePrincipal"),
    ];
    let administrators = business.people.iter().filter(|person| person.admin).enumerate();
    rows.extend(administrators.map(|(nth, person)| {
        let role = if nth == 0 { GLOBAL_ADMINISTRATOR } else { USER_ADMINISTRATOR };
        row(person.id.to_string(), role, "user")
    }));
    rows
}

/// What was bought, and what people have.
pub fn skus(business: &Business) -> Vec<Value> {
    let mut units: BTreeMap<&str, (u64, u64)> = BTreeMap::from([(FREE.0, (FREE.1, 1))]);
    for subscription in &business.subscriptions {
        if let Some(part) = &subscription.part_number {
            units.entry(part).or_default().0 += u64::from(subscription.quantity);
        }
    }
    for part in business.people.iter().flat_map(|person| &person.licences) {
        units.entry(part).or_default().1 += 1;
    }
    let row = |(part, (owned, used)): (&str, (u64, u64))| {
        let sku = made_id(part);
        json!({
            "id": format!("{}_{sku}", business.tenant_id), "skuId": sku, "skuPartNumber": part,
            "appliesTo": "User", "capabilityStatus": "Enabled", "consumedUnits": used,
            "prepaidUnits": { "enabled": owned, "suspended": 0, "warning": 0, "lockedOut": 0 },
            "subscriptionIds": [], "servicePlans": [],
        })
    };
    units.into_iter().map(row).collect()
}

/// Today's score and yesterday's, newest first.
pub fn scores(business: &Business, now: DateTime<Utc>) -> Vec<Value> {
    let with_mfa = business.people.iter().filter(|person| person.mfa == MfaState::Registered).count();
    let most = 280.0;
    let current = 100.0 + (with_mfa * 1500 / business.people.len().max(1)) as f64 / 10.0;
    let row = |day: chrono::NaiveDate| {
        json!({
            "id": format!("{}_{day}", business.tenant_id), "azureTenantId": business.tenant_id,
            "createdDateTime": format!("{day}T00:00:00Z"), "currentScore": current, "maxScore": most,
            "averageComparativeScores": [{ "basis": "AllTenants", "averageScore": 131.2 }], "controlScores": [],
        })
    };
    let today = now.date_naive();
    std::iter::once(today).chain(today.pred_opt()).map(row).collect()
}

pub fn domains(business: &Business) -> Vec<Value> {
    let label = business.domain.split('.').next().unwrap_or_default();
    let row = |name: &str, initial: bool| {
        json!({
            "id": name, "authenticationType": "Managed", "isDefault": !initial, "isInitial": initial,
            "isVerified": true, "isRoot": true, "isAdminManaged": true, "supportedServices": ["Email"],
        })
    };
    vec![row(&business.domain, false), row(&format!("{label}.onmicrosoft.example"), true)]
}

fn name(person: &Person) -> String {
    format!("{} {}", person.given, person.family)
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
