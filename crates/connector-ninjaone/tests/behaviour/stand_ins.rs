//! What stands in for NinjaOne in these tests.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connector_ninjaone::{Credentials, NinjaOne, Region};
use integration::{Body, Method, Request, Response, Result, Secret, Transport, Vendor};
use vendorkit::Replay;

/// Gives out a token, and answers everything else as `rows` says.
pub struct Scripted<F> {
    rows: F,
    asked: Mutex<Vec<Request>>,
}

impl<F: Fn(&Request) -> String + Send + Sync + 'static> Scripted<F> {
    pub fn new(rows: F) -> Arc<Self> {
        Arc::new(Self { rows, asked: Mutex::default() })
    }

    /// Addresses asked so far, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|request| request.url.to_string()).collect()
    }

    /// Method, path and body of what was asked to be changed, in order.
    pub fn changes(&self) -> Vec<(&'static str, String, Body)> {
        let asked = self.asked.lock().unwrap();
        let changes = asked.iter().filter(|one| one.method != Method::Get && !one.url.path().ends_with("/token"));
        changes.map(|one| (one.method.as_str(), one.url.path().to_owned(), one.body.clone())).collect()
    }
}

#[async_trait]
impl<F: Fn(&Request) -> String + Send + Sync> Transport for Scripted<F> {
    async fn send(&self, request: Request) -> Result<Response> {
        let body = if request.url.path().ends_with("/oauth/token") {
            r#"{"access_token":"token-of-the-script","expires_in":3600}"#.to_owned()
        } else {
            (self.rows)(&request)
        };
        self.asked.lock().unwrap().push(request);
        Ok(Response { status: 200, headers: Vec::new(), body: body.into(), received_at: self.now() })
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_764_000_000, 0).unwrap()
    }
}

pub fn credentials(region: Region, own_host: Option<&str>) -> Credentials {
    Credentials {
        region,
        client_id: "client-0001".into(),
        client_secret: Secret::new("secret-of-the-client".into()),
        base_url: own_host.map(|address| address.parse().unwrap()),
    }
}

/// A connector of the region EU.
pub fn over(transport: Arc<dyn Transport>) -> NinjaOne {
    NinjaOne::connect(credentials(Region::Eu, None), transport)
}

/// A connector that meets exactly the exchanges of these files.
pub fn replaying(files: &[&str]) -> (NinjaOne, Arc<Replay>) {
    let replay = Replay::files(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendor"), files).unwrap();
    let replay = Arc::new(replay);
    (over(replay.clone()), replay)
}
