//! Where the token goes, and where it never goes.

use integration::{CredentialsForm, Device, Entity, Kind, Retry, Vendor};
use serde_json::{Map, Value, json};

use crate::stage::{TENANT, exchange, over, page};

const ENDPOINTS: &str = "/endpoint/v1/endpoints";

fn tenant_at(host: Value) -> Value {
    json!({ "id": TENANT, "name": "Bluegum Dental", "apiHost": host })
}

fn no_endpoints() -> Value {
    json!({ "items": [], "pages": { "items": 0 } })
}

/// The form of a connection to Sophos itself, or to this address.
fn form(api: Option<&str>) -> Map<String, Value> {
    let mut form = <connector_sophos::Sophos as Vendor>::Credentials::example();
    form.remove("sign_in_url");
    form.remove("api_url");
    if let Some(api) = api {
        form.insert("api_url".to_owned(), api.into());
    }
    form
}

#[tokio::test]
async fn a_token_goes_to_hosts_of_sophos_only() {
    let own = "https://proxy.example:8443/sophos";
    for (api, host, goes) in [
        (None, "https://api-au01.central.sophos.com", true),
        (None, "https://api-au01.central.sophos.com/", true),
        (None, "https://api.central.sophos.com", true),
        (None, "http://api-au01.central.sophos.com", false),
        (None, "https://api-au01.central.sophos.com:8443", false),
        (None, "https://api-au01.central.sophos.com.evil.example", false),
        (None, "https://evil.example/.sophos.com", false),
        (None, "https://notsophos.com", false),
        (None, "https://user@api-au01.central.sophos.com", false),
        (None, "https://api-au01.central.sophos.com?x=", false),
        (None, "https://api-au01.central.sophos.com@evil.example", false),
        (None, "https://192.0.2.7", false),
        (None, "api-au01.central.sophos.com", false),
        (None, "", false),
        (Some(own), "https://proxy.example:8443/au01", true),
        (Some(own), "https://proxy.example/au01", false),
        (Some(own), "http://proxy.example:8443/au01", false),
        (Some(own), "https://other.proxy.example:8443", false),
        // The address of the connection is not Sophos's: then Sophos's own hosts are strange.
        (Some(own), "https://api-au01.central.sophos.com", false),
    ] {
        let front = if api.is_some() { "/sophos" } else { "" };
        let behind = if api.is_some() { "/au01" } else { "" };
        let partner = json!({ "id": "p-1", "idType": "partner", "apiHosts": {} });
        let more = vec![
            exchange(&format!("{front}/whoami/v1"), 200, partner),
            exchange(&format!("{front}/partner/v1/tenants/{TENANT}"), 200, tenant_at(host.into())),
            exchange(&format!("{behind}{ENDPOINTS}"), 200, no_endpoints()),
        ];
        let (connector, played) = over(&form(api), &["token"], more);
        let outcome = page::<Device>(&connector, Some(TENANT)).await;
        assert_eq!(outcome.is_ok(), goes, "{host}: {outcome:?}");
        let asked = played.requests();
        if let Err(error) = outcome {
            assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::No), "{host}");
            assert_eq!(asked.len(), 3, "{host}: something was sent");
            // Neither is it believed the second time, when it is remembered.
            page::<Device>(&connector, Some(TENANT)).await.unwrap_err();
        }
        for request in played.requests() {
            let named = request.url.host_str().unwrap();
            assert!(named.ends_with(".sophos.com") || named == "proxy.example", "{host}: sent to {named}");
        }
        assert_eq!(asked[0].url.as_str(), "https://id.sophos.com/api/v2/oauth2/token");
    }
}

#[tokio::test]
async fn a_tenant_without_a_host_is_refused() {
    for row in [tenant_at(Value::Null), json!({ "id": TENANT })] {
        let more = vec![exchange(&format!("/partner/v1/tenants/{TENANT}"), 200, row)];
        let example = <connector_sophos::Sophos as Vendor>::Credentials::example();
        let (connector, _) = over(&example, &["token", "whoami"], more);
        assert_eq!(page::<Device>(&connector, Some(TENANT)).await.unwrap_err().kind, Kind::Refused);
    }
}

