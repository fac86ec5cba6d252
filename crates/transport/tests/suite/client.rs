//! One exchange: what is sent, what comes back, and where it ends.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, TcpStream},
    process::Command,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use flate2::{Compression, write::GzEncoder};
use integration::{Error, Kind, Method, Request, Retry, Transport};
use serde_json::json;
use transport::{AddressPolicy, HttpTransport, Limits, Lookup, SystemLookup};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::stand_ins::{Canary, clock, get, reaching, serve, serve_bytes};

const SMALL: usize = 10_000;

fn small() -> Limits {
    Limits { body: SMALL, ..Limits::default() }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

async fn answering(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(template).mount(&server).await;
    server
}

async fn error_of(bytes: impl Into<Vec<u8>>) -> Error {
    let server = serve_bytes(bytes);
    reaching(server, small()).send(get(server, "/x?key=k1")).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_of_any_status_comes_whole() {
    for status in [200, 204, 304, 400, 401, 404, 429, 500, 503] {
        let server = answering(ResponseTemplate::new(status).insert_header("X-Request-Id", "r1")).await;
        let answer = reaching(*server.address(), small()).send(get(*server.address(), "/")).await.unwrap();
        assert_eq!((answer.status, answer.header("x-request-id")), (status, Some("r1")));
        assert_eq!(answer.received_at, clock()());
    }
}

#[tokio::test]
async fn a_request_is_sent_as_it_was_built() {
    let server = answering(ResponseTemplate::new(200).insert_header("set-cookie", "session=1")).await;
    let at = *server.address();
    let transport = reaching(at, small());
    let post = |path| Request::new(Method::Post, get(at, path).url);
    for request in [
        get(at, "/read?a=1&b=%20").header("X-Key", "k"),
        post("/json").json(json!({"a": [1, "ä"]})),
        post("/merge").header("content-type", "application/merge-patch+json").json(json!({})),
        post("/form").form([("scope", "a b"), ("x", "&")]),
        post("/empty"),
        Request::new(Method::Delete, get(at, "/gone").url),
        post("/xml").xml("<a>ä</a>".to_owned()),
    ] {
        transport.send(request).await.unwrap();
    }
    let seen = server.received_requests().await.unwrap();
    let header = |n: usize, name: &str| seen[n].headers.get(name).map(|v| v.to_str().unwrap().to_owned());
    assert_eq!(seen[0].url.query(), Some("a=1&b=%20"));
    assert_eq!(header(0, "x-key").as_deref(), Some("k"));
    assert_eq!(header(0, "accept-encoding").as_deref(), Some("gzip"));
    assert!(header(0, "user-agent").unwrap().starts_with("PanelOne/"));
    assert_eq!(header(1, "content-type").as_deref(), Some("application/json"));
    assert_eq!(seen[1].body, r#"{"a":[1,"ä"]}"#.as_bytes());
    assert_eq!(header(2, "content-type").as_deref(), Some("application/merge-patch+json"));
    assert_eq!(header(3, "content-type").as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen[3].body, b"scope=a+b&x=%26");
    assert_eq!(header(4, "content-length").as_deref(), Some("0"));
    assert_eq!(seen[5].method.as_str(), "DELETE");
    assert_eq!(header(6, "content-type").as_deref(), Some("text/xml; charset=utf-8"));
    assert_eq!(seen[6].body, "<a>ä</a>".as_bytes());
    for (n, request) in seen.iter().enumerate() {
        assert_eq!(header(n, "cookie"), None, "{}", request.url);
        assert_eq!(header(n, "referer"), None, "{}", request.url);
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_an_error_without_its_value() {
    let canary = Canary::new();
    let request = get(canary.address(), "/").header("x-key", "one\r\ntwo");
    let error = reaching(canary.address(), small()).send(request).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::No));
    assert!(!error.to_string().contains("two"));
    assert_eq!(canary.arrivals(), 0);
}

#[tokio::test]
async fn gzip_is_unpacked() {
    let body = gzip(b"[1,2,3]");
    let server = answering(ResponseTemplate::new(200).insert_header("content-encoding", "gzip").set_body_bytes(body));
    let server = server.await;
    let answer = reaching(*server.address(), small()).send(get(*server.address(), "/")).await.unwrap();
    assert_eq!(answer.body, "[1,2,3]");
    assert_eq!(answer.header("content-encoding"), None);
}

#[tokio::test]
async fn a_packing_that_was_not_asked_for_is_named() {
    let error = error_of("HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 1\r\n\r\nx").await;
    assert_eq!(error.kind, Kind::Unreadable);
}

#[tokio::test]
async fn a_body_may_be_as_long_as_the_limit_and_not_a_byte_longer() {
    for (length, whole) in [(SMALL - 1, true), (SMALL, true), (SMALL + 1, false)] {
        let plain = vec![b'x'; length];
        for (name, template) in [
            ("plain", ResponseTemplate::new(200).set_body_bytes(plain.clone())),
            ("gzip", ResponseTemplate::new(200).insert_header("content-encoding", "gzip").set_body_bytes(gzip(&plain))),
        ] {
            let server = answering(template).await;
            match reaching(*server.address(), small()).send(get(*server.address(), "/")).await {
                Ok(answer) => assert!(whole && answer.body.len() == length, "{name} {length}"),
                Err(error) => assert!(!whole && error.kind == Kind::Limit, "{name} {length}: {error}"),
            }
        }
    }
}

/// Writes chunks of a chunked body.
struct Chunked(TcpStream);

impl Write for Chunked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write!(self.0, "{:x}\r\n", bytes.len())?;
        self.0.write_all(bytes)?;
        self.0.write_all(b"\r\n")?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[tokio::test]
async fn a_bomb_is_stopped_before_its_end() {
    // Zeros at about 1:1000. It has no end: whoever reads it whole is not back before the deadline.
    let server = serve(|mut stream| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n";
        if stream.write_all(head).is_ok() {
            let mut bomb = GzEncoder::new(Chunked(stream), Compression::best());
            while bomb.write_all(&[0; 65_536]).is_ok() {}
        }
    });
    let limits = Limits { body: 4 << 20, ..Limits::default() };
    let error = reaching(server, limits).send(get(server, "/")).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Limit, Retry::No));
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_not_read() {
    let error = error_of("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await;
    assert_eq!(error.kind, Kind::Limit);
}

#[tokio::test]
async fn headers_are_bounded_in_number_and_size() {
    let many: String = (0..150).map(|n| format!("x-{n}: 1\r\n")).collect();
    let error = error_of(format!("HTTP/1.1 200 OK\r\n{many}content-length: 0\r\n\r\n")).await;
    assert_eq!(error.kind, Kind::Limit, "{error}");
    let long = "x".repeat(70_000);
    let error = error_of(format!("HTTP/1.1 200 OK\r\nx-long: {long}\r\ncontent-length: 0\r\n\r\n")).await;
    assert_eq!(error.kind, Kind::Limit, "{error}");
    let endless = serve(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-again: 1\r\n").is_ok() {}
    });
    assert!(reaching(endless, small()).send(get(endless, "/")).await.is_err());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let canary = Canary::new();
    for status in [301, 302, 303, 307, 308] {
        let target = format!("http://{}/", canary.address());
        let server = answering(ResponseTemplate::new(status).insert_header("location", target.as_str())).await;
        let policy = AddressPolicy::allowing([server.address().to_string(), canary.address().to_string()]).unwrap();
        let transport = HttpTransport::new(policy, small(), clock()).unwrap();
        let answer = transport.send(get(*server.address(), "/")).await.unwrap();
        assert_eq!((answer.status, answer.header("location")), (status, Some(target.as_str())));
    }
    assert_eq!(canary.arrivals(), 0);
}

#[tokio::test]
async fn trouble_on_the_way_is_unavailable_may_be_retried_and_is_named() {
    let half_packed = {
        let packed = gzip(&b"0123456789".repeat(100));
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len() - 9);
        [head.as_bytes(), &packed[..packed.len() - 9]].concat()
    };
    for (what, bytes, words) in [
        ("half a body", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec(), "broke off"),
        ("half a chunk", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhalf".to_vec(), "broke off"),
        ("half a gzip stream", half_packed, "broke off"),
        ("half a head", b"HTTP/1.1 200 OK\r\ncontent-le".to_vec(), "without an answer"),
        ("nothing", Vec::new(), "without an answer"),
        ("no HTTP", b"220 mail.example ESMTP\r\n\r\n".to_vec(), "without an answer"),
    ] {
        let error = error_of(bytes).await;
        assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::Yes), "{what}: {error}");
        assert!(error.message.contains(words), "{what}: {error}");
        assert!(!error.to_string().contains("k1"), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_refused_connection_and_an_unknown_name_are_named() {
    let gone = {
        let canary = Canary::new();
        canary.address()
    };
    let error = reaching(gone, small()).send(get(gone, "/")).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::Yes));
    assert!(error.message.contains("refuses the connection"), "{error}");

    let error = through(Unknown, small()).await;
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::Yes));
    assert!(error.message.contains("vendor.example cannot be found"), "{error}");
}

