//! Keys of three products, kept apart: what each opens, and where each is sent.

use integration::{Body, Connector, Kind, Retry};
use serde_json::json;

use crate::script::{EMAIL, ENDPOINT, MSP, connector, envelope};

fn offered(pairs: &[(&str, &str)]) -> Vec<&'static str> {
    let (harmony, _) = connector(pairs, []);
    harmony.listings().iter().map(|listing| listing.kind().as_str()).collect()
}

#[tokio::test]
async fn a_listing_without_its_key_is_not_offered() {
    assert_eq!(offered(&MSP), ["entity"]);
    assert_eq!(offered(&EMAIL), ["entity", "threat"]);
    assert_eq!(offered(&ENDPOINT), ["entity", "device"]);
    assert_eq!(offered(&[&MSP[..], &EMAIL[1..], &ENDPOINT[1..]].concat()), ["entity", "device", "threat"]);
}

#[tokio::test]
async fn what_is_missing_is_named_before_anything_is_sent() {
    for (pairs, word) in [
        (&[("region", "eu")][..], "at least one product"),
        (&EMAIL[..2], "Email access key"),
        (&[("region", "eu"), ("endpoint_access_key", "secret-0003")], "Endpoint client ID"),
        (&[("region", "in"), MSP[1], MSP[2]], "MSP API address"),
    ] {
        let (harmony, script) = connector(pairs, []);
        for error in [
            harmony.check().await.unwrap_err(),
            harmony.entities().unwrap().page(Default::default()).await.unwrap_err(),
        ] {
            assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No), "{pairs:?}");
            assert!(error.message.contains(word), "{error}");
        }
        assert!(script.asked().is_empty() && script.logins().is_empty());
    }
}

#[tokio::test]
async fn each_key_goes_to_its_own_product_of_its_region() {
    let status = json!({ "tenantId": "t1", "tenantName": "Bluegum", "type": "CUSTOMER", "machines": [] });
    let answers = [(200, envelope("", Some(0), json!([]))), (200, envelope("", None, json!([]))), (200, status)];
    let (harmony, script) = connector(&[&MSP[..], &EMAIL[1..], &ENDPOINT[1..]].concat(), answers);
    harmony.check().await.unwrap();
    let gateway = "https://cloudinfra-gw-us.portal.checkpoint.com";
    let addresses: Vec<String> = script.asked().iter().map(|request| request.url.to_string()).collect();
    assert_eq!(
        addresses,
        [
            "https://smart-api-production-1-us.avanan.net/v1.0/msp/tenants".to_owned(),
            format!("{gateway}/app/hec-api/v1.0/scopes"),
            format!("{gateway}/app/endpoint-web-mgmt/public/mssp/v1/service/status"),
        ]
    );
    let logins: Vec<(String, Body)> =
        script.logins().into_iter().map(|request| (request.url.to_string(), request.body)).collect();
    let login = |id: &str, key: &str| Body::Json(json!({ "clientId": id, "accessKey": key }));
    let management = format!("{gateway}/app/endpoint-web-mgmt/harmony/endpoint/api/v1/session/login/cloud");
    assert_eq!(
        logins,
        [
            ("https://smart-api-production-1-us.avanan.net/v1.0/auth".to_owned(), Body::Empty),
            (format!("{gateway}/auth/external"), login("email-0001", "secret-0002")),
            (format!("{gateway}/auth/external"), login("endpoint-0001", "secret-0003")),
            (management, Body::Empty),
            (format!("{gateway}/app/endpoint-web-mgmt/public/mssp/v1/session/login"), Body::Empty),
        ]
    );
    for request in script.asked() {
        let msp = request.url.host_str() == Some("smart-api-production-1-us.avanan.net");
        assert_eq!(request.header_value("x-av-token"), msp.then_some("msp-token"), "{request:?}");
        assert_eq!(request.header_value("authorization"), (!msp).then_some("Bearer portal-token"), "{request:?}");
    }
}

#[tokio::test]
async fn requests_of_the_msp_api_are_signed_anew_each_time() {
    let answers =
        [(200, envelope("s1", Some(2), json!([{ "id": 1 }]))), (200, envelope("", Some(2), json!([{ "id": 2 }])))];
    let (harmony, script) = connector(&MSP, answers);
    let entities = harmony.entities().unwrap();
    let first = entities.page(Default::default()).await.unwrap();
    let at = integration::Position { cursor: first.next.as_ref(), ..Default::default() };
    assert!(entities.page(at).await.unwrap().next.is_none());
    let login = &script.logins()[0];
    assert_eq!(login.header_value("x-av-token"), Some(""));
    let asked = script.asked();
    assert_eq!(asked[0].body, Body::Empty);
    assert_eq!(asked[1].body, Body::Json(json!({ "requestData": { "scrollId": "s1" } })));
    let mut ids = Vec::new();
    for request in [login, &asked[0], &asked[1]] {
        assert_eq!(request.header_value("x-av-app-id"), Some("US:app1"));
        assert_eq!(request.header_value("x-av-date"), Some("2026-10-06T09:00:00.000Z"));
        assert_eq!(request.header_value("content-type"), Some("application/json"));
        assert_eq!(request.header_value("x-av-sig").map(str::len), Some(64));
        ids.push(request.header_value("x-av-req-id").unwrap().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "an id was used twice");
}

#[tokio::test]
async fn addresses_are_taken_as_the_portal_shows_them() {
    let own = [("gateway_url", "https://gateway.example/auth/external"), ("msp_url", "https://msp.example/v1.0/")];
    let answers = [(200, envelope("", Some(0), json!([]))), (200, envelope("", None, json!([])))];
    let (harmony, script) = connector(&[&MSP[..], &EMAIL[1..], &own].concat(), answers);
    harmony.check().await.unwrap();
    let addresses: Vec<String> = script.asked().iter().map(|request| request.url.to_string()).collect();
    assert_eq!(addresses, ["https://msp.example/v1.0/msp/tenants", "https://gateway.example/app/hec-api/v1.0/scopes"]);
}

#[tokio::test]
async fn a_right_that_one_product_lacks_is_a_warning_while_another_works() {
    let refused = json!({ "success": false, "message": "Access denied to service" });
    let (harmony, _) =
        connector(&[&MSP[..], &EMAIL[1..]].concat(), [(200, envelope("", Some(0), json!([]))), (403, refused.clone())]);
    let warnings = harmony.check().await.unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("Email key"), "{warnings:?}");
    let (harmony, _) = connector(&EMAIL, [(403, refused)]);
    let error = harmony.check().await.unwrap_err();
    assert_eq!((error.kind, error.vendor_message.as_deref()), (Kind::Forbidden, Some("Access denied to service")));
}
