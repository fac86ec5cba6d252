//! The token, and where it goes.

use integration::{Body, Connector, Method};

use crate::script::{CLIENT, TENANT, connector, connector_at};

#[tokio::test]
async fn a_token_is_asked_for_the_client_itself_and_goes_to_cipp_only() {
    let (cipp, script) = connector([(200, "[]")]);
    cipp.check().await.unwrap();
    let asked = script.asked();
    let [token, tenants] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(token.url.as_str(), format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"));
    let Body::Form(pairs) = &token.body else { panic!("the token request is no form") };
    let scope = format!("api://{CLIENT}/.default");
    let expected = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", "secret-0001"),
        ("scope", scope.as_str()),
    ];
    assert_eq!(pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
    assert!(token.header_value("authorization").is_none());
    assert_eq!((tenants.method, tenants.url.as_str()), (Method::Post, "https://cipp.example/api/ListTenants"));
    assert_eq!(tenants.header_value("authorization"), Some("Bearer token-of-the-script"));
    assert_eq!(tenants.header_value("accept"), Some("application/json"));
    assert!(tenants.idempotent, "a read by POST may be repeated");
    assert_eq!(tenants.body, Body::Json(serde_json::json!({})), "nothing asks CIPP to clear its cache");
}

#[tokio::test]
async fn the_address_may_be_written_with_or_without_its_end() {
    for url in
        ["https://cipp.example", "https://cipp.example/", "https://cipp.example/api", "https://cipp.example/api/"]
    {
        let (cipp, script) = connector_at(url, [(200, "[]")]);
        cipp.check().await.unwrap();
        assert_eq!(script.asked()[1].url.as_str(), "https://cipp.example/api/ListTenants", "{url}");
    }
    let (cipp, script) = connector_at("https://proxy.example/cipp/api", [(200, "[]")]);
    cipp.check().await.unwrap();
    assert_eq!(script.asked()[1].url.as_str(), "https://proxy.example/cipp/api/ListTenants");
}
