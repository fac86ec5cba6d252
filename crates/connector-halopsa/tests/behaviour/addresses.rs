//! Where requests go, for each way of entering an address.

use std::sync::Arc;

use connector_halopsa::{Credentials, Simulator};
use integration::{Body, Connector, CredentialsForm, Kind, Retry};
use vendorkit::{Simulated, World, WorldSize, a_tuesday};

use crate::{connected, replay};

/// Addresses of the token and of the first data, as asked with these settings.
async fn asked(changes: &[(&str, &str)]) -> Vec<String> {
    let world = World::generate(WorldSize::SMALL, 7, a_tuesday());
    let simulated = Arc::new(Simulated::new(Arc::new(Simulator::default()), world));
    let base = "https://acme.example";
    let mut right: Vec<(String, String)> = Vec::new();
    for (name, value) in simulated.simulator.credentials(base) {
        right.push((name, value.as_str().unwrap().to_owned()));
    }
    let mut all: Vec<(&str, &str)> = vec![("scope", "all"), ("auth_url", "")];
    all.extend(right.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    all.extend(changes);
    connected(&all, simulated.clone()).check().await.unwrap();
    simulated.requests().into_iter().take(2).map(|request| request.url.to_string()).collect()
}

#[tokio::test]
async fn the_root_and_the_resource_server_are_the_same_account() {
    let token = "https://acme.example/auth/token?tenant=simulated";
    let data = "https://acme.example/api/Client?pageinate=true&page_size=1&page_no=1";
    for url in
        ["https://acme.example", "https://acme.example/", "https://acme.example/api", "https://acme.example/API/"]
    {
        assert_eq!(asked(&[("url", url)]).await, [token, data], "{url}");
    }
}

#[tokio::test]
async fn another_authorisation_server_is_asked_for_the_token() {
    for (url, token) in [
        ("https://login.example", "https://login.example/auth/token?tenant=simulated"),
        ("https://login.example/auth", "https://login.example/auth/token?tenant=simulated"),
        ("https://login.example/auth/token", "https://login.example/auth/token?tenant=simulated"),
    ] {
        assert_eq!(asked(&[("auth_url", url)]).await[0], token, "{url}");
    }
}

#[tokio::test]
async fn the_token_is_asked_for_as_a_form_in_the_body() {
    let (halopsa, replay) = replay(&["token", "forbidden"]);
    let error = halopsa.check().await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Forbidden, Retry::No));
    assert_eq!(error.vendor_message.as_deref(), Some("The agent may not do this."));
    replay.finish().unwrap();
    let token = &replay.requests()[0];
    assert!(matches!(token.body, Body::Form(_)));
    assert!(!token.url.as_str().contains("secret"), "{}", token.url);
}

#[tokio::test]
async fn a_refused_token_says_what_to_look_at() {
    let (halopsa, replay) = replay(&["token-refused"]);
    let error = halopsa.check().await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No));
    assert!(error.message.contains("tenant"), "{error}");
    assert_eq!(error.vendor_message.as_deref(), Some("The client credentials are invalid."));
    replay.finish().unwrap();
}

#[test]
fn settings_that_cannot_be_are_refused_when_they_are_entered() {
    for (field, value) in [("ticket_type", "Incident"), ("top_level", "0"), ("currency", "£"), ("currency", "euro")] {
        let mut values = Credentials::example();
        values.insert(field.to_owned(), value.into());
        let errors = Credentials::parse(&values).unwrap_err();
        assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field], "{value}");
    }
}
