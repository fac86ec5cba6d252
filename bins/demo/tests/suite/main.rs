//! The demo, up and down over real folders and the loopback.

mod folders;
mod job;
mod restart;

use std::path::Path;

use demo::{Arguments, Client, Running};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A small demo in this folder, on a free port.
fn arguments(folder: &Path) -> Arguments {
    Arguments {
        port: Some(0),
        data_dir: Some(folder.to_owned()),
        businesses: Some(12),
        devices: Some(60),
        users: Some(60),
        ..Arguments::default()
    }
}

async fn start(arguments: &Arguments) -> Running {
    let running = demo::start(arguments, false, &CancellationToken::new()).await;
    running.expect("starts").expect("was not told to stop")
}

/// Why it does not start.
async fn refusal(arguments: &Arguments) -> String {
    match demo::start(arguments, false, &CancellationToken::new()).await {
        Ok(_) => panic!("it started"),
        Err(why) => format!("{why:#}"),
    }
}

/// A caller with the demo's API key.
fn client(running: &Running) -> Client {
    let mut client = Client::new(&running.welcome.api).expect("a client");
    client.use_key(&running.welcome.api_key);
    client
}

async fn total(client: &Client, path: &str) -> i64 {
    client.get(path).await.expect("answers")["total"].as_i64().expect("a total")
}

async fn count(client: &Client, path: &str) -> usize {
    let body: Value = client.get(path).await.expect("answers");
    body["items"].as_array().expect("items").len()
}
