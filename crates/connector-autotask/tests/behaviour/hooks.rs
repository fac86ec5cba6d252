//! Webhooks: who may speak, and what they say.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use integration::{Delivery, HearWebhooks, Heard, Kind, RecordKind, Secret};
use sha1::Sha1;
use vendorkit::{Simulator as _, a_tuesday};

use super::stand_ins::simulated;

fn secret() -> Secret {
    Secret::new("agreed-secret-0001".to_owned())
}

fn delivery(body: &'static str, signature: impl Fn(String) -> String) -> Delivery {
    let mac = Hmac::<Sha1>::new_from_slice(secret().expose().as_bytes()).unwrap().chain_update(body).finalize();
    let header = signature(format!("sha1={}", STANDARD.encode(mac.into_bytes())));
    Delivery {
        headers: vec![("x-hook-signature".to_owned(), header)],
        query: Vec::new(),
        body: body.into(),
        received_at: a_tuesday(),
    }
}

async fn heard(body: &'static str) -> Vec<(RecordKind, Option<String>)> {
    let (connector, vendor, _) = simulated();
    let heard: Vec<Heard> = connector.hear(&delivery(body, |s| s), &secret()).await.unwrap();
    assert_eq!(vendor.count(), 0, "nothing is asked for it");
    heard.into_iter().map(|one| (one.kind, one.id)).collect()
}

#[tokio::test]
async fn each_kind_of_record_is_named_by_autotasks_older_words() {
    let id = || Some("123".to_owned());
    for (body, expected) in [
        (r#"{"Action":"Update","EntityType":"Account","Id":123}"#, vec![(RecordKind::Entity, id())]),
        (r#"{"Action":"Delete","EntityType":"Contact","Id":123}"#, vec![(RecordKind::Contact, id())]),
        (r#"{"Action":"Create","EntityType":"Ticket","Id":123,"Fields":null}"#, vec![(RecordKind::Ticket, id())]),
        (
            r#"{"Action":"Create","EntityType":"TicketNote","Id":9,"Fields":{"TicketID":123}}"#,
            vec![(RecordKind::Ticket, id())],
        ),
        (r#"{"Action":"Create","EntityType":"TicketNote","Id":9}"#, vec![(RecordKind::Ticket, None)]),
        (r#"{"Action":"Update","EntityType":"InstalledProduct","Id":123}"#, vec![]),
        (r#"{"Action":"Deactivated","EntityType":"Ticket"}"#, vec![]),
    ] {
        assert_eq!(heard(body).await, expected, "{body}");
    }
}

#[tokio::test]
async fn the_signature_covers_the_bytes_as_they_came() {
    let (connector, vendor, simulator) = simulated();
    let sent = vendor.read(|world| simulator.delivery(world, &secret())).unwrap();
    let first = connector.hear(&sent, &secret()).await.unwrap();
    // The same text, but escaped otherwise, is not what was signed.
    let body = String::from_utf8(sent.body.to_vec()).unwrap().replace("Update", "\\u0055pdate");
    let other = Delivery { body: body.into(), ..sent.clone() };
    assert_eq!(connector.hear(&other, &secret()).await.unwrap_err().kind, Kind::Credentials);
    assert_eq!(first[0].delivery_id.len(), 64);
}

#[tokio::test]
async fn half_a_signature_is_none() {
    let (connector, _, _) = simulated();
    let body = r#"{"Action":"Update","EntityType":"Ticket","Id":123}"#;
    let wrong: [fn(String) -> String; 5] = [
        |s| s.replace("sha1=", ""),
        |s| s.replace("sha1=", "sha256="),
        |s| s[..s.len() - 4].to_owned(),
        |_| "sha1=".to_owned(),
        |_| "sha1=not base64".to_owned(),
    ];
    for signature in wrong {
        let error = connector.hear(&delivery(body, signature), &secret()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Credentials, "{error}");
    }
    let error = connector.hear(&delivery("[]", |s| s), &secret()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unreadable, "signed, but nothing we know");
}
