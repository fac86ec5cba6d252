//! Webhooks: the secret, and what is heard.

use base64::{Engine, engine::general_purpose::STANDARD};
use integration::{Delivery, HearWebhooks, Kind, RecordKind, Secret};

use crate::replay;

fn delivery(authorization: &str, body: &str) -> Delivery {
    Delivery {
        headers: vec![("authorization".to_owned(), authorization.to_owned())],
        query: Vec::new(),
        body: body.to_owned().into(),
        received_at: vendorkit::a_tuesday(),
    }
}

fn secret() -> Secret {
    Secret::new("an-agreed:secret".to_owned())
}

#[tokio::test]
async fn the_secret_is_the_password_or_the_bearer_token() {
    let (halopsa, _) = replay(&["token"]);
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    for right in [basic("anyone:an-agreed:secret"), basic(":an-agreed:secret"), "Bearer an-agreed:secret".to_owned()] {
        assert!(halopsa.hear(&delivery(&right, "{}"), &secret()).await.is_ok(), "{right}");
    }
    for wrong in [
        basic("an-agreed:secret"),
        basic("anyone:"),
        basic("anyone:an-agreed:secret "),
        "Basic %%%".to_owned(),
        "Bearer ".to_owned(),
        "an-agreed:secret".to_owned(),
        String::new(),
    ] {
        let error = halopsa.hear(&delivery(&wrong, "{}"), &secret()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Credentials, "{wrong}");
        assert!(!error.to_string().contains("agreed:secret"), "{error}");
    }
    // An empty secret is agreed with nobody.
    let error = halopsa.hear(&delivery("Bearer ", "{}"), &Secret::new(String::new())).await.unwrap_err();
    assert_eq!(error.kind, Kind::Credentials);
}

#[tokio::test]
async fn each_ticket_of_a_batch_is_heard_once() {
    let (halopsa, _) = replay(&["token"]);
    let body = r#"[{"ticket":{"id":7}},{"action":{"ticket_id":8}},{"ticket_id":"7"},{"event":"unheard of"}]"#;
    let heard = halopsa.hear(&delivery("Bearer an-agreed:secret", body), &secret()).await.unwrap();
    let ids: Vec<Option<&str>> = heard.iter().map(|one| one.id.as_deref()).collect();
    assert_eq!(ids, [Some("7"), Some("8"), None]);
    assert!(heard.iter().all(|one| one.kind == RecordKind::Ticket));
    let mut deliveries: Vec<&str> = heard.iter().map(|one| one.delivery_id.as_str()).collect();
    deliveries.dedup();
    assert_eq!(deliveries.len(), 3);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_unreadable() {
    let (halopsa, _) = replay(&["token"]);
    let error = halopsa.hear(&delivery("Bearer an-agreed:secret", "<xml/>"), &secret()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable);
}
