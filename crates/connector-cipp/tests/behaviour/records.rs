//! Values as PowerShell writes them.

use integration::{AdminRole, Connector, DirectoryUser, Domain, Entity, Licence, Pull, SecureScore, SignInMethods};
use serde_json::json;

use crate::script::{TENANT, connector, stored};

#[tokio::test]
async fn tenants_are_customers_only_and_go_by_their_id() {
    let body = json!([
        { "customerId": "AllTenants", "defaultDomainName": "AllTenants", "displayName": "*All Tenants" },
        { "customerId": "11111111-0000-4000-8000-000000000001", "displayName": "*Partner Tenant - Us" },
        { "customerId": "11111111-0000-4000-8000-000000000002", "displayName": "Gone", "Excluded": "true" },
        { "customerId": TENANT.to_uppercase(), "displayName": " Bluegum Dental ", "Excluded": "",
          "defaultDomainName": "BlueGum.example", "initialDomainName": "bluegum.example", "GraphErrorCount": "0" },
        { "customerId": "11111111-0000-4000-8000-000000000003", "defaultDomainName": "wattle.example",
          "initialDomainName": "wattle.onmicrosoft.example", "GraphErrorCount": 3 },
    ]);
    let (cipp, _) = connector([(200, body.to_string()), (200, body.to_string())]);
    let tenants = stored::<Entity>(&cipp).await;
    assert_eq!(tenants.len(), 2);
    assert_eq!((tenants[0].0.as_str(), &tenants[0].1["name"]), (TENANT, &json!("Bluegum Dental")));
    assert_eq!(tenants[0].1["tenant_id"], TENANT);
    assert_eq!(tenants[0].1["domains"], json!(["bluegum.example"]), "one domain, twice in the answer");
    assert_eq!(tenants[1].1["name"], "wattle.example", "a tenant without a name");
    assert_eq!(tenants[1].1["domains"], json!(["wattle.example", "wattle.onmicrosoft.example"]));
    let warnings = cipp.check().await.unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("11111111-0000-4000-8000-000000000003"), "{warnings:?}");
}

