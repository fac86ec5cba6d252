//! Server-side request forgery: nothing on this machine or its network is reached, however it is
//! spelled, unless it is excepted by exactly that host and port.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use integration::{Kind, Request, Retry, Transport};
use transport::{AddressPolicy, HttpTransport, Limits, Lookup};
use url::Url;

use crate::stand_ins::{Canary, clock};

/// Resolves every name to loopback, as an attacker's name server would.
struct Loopback;

#[async_trait]
impl Lookup for Loopback {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

/// Hosts that lead to this machine, its network, or an address that hides one of them.
const HOSTS: [&str; 84] = [
    // this machine
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.0.0.01",
    "0x7F.0x0.0x0.0x1",
    "127.0.0.0x1",
    "127.127.127.127",
    "127.255.255.255",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    "0.0.0.0",
    "0",
    "0x0",
    "0.0.0.1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2001::1]",
    // names
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "127.0.0.1.wildcard.example",
    "rebinding.example",
    "\u{24db}ocalhost",
    "loc%61lhost",
    // metadata and link-local
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.16689662",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[2002:a9fe:a9fe::]",
    "[fe80::1]",
    "[febf::1]",
    "[fd00:ec2::254]",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    // private networks
    "10.0.0.1",
    "10.255.255.255",
    "012.0.0.1",
    "167772161",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "192.168.1",
    "0xc0a80001",
    "100.64.0.1",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[fec0::1]",
    "[::ffff:10.0.0.1]",
    // what is nobody's
    "192.0.2.1",
    "198.51.100.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[ff02::1]",
    "[2001:db8::1]",
];

/// A transport for which every name leads to loopback.
fn with(policy: AddressPolicy) -> HttpTransport {
    // Short, so that a hole shows at once as an arrival and not as a test that hangs.
    let second = Duration::from_secs(1);
    let limits = Limits { connect: second, total: second, ..Limits::default() };
    HttpTransport::with_lookup(policy, limits, clock(), Arc::new(Loopback)).unwrap()
}

fn strict() -> HttpTransport {
    with(AddressPolicy::default())
}

/// Sends to `url` if it is one; an address that cannot be written as a URL is refused before us.
async fn is_refused(transport: &HttpTransport, url: &str) -> bool {
    let Ok(url) = url.parse::<Url>() else { return true };
    match transport.send(Request::get(url)).await {
        Ok(_) => false,
        Err(error) => error.kind == Kind::Refused && error.retry == Retry::No,
    }
}

#[tokio::test]
async fn nothing_local_is_reached_in_any_spelling() {
    let canary = Canary::new();
    let port = canary.address().port();
    let transport = strict();
    let mut readable = 0;
    let mut passed = Vec::new();
    for host in HOSTS {
        for url in [format!("https://{host}:{port}/"), format!("http://{host}:{port}/")] {
            readable += usize::from(url.parse::<Url>().is_ok());
            if !is_refused(&transport, &url).await {
                passed.push(url);
            }
        }
    }
    assert_eq!(passed, [""; 0]);
    assert!(readable >= 2 * 80, "most spellings are to reach the policy, not to fail as URLs: {readable}");
    assert_eq!(canary.arrivals(), 0);
}

#[tokio::test]
async fn an_exception_opens_one_address_and_one_port() {
    let (open, shut) = (Canary::new(), Canary::new());
    let (open_port, shut_port) = (open.address().port(), shut.address().port());
    let policy = AddressPolicy::allowing([open.address().to_string()]).unwrap();
    let transport = with(policy);
    for host in HOSTS {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{shut_port}/");
            assert!(is_refused(&transport, &url).await, "{url}");
        }
    }
    // The same machine under another address or name is not the exception.
    for host in ["127.0.0.2", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "rebinding.example"] {
        let url = format!("http://{host}:{open_port}/");
        assert!(is_refused(&transport, &url).await, "{url}");
    }
    assert_eq!((open.arrivals(), shut.arrivals()), (0, 0));
}

#[tokio::test]
async fn tricks_with_user_names_fragments_and_schemes_lead_nowhere() {
    let canary = Canary::new();
    let at = canary.address();
    let policy = AddressPolicy::allowing(["vendor.example:443"]).unwrap();
    let transport = with(policy);
    for url in [
        format!("https://vendor.example@{at}/"),
        format!("https://vendor.example:443@{at}/"),
        format!("https://user:word@{at}/"),
        format!("https://{at}#@vendor.example/"),
        format!("https://{at}?@vendor.example/"),
        format!("https://{at}\\@vendor.example/"),
        format!("https://{at}%2f@vendor.example/"),
        format!("http:\\\\{at}\\"),
        format!("https:{at}/"),
        format!("https:///{at}/"),
        format!("\thttps://{at}/"),
        format!("ftp://{at}/"),
        format!("ws://{at}/"),
        format!("file://{at}/etc/hosts"),
        "file:///etc/hosts".to_owned(),
        "data:text/plain,x".to_owned(),
        "unix:/run/socket".to_owned(),
    ] {
        assert!(is_refused(&transport, &url).await, "{url}");
    }
    assert_eq!(canary.arrivals(), 0);
}

#[tokio::test]
async fn the_host_header_cannot_be_chosen() {
    let canary = Canary::new();
    let transport = HttpTransport::new(
        AddressPolicy::allowing([canary.address().to_string()]).unwrap(),
        Limits::default(),
        clock(),
    )
    .unwrap();
    let request = crate::stand_ins::get(canary.address(), "/").header("Host", "internal.example");
    assert_eq!(transport.send(request).await.unwrap_err().kind, Kind::Refused);
    assert_eq!(canary.arrivals(), 0);
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_not_where_the_name_led() {
    let error = strict().send(Request::get("https://rebinding.example/x?key=k".parse().unwrap())).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("rebinding.example leads to a loopback address"), "{text}");
    assert!(!text.contains("127.0.0.1") && !text.contains("key"), "{text}");
}
