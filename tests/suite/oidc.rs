//! The authorization code against a server that is not ours: npm's oidc-provider, over the real transport. Our own
//! simulators could share our misunderstandings; this one does not.
//!
//! It needs `node` and what `npm ci` installs in `tests/oidc`. Without them it says that it did not run; with
//! `PANELONE_REQUIRE_ALL=1` they fail. `cargo xtask ci` installs it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use domain::{Clock as _, ConnectionId, SystemClock};
use integration::{
    ConsentAnswer, ConsentAsk, Grant, Http, Kind, Retry, Secret,
    oauth::{ClientProof, CodeFlow, CodeSettings, challenge, claims},
};
use sync::Dial;
use worker::VendorDial;

const BACK: &str = "http://127.0.0.1:9/oauth/callback";
const SCOPE: &str = "openid profile email workflowmax offline_access";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-0001-x";

/// The server; it ends with its input.
struct Server {
    child: Child,
    host: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc")
}

/// Starts it; `None`, said aloud, where it is not installed.
fn start() -> Option<Server> {
    let all = std::env::var("PANELONE_REQUIRE_ALL").as_deref() == Ok("1");
    let installed = folder().join("node_modules/oidc-provider").is_dir();
    let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    if !installed || !node {
        assert!(!all, "PANELONE_REQUIRE_ALL=1, but there is no node, or `npm ci` was not run in tests/oidc");
        #[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
        {
            eprintln!("NOT RUN: oidc::… needs node, and `npm ci` in tests/oidc");
        }
        return None;
    }
    let mut child = Command::new("node")
        .arg("server.mjs")
        .arg(BACK)
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("node starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("is piped")).read_line(&mut line).expect("it says its port");
    Some(Server { child, host: format!("127.0.0.1:{}", line.trim()) })
}

impl Server {
    fn flow(&self, client_id: &str, secret: &str, proof: ClientProof) -> CodeFlow {
        let dial = VendorDial::new(&[&self.host], 10_000.0, Arc::new(SystemClock)).expect("a way to it");
        let transport = dial.transport(ConnectionId(uuid::Uuid::from_u128(1)), true);
        let url = |path: &str| format!("http://{}{path}", self.host).parse().expect("an address");
        let settings = CodeSettings {
            authorize_url: url("/oauth/authorize"),
            token_url: url("/oauth/token"),
            client_id: client_id.to_owned(),
            client_secret: Secret::new(secret.to_owned()),
            proof,
            scope: SCOPE,
            scope_at_renewal: true,
            page_pairs: &[("prompt", "consent")],
        };
        let http = Http::new("The provider", transport, [settings.client_secret.clone()]);
        CodeFlow::new(Arc::new(http), settings)
    }
}

/// Goes to the page as a browser does, with its cookies, until it is sent back; the pairs that it comes back with.
async fn visit(flow: &CodeFlow) -> BTreeMap<String, String> {
    let ask = ConsentAsk { redirect_uri: BACK, state: "our-state", code_challenge: &challenge(VERIFIER) };
    let (mut url, browser) = (flow.page(&ask), browser());
    let mut cookies: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..10 {
        let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = browser.get(url.clone()).header("cookie", jar.join("; ")).send().await.expect("answers");
        for set in response.headers().get_all("set-cookie") {
            let pair = set.to_str().expect("a text").split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = response.headers().get("location").map(|to| to.to_str().expect("a text").to_owned());
        let Some(location) = location else { panic!("no way on: {} {:?}", response.status(), response.text().await) };
        url = url.join(&location).expect("an address");
        if url.as_str().starts_with(BACK) {
            return url.query_pairs().into_owned().collect();
        }
    }
    panic!("it never comes back: {url}")
}

#[expect(clippy::disallowed_methods, reason = "this client stands for a browser at the vendor's page")]
fn browser() -> reqwest::Client {
    let never = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(never).timeout(Duration::from_secs(30)).build().expect("a client")
}

async fn exchange(flow: &CodeFlow, code: &str, verifier: &str) -> integration::Result<Grant> {
    let secret = |text: &str| Secret::new(text.to_owned());
    let query = BTreeMap::new();
    let answer = ConsentAnswer { code: secret(code), verifier: secret(verifier), redirect_uri: BACK.to_owned(), query };
    flow.exchange(&answer).await
}

async fn journey(flow: &CodeFlow) {
    let back = visit(flow).await;
    assert_eq!(back.get("state").map(String::as_str), Some("our-state"), "{back:?}");
    let grant = exchange(flow, &back["code"], VERIFIER).await.expect("a grant");
    let life = grant.ends_at - SystemClock.now();
    assert!((1_700..=1_800).contains(&life.num_seconds()), "{life}");
    assert!(claims(&grant.access).is_none(), "an opaque token has no claims");

    // Each renewal gives another refresh token, and what belongs to the grant stays.
    let mut first = grant.clone();
    first.extra.insert(Grant::ACCOUNT.to_owned(), "theirs".to_owned());
    let second = flow.renew(&first).await.expect("renews");
    assert!(second.refresh != first.refresh && second.access != first.access, "it does not rotate");
    assert_eq!(second.account(), Some("theirs"));
    let third = flow.renew(&second).await.expect("renews again");

    // An old one is taken for stolen, and ends the newest as well.
    for grant in [&first, &third] {
        let error = flow.renew(grant).await.expect_err("an old refresh token is taken");
        assert_eq!((error.kind, error.retry), (Kind::Credentials, Retry::No), "{error}");
        assert!(error.message.contains("reconnect"), "{error}");
    }
}

#[tokio::test]
async fn codes_and_rotating_tokens_work_with_another_server() {
    let Some(server) = start() else { return };
    journey(&server.flow("panelone-test", "a-secret-of-the-test-only", ClientProof::Form)).await;
    // Ids and secrets with characters that a header must carry encoded.
    journey(&server.flow("panelone-test:basic", "a secret/with+odd %characters", ClientProof::Header)).await;
}

#[tokio::test]
async fn another_server_refuses_what_must_be_refused() {
    let Some(server) = start() else { return };
    let flow = server.flow("panelone-test", "a-secret-of-the-test-only", ClientProof::Form);
    // Another verifier.
    let code = visit(&flow).await.remove("code").expect("a code");
    let error = exchange(&flow, &code, "another-verifier-of-forty-three-characters-2").await.expect_err("refused");
    assert_eq!(error.kind, Kind::Refused, "{error}");
    assert!(error.vendor_message.is_some() && !error.to_string().contains(&code), "{error}");
    // A code twice; what it gave the first time ends with it.
    let code = visit(&flow).await.remove("code").expect("a code");
    let grant = exchange(&flow, &code, VERIFIER).await.expect("a grant");
    assert_eq!(exchange(&flow, &code, VERIFIER).await.expect_err("twice").kind, Kind::Refused);
    assert_eq!(flow.renew(&grant).await.expect_err("its grant lives on").kind, Kind::Credentials);
    // Another secret is not the consent's fault.
    let wrong = server.flow("panelone-test", "not-the-secret", ClientProof::Form);
    let error = exchange(&wrong, "no-code", VERIFIER).await.expect_err("refused");
    assert_eq!(error.kind, Kind::Credentials, "{error}");
    assert!(error.message.contains("client id and secret") && !error.to_string().contains("not-the-secret"), "{error}");
}