#[tokio::test]
async fn a_tenant_that_was_moved_is_found_again() {
    let example = <connector_sophos::Sophos as Vendor>::Credentials::example();
    let one = format!("/partner/v1/tenants/{TENANT}");
    let here = |region: &str| tenant_at(format!("https://vendor.example/{region}").into());
    let forbidden = json!({ "error": "Forbidden", "requestId": "req-1" });
    let listing = |region: &str| json!({ "items": [here(region)], "pages": { "current": 1, "total": 1, "items": 1 } });
    let more = vec![
        exchange(&one, 200, here("au01")),
        exchange(&format!("/au01{ENDPOINTS}"), 403, forbidden),
        exchange(&one, 200, here("eu01")),
        exchange(&format!("/eu01{ENDPOINTS}"), 200, no_endpoints()),
        exchange("/partner/v1/tenants", 200, listing("us03")),
        exchange(&format!("/us03{ENDPOINTS}"), 200, no_endpoints()),
    ];
    let (connector, played) = over(&example, &["token", "whoami"], more);
    let error = page::<Device>(&connector, Some(TENANT)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No));
    assert!(error.message.contains("partner assistance"), "{error}");
    page::<Device>(&connector, Some(TENANT)).await.unwrap();
    page::<Entity>(&connector, None).await.unwrap();
    page::<Device>(&connector, Some(TENANT)).await.unwrap();
    played.finish().unwrap();
}

/// One tenant that is closed says nothing about the credentials.
#[tokio::test]
async fn a_new_token_that_a_tenant_refuses_is_the_tenants_matter() {
    let example = <connector_sophos::Sophos as Vendor>::Credentials::example();
    let no = || exchange(&format!("/au01{ENDPOINTS}"), 401, json!({ "error": "Unauthorized" }));
    let (connector, played) = over(&example, &["token", "whoami", "tenant"], vec![no(), no()]);
    // The one token of the exchanges is spent: where no new one can be had, the network is to blame.
    assert_eq!(page::<Device>(&connector, Some(TENANT)).await.unwrap_err().kind, Kind::Unavailable);
    assert!(played.finish().is_err());
    let again = exchange_of_token();
    let (connector, played) = over(&example, &["token", "whoami", "tenant"], vec![no(), again, no()]);
    let error = page::<Device>(&connector, Some(TENANT)).await.unwrap_err();
    assert_eq!((error.kind, error.retry, error.status), (Kind::Forbidden, Retry::No, Some(401)));
    played.finish().unwrap();
    // But if no token is given any more, it is the credentials'.
    let refused = exchange_of_refusal();
    let (connector, played) = over(&example, &["token", "whoami", "tenant"], vec![no(), refused]);
    assert_eq!(page::<Device>(&connector, Some(TENANT)).await.unwrap_err().kind, Kind::Credentials);
    played.finish().unwrap();
}

fn exchange_of_token() -> vendorkit::replay::Exchange {
    let mut exchange = exchange("/api/v2/oauth2/token", 200, json!({ "access_token": "another", "expires_in": 3600 }));
    exchange.request.method = "POST".to_owned();
    exchange
}

fn exchange_of_refusal() -> vendorkit::replay::Exchange {
    let mut exchange = exchange("/api/v2/oauth2/token", 401, json!({ "errorCode": "oauth.invalid_client_secret" }));
    exchange.request.method = "POST".to_owned();
    exchange
}

#[tokio::test]
async fn an_id_that_could_mean_something_else_is_not_sent() {
    let example = <connector_sophos::Sophos as Vendor>::Credentials::example();
    let (connector, played) = over(&example, &[], Vec::new());
    for id in ["", "..", "a/b", "a?b", "a\r\nb", "é"] {
        assert_eq!(page::<Device>(&connector, Some(id)).await.unwrap_err().kind, Kind::NotFound, "{id}");
    }
    assert_eq!(page::<Device>(&connector, None).await.unwrap_err().kind, Kind::NotFound);
    assert!(played.requests().is_empty());
}
