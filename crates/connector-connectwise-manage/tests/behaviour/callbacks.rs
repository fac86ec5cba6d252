//! Callbacks: who may speak, and what is asked for it.

use std::sync::Arc;

use connector_connectwise_manage::ConnectwiseManage;
use integration::{Delivery, HearWebhooks, Kind, RecordKind, Secret};
use serde_json::Value;
use vendorkit::{Simulated, Simulator as _};

use super::stand_ins::simulated;

fn secret() -> Secret {
    Secret::new("agreed-secret-0001".to_owned())
}

fn received() -> (ConnectwiseManage, Arc<Simulated>, Delivery) {
    let (connector, vendor, simulator) = simulated();
    let delivery = vendor.read(|world| simulator.delivery(world, &secret())).unwrap();
    (connector, vendor, delivery)
}

#[tokio::test]
async fn a_callback_names_what_to_read_again_and_its_key_is_asked_for_once() {
    let (connector, vendor, delivery) = received();
    let heard = connector.hear(&delivery, &secret()).await.unwrap();
    let body: Value = serde_json::from_slice(&delivery.body).unwrap();
    assert_eq!((heard[0].kind, heard[0].id.clone()), (RecordKind::Ticket, Some(body["ID"].to_string())));
    assert_eq!(heard[0].delivery_id.len(), 64);
    connector.hear(&delivery, &secret()).await.unwrap();
    let asked = vendor.requests();
    assert_eq!(asked.len(), 1, "the key is kept");
    assert_eq!((asked[0].header_value("authorization"), asked[0].header_value("clientid")), (None, None));
}

#[tokio::test]
async fn nothing_is_asked_for_a_stranger() {
    let (connector, vendor, delivery) = received();
    let body = String::from_utf8(delivery.body.to_vec()).unwrap();
    let mut refused = Vec::new();
    let mut with_body = |from: &str, to: &str| {
        assert!(body.contains(from), "{from}");
        refused.push(Delivery { body: body.replace(from, to).into(), ..delivery.clone() });
    };
    // Keys are told by our own server and by ConnectWise's cloud, and by nobody else.
    with_body("https://simulated.example/", "https://elsewhere.example/");
    with_body("https://simulated.example/", "http://simulated.example/");
    with_body("https://simulated.example/", "http://api-na.myconnectwise.net/");
    with_body("https://simulated.example/", "https://api-na.myconnectwise.net.elsewhere.example/");
    with_body("key_url", "other_url");
    // Another MSP of the same cloud has its callbacks signed by the same key.
    with_body("panelmsp", "othermsp");
    refused.push(Delivery { body: "no JSON".into(), ..delivery.clone() });
    refused.push(Delivery { query: vec![("secret".to_owned(), "guessed".to_owned())], ..delivery.clone() });
    for wrong in &refused {
        let error = connector.hear(wrong, &secret()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Credentials, "{error}");
    }
    assert_eq!(vendor.count(), 0);
}
