//! What stands in for Datto RMM in these tests.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_datto_rmm::{Credentials, DattoRmm, Platform};
use integration::{Method, Request, Response, Result, Secret, Transport, Vendor};
use serde_json::{Value, json};
use vendorkit::Replay;

/// Gives out a token, and answers each GET as `answer` says.
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
        let body = match request.method {
            Method::Get => (self.answer)(&request),
            _ => json!({ "access_token": "token-of-the-script", "expires_in": 360_000 }),
        };
        self.asked.lock().unwrap().push(request);
        Ok(Response { status: 200, headers: Vec::new(), body: body.to_string().into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        vendorkit::a_tuesday()
    }
}

pub fn credentials(platform: Platform, api_url: Option<&str>) -> Credentials {
    let secret = |text: &str| Secret::new(text.to_owned());
    Credentials {
        platform,
        api_key: secret("key-of-the-user"),
        api_secret_key: secret("secret-of-the-user"),
        api_url: api_url.map(|address| address.parse().unwrap()),
    }
}

/// A connector of the platform Merlot.
pub fn over(transport: Arc<dyn Transport>) -> DattoRmm {
    DattoRmm::connect(credentials(Platform::Merlot, None), transport)
}

/// A connector that meets exactly the exchanges of these files.
pub fn replaying(files: &[&str]) -> (DattoRmm, Arc<Replay>) {
    use integration::CredentialsForm;
    let replay = Arc::new(Replay::files(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendor"), files).unwrap());
    let credentials = Credentials::parse(&Credentials::example()).unwrap();
    (DattoRmm::connect(credentials, replay.clone()), replay)
}

/// A page of a listing: its list, its total, the link to the next page.
pub fn listing(list: &str, rows: &Value, total: u64, next: Option<&str>) -> Value {
    let count = rows.as_array().map_or(0, Vec::len);
    json!({ "pageDetails": { "count": count, "totalCount": total, "prevPageUrl": null, "nextPageUrl": next }, list: rows })
}