#[tokio::test]
async fn a_tenant_id_that_is_no_guid_is_rejected_without_repeating_it() {
    let (cipp, _) = connector([(200, r#"[{"customerId":"contoso"}]"#)]);
    let page = crate::script::page::<Entity>(&cipp).await.unwrap();
    let why = Pull::<Entity>::read(&cipp, &page.records[0]).unwrap_err();
    assert!(why.contains("GUID") && !why.contains("contoso"), "{why}");
}

#[tokio::test]
async fn what_cipp_does_not_know_of_mfa_is_unknown() {
    let body = json!([
        { "ID": "a", "UPN": "a@bluegum.example", "MFARegistration": null, "MFACapable": "", "MFAMethods": null },
        { "ID": "b", "UPN": "b@bluegum.example", "MFARegistration": "True", "MFACapable": false,
          "MFAMethods": "fido2SecurityKey", "IsAdmin": "false" },
        { "ID": "c", "MFARegistration": true, "MFAMethods": ["softwareOneTimePasscode", ""], "IsAdmin": true },
    ]);
    let (cipp, _) = connector([(200, body.to_string())]);
    let methods = stored::<SignInMethods>(&cipp).await;
    let unknown = json!({
        "principal_name": "a@bluegum.example", "mfa_registered": null, "mfa_capable": null,
        "passwordless_capable": null, "is_admin": null, "enforced_by": null, "methods": [],
    });
    assert_eq!(methods[0], ("a".to_owned(), unknown));
    assert_eq!(methods[1].1["mfa_registered"], true);
    assert_eq!(methods[1].1["mfa_capable"], false);
    assert_eq!(methods[1].1["is_admin"], false);
    assert_eq!(methods[1].1["methods"], json!(["fido2SecurityKey"]), "one method by itself");
    assert_eq!(methods[2].1["methods"], json!(["softwareOneTimePasscode"]));
}

#[tokio::test]
async fn licences_have_numbers_as_texts_and_terms_in_many_shapes() {
    let row = |sku: &str, terms: serde_json::Value| {
        json!({ "License": "Product", "skuPartNumber": "Product", "skuId": sku, "CountUsed": "21",
                "TotalLicenses": " 25 ", "TermInfo": terms })
    };
    let enabled = json!({ "Status": "Enabled" });
    let body = json!([
        row("1", json!([enabled, { "Status": "Enabled" }])),
        row("2", enabled.clone()),
        row("3", json!(json!([enabled]).to_string())),
        row("4", json!([enabled, { "Status": "Suspended" }])),
        row("5", json!("not JSON")),
        { "skuId": "F30DB892-07E9-47E9-837C-80727F46FD3D", "CountUsed": "", "TotalLicenses": 10000 },
        { "skuId": "7", "License": "Tomorrow", "TotalLicenses": "1000000" },
    ]);
    let (cipp, _) = connector([(200, body.to_string())]);
    let licences = stored::<Licence>(&cipp).await;
    let states: Vec<_> = licences.iter().map(|(_, licence)| licence["status"].clone()).collect();
    assert_eq!(json!(states), json!(["Enabled", "Enabled", "Enabled", null, null, null, null]));
    assert_eq!((&licences[0].1["used"], &licences[0].1["total"]), (&json!(21), &json!(25)));
    assert_eq!((&licences[5].1["used"], &licences[5].1["unlimited"]), (&json!(null), &json!(true)));
    assert_eq!(licences[6].1["unlimited"], true);
    assert_eq!(licences[0].1["unlimited"], false);
}

#[tokio::test]
async fn roles_are_told_by_their_users_whatever_the_version() {
    let global = "62e90394-69f5-4237-9190-012177145e10";
    let user = json!({ "id": "u1", "userPrincipalName": "a@bluegum.example", "directoryScopeId": "/" });
    let body = json!([
        { "Id": global, "roleTemplateId": global, "DisplayName": "Global Administrator", "Members": [
            user, { "id": "g1", "displayName": "A group", "userPrincipalName": null } ] },
        { "Id": "0d11b2c3", "roleTemplateId": "fe930be7-5e62-47db-91af-98c3a49a38b1",
          "DisplayName": "User Administrator", "Members": { "id": "u1", "userPrincipalName": "a@bluegum.example" } },
        { "Id": "custom", "roleTemplateId": null, "DisplayName": "", "Members": [{ "id": "u2",
          "userPrincipalName": "b@bluegum.example", "directoryScopeId": "/administrativeUnits/1" }] },
        { "Id": "nobody", "DisplayName": "Nobody", "Members": "none" },
        { "Id": "empty", "DisplayName": "Empty" },
    ]);
    let (cipp, _) = connector([(200, body.to_string())]);
    let roles = stored::<AdminRole>(&cipp).await;
    let told: Vec<_> =
        roles.iter().map(|(id, role)| json!([id, role["user_id"], role["role"], role["scope"]])).collect();
    assert_eq!(
        json!(told),
        json!([
            [format!("{global}/u1"), "u1", "Global Administrator", "/"],
            ["fe930be7-5e62-47db-91af-98c3a49a38b1/u1", "u1", "User Administrator", null],
            ["custom/u2", "u2", "custom", "/administrativeUnits/1"],
        ])
    );
}

#[tokio::test]
async fn a_secure_score_without_a_maximum_says_nothing() {
    let body = json!({ "Results": [
        { "Tenant": "bluegum.example", "TenantId": TENANT.to_uppercase(), "CurrentScore": 212.4, "MaxScore": 318,
          "CapturedAt": "2026-09-30T00:00:00Z" },
        { "Tenant": "wattle.example", "TenantId": "", "CurrentScore": 0, "MaxScore": 0, "CapturedAt": null },
    ]});
    let (cipp, _) = connector([(200, body.to_string())]);
    let scores = stored::<SecureScore>(&cipp).await;
    let expected = json!({ "current": 212.4, "max": 318.0, "day": "2026-09-30", "average": null });
    assert_eq!(scores, [(TENANT.to_owned(), expected)]);
}

#[tokio::test]
async fn flags_of_domains_are_known_in_either_case() {
    let body = json!([{ "id": "BlueGum.example", "isDefault": true, "isInitial": false },
                      { "id": "bluegum.onmicrosoft.example", "isdefault": "false", "isinitial": "true" }]);
    let (cipp, _) = connector([(200, body.to_string()), (200, "[null]".to_owned())]);
    let domains = stored::<Domain>(&cipp).await;
    assert_eq!(domains[0].0, "bluegum.example");
    assert_eq!((&domains[0].1["default"], &domains[0].1["verified"]), (&json!(true), &json!(null)));
    assert_eq!((&domains[1].1["default"], &domains[1].1["initial"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn the_health_of_a_domain_is_that_of_the_last_night() {
    let domains = json!([{ "id": "reject.example" }, { "id": "watch.example" }, { "id": "none.example" },
                         { "id": "new.example" }, { "id": "odd.example" }]);
    let row = |domain: &str, present: &str, policy: serde_json::Value| {
        json!({ "Domain": domain, "MXPassTest": "True", "SPFPassAll": false, "DKIMEnabled": "", "DNSSECPresent": true,
                "DMARCPresent": present, "DMARCActionPolicy": policy, "ScoreExplanation": " No DKIM " })
    };
    let analyses = json!([
        row("Reject.Example", "True", json!("Reject")),
        row("watch.example", "True", json!("None")),
        row("none.example", "False", json!("")),
        row("odd.example", "True", json!("Sometimes")),
        row("elsewhere.example", "True", json!("Reject")),
    ]);
    let (cipp, script) = connector([(200, domains.to_string()), (200, analyses.to_string())]);
    let found = stored::<Domain>(&cipp).await;
    let said = |at: usize| {
        let of = &found[at].1;
        json!([of["mx"], of["spf"], of["dkim"], of["dmarc"], of["dnssec"], of["problems"]])
    };
    assert_eq!(said(0), json!([true, false, null, true, true, ["No DKIM"]]));
    assert_eq!(said(1), json!([true, false, null, false, true, ["No DKIM"]]));
    assert_eq!(said(2), json!([true, false, null, false, true, ["No DKIM"]]));
    assert_eq!(said(3), json!([null, null, null, null, null, []]), "not analysed yet");
    assert_eq!(said(4)[3], json!(null), "a policy that we never heard of");
    assert_eq!(found.len(), 5, "what was analysed but is no domain of the tenant is left out");
    let asked = format!("https://cipp.example/api/ListDomainAnalyser?tenantFilter={TENANT}");
    assert_eq!(script.asked()[2].url.as_str(), asked);
}

#[tokio::test]
async fn what_enforces_a_second_factor_is_said_and_nothing_only_when_known() {
    let user = |id: &str, access: serde_json::Value, defaults: serde_json::Value, own: serde_json::Value| {
        json!({
            "ID": id, "CoveredByCA": access, "CoveredBySD": defaults, "PerUser": own,
        })
    };
    let cases = [
        (json!("Enforced - All Apps"), json!(false), json!("disabled"), json!("Conditional Access (All Apps)")),
        (
            json!("Enforced - Specific Apps"),
            json!(""),
            json!("Enforced"),
            json!("Conditional Access (Specific Apps), per-user MFA"),
        ),
        (json!("Enforced"), json!(null), json!(null), json!("Conditional Access")),
        (json!("Not Enforced"), json!("True"), json!("disabled"), json!("security defaults")),
        (json!("Not Enforced"), json!("false"), json!("disabled"), json!("none")),
        (json!("Not Enforced"), json!(null), json!("disabled"), json!(null)),
        (json!("Not Enforced"), json!(false), json!("enabled"), json!(null)),
        (json!("No licence"), json!(false), json!("disabled"), json!(null)),
        (json!(null), json!(false), json!("disabled"), json!(null)),
    ];
    let rows: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(at, (access, defaults, own, _))| user(&at.to_string(), access.clone(), defaults.clone(), own.clone()))
        .collect();
    let (cipp, _) = connector([(200, json!(rows).to_string())]);
    for ((_, _, _, expected), (id, methods)) in cases.iter().zip(stored::<SignInMethods>(&cipp).await) {
        assert_eq!(&methods["enforced_by"], expected, "case {id}");
    }
}

#[tokio::test]
async fn every_kind_that_cipp_tells_of_is_offered() {
    let (cipp, _) = connector::<String>([]);
    let kinds: Vec<_> = cipp.listings().iter().map(|listing| listing.kind().as_str()).collect();
    let expected = ["entity", "directory_user", "sign_in_methods", "admin_role", "licence", "secure_score", "domain"];
    assert_eq!(kinds, expected);
}

/// CIPP's own description gives most fields no type at all, and PowerShell unrolls a list of one.
#[tokio::test]
async fn a_field_of_another_type_costs_that_field_only() {
    let body = json!([
        { "id": "a", "displayName": 7, "mail": {}, "userType": null, "createdDateTime": 20240201,
          "assignedLicenses": { "skuId": "sku-1", "disabledPlans": null } },
        { "id": "b", "displayName": "Bo", "assignedLicenses": ["any", { "skuId": null }, { "skuId": "sku-2" }] },
        { "id": "c", "assignedLicenses": "" },
    ]);
    let (cipp, _) = connector([(200, body.to_string())]);
    let users = stored::<DirectoryUser>(&cipp).await;
    assert_eq!((&users[0].1["name"], &users[0].1["licence_ids"]), (&json!("7"), &json!(["sku-1"])));
    assert_eq!((&users[1].1["name"], &users[1].1["licence_ids"]), (&json!("Bo"), &json!(["sku-2"])));
    assert_eq!(users[2].1["licence_ids"], json!([]));

    let score = json!({ "Tenant": "bluegum.example", "CurrentScore": "212.4", "MaxScore": "318", "CapturedAt": 0 });
    let (cipp, _) = connector([(200, score.to_string())]);
    let scores = stored::<SecureScore>(&cipp).await;
    assert_eq!((&scores[0].1["current"], &scores[0].1["max"]), (&json!(212.4), &json!(318.0)));
}
