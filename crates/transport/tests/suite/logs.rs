//! What is logged, at the most talkative level, libraries included.

use std::{
    io,
    sync::{Arc, Mutex},
};

use integration::{Secret, Transport};
use tracing_subscriber::fmt::MakeWriter;
use transport::Limits;

use crate::stand_ins::{get, reaching, serve_bytes};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn one_event_a_request_and_no_secret_at_any_level() {
    let captured = Captured::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .init();
    let whole =
        serve_bytes("HTTP/1.1 200 OK\r\nx-token: answer-header-canary\r\ncontent-length: 18\r\n\r\nanswer-body-canary");
    let broken =
        serve_bytes("HTTP/1.1 500 No\r\nx-token: answer-header-canary\r\ncontent-length: 99\r\n\r\nanswer-body-canary");
    for server in [whole, broken] {
        let request = get(server, "/v1/devices")
            .query("code", "query canary+1")
            .header("x-api-key", "header-canary")
            .bearer(&Secret::new("bearer-canary".to_owned()))
            .json(serde_json::json!({"password": "body-canary"}));
        let outcome = reaching(server, Limits::default()).send(request).await;
        assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
    }
    let logged = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    let events: Vec<&str> = logged.lines().filter(|line| line.contains("vendor request")).collect();
    assert_eq!(events.len(), 2, "{logged}");
    assert!(logged.lines().count() > 2, "the libraries' own lines are captured too");
    for part in
        ["DEBUG", r#"method="GET""#, r#"host="127.0.0.1""#, r#"path="/v1/devices""#, "status=200", "bytes=18", "ms="]
    {
        assert!(events[0].contains(part), "{part}: {}", events[0]);
    }
    assert!(!logged.contains("canary"), "{logged}");
}
