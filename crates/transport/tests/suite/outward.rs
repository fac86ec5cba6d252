//! Posting the product's own events: what is kept of an answer, and where nothing is posted to.

use std::{
    io::{self, Write},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use integration::Kind;
use transport::{AddressPolicy, Heard, Limits, Lookup, Outward};
use url::Url;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::stand_ins::{Canary, serve, serve_bytes};

const KEPT: usize = 100;

fn small() -> Limits {
    Limits { body: KEPT, total: Duration::from_millis(500), ..Limits::default() }
}

async fn post(to: SocketAddr, headers: &[(String, String)], body: &'static str) -> integration::Result<Heard> {
    let policy = AddressPolicy::allowing([to.to_string()]).unwrap();
    let url = format!("http://{to}/hook?token=t1").parse().unwrap();
    Outward::new(policy, small()).unwrap().post(url, headers, Bytes::from_static(body.as_bytes())).await
}

#[tokio::test]
async fn a_body_leaves_to_the_byte_with_its_headers() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(202).set_body_string("thanks")).mount(&server).await;
    let headers = [("webhook-id".to_owned(), "evt_1".to_owned())];
    let body = "{ \"b\" : 1,\t\"a\":\"é\" }";
    let heard = post(*server.address(), &headers, body).await.unwrap();
    assert_eq!((heard.status, heard.body.as_ref(), heard.retry_after), (202, b"thanks".as_ref(), None));
    let got = server.received_requests().await.unwrap().remove(0);
    assert_eq!((got.method.as_str(), got.body.as_slice()), ("POST", body.as_bytes()));
    let header = |name: &str| got.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("webhook-id").as_deref(), Some("evt_1"));
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    assert_eq!((header("cookie"), header("authorization"), header("referer")), (None, None, None));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let canary = Canary::new();
    for status in [301, 302, 303, 307, 308] {
        let server = MockServer::start().await;
        let to = format!("http://{}/elsewhere", canary.address());
        let template = ResponseTemplate::new(status).insert_header("location", to.as_str());
        Mock::given(any()).respond_with(template).mount(&server).await;
        assert_eq!(post(*server.address(), &[], "{}").await.unwrap().status, status);
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
    assert_eq!(canary.arrivals(), 0);
}

#[tokio::test]
async fn of_a_long_answer_only_the_beginning_is_kept_and_its_status_counts() {
    // It never ends, and no length is announced.
    let server = serve(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n");
        while stream.write_all(&[b'x'; 4_096]).is_ok() {}
    });
    let heard = post(server, &[], "{}").await.unwrap();
    assert_eq!((heard.status, heard.body.len()), (200, KEPT));
    // What breaks off has said enough.
    let server = serve_bytes("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf");
    let heard = post(server, &[], "{}").await.unwrap();
    assert_eq!(heard.status, 200);
}

#[tokio::test]
async fn a_receiver_that_says_nothing_is_waited_for_a_while() {
    let server = serve(|stream| {
        std::thread::park();
        drop(stream);
    });
    let error = post(server, &[], "{}").await.unwrap_err();
    assert!(error.to_string().contains("did not answer within"), "{error}");
    assert!(!error.to_string().contains("t1"), "{error}");
}

#[tokio::test]
async fn what_it_asks_to_wait_is_heard_in_seconds() {
    for (said, heard) in [("120", Some(120)), (" 7 ", Some(7)), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)] {
        let server = serve_bytes(format!("HTTP/1.1 503 No\r\nretry-after: {said}\r\ncontent-length: 0\r\n\r\n"));
        let answer = post(server, &[], "{}").await.unwrap();
        assert_eq!((answer.status, answer.retry_after), (503, heard), "{said}");
    }
}

/// Says of every name that it is this machine.
struct Inward;

#[async_trait]
impl Lookup for Inward {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![[127, 0, 0, 1].into(), [10, 0, 0, 1].into(), [169, 254, 169, 254].into()])
    }
}

#[tokio::test]
async fn private_addresses_are_refused_also_after_their_name_was_resolved() {
    let canary = Canary::new();
    let port = canary.address().port();
    let outward = Outward::with_lookup(AddressPolicy::default(), small(), Arc::new(Inward)).unwrap();
    for url in [
        format!("https://hooks.example:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("https://2130706433:{port}/"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let target: Url = url.parse().unwrap();
        let error = outward.post(target, &[], Bytes::new()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{url}: {error}");
    }
    assert_eq!(canary.arrivals(), 0);
}
