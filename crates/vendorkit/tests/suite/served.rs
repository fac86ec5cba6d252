//! Simulators over real HTTP on the loopback.

use std::{
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::Duration,
};

use chrono::TimeDelta;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use vendorkit::{ServeOptions, Served, SharedWorld, Simulator, World, WorldSize, a_tuesday, serve};

use crate::toy::ToySimulator;

fn world() -> SharedWorld {
    Arc::new(RwLock::new(World::generate(WorldSize::SMALL, 7, a_tuesday())))
}

async fn start(world: SharedWorld, options: ServeOptions) -> Served {
    let simulators: Vec<Arc<dyn Simulator>> = vec![Arc::new(ToySimulator::default())];
    serve(simulators, world, options).await.unwrap()
}

/// Sends one request and returns status and body.
async fn ask(served: &Served, head: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(served.base_url().trim_start_matches("http://")).await.unwrap();
    let head = format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server may answer and close before it has read all.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

const FORM: &str = "\r\ncontent-type: application/x-www-form-urlencoded";

#[tokio::test]
async fn a_vendor_is_reached_below_its_id() {
    let world = world();
    let served = start(world.clone(), ServeOptions::default()).await;
    assert_eq!(served.base_of("ninjaone"), format!("{}/ninjaone", served.base_url()));
    let head = format!("POST /ninjaone/token HTTP/1.1{FORM}");
    let (status, body) = ask(&served, &head, b"client=child&secret=toy%2Dsecret-right").await;
    assert_eq!(status, 200, "{body}");
    let token: serde_json::Value = serde_json::from_str(&body).unwrap();
    let bearer = format!("\r\nauthorization: Bearer {}", token["access_token"].as_str().unwrap());
    let (status, body) = ask(&served, &format!("GET /ninjaone/houses?after=1 HTTP/1.1{bearer}"), b"").await;
    let houses: serde_json::Value = serde_json::from_str(&body).unwrap();
    let expected = world.read().unwrap().known_to("ninjaone").filter(|b| b.key > 1).count();
    assert_eq!((status, houses["items"].as_array().unwrap().len()), (200, expected));
    assert_eq!(ask(&served, "GET /other/houses HTTP/1.1", b"").await.0, 404);
    assert_eq!(ask(&served, "OPTIONS /ninjaone/houses HTTP/1.1", b"").await.0, 405);
    assert_eq!(served.requests(), 4);
    served.stop().await.unwrap();
}

#[tokio::test]
async fn bodies_are_bounded_and_must_be_what_they_say() {
    let served = start(world(), ServeOptions::default()).await;
    let head = format!("POST /ninjaone/token HTTP/1.1{FORM}");
    assert_eq!(ask(&served, &head, &vec![b'a'; 1024 * 1024 + 1]).await.0, 413);
    assert_eq!(ask(&served, &head, &vec![b'a'; 1024 * 1024]).await.0, 401, "as much as is allowed");
    let json = "POST /ninjaone/token HTTP/1.1\r\ncontent-type: application/json";
    assert_eq!(ask(&served, json, b"{").await.0, 400);
    // XML reaches the vendor, who wants a form.
    let xml = "POST /ninjaone/token HTTP/1.1\r\ncontent-type: text/xml; charset=utf-8";
    let (status, body) = ask(&served, xml, b"<a/>").await;
    assert!(status == 400 && body.contains("a form, please"), "{body}");
    served.stop().await.unwrap();
}

#[tokio::test]
async fn the_clock_is_followed_and_stopping_frees_the_port() {
    let world = world();
    let later = a_tuesday() + TimeDelta::hours(5);
    let clock: Arc<dyn Fn() -> chrono::DateTime<chrono::Utc> + Send + Sync> = Arc::new(move || later);
    let options = ServeOptions { clock: Some(clock), latency: Duration::from_millis(1), ..ServeOptions::default() };
    let served = start(world.clone(), options).await;
    ask(&served, "GET /ninjaone/houses HTTP/1.1", b"").await;
    assert_eq!(world.read().unwrap().now, later);
    let address: SocketAddr = served.base_url().trim_start_matches("http://").parse().unwrap();
    served.stop().await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn others_cannot_be_given_access() {
    let addr = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = serve(Vec::new(), world(), ServeOptions { addr, ..ServeOptions::default() }).await;
    assert!(refused.is_err_and(|why| why.to_string().contains("loopback")));
}
