//! Started again on its old data.

use std::net::TcpListener;

use super::*;

#[tokio::test]
async fn a_restart_has_the_same_data_secrets_and_vendors() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let running = start(&arguments(folder.path())).await;
        let client = client(&running);
        let welcome = running.welcome.json();
        seen.push((
            count(&client, "/api/connections").await,
            total(&client, "/api/clients").await,
            total(&client, "/api/runs").await,
            count(&client, "/api/api-keys").await,
            ["email", "password", "api_key", "vendors"].map(|key| welcome[key].clone()),
        ));
        running.stop().await.expect("stops");
    }
    assert_eq!(seen[0].0, registry::ALL.len());
    assert!(seen[0].1 > 5, "{seen:?}");
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn vendors_whose_port_is_taken_move_and_their_connections_follow() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = arguments(folder.path());
    let running = start(&arguments).await;
    let before = running.welcome.json()["vendors"].clone();
    running.stop().await.expect("stops");
    let base = before["ninjaone"]["base_url"].as_str().expect("an address").to_owned();
    let address = base.split('/').nth(2).expect("host and port").to_owned();
    let _other = TcpListener::bind(&address).expect("the port is free");
    let running = start(&arguments).await;
    assert_ne!(running.welcome.json()["vendors"], before);
    let client = client(&running);
    for connection in client.get("/api/connections").await.expect("answers")["items"].as_array().expect("items") {
        let test = format!("/api/connections/{}/test", connection["id"].as_str().expect("an id"));
        assert_eq!(client.post(&test, Value::Null).await.expect("works")["works"], true);
    }
    running.stop().await.expect("stops");
}

#[tokio::test]
async fn a_key_that_was_revoked_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = Arguments { empty: true, ..arguments(folder.path()) };
    let running = start(&arguments).await;
    let mut owner = Client::new(&running.welcome.api).expect("a client");
    owner.sign_in(&running.welcome.email, &running.welcome.password).await.expect("signs in");
    let keys = owner.get("/api/api-keys").await.expect("answers");
    let revoke = format!("/api/api-keys/{}/revoke", keys["items"][0]["id"].as_str().expect("an id"));
    owner.post(&revoke, Value::Null).await.expect("revokes");
    let old = running.welcome.api_key.clone();
    running.stop().await.expect("stops");
    let running = start(&arguments).await;
    assert_ne!(running.welcome.api_key, old);
    assert!(client(&running).is_known().await.expect("answers"));
    running.stop().await.expect("stops");
}
