//! Addresses, the token, and the connection test.

use connector_datto_rmm::{DattoRmm, Platform};
use integration::{Connector, Kind, Position, Request, Vendor};
use serde_json::json;

use crate::stand_ins::{Scripted, credentials, listing, over, replaying};

/// Addresses asked for one page of sites.
async fn addresses(platform: Platform, api_url: Option<&str>) -> Vec<String> {
    let transport = Scripted::new(|_: &Request| listing("sites", &json!([]), 0, None));
    let connector = DattoRmm::connect(credentials(platform, api_url), transport.clone());
    connector.entities().unwrap().page(Position::default()).await.unwrap();
    transport.asked()
}

#[tokio::test]
async fn a_platform_has_its_own_host() {
    for (platform, name) in [
        (Platform::Pinotage, "pinotage"),
        (Platform::Merlot, "merlot"),
        (Platform::Concord, "concord"),
        (Platform::Vidal, "vidal"),
        (Platform::Zinfandel, "zinfandel"),
        (Platform::Syrah, "syrah"),
    ] {
        let host = format!("https://{name}-api.centrastage.net");
        let wanted = [format!("{host}/auth/oauth/token"), format!("{host}/api/v2/account/sites?max=250")];
        assert_eq!(addresses(platform, None).await, wanted);
    }
}

#[tokio::test]
async fn an_entered_address_is_used_however_it_was_pasted() {
    for pasted in [
        "https://rmm.example",
        "https://rmm.example/",
        "https://rmm.example/api",
        "https://rmm.example/api/v2/",
        "https://rmm.example/api/swagger-ui/index.html",
    ] {
        let wanted = ["https://rmm.example/auth/oauth/token", "https://rmm.example/api/v2/account/sites?max=250"];
        assert_eq!(addresses(Platform::Merlot, Some(pasted)).await, wanted, "{pasted}");
    }
    let wanted = ["http://10.0.0.1:81/rmm/auth/oauth/token", "http://10.0.0.1:81/rmm/api/v2/account/sites?max=250"];
    assert_eq!(addresses(Platform::Other, Some("http://10.0.0.1:81/rmm")).await, wanted);
}

#[tokio::test]
async fn another_platform_without_address_is_a_mistake_of_the_form() {
    let transport = Scripted::new(|_: &Request| json!({}));
    let connector = DattoRmm::connect(credentials(Platform::Other, None), transport.clone());
    let error = connector.check().await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials);
    assert!(error.message.contains("API URL"), "{error}");
    assert!(transport.asked().is_empty());
}

#[tokio::test]
async fn a_site_id_cannot_lead_elsewhere() {
    let transport = Scripted::new(|_: &Request| listing("devices", &json!([]), 0, None));
    let connector = over(transport.clone());
    let at = Position { entity: Some("../account?x=1"), ..Position::default() };
    connector.devices().unwrap().page(at).await.unwrap();
    let wanted = "https://merlot-api.centrastage.net/api/v2/site/..%2Faccount%3Fx=1/devices?max=250";
    assert_eq!(transport.asked()[1], wanted);
    let error = connector.devices().unwrap().page(Position::default()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
}

#[tokio::test]
async fn the_connection_test_names_the_account() {
    let (connector, replay) = replaying(&["token", "check"]);
    let checked = connector.check().await.unwrap();
    replay.finish().unwrap();
    assert_eq!(checked.account.as_deref(), Some("Bright Managed Services"));
    assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
}

#[tokio::test]
async fn a_user_who_sees_no_site_is_told_so() {
    let connector = over(Scripted::new(|request: &Request| match request.url.path() {
        "/api/v2/account" => json!({ "id": 7, "name": null }),
        _ => listing("sites", &json!([]), 0, None),
    }));
    let checked = connector.check().await.unwrap();
    assert_eq!(checked.account, None);
    assert!(checked.warnings[0].contains("no site"), "{:?}", checked.warnings);
}
