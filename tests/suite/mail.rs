//! Letters against a mail server that is not ours: npm's smtp-server, from the outbox's job to the bytes it receives.
//!
//! It needs `node` and what `npm ci` installs in `tests/mail`, and `openssl` for a certificate. Without them it says
//! that it did not run; with `PANELONE_REQUIRE_ALL=1` it fails. `cargo xtask ci` installs it.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use domain::{Letter, MailId, MailState, OrganisationId};
use mail::{Carrier, Outgoing, Security, Sender, Smtp, SmtpOptions};
use persistence::{MailRow, NewMail};
use serde_json::Value;
use testkit::TestDb;

use crate::harness::TestApp;

const LINK: &str = "https://panelone.msp.example/reset#a-token-of-the-test";

/// The server; it ends with its input.
struct Server {
    child: Child,
    port: u16,
    letters: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("mail")
}

fn runs(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

/// Whether what it takes is installed; says so aloud where it is not.
fn installed() -> bool {
    let all = std::env::var("PANELONE_REQUIRE_ALL").as_deref() == Ok("1");
    let there = folder().join("node_modules/smtp-server").is_dir();
    if there && runs("node", "--version") && runs("openssl", "version") {
        return true;
    }
    assert!(!all, "PANELONE_REQUIRE_ALL=1, but there is no node or openssl, or `npm ci` was not run in tests/mail");
    #[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
    {
        eprintln!("NOT RUN: mail::… needs node, openssl, and `npm ci` in tests/mail");
    }
    false
}

/// A key and a certificate for localhost, and the authority that signed it, in a folder.
fn certificate(at: &Path) {
    let run = |arguments: &[&str]| {
        let made = Command::new("openssl").args(arguments).current_dir(at).output().expect("openssl runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    let new = ["req", "-newkey", "rsa:2048", "-nodes"];
    run(&[&new[..], &["-x509", "-days", "2", "-subj", "/CN=Test CA", "-keyout", "ca-key.pem", "-out", "ca.pem"]]
        .concat());
    run(&[&new[..], &["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "csr.pem"]].concat());
    std::fs::write(at.join("ext"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").expect("writes");
    let signed = ["x509", "-req", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"];
    run(&[&signed[..], &["-days", "2", "-extfile", "ext", "-out", "cert.pem"]].concat());
}

impl Server {
    fn start(security: &str, at: &Path) -> Self {
        let mut child = Command::new("node")
            .arg("server.mjs")
            .args([security.as_ref(), at.join("key.pem").as_os_str(), at.join("cert.pem").as_os_str()])
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let mut letters = BufReader::new(child.stdout.take().expect("is piped"));
        let mut line = String::new();
        letters.read_line(&mut line).expect("it says its port");
        Self { child, port: line.trim().parse().expect("a port"), letters }
    }

    /// The next letter that it took.
    fn letter(&mut self) -> Value {
        let mut line = String::new();
        self.letters.read_line(&mut line).expect("it says what it took");
        serde_json::from_str(&line).expect("JSON")
    }
}

fn options(port: u16, security: Security) -> SmtpOptions {
    SmtpOptions {
        host: "localhost".to_owned(),
        port,
        security,
        login: Some(("panelone".to_owned(), "0123456".to_owned().into())),
        authority: None,
        timeout: Duration::from_secs(10),
    }
}

fn smtp(options: SmtpOptions) -> Arc<Smtp> {
    let from = Sender::parse("PanelOne <panelone@msp.example>").expect("a sender");
    Arc::new(Smtp::new(options, from).expect("a way to it"))
}

fn letter() -> Letter {
    Letter::PasswordReset {
        organisation: "Harbour IT".into(),
        name: "Jo Ö. <b>Hart</b>".into(),
        link: LINK.into(),
        expires_at: domain::Timestamp::UNIX_EPOCH,
    }
}

fn outgoing(to: &str) -> Outgoing {
    Outgoing {
        id: MailId(uuid::Uuid::from_u128(7)),
        recipient: to.to_owned(),
        recipient_name: Some("Jo Ö. Hart".into()),
        letter: letter(),
        written_at: domain::Timestamp::UNIX_EPOCH,
        tried: 0,
    }
}

/// An outbox with one letter, and what becomes of it.
struct Outbox {
    app: TestApp,
    organisation: OrganisationId,
}

impl Outbox {
    async fn new(db: TestDb) -> Self {
        let organisation = db.organisation("Harbour IT").await;
        Self { app: TestApp::new(db).await, organisation }
    }

    async fn write(&self, to: &str) -> MailId {
        let db = &self.app.db;
        let tx = db.store.begin(db.context(self.organisation)).await.expect("begins");
        let new = NewMail {
            recipient: to.into(),
            recipient_name: Some("Jo Ö. Hart".into()),
            letter: letter(),
            key: to.into(),
            send_before: None,
        };
        let id = tx.mail_enqueue(&new).await.expect("enqueues").expect("is new");
        tx.commit_unjournalled().await.expect("commits");
        id
    }

    async fn row(&self, id: MailId) -> MailRow {
        let db = &self.app.db;
        let tx = db.store.read(db.context(self.organisation)).await.expect("reads");
        tx.mail_list().await.expect("lists").into_iter().find(|row| row.id == id).expect("is listed")
    }
}

testkit::both_databases! {
    async fn a_letter_goes_from_the_outbox_to_another_server_once(db: TestDb) {
        if !installed() { return }
        let at = tempfile::tempdir().expect("a folder");
        certificate(at.path());
        let mut server = Server::start("none", at.path());
        let outbox = Outbox::new(db).await;
        let worker = outbox.app.worker.clone().posting(smtp(options(server.port, Security::None)));
        let (fine, busy, nobody) =
            (outbox.write("jo@kite.example").await, outbox.write("busy@kite.example").await, outbox.write("nobody@kite.example").await);
        worker.run_until_idle().await.expect("works");
        let took = server.letter();
        assert_eq!((&took["from"], &took["to"][0]), (&"panelone@msp.example".into(), &"jo@kite.example".into()));
        assert_eq!(took["user"], "panelone");
        let text = took["text"].as_str().expect("a text");
        assert!(text.contains(&format!("Message-ID: <{fine}@msp.example>")), "{text}");
        assert!(text.contains("multipart/alternative"), "{text}");
        let html = text.split_once("text/html").expect("an HTML part").1;
        assert!(!html.contains("<b>Hart"), "{html}");
        // Quoted-printable breaks lines.
        assert!(text.replace("=\r\n", "").contains("reset#a-token-of-the-test"), "{text}");
        assert_eq!(outbox.row(fine).await.state, MailState::Sent);
        let row = outbox.row(nobody).await;
        assert_eq!((row.state, row.attempts), (MailState::Failed, 1));
        assert!(row.last_error.as_deref().is_some_and(|why| why.contains("no such user here")), "{row:?}");
        let row = outbox.row(busy).await;
        assert_eq!((row.state, row.attempts), (MailState::Queued, 1));
        assert!(row.last_error.as_deref().is_some_and(|why| why.contains("come back later")), "{row:?}");
        // Later it is taken; what was taken before does not come again.
        outbox.app.db.clock.advance(90);
        worker.run_until_idle().await.expect("works");
        assert_eq!(server.letter()["to"][0], "busy@kite.example");
        assert_eq!(outbox.row(busy).await.state, MailState::Sent);
        outbox.app.db.clock.advance(86_400);
        worker.run_until_idle().await.expect("works");
        outbox.write("last@kite.example").await;
        worker.run_until_idle().await.expect("works");
        assert_eq!(server.letter()["to"][0], "last@kite.example");
        // What it said is nowhere any more, and was never in the journal.
        assert_eq!(outbox.app.db.tamper("UPDATE mail SET body = NULL WHERE body IS NOT NULL").await.expect("asks"), 0);
        let found = "SELECT seq FROM journal WHERE changes LIKE '%a-token-of-the-test%'";
        assert_eq!(outbox.app.db.tamper(&format!("DELETE FROM journal WHERE seq IN ({found})")).await.expect("asks"), 0);
    }
}

#[tokio::test]
async fn tls_is_used_and_only_a_known_certificate_is_trusted() {
    if !installed() {
        return;
    }
    let at = tempfile::tempdir().expect("a folder");
    certificate(at.path());
    let authority = std::fs::read(at.path().join("ca.pem")).expect("reads");
    for (name, security) in [("tls", Security::Tls), ("starttls", Security::StartTls)] {
        let mut server = Server::start(name, at.path());
        let unknown = smtp(options(server.port, security));
        let refused = unknown.carry(&outgoing("jo@kite.example")).await.expect_err("an unknown certificate");
        assert!(!refused.permanent, "{refused:?}");
        assert!(refused.message.to_lowercase().contains("certificate"), "{refused:?}");
        let known = smtp(SmtpOptions { authority: Some(authority.clone()), ..options(server.port, security) });
        known.carry(&outgoing("jo@kite.example")).await.expect("is taken");
        assert_eq!(server.letter()["secure"], true, "{name}");
    }
    // A server that offers no STARTTLS gets neither the password nor the letter.
    let server = Server::start("none", at.path());
    let refused = smtp(options(server.port, Security::StartTls)).carry(&outgoing("jo@kite.example")).await;
    assert!(!refused.expect_err("is refused").permanent);
}

#[tokio::test]
async fn a_wrong_password_and_a_server_that_is_away_pass_once_they_are_set_right() {
    if !installed() {
        return;
    }
    let at = tempfile::tempdir().expect("a folder");
    certificate(at.path());
    let server = Server::start("none", at.path());
    let login = Some(("panelone".to_owned(), "not-it-of-the-test".to_owned().into()));
    let wrong = smtp(SmtpOptions { login, ..options(server.port, Security::None) });
    let refused = wrong.carry(&outgoing("jo@kite.example")).await.expect_err("refused");
    assert!(!refused.permanent && refused.message.contains("wrong user or password"), "{refused:?}");
    assert!(!refused.message.contains("not-it-of-the-test"), "{refused:?}");
    let free = TcpListener::bind("127.0.0.1:0").expect("listens").local_addr().expect("an address").port();
    let away =
        smtp(options(free, Security::None)).carry(&outgoing("jo@kite.example")).await.expect_err("nobody is there");
    assert!(!away.permanent, "{away:?}");
}