/// Knows no name.
struct Unknown;

#[async_trait]
impl Lookup for Unknown {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::Error::other("no such host"))
    }
}

/// Never answers.
struct Silent;

#[async_trait]
impl Lookup for Silent {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

async fn through(lookup: impl Lookup, limits: Limits) -> Error {
    let transport = HttpTransport::with_lookup(AddressPolicy::default(), limits, clock(), Arc::new(lookup)).unwrap();
    transport.send(Request::get("https://vendor.example/?key=k1".parse().unwrap())).await.unwrap_err()
}

#[tokio::test]
async fn a_resolver_that_hangs_ends_at_the_connect_deadline() {
    let error = through(Silent, Limits { connect: Duration::from_millis(100), ..small() }).await;
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::Yes));
    assert!(error.message.contains("does not accept a connection in time"), "{error}");
}

#[tokio::test]
async fn the_system_resolves_its_own_name() {
    let found = SystemLookup.lookup("localhost").await.unwrap();
    assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
}

#[tokio::test]
async fn a_policy_belongs_to_its_connection() {
    let server = answering(ResponseTemplate::new(200)).await;
    let at = *server.address();
    let strict = HttpTransport::new(AddressPolicy::default(), small(), clock()).unwrap();
    let excepted = strict.with_policy(AddressPolicy::allowing([at.to_string()]).unwrap()).unwrap();
    assert_eq!(excepted.send(get(at, "/")).await.unwrap().status, 200);
    assert_eq!(strict.send(get(at, "/")).await.unwrap_err().kind, Kind::Refused);
    let closed = excepted.with_policy(AddressPolicy::default()).unwrap();
    assert_eq!(closed.send(get(at, "/")).await.unwrap_err().kind, Kind::Refused);
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let wait_for_close = |mut stream: TcpStream| {
        let _ = stream.read(&mut [0]);
    };
    let server = serve(wait_for_close);
    let limits = Limits { total: Duration::from_millis(200), ..small() };
    let error = reaching(server, limits).send(get(server, "/")).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::Yes));
    assert!(error.message.contains("did not answer within 0.2 s"), "{error}");

    let server = serve(move |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nslow");
        wait_for_close(stream);
    });
    let error = reaching(server, limits).send(get(server, "/")).await.unwrap_err();
    assert!(error.message.contains("did not answer within 0.2 s"), "{error}");
}

#[tokio::test]
async fn a_port_without_tls_is_named() {
    // Answers the first bytes of the handshake in plain text.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let request = Request::get(format!("https://{server}/").parse().unwrap());
    let error = reaching(server, small()).send(request).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::Yes));
    assert!(error.message.contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    const TARGET: &str = "PANELONE_TRANSPORT_TEST_TARGET";
    if let Ok(target) = std::env::var(TARGET) {
        let target = target.parse().unwrap();
        reaching(target, small()).send(get(target, "/")).await.unwrap();
        return;
    }
    let canary = Canary::new();
    let proxy = format!("http://{}", canary.address());
    let server = answering(ResponseTemplate::new(200)).await;
    // In a process of its own, because a test must not change the environment of the others.
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "client::proxies_of_the_environment_are_ignored"]).env(TARGET, server.address().to_string());
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, &proxy);
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    assert_eq!(canary.arrivals(), 0);
}
