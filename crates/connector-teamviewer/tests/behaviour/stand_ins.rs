//! What stands in for TeamViewer in these tests.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_teamviewer::{Credentials, Teamviewer};
use integration::{CredentialsForm, Request, Response, Result, Secret, Transport, Vendor};
use serde_json::Value;
use vendorkit::Replay;

/// Answers everything as `answer` says.
pub struct Scripted<F> {
    answer: F,
    asked: Mutex<Vec<Request>>,
}

impl<F: Fn(&Request) -> Value + Send + Sync + 'static> Scripted<F> {
    pub fn new(answer: F) -> Arc<Self> {
        Arc::new(Self { answer, asked: Mutex::default() })
    }

    /// Addresses asked so far, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|request| request.url.to_string()).collect()
    }
}

#[async_trait]
impl<F: Fn(&Request) -> Value + Send + Sync> Transport for Scripted<F> {
    async fn send(&self, request: Request) -> Result<Response> {
        let body = (self.answer)(&request).to_string();
        self.asked.lock().unwrap().push(request);
        Ok(Response { status: 200, headers: Vec::new(), body: body.into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        vendorkit::a_tuesday()
    }
}

/// A connector with the address left empty, or as it was entered.
pub fn over(api_url: Option<&str>, transport: Arc<dyn Transport>) -> Teamviewer {
    let credentials = Credentials {
        script_token: Secret::new("token-of-the-script".to_owned()),
        api_url: api_url.map(|address| address.parse().unwrap()),
    };
    Teamviewer::connect(credentials, transport)
}

/// A connector that meets exactly the exchanges of these files.
pub fn replaying(files: &[&str]) -> (Teamviewer, Arc<Replay>) {
    let replay = Arc::new(Replay::files(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendor"), files).unwrap());
    let credentials = Credentials::parse(&Credentials::example()).unwrap();
    (Teamviewer::connect(credentials, replay.clone()), replay)
}
