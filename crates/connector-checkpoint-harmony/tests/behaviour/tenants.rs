//! Tenants of three products in one list.

use integration::{Entity, Kind, Pull};
use serde_json::{Value, json};

use crate::script::{EMAIL, ENDPOINT, MSP, connector, connector_of, envelope, page, read};

#[tokio::test]
async fn ids_tell_whose_they_are_and_every_page_leads_to_the_next_product() {
    let tenants = json!([
        { "id": 4102, "domain": "bluegumdental", "status": { "statusCode": "active", "description": "Active" } },
        { "id": "999", "domain": "Harbour.example", "status": { "statusCode": "poc" } },
    ]);
    let tree = json!({
        "tenantId": "c1", "tenantName": "Harbour IT", "type": "MSSP", "machines": [],
        "childTenants": [{ "tenantId": "t1", "tenantName": "Bluegum Dental", "type": "CUSTOMER", "machines": [] }],
    });
    let answers = [
        (200, envelope("", Some(2), tenants)),
        (200, envelope("", None, json!(["mt-prod-cp-eu-1:bluegumdental"]))),
        (200, tree),
    ];
    let (harmony, _) = connector(&[&MSP[..], &EMAIL[1..], &ENDPOINT[1..]].concat(), answers);
    let (mut all, mut last) = (Vec::new(), None);
    loop {
        let next = page::<Entity>(&harmony, last.as_ref()).await.unwrap();
        all.extend(read::<Entity>(&harmony, &next));
        if next.next.is_none() {
            break;
        }
        last = Some(next);
    }
    let told: Vec<Value> =
        all.iter().map(|(id, _, one)| json!([id, one["name"], one["domains"], one["status"]])).collect();
    assert_eq!(
        json!(told),
        json!([
            ["msp/4102", "bluegumdental", [], "Active"],
            ["msp/999", "Harbour.example", ["harbour.example"], "poc"],
            ["email/mt-prod-cp-eu-1:bluegumdental", "bluegumdental", [], null],
            // The MSSP's own account has no server: it is no customer.
            ["endpoint/t1", "Bluegum Dental", [], null],
        ])
    );
}

#[tokio::test]
async fn an_account_that_is_no_mssp_says_only_by_its_server_who_it_is() {
    let status = json!({ "machines": [{ "machineId": "m-81", "tenantId": "t1", "state": "RUNNING" }] });
    let (harmony, script) = connector_of(&ENDPOINT, 403, [(200, status), (200, json!({ "machines": [] }))]);
    let tenants = page::<Entity>(&harmony, None).await.unwrap();
    let read = read::<Entity>(&harmony, &tenants);
    assert_eq!((read[0].0.as_str(), &read[0].2["name"]), ("endpoint/t1", &json!("t1")));
    let path = "/app/endpoint-web-mgmt/public/v1/self-service/status";
    assert_eq!(script.asked()[0].url.path(), path);
    assert!(page::<Entity>(&harmony, None).await.unwrap().records.is_empty(), "an account without a server");
}

#[tokio::test]
async fn a_listing_that_stops_short_of_its_own_count_is_an_error() {
    let (harmony, _) = connector(&MSP, [(200, envelope("", Some(3), json!([{ "id": 1, "domain": "a" }])))]);
    assert_eq!(page::<Entity>(&harmony, None).await.unwrap_err().kind, Kind::Unreadable);
}

#[tokio::test]
async fn a_failure_inside_a_success_is_a_failure() {
    let refused = |code: u16| {
        let envelope =
            json!({ "requestId": "r-9", "responseCode": code, "responseText": "No", "additionalText": "why" });
        json!({ "responseEnvelope": envelope, "responseData": [] })
    };
    for (code, kind) in [(403, Kind::Forbidden), (429, Kind::Throttled), (500, Kind::Unavailable), (7, Kind::Refused)] {
        let (harmony, _) = connector(&MSP, [(200, refused(code))]);
        let error = page::<Entity>(&harmony, None).await.unwrap_err();
        assert_eq!(error.kind, kind, "{code}");
        assert_eq!(error.vendor_message.as_deref(), Some("No: why"));
        assert_eq!(error.vendor_request_id.as_deref(), Some("r-9"));
    }
}

#[tokio::test]
async fn what_is_no_tenant_is_rejected_without_being_repeated() {
    let (harmony, _) = connector(&MSP, []);
    for raw in [&br#"{"domain":"bluegum"}"#[..], br#"" ""#, b"7", br#"{"tenantName":"bluegum"}"#] {
        let why = Pull::<Entity>::read(&harmony, raw).unwrap_err();
        assert!(!why.contains("bluegum"), "{why}");
    }
}

#[tokio::test]
async fn a_place_of_a_product_whose_key_is_gone_is_forgotten() {
    let (harmony, _) = connector(&EMAIL, []);
    let cursor = integration::Cursor::new("MSP 12");
    let at = integration::Position { cursor: Some(&cursor), ..Default::default() };
    assert_eq!(Pull::<Entity>::page(&harmony, at).await.unwrap_err().kind, Kind::Expired);
}
