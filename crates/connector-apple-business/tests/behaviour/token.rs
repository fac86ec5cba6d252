//! What a token is asked for with, and where.

use std::{collections::HashSet, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use connector_apple_business::PrivateKey;
use integration::{Body, Connector, Device, Kind, Position, Pull, Request, Retry};
use p256::ecdsa::{Signature, signature::Verifier};
use serde_json::{Map, Value, json};
use vendorkit::{Replay, WorldSize, a_tuesday};

use crate::stage::{connect, example, replay, simulated};

const CLIENT: &str = "BUSINESSAPI.00000000-0000-4000-8000-000000000001";

fn said<'a>(request: &'a Request, name: &str) -> &'a str {
    let Body::Form(pairs) = &request.body else { panic!("no form: {request:?}") };
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap()
}

/// The first request of a connector with these credentials, which nobody answers.
async fn first(form: &Map<String, Value>) -> Request {
    let replay = Arc::new(Replay::of(Vec::new()));
    connect(form, replay.clone()).check().await.unwrap_err();
    replay.requests()[0].clone()
}

#[tokio::test]
async fn the_assertion_is_signed_and_says_who_for_how_long() {
    let request = first(&example()).await;
    assert!(request.idempotent);
    let jwt = said(&request, "client_assertion");
    let (text, signature) = jwt.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(signature.len(), 64, "two numbers of 32 bytes, not DER");
    let signature = Signature::from_slice(&signature).unwrap();
    PrivateKey::of_examples().verifying_key().verify(text.as_bytes(), &signature).unwrap();

    let (header, claims) = text.split_once('.').unwrap();
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(read(header), json!({ "alg": "ES256", "kid": "example-0001", "typ": "JWT" }));
    let mut claims = read(claims);
    let id = claims["jti"].take();
    assert_eq!(id.as_str().map(str::len), Some(36), "{id}");
    let now = a_tuesday().timestamp();
    assert_eq!(
        claims,
        json!({
            "iss": CLIENT, "sub": CLIENT, "aud": "https://account.apple.com/auth/oauth2/v2/token",
            "iat": now, "exp": now + 600, "jti": null,
        })
    );
    let another = first(&example()).await;
    assert_ne!(said(&another, "client_assertion"), jwt, "an assertion is used twice");
}

#[tokio::test]
async fn the_portal_decides_scope_and_address() {
    for (client, scope, host, users) in [
        (CLIENT, "business.api", "api-business.apple.com", true),
        ("SCHOOLAPI.00000000-0000-4000-8000-000000000001", "school.api", "api-school.apple.com", false),
    ] {
        let mut form = example();
        form.insert("client_id".to_owned(), client.into());
        form.remove("token_url");
        form.remove("api_url");
        let request = first(&form).await;
        assert_eq!(request.url.as_str(), "https://account.apple.com/auth/oauth2/v2/token");
        assert_eq!((said(&request, "scope"), said(&request, "client_id")), (scope, client));
        let token = json!({
            "source": "written in a test", "request": { "method": "POST", "path": "/auth/oauth2/v2/token" },
            "response": { "status": 200, "body": { "access_token": "token-0001", "expires_in": 3600 } },
        });
        let replay = Arc::new(Replay::of(vec![serde_json::from_str(&token.to_string()).unwrap()]));
        let connector = connect(&form, replay.clone());
        connector.check().await.unwrap_err();
        assert_eq!(replay.requests()[1].url.host_str(), Some(host));
        assert_eq!(connector.directory_users().is_some(), users);
    }
}

#[tokio::test]
async fn the_token_address_can_be_replaced() {
    for (url, goes) in [
        ("https://account.apple.com/auth/oauth2/token", "https://account.apple.com/auth/oauth2/token"),
        ("https://proxy.example", "https://proxy.example/auth/oauth2/v2/token"),
    ] {
        let mut form = example();
        form.insert("token_url".to_owned(), url.into());
        assert_eq!(first(&form).await.url.as_str(), goes);
    }
}

#[tokio::test]
async fn a_school_has_devices_but_no_users() {
    let (_, vendor) = simulated(WorldSize::DEMO);
    let mut form = vendor.simulator.credentials("http://127.0.0.1:4100/apple-business");
    let client = form["client_id"].as_str().unwrap().replace("BUSINESSAPI", "SCHOOLAPI");
    form.insert("client_id".to_owned(), client.into());
    let school = connect(&form, vendor.clone());
    assert_eq!(school.check().await.unwrap().warnings, [""; 0]);
    assert!(!Pull::<Device>::page(&school, Position::default()).await.unwrap().records.is_empty());
}

#[tokio::test]
async fn however_many_wait_one_token_is_asked_for() {
    let (connector, vendor) = simulated(WorldSize::SMALL);
    let connector = Arc::new(connector);
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let connector = connector.clone();
            tokio::spawn(async move { connector.check().await.map(drop) })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let asked: Vec<Request> = vendor.requests();
    let tokens: Vec<&Request> = asked.iter().filter(|request| request.url.path().ends_with("/token")).collect();
    assert_eq!(tokens.len(), 1);
    vendor.simulator.expire_tokens();
    connector.check().await.unwrap();
    let asked = vendor.requests();
    let tokens = asked.iter().filter(|request| request.url.path().ends_with("/token"));
    let assertions: HashSet<&str> = tokens.map(|request| said(request, "client_assertion")).collect();
    assert_eq!(assertions.len(), 2, "each with its own");
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let after = Retry::After(Duration::from_secs(41));
    let id = Some("6f1a2b3c-0000-4a00-9a00-2f6d0d7a1b00");
    for (files, kind, retry, words, id) in [
        (&["token-refused"][..], Kind::Credentials, Retry::No, Some("invalid_client"), None),
        (
            &["token", "forbidden"],
            Kind::Forbidden,
            Retry::No,
            Some("FORBIDDEN_ERROR: this API account may not read"),
            id,
        ),
        (&["token", "throttled"], Kind::Throttled, after, Some("RATE_LIMIT_EXCEEDED: too many requests"), id),
        (
            &["token", "bad-limit"],
            Kind::Refused,
            Retry::No,
            Some("PARAMETER_ERROR.INVALID: 'limit' must be at most 1000"),
            id,
        ),
        (&["token", "token-again", "unauthorized-page"], Kind::Credentials, Retry::No, None, None),
    ] {
        let (connector, played) = replay(files);
        let error = connector.check().await.unwrap_err();
        played.finish().unwrap();
        assert_eq!((error.kind, error.retry), (kind, retry), "{files:?}: {error}");
        assert_eq!(error.vendor_message.as_deref(), words, "{files:?}");
        assert_eq!(error.vendor_request_id.as_deref(), id, "{files:?}");
    }
}
