//! One listing in many shapes, and failures that look like one.

use integration::{AdminRole, Connector, DirectoryUser, Domain, Entity, Kind, Licence, Position, Pull, Retry};

use crate::script::{TENANT, connector, page, stored};

const USER: &str = r#"{"id":"0b8d1a52-6f0e-4a8f-bb26-0f7c3c0a9d11","displayName":"Jo Hart"}"#;

#[tokio::test]
async fn a_listing_is_read_in_each_of_its_shapes() {
    for body in [
        format!("[{USER}]"),
        USER.to_owned(),
        format!(r#"{{"Results":[{USER}]}}"#),
        format!(r#"{{"Results":{USER},"Metadata":null}}"#),
        format!("[null,{USER}]"),
        format!("\u{feff}[{USER}]"),
    ] {
        let (cipp, script) = connector([(200, body.as_str())]);
        let users = stored::<DirectoryUser>(&cipp).await;
        assert_eq!(users.len(), 1, "{body}");
        assert_eq!(users[0].1["name"], "Jo Hart", "{body}");
        let asked = format!("https://cipp.example/api/ListUsers?tenantFilter={TENANT}");
        assert_eq!(script.asked()[1].url.as_str(), asked);
    }
    for body in ["[]", "[null]", r#"{"Results":[]}"#] {
        let (cipp, _) = connector([(200, body)]);
        assert!(stored::<DirectoryUser>(&cipp).await.is_empty(), "{body}");
    }
}

#[tokio::test]
async fn a_text_in_the_place_of_records_is_no_empty_listing() {
    for body in [r#"["Tenant is gone"]"#, r#""Tenant is gone""#, r#"{"Results":"Tenant is gone"}"#] {
        let (cipp, _) = connector([(200, body)]);
        let error = page::<Domain>(&cipp).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unreadable, "{body}");
        assert_eq!(error.vendor_message.as_deref(), Some("Tenant is gone"), "{body}");
        assert!(error.context.contains(&("tenant", TENANT.to_owned())), "{error}");
    }
}

#[tokio::test]
async fn a_failed_tenant_list_is_an_error_although_it_looks_like_one_tenant() {
    let row = r#"{"Results":"Failed to retrieve tenants: no token","defaultDomainName":"",
                  "displayName":"Failed to retrieve tenants. Perform a permission check.","customerId":""}"#;
    let (cipp, _) = connector([(200, format!("[{row}]")), (200, row.to_owned())]);
    let error = Pull::<Entity>::page(&cipp, Position::default()).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::Yes));
    assert_eq!(error.vendor_message.as_deref(), Some("Failed to retrieve tenants: no token"));
    // Unrolled, it is an object whose results are a text.
    let error = Pull::<Entity>::page(&cipp, Position::default()).await.unwrap_err();
    assert_eq!(error.vendor_message.as_deref(), Some("Failed to retrieve tenants: no token"));
}

#[tokio::test]
async fn what_microsoft_refuses_to_cipp_is_not_trouble_that_passes() {
    let refused = r#"["AADSTS50173: the grant has ended"]"#;
    let answers = [
        (500, refused),
        (500, r#"{"Results":"could not read licences: the service is busy"}"#),
        (400, r#"[{"Error":"Tenant not found"}]"#),
        (400, r#""Failed to list roles for the tenant""#),
        (403, "Access is not allowed"),
    ];
    let (cipp, _) = connector(answers);
    let error = page::<Licence>(&cipp).await.unwrap_err();
    assert_eq!((error.kind, error.retry, error.status), (Kind::Forbidden, Retry::No, Some(500)));
    assert_eq!(error.vendor_message.as_deref(), Some("AADSTS50173: the grant has ended"));
    let error = page::<Licence>(&cipp).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::Yes));
    assert_eq!(error.vendor_message.as_deref(), Some("could not read licences: the service is busy"));
    let error = page::<DirectoryUser>(&cipp).await.unwrap_err();
    assert_eq!((error.kind, error.vendor_message.as_deref()), (Kind::Refused, Some("Tenant not found")));
    let error = page::<AdminRole>(&cipp).await.unwrap_err();
    assert_eq!(error.vendor_message.as_deref(), Some("Failed to list roles for the tenant"));
    let error = cipp.check().await.unwrap_err();
    assert_eq!((error.kind, error.vendor_message.as_deref()), (Kind::Forbidden, Some("Access is not allowed")));
    assert!(error.message.contains("role"), "{error}");
}

#[tokio::test]
async fn the_id_of_a_tenant_is_needed_and_nothing_else_gets_into_an_address() {
    let (cipp, script) = connector([(200, "[]")]);
    for entity in [None, Some("AllTenants"), Some("bluegum.example"), Some("../me")] {
        let error = Pull::<Domain>::page(&cipp, Position { entity, ..Position::default() }).await.unwrap_err();
        assert_eq!(error.kind, Kind::NotFound, "{entity:?}");
    }
    assert!(script.asked().is_empty());
}
